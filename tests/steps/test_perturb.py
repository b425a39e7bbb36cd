"""perturb: a shard of perturbed specimens, as other shards are."""

import numpy as np
import pytest

from porefail import store
from porefail.errors import PorefailError
from porefail.steps import perturb

SETTINGS = {"seed": 7, "distance": 0.2}


@pytest.fixture
def run(made, tmp_path):
    def go(name, specimen, first, last, **changes):
        path = tmp_path / name
        files = made["ensemble"], made["dataset"], path
        perturb.run(*files, specimen, first, last, SETTINGS | changes)
        return store.read(path, kind="porosity shard")

    return go


def test_a_shard_of_perturbed_specimens(run, made):
    data, source = store.read(made["ensemble"])
    found, attributes = run("p.h5", 1, 3, 9)
    assert found["realization"].tolist() == list(range(3, 10))
    parent = attributes["porosity"]["perturbed"]
    held_out = store.read(made["dataset"])[0]
    assert held_out["part"][held_out["realization"] == parent] == 2
    original = data["porosity"][data["realization"] == parent][0]
    moved = found["porosity"] != original
    assert moved.sum(axis=(1, 2, 3)).tolist() == [2] * 7
    assert (found["porosity"].sum(axis=(1, 2, 3)) == original.sum()).all()
    assert attributes["spacing"] == source["spacing"]
    # In other batches they are the same.
    one, _ = run("q.h5", 1, 5, 5)
    np.testing.assert_array_equal(one["porosity"][0], found["porosity"][2])
    assert run("r.h5", 0, 0, 0)[1]["porosity"]["perturbed"] != parent


def test_errors(run, tmp_path):
    with pytest.raises(PorefailError, match=r"specimen 9 is asked for; 4 of its test part have"):
        run("p.h5", 9, 0, 1)
    with pytest.raises(PorefailError, match="expected 0 <= specimen and 0 <= first <= last"):
        run("p.h5", 0, 2, 1)
    with pytest.raises(PorefailError, match="specimen 0 is asked for; 0 of its test part have"):
        run("p.h5", 0, 0, 1, distance=0.001)
    assert not (tmp_path / "p.h5").exists()
