"""The test cluster itself, with accounting."""

import time

import pytest
from slurm_cluster import Cluster, missing


@pytest.mark.slow
def test_accounting_knows_what_became_of_a_job(tmp_path):
    lacking = missing(accounting=True)
    if lacking:
        pytest.skip(f"no Slurm with accounting: {lacking}")
    cluster = Cluster(tmp_path / "slurm", accounting=True)
    try:
        cluster.start()
        assert cluster.run("srun", "-n", "2", "false").returncode == 1
        until = time.monotonic() + 30
        while "FAILED" not in cluster.run("sacct", "-X", "-n", "-a").stdout:
            assert time.monotonic() < until
            time.sleep(0.5)
    finally:
        cluster.stop()
    assert not list(cluster.folder.glob("*.pid"))
