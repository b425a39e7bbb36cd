"""The workflow on a real Slurm: `snakemake --profile slurm`."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from porefail import files, store

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ENSEMBLE = "results/smoke/ensemble.h5"
SMALL = {
    "porosity": {"shape": [8, 8, 8], "realizations": 12, "batch_size": 6, "mean_porosity": 0.03},
    "simulation": {"max_strain_step": 5.0e-3, "max_damage_step": 0.2},
    "training": {"epochs": 2},
    "execution": {"ranks": 2},
}
# One batch whose specimens take a second each.
SLOW = SMALL | {
    "porosity": {"shape": [8, 8, 32], "realizations": 12, "batch_size": 12, "mean_porosity": 0.02},
    "simulation": {"max_strain_step": 5.0e-4, "max_damage_step": 0.01},
    "execution": {"ranks": 1},
}
# The first look at a job comes after 40 s otherwise, the longest wait for its files after 60 s.
IMPATIENT = ["--slurm-init-seconds-before-status-checks", "3", "--latency-wait", "10"]


@pytest.fixture
def start(cluster, command):
    """Starts the workflow on the cluster, in a folder; its output and errors are one text."""

    def start(folder: Path, changes: dict, *arguments: str) -> subprocess.Popen:
        return subprocess.Popen(
            command(folder, "smoke", changes, "--profile", "slurm", *IMPATIENT, *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=cluster.environment,
            start_new_session=True,
        )

    return start


@pytest.fixture
def on_slurm(start):
    """Runs the workflow on the cluster to its end; its output."""

    def run(*arguments) -> subprocess.CompletedProcess:
        process = start(*arguments)
        output, _ = process.communicate(timeout=600)
        return subprocess.CompletedProcess(process.args, process.returncode, output, output)

    return run


def datasets(folder: Path, name: str) -> dict[str, np.ndarray]:
    return store.read(folder / "results" / "smoke" / name)[0]


def test_the_whole_workflow_gives_the_numbers_of_a_local_run(tmp_path, on_slurm, snakemake):
    on, alone = tmp_path / "slurm", tmp_path / "local"
    for folder in (on, alone):
        folder.mkdir()
    ended = on_slurm(on, SMALL)
    assert ended.returncode == 0, ended.stderr
    ended = snakemake(alone, "smoke", SMALL, "--cores", "2")
    assert ended.returncode == 0, ended.stderr
    for name in ("ensemble.h5", "dataset.h5", "prediction.h5"):
        found, expected = datasets(on, name), datasets(alone, name)
        assert found.keys() == expected.keys()
        for key in expected.keys() - store.PROVENANCE:
            np.testing.assert_array_equal(found[key], expected[key], err_msg=f"{name} {key}")


def account(folder: Path) -> list[int]:
    """Numbers of the realizations that the ensemble and the table of exclusions hold."""
    excluded = files.read_table(folder / "results" / "smoke" / "exclusions.csv")["realization"]
    used = datasets(folder, "ensemble.h5")["realization"]
    return sorted([*used.tolist(), *excluded.astype(int).tolist()])


def part_files(folder: Path) -> dict[Path, int]:
    """Finished realizations of batches at work, and when they were written."""
    found = folder.glob("results/smoke/simulation/*.parts/[0-9]*.h5")
    return {path: path.stat().st_mtime_ns for path in found}


def wait_for(condition, seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def simulations(cluster) -> list[str]:
    """Numbers of the running jobs of rule simulate."""
    listed = cluster.run("squeue", "-h", "-t", "R", "-o", "%i %k").stdout.splitlines()
    return [line.split()[0] for line in listed if "simulate" in line]


def test_a_cancelled_job_is_submitted_again_and_repeats_nothing(tmp_path, cluster, start):
    run = start(tmp_path, SLOW, ENSEMBLE)
    wait_for(lambda: len(part_files(tmp_path)) >= 2 and simulations(cluster))
    cluster.run("scancel", *simulations(cluster))
    kept = part_files(tmp_path)
    output, _ = run.communicate(timeout=600)
    assert run.returncode == 0, output
    assert "Trying to restart job" in output
    log = (tmp_path / "results/smoke/logs/simulate/00000-00011.log").read_text()
    assert f"{len(kept)} of 12 were finished before" in log
    assert account(tmp_path) == list(range(12))


def test_a_killed_driver_is_started_again_and_loses_nothing(tmp_path, cluster, start):
    """Its jobs live on; the next driver's job waits for them, or finds what they have finished."""
    run = start(tmp_path, SLOW, ENSEMBLE)
    wait_for(lambda: len(part_files(tmp_path)) >= 2 and simulations(cluster))
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    locked = start(tmp_path, SLOW, ENSEMBLE)
    output, _ = locked.communicate(timeout=60)
    assert locked.returncode == 1 and "--unlock" in output
    start(tmp_path, SLOW, "--unlock").communicate(timeout=60)
    again = start(tmp_path, SLOW, ENSEMBLE)
    output, _ = again.communicate(timeout=600)
    assert again.returncode == 0, output
    log = (tmp_path / "results/smoke/logs/simulate/00000-00011.log").read_text()
    assert "simulate 00000-00011: was finished before" in log
    assert account(tmp_path) == list(range(12))


def test_a_truncated_shard_is_named_and_made_again_when_deleted(tmp_path, on_slurm):
    ended = on_slurm(tmp_path, SMALL, ENSEMBLE)
    assert ended.returncode == 0, ended.stderr
    shard = tmp_path / "results/smoke/simulation/00006-00011.h5"
    other = tmp_path / "results/smoke/simulation/00000-00005.h5"
    before = other.stat().st_mtime_ns
    os.truncate(shard, shard.stat().st_size // 2)
    ended = on_slurm(tmp_path, SMALL, ENSEMBLE)
    assert ended.returncode == 1
    assert (
        str(shard.relative_to(tmp_path)) in (tmp_path / "results/smoke/logs/gather.log").read_text()
    )
    shard.unlink()
    shutil.rmtree(f"{shard}.parts")
    ended = on_slurm(tmp_path, SMALL, ENSEMBLE)
    assert ended.returncode == 0, ended.stderr
    assert other.stat().st_mtime_ns == before
    assert account(tmp_path) == list(range(12))
