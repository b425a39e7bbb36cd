"""The workflow on a real Slurm: `snakemake --profile slurm`."""

import re
from pathlib import Path

import numpy as np
import pytest

from porefail import store

pytestmark = pytest.mark.slow

SMALL = {
    "porosity": {"shape": [8, 8, 8], "realizations": 12, "batch_size": 6, "mean_porosity": 0.03},
    "simulation": {"max_strain_step": 5.0e-3, "max_damage_step": 0.2},
    "training": {"epochs": 2},
    "execution": {"ranks": 2},
}


ON_GPU = ["train:slurm_partition=gpu", "train:gpu=1"]


def datasets(folder: Path, name: str) -> dict[str, np.ndarray]:
    return store.read(folder / "results" / "smoke" / name)[0]


def test_the_whole_workflow_gives_the_numbers_of_a_local_run(
    tmp_path, cluster, on_slurm, snakemake
):
    on, alone = tmp_path / "slurm", tmp_path / "local"
    for folder in (on, alone):
        folder.mkdir()
    status, output = on_slurm(on, SMALL, "--set-resources", *ON_GPU)
    assert status == 0, output
    fields = "Comment:100,Partition:10,tres-per-job:20"
    listed = cluster.run("squeue", "-h", "--states=all", "-O", fields).stdout.splitlines()
    places = {re.sub(r"^rule_([a-z]+)\S*", r"\1", " ".join(line.split())) for line in listed}
    assert {"train gpu gres:gpu:1", "simulate cpu N/A", "predict cpu N/A"} <= places
    ended = snakemake(alone, "smoke", SMALL, "--cores", "2")
    assert ended.returncode == 0, ended.stderr
    for name in ("ensemble.h5", "dataset.h5", "prediction.h5"):
        found, expected = datasets(on, name), datasets(alone, name)
        assert found.keys() == expected.keys()
        for key in expected.keys() - store.PROVENANCE:
            np.testing.assert_array_equal(found[key], expected[key], err_msg=f"{name} {key}")
