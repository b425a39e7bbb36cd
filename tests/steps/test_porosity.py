"""porosity: the contract of its file, and that a realization depends on its number alone."""

import numpy as np
import pytest

from porefail import store
from porefail.errors import PorefailError
from porefail.steps import porosity


def test_contract(make_porosity, settings):
    datasets, attributes = store.read(make_porosity(3, 9))
    assert datasets["porosity"].shape == (7, 8, 8, 8)
    assert datasets["porosity"].dtype == np.uint8
    assert set(np.unique(datasets["porosity"])) == {0, 1}
    assert datasets["realization"].tolist() == list(range(3, 10))
    assert attributes["porosity"] == settings["porosity"]
    assert attributes["spacing"] == 0.05 and attributes["modes"] > 50


def test_a_realization_depends_on_its_number_alone(make_porosity):
    whole, _ = store.read(make_porosity(0, 9))
    part, _ = store.read(make_porosity(4, 6))
    np.testing.assert_array_equal(part["porosity"], whole["porosity"][4:7])
    assert len(np.unique(whole["porosity"].reshape(10, -1), axis=0)) == 10


def test_the_seed_matters(make_porosity):
    one, other = (store.read(make_porosity(0, 3, seed=seed))[0]["porosity"] for seed in (1, 2))
    assert (one != other).any()


def test_mean_porosity(make_porosity):
    datasets, _ = store.read(make_porosity(0, 199))
    assert datasets["porosity"].mean() == pytest.approx(0.03, rel=0.1)


@pytest.mark.parametrize("first, last", [(-1, 3), (4, 3)])
def test_bad_range(tmp_path, settings, first, last):
    with pytest.raises(PorefailError, match="expected 0 <= first <= last"):
        porosity.run(tmp_path / "p.h5", first, last, settings["porosity"])
