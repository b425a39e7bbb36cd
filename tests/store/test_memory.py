"""What needs more memory than there is is refused before it is begun, naming the key."""

import subprocess
import sys

import numpy as np
import pytest

from porefail import configuration, learning
from porefail.configuration.sections import PORES
from porefail.errors import PorefailError
from porefail.fe import MODEL_VERSION
from porefail.steps import porosity, simulate
from porefail.store import memory


def test_the_limit_of_the_process_counts():
    program = (
        "import resource; from porefail.store import memory\n"
        "resource.setrlimit(resource.RLIMIT_AS, (10**9, 10**9)); print(memory.available())"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert float(run.stdout) == 1e9 < memory.available()


def test_the_limit_of_the_control_group_counts(tmp_path):
    groups, mounted = tmp_path / "cgroup", tmp_path / "mounted"
    (mounted / "slurm" / "job").mkdir(parents=True)
    groups.write_text("1:name=systemd:/x\n0::/slurm/job\n")
    assert memory._of_group(groups, mounted) == float("inf")
    (mounted / "slurm" / "memory.max").write_text("5000000\n")
    (mounted / "slurm" / "job" / "memory.max").write_text("max\n")
    assert memory._of_group(groups, mounted) == 5e6
    assert memory._of_group(tmp_path / "none", mounted) == float("inf")


def test_enough_is_enough():
    memory.require(1e6, "a key")
    with pytest.raises(PorefailError, match=r"^a key: needs about 1e\+09 GB of memory, there are"):
        memory.require(1e18, "a key")


def test_steps_name_the_key_before_they_begin(tmp_path, monkeypatch):
    default = configuration.resolve()
    pores = {"seed": 1} | {key: default["porosity"][key] for key in PORES if key != "seed"}
    with pytest.raises(PorefailError, match=r"^settings: shape \[9000, 9000, 9000\] for 2 real"):
        porosity.run(tmp_path / "p.h5", 0, 1, pores | {"shape": [9000, 9000, 9000]})
    assert not list(tmp_path.iterdir())
    porosity.run(tmp_path / "p.h5", 0, 1, pores)
    material = {"name": "staged", **configuration.material("staged")}
    settings = default["simulation"] | {"material": material}
    monkeypatch.setattr(memory, "available", lambda: 1e6)
    with pytest.raises(PorefailError, match=r"p.h5: grid of its porosity: needs about 0.00963 GB"):
        simulate.run(tmp_path / "p.h5", tmp_path / "s.h5", MODEL_VERSION, 1, settings)
    assert [path.name for path in tmp_path.iterdir()] == ["p.h5"]


def test_a_training_names_its_keys(tmp_path, monkeypatch):
    field = np.zeros((5, 4, 4, 4), np.float32)
    part = learning.Specimens(np.arange(5), field, field, {"porosity": field})
    settings = configuration.resolve()["training"] | {"seed": 1}
    monkeypatch.setattr(memory, "available", lambda: 1e5)
    with pytest.raises(PorefailError, match="^settings: batch_size 32 with filters 8: needs about"):
        learning.train(None, part, part, settings, tmp_path / "c.npz", print)
