"""Specimens in memory, networks by their settings, predictions; nothing leaks between parts."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from porefail import learning
from porefail.dataset import symmetry
from porefail.dataset.split import Part, split
from porefail.microstructure.karhunen_loeve import expansion, realize

ROOT = Path(__file__).parents[2]
SHAPE = (8, 8, 16)


@pytest.fixture(scope="module")
def settings() -> dict:
    return yaml.safe_load((ROOT / "config" / "default.yaml").read_text()) | {"seed": 7}


def network_settings(settings: dict, **changes) -> dict:
    return {"seed": settings["seed"]} | settings["training"] | changes


@pytest.fixture(scope="module")
def porosity() -> np.ndarray:
    modes = expansion(SHAPE, 0.05, 0.105, 2.0, 0.999)
    return np.stack([realize(modes, 0.02, 7, number) for number in range(100)])


def specimens(porosity: np.ndarray) -> learning.Specimens:
    rng = np.random.default_rng(0)
    label = rng.random(porosity.shape).astype(np.float32)
    label[porosity == 1] = np.nan
    stress = np.where(porosity == 1, np.nan, rng.random(porosity.shape)).astype(np.float32)
    fields = dict.fromkeys(learning.DATASETS, stress)
    fields |= {"porosity": porosity, "elastic/pressure": -stress}
    channels = learning.channels(fields, list(learning.CHANNELS))
    return learning.Specimens(np.arange(len(porosity)), porosity, label, channels)


def test_channels_are_finite_everywhere_and_zero_in_voids(porosity):
    found = specimens(porosity[:5]).channels
    assert list(found) == list(learning.CHANNELS)
    void = porosity[:5] == 1
    for name, field in found.items():
        assert np.isfinite(field).all(), name
        assert name in ("porosity", "log_coarse_damage") or (field[void] == 0).all()
    solid = porosity[:5] == 0
    logarithm = np.log(np.maximum(found["von_mises"][solid], 1e-3))
    np.testing.assert_array_equal(found["log_von_mises"][solid], logarithm)
    assert (found["log_pressure"][solid] == np.log(np.float32(1e-2))).all()  # compression


def test_nothing_grows_in_voids_nor_where_a_coarse_step_found_nothing():
    damage = np.full((2, 2, 2, 2), np.nan, np.float32)
    damage[0, :, :, 0] = [[0.001, 0.002], [0.011, 0.101]]  # the upper half void; the second lost
    found = learning.channels({"presolve/damage": damage}, ["log_coarse_damage"])
    grown = np.log([[1e-6, 0.001], [0.01, 0.1]])
    np.testing.assert_allclose(found["log_coarse_damage"][0, :, :, 0], grown, rtol=1e-5)
    np.testing.assert_allclose(found["log_coarse_damage"][0, :, :, 1], np.log(1e-6), rtol=1e-6)
    np.testing.assert_allclose(found["log_coarse_damage"][1], np.log(1e-6), rtol=1e-6)


def test_no_realization_in_any_symmetric_copy_is_in_two_parts(porosity):
    """By the voxels themselves, not by numbers: the 16 copies of what is learnt from are others
    than what is tested on, in every fold."""
    number = np.flatnonzero(porosity.any(axis=(1, 2, 3)))  # those without a pore are all the same
    copies = [
        {symmetry.apply(name, porosity[n]).tobytes() for name in symmetry.ELEMENTS} for n in number
    ]
    for fold in range(5):
        part = split(number, [7, 1, 2], 7, fold)
        learnt, chosen, tested = (
            set().union(*(copies[i] for i in np.flatnonzero(part == each))) for each in Part
        )
        assert learnt and chosen and tested
        assert not learnt & chosen and not learnt & tested and not chosen & tested


@pytest.mark.parametrize("loss", ["squared_error", "site_likelihood"])
def test_predictions_are_nan_in_voids_and_likelihoods_have_the_maximum_one(
    settings, porosity, loss
):
    changes = {"loss": loss, "channels": ["porosity", "log_pressure"], "skips": True}
    model = learning.network(network_settings(settings, **changes))
    given = specimens(porosity[:4])
    damage = learning.predict(model, given.channels, given.porosity, average=False)
    np.testing.assert_array_equal(np.isnan(damage), given.porosity == 1)
    high = np.nanmax(damage, axis=(1, 2, 3))
    assert (high == 1).all() == (loss == "site_likelihood")
    if loss == "site_likelihood":
        assert np.nanmin(damage) > 0


def test_the_average_turns_with_the_specimen(settings, porosity):
    model = learning.network(network_settings(settings))
    given = specimens(porosity[:3])
    damage = learning.predict(model, given.channels, given.porosity, average=True)
    for name in ("rotate_90", "mirror_xy", "rotate_270_mirror_z"):
        turned = {key: symmetry.apply(name, field) for key, field in given.channels.items()}
        got = learning.predict(model, turned, turned["porosity"], average=True)
        np.testing.assert_allclose(got, symmetry.apply(name, damage), atol=1e-5)
    flat = learning.predict(
        model, {"porosity": porosity[:2, :4]}, porosity[:2, :4], average=True
    )  # not square: no quarter turns
    assert flat.shape == (2, 4, 8, 16)


def test_weights_are_fitted_to_the_training_part_alone(settings, porosity, monkeypatch):
    from porefail.nn import training

    seen = []
    monkeypatch.setattr(training, "train", lambda model, *parts, **_: seen.append(parts[:2]) or [])
    whole = specimens(porosity[:10])
    weighting = settings["training"]["weighting"]
    for kind in ("inverse_histogram", "inverse_histogram_per_realization"):
        wanted = network_settings(settings, weighting=weighting | {"kind": kind})
        for factor in (1.0, 0.3):
            other = whole._replace(label=whole.label * np.float32(factor))
            learning.train(None, whole, other, wanted, "checkpoint", print)
    (one, known), (again, changed), (each, own), (same, others) = seen
    np.testing.assert_array_equal(one.weight, again.weight)
    np.testing.assert_array_equal(known.weight, one.weight)
    np.testing.assert_array_equal(changed.weight, one.weight)
    assert len(each.weight) == len(own.weight) == 10
    np.testing.assert_array_equal(each.weight, same.weight)
    assert (own.weight != others.weight).any()
