"""The sites of a part: beside its pore, mirrored with it, with probabilities."""

import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.fe.elastic import fields as elastic
from porefail.learning.candidates import MOST, failed_at
from porefail.verdict import assessment
from porefail.verdict.measures import MEASURES, measured, ranges, unlike
from porefail.verdict.physics import solve

from .conftest import made_up, quiet

VOXEL = 0.05


def assessed(pores: np.ndarray, outside: np.ndarray, locator) -> assessment.Assessment:
    physics = solve(pores, outside, VOXEL, locator.simulation, locator.presolve, progress=quiet)
    return assessment.assess(physics, locator)


@pytest.fixture(scope="module")
def one_pore():
    pores = np.zeros((8, 8, 16), bool)
    pores[2:5, 3:5, 6:8] = True
    return pores


@pytest.fixture(scope="module")
def found(one_pore, locator):
    return assessed(one_pore, np.zeros_like(one_pore), locator)


def test_sites_are_beside_the_pore(found, one_pore):
    place = found.sites.place[found.ranking.order]
    assert 0 < len(place) <= MOST
    voids = np.argwhere(one_pore)
    for each in place[:2]:
        assert not one_pore[tuple(each)]
        assert abs(voids - each).max(axis=1).min() == 1


def test_a_network_ranks_the_same_sites_anew(one_pore, locator):
    """An untrained one changes nothing; another one changes the order, not the sites."""
    pores = one_pore.copy()
    pores[6, 1, 12] = True  # sites of one pore are alike
    outside = np.zeros_like(pores)
    found = assessed(pores, outside, locator)
    same = assessed(pores, outside, locator._replace(committee=(made_up(0.0),) * 2))
    np.testing.assert_array_equal(same.sites.place, found.sites.place)
    first = found.sites.features[:, 1]
    np.testing.assert_allclose(same.sites.features[:, 1], first, atol=1e-4)
    other = assessed(pores, outside, locator._replace(committee=(made_up(1.0),)))
    np.testing.assert_array_equal(other.sites.place, found.sites.place)
    assert np.abs(other.sites.features[:, 1] - first).max() > 0.1
    likely = other.likelihood[tuple(other.sites.place.T)]
    assert likely.argmax() == other.sites.features[:, 1].argmax()
    assert np.isnan(other.likelihood[pores]).all()


def test_the_likeliest_voxel_is_the_first_site(found, one_pore):
    assert np.isnan(found.likelihood[one_pore]).all()
    assert np.nanmax(found.likelihood) == 1
    place = found.sites.place
    likely = found.likelihood[tuple(place.T)]
    assert likely[0] == 1 and (np.diff(likely) <= 0).all()
    first = found.sites.features[0]
    assert first[0] <= 0 and (found.sites.features[:, 1] <= 0).all()
    assert (found.sites.features[:, 1] == 0).any()
    assert found.sites.elastic_rank[0] in (1, 2) and found.sites.coarse_rank[0] > 0


def test_probabilities(found):
    chance = found.ranking.probability
    assert (chance > 0).all() and chance.sum() <= 1
    assert (np.diff(chance[found.ranking.order]) <= 0).all()
    assert found.ranking.member[found.ranking.order[0]]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirrored_specimen_has_mirrored_sites(locator, axis):
    """One without a symmetry of its own."""
    pores = np.zeros((8, 8, 16), bool)
    pores[2:5, 4:6, 6:9] = pores[5:7, 1:3, 12] = pores[1, 1:3, 2:4] = True
    here = assessed(pores, np.zeros_like(pores), locator)
    mirrored = np.flip(pores, axis)
    there = assessed(mirrored, np.zeros_like(pores), locator)
    np.testing.assert_allclose(
        np.flip(there.likelihood, axis), here.likelihood, rtol=0.02, atol=1e-4
    )
    place = here.sites.place.copy()
    place[:, axis] = pores.shape[axis] - 1 - place[:, axis]
    chance, order = there.ranking.probability, there.ranking.order[:3]
    expected = {
        tuple(each): value for each, value in zip(place, here.ranking.probability, strict=True)
    }
    for k in order:
        assert chance[k] == pytest.approx(expected[tuple(there.sites.place[k])], rel=0.03)
    assert chance[order[0]] == pytest.approx(max(expected.values()), rel=0.03)


def test_stress_of_a_round_gauge_is_over_that_of_its_section(locator):
    """A prism in a grid: stress along it is its force over its own section."""
    x, y = np.meshgrid(*[np.arange(10) - 4.5] * 2, indexing="ij")
    outside = np.repeat((np.hypot(x, y) > 5)[:, :, None], 8, axis=2)
    pores = np.zeros_like(outside)
    found = solve(pores, outside, VOXEL, locator.simulation, locator.presolve, progress=quiet)
    solid = ~outside
    np.testing.assert_allclose(found.fields["elastic/von_mises"][solid], 1, rtol=0.02)
    np.testing.assert_allclose(found.fields["elastic/pressure"][solid], 1 / 3, rtol=0.03)
    plain = elastic.elastic_fields(
        outside.astype(np.uint8),
        locator.simulation["material"]["poisson_ratio"],
        locator.simulation["element"],
    )
    assert plain.von_mises[solid].mean() == pytest.approx(1 / solid.mean(), rel=0.02)
    np.testing.assert_array_equal(found.fields["elastic/lode"], plain.lode)


def test_the_same_bar_in_a_wider_grid_has_the_same_sites(one_pore, found, locator):
    """Voxels of air around a part change nothing but the memory."""
    wide = np.pad(one_pore, ((2, 2), (2, 2), (0, 0)))
    outside = np.pad(np.zeros_like(one_pore), ((2, 2), (2, 2), (0, 0)), constant_values=True)
    other = assessed(wide, outside, locator)
    np.testing.assert_allclose(other.likelihood[2:-2, 2:-2], found.likelihood, rtol=0.05, atol=0.01)
    assert {tuple(each - (2, 2, 0)) for each in other.sites.place[:2]} == {
        tuple(each) for each in found.sites.place[:2]
    }
    for name in MEASURES:
        if name != "section_fill":
            assert other.measures[name] == pytest.approx(found.measures[name], rel=0.02), name
    assert other.measures["section_fill"] == pytest.approx(64 / 144)


def test_a_part_that_bears_nothing(locator, one_pore):
    severed = one_pore.copy()
    severed[:, :, 10] = True
    with pytest.raises(PorefailError):
        assessed(severed, np.zeros_like(severed), locator)


def test_failures_near_sites():
    place = np.array([[1, 1, 1], [4, 4, 4], [6, 6, 1]])
    failed = np.zeros((8, 8, 8), bool)
    failed[5, 5, 5] = failed[6, 6, 3] = True
    assert failed_at(place, failed).tolist() == [False, True, False]


def test_measures_of_a_part(one_pore):
    pores = one_pore.copy()
    pores[7, 7, 15] = True
    outside = np.zeros_like(pores)
    outside[0] = True
    stress = np.where(pores, np.nan, 1.5)
    stress[3, 3, 3] = 4.0
    found = measured(pores, outside, stress, VOXEL)
    assert found == pytest.approx(
        {
            "porosity": 13 / (7 * 8 * 16),
            "pores_per_mm3": 2 / (7 * 8 * 16 * VOXEL**3),
            "largest_pore_mm3": 12 * VOXEL**3,
            "stress_concentration": 4.0,
            "section_mm2": 56 * VOXEL**2,
            "section_fill": 7 / 8,
            "length_mm": 0.8,
        }
    )
    assert measured(pores & False, outside, stress, VOXEL)["largest_pore_mm3"] == 0


def test_what_is_unlike_those_known():
    known = [dict.fromkeys(MEASURES, value) for value in (1.0, 3.0, 2.0)]
    spans = ranges(known)
    assert spans == dict.fromkeys(MEASURES, (1.0, 3.0))
    assert not unlike(dict.fromkeys(MEASURES, 3.05), spans)
    assert not unlike(dict.fromkeys(MEASURES, 0.99), spans)
    lines = unlike(dict.fromkeys(MEASURES, 2.0) | {"porosity": 3.1, "length_mm": 0.9}, spans)
    assert lines == [
        "porosity: 3.1, those known have 1 to 3",
        "length (mm): 0.9, those known have 1 to 3",
    ]
