"""Superposed stresses: one void is as the solver finds it, two far apart are; symmetries hold."""

import numpy as np
import pytest

from porefail.baselines.superposition import REACH, TABLE, UNIFORM, one_void, superposed
from porefail.configuration.variants import CHANNELS
from porefail.dataset import symmetry
from porefail.fe.elastic.fields import elastic_fields
from porefail.fe.elastic.one_void import around_one_void

POISSON_RATIO, ELEMENT = 0.27, "full"  # of config/materials.yaml and config/default.yaml


def solved(porosity: np.ndarray) -> dict[str, np.ndarray]:
    found = elastic_fields(porosity, POISSON_RATIO, ELEMENT)
    return {
        "log_von_mises": np.log(found.von_mises),
        "log_largest_von_mises": np.log(found.largest_von_mises),
        "triaxiality": found.pressure / found.von_mises,
        "largest_pressure": found.largest_pressure,
        "lode": found.lode,
    }


def test_the_table_is_what_the_solver_finds():
    found = around_one_void(REACH, POISSON_RATIO, ELEMENT)
    np.testing.assert_allclose(np.load(TABLE), found, atol=2e-4)
    names = [name.removeprefix("superposed_") for name in CHANNELS if "superposed" in name]
    assert names == list(UNIFORM) and len(found) == len(UNIFORM)


@pytest.mark.parametrize("name", UNIFORM)
def test_the_table_turns_with_the_symmetries(name):
    field = one_void()[name]
    for element in symmetry.ELEMENTS:
        np.testing.assert_array_equal(symmetry.apply(element, field[None])[0], field)
    assert field[REACH, REACH, REACH] == 0
    edge = max(np.abs(field[side]).max() for side in (0, -1))
    assert edge < 5e-3 * np.abs(field).max()


def test_voids_far_apart_are_what_the_solver_finds():
    pores = np.zeros((26, 26, 40), np.uint8)
    pores[8, 9, 10] = pores[17, 15, 28] = 1
    inside = np.zeros(pores.shape, bool)
    inside[5:-5, 5:-5, 3:-3] = True  # free sides change nothing here, and do there
    inside &= pores == 0
    for name, wanted in solved(pores).items():
        found = superposed(pores[None], name)[0]
        size = np.abs(one_void()[name]).max()
        assert np.abs(found - wanted)[inside].max() < 0.05 * size, name


def test_of_real_pores_it_tells_most():
    """Voids that touch do change each other; that is what a solve adds."""
    pores = np.zeros((20, 20, 40), np.uint8)
    random = np.random.default_rng(0)
    for place in random.integers(2, 17, (6, 3)) + [[0, 0, 6 * n] for n in range(6)]:
        sides = random.integers(1, 3, 3)
        pores[tuple(slice(a, a + n) for a, n in zip(place, sides, strict=True))] = 1
    wanted = solved(pores)
    solid = pores == 0
    for name in ("log_von_mises", "log_largest_von_mises", "triaxiality"):
        found = superposed(pores[None], name)[0]
        assert np.corrcoef(found[solid], wanted[name][solid])[0, 1] > 0.85, name


def test_it_turns_with_the_specimen_and_knows_no_other():
    pores = (np.random.default_rng(1).random((2, 8, 8, 12)) < 0.03).astype(np.uint8)
    for name in UNIFORM:
        both = superposed(pores, name)
        np.testing.assert_allclose(superposed(pores[1:], name), both[1:], atol=1e-6)
        np.testing.assert_array_equal(np.isnan(both), pores == 1)
        for element in symmetry.ELEMENTS:
            turned = superposed(symmetry.apply(element, pores), name)
            np.testing.assert_allclose(symmetry.apply(element, both), turned, atol=1e-5)


def test_voids_beyond_an_end_are_mirrored():
    half = (np.random.default_rng(2).random((1, 6, 6, 9)) < 0.05).astype(np.uint8)
    whole = np.concatenate([half, half[..., ::-1]], axis=-1)
    for name in UNIFORM:
        np.testing.assert_allclose(
            superposed(half, name), superposed(whole, name)[..., :9], atol=1e-5
        )


def test_no_pores_no_change():
    for name, value in UNIFORM.items():
        found = superposed(np.zeros((1, 4, 4, 6), np.uint8), name)
        np.testing.assert_allclose(found, value, atol=1e-6)
