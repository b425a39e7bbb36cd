"""Sites ranked anew by blocks around them: which are pulled, and what their strains say."""

import numpy as np
import pytest

from porefail.fe import submodels
from porefail.fe.submodels import Submodels
from porefail.ranking.choice import Choice
from porefail.verdict.assessment import Physics, Sites
from porefail.verdict.locator import BlockChoice
from porefail.verdict.pulled import (
    BEYOND,
    LEAST,
    even_section,
    features_with,
    lateness,
    pull,
    ranked_anew,
    strain_near,
    with_found,
)

SHAPE = (8, 8, 24)
PLACES = np.array([[2, 2, 3], [5, 5, 12], [4, 4, 20]])


def failing(*strains: float, pulled: int = 3) -> Submodels:
    """Blocks that fail a voxel beside the places."""
    field = np.full(SHAPE, np.nan, np.float32)
    field[tuple((PLACES + [1, 0, -1]).T)] = strains
    return Submodels(field, pulled, 0)


def likely(*share: float) -> Sites:
    none = np.zeros(len(PLACES), int)
    logs = np.log(share)
    return Sites(PLACES, np.column_stack([logs, logs - logs.max()]), none, none)


@pytest.fixture
def pulls(locator, monkeypatch):
    """Around which places blocks are pulled."""

    def go(most: int, sites: Sites, channels=("superposed_lode",)) -> list:
        asked = []

        def made_up(porosity, spots, spacing, material, settings, beyond, most):
            assert porosity.dtype == np.uint8 and spacing == 0.05 and beyond == BEYOND
            asked.extend(np.asarray(spots)[:most].tolist())
            return failing(0.1, 0.1, 0.1)

        monkeypatch.setattr(submodels, "submodels", made_up)
        pull(np.zeros(SHAPE, bool), sites, channels, most, 0.05, locator.simulation)
        return asked

    return go


def test_the_likeliest_are_pulled_first(pulls):
    assert pulls(3, likely(0.2, 0.1, 0.7)) == PLACES[[2, 0, 1]].tolist()
    assert pulls(2, likely(0.2, 0.1, 0.7)) == PLACES[[2, 0]].tolist()


def test_what_is_hardly_possible_is_not_pulled_but_the_first_always(pulls):
    assert pulls(3, likely(0.97, LEAST / 2, LEAST)) == PLACES[[0, 2]].tolist()
    assert pulls(3, likely(LEAST / 4, LEAST / 2, LEAST / 3)) == PLACES[[1]].tolist()


@pytest.mark.parametrize(
    "channels, known",
    [
        (["lode"], [0, 1]),
        (["log_coarse_damage"], [0, 2]),
        (["lode", "log_coarse_damage"], [0, 1, 2]),
    ],
)
def test_what_a_solve_puts_first_is_pulled_too(pulls, channels, known):
    """Of those solves alone that the channels are made from, and after what is likelier."""
    sites = likely(0.999, 1e-6, 1e-5)._replace(
        elastic_rank=np.array([2, 1, -1]), coarse_rank=np.array([3, 0, 1])
    )
    order = [0, 2, 1]
    expected = [each for each in order if each in known]
    assert pulls(3, sites, channels) == PLACES[expected].tolist()
    assert pulls(2, sites, channels) == PLACES[expected[:2]].tolist()
    assert pulls(3, sites) == PLACES[[0]].tolist()


def test_sections_that_vary_bear_different_stresses():
    outside = np.zeros(SHAPE, bool)
    outside[0, 0] = True
    assert even_section(outside)
    outside[:2, :, 10] = True
    assert not even_section(outside)


def test_strain_near_a_site():
    found = strain_near(failing(0.1, np.nan, 0.2), PLACES)
    np.testing.assert_allclose(found, [0.1, np.nan, 0.2], rtol=1e-6)
    assert strain_near(failing(0.1, 0.1, 0.1), np.zeros((0, 3), int)).shape == (0,)


def test_lateness_is_over_the_first_to_fail():
    found = lateness(failing(0.102, 0.1, 0.2), PLACES)
    np.testing.assert_allclose(found, [np.log(1.02), 0.0, np.log(BEYOND)], atol=1e-6)
    unpulled = lateness(failing(0.102, 0.1, np.nan, pulled=2), PLACES)
    np.testing.assert_allclose(unpulled, found)


@pytest.mark.parametrize(
    "blocks",
    [
        failing(np.nan, np.nan, np.nan),
        failing(0.1, 0.102, np.nan)._replace(lost=1),
    ],
)
def test_without_a_fair_race_all_are_alike(blocks):
    assert not lateness(blocks, PLACES).any()


def test_one_block_is_a_race_of_all_that_is_in_it():
    found = lateness(failing(np.nan, 0.1, np.nan, pulled=1), PLACES)
    np.testing.assert_allclose(found, np.log(BEYOND) * np.array([1, 0, 1]), atol=1e-6)


@pytest.fixture
def physics() -> Physics:
    """The damage of a coarse step rises towards one end."""
    none = np.zeros(SHAPE, bool)
    return Physics(none, none, {"presolve/damage": np.indices(SHAPE)[2].astype(float)})


def test_where_a_block_fails_at_no_site_is_another_site(physics):
    """As likely before as the nearest; of voxels that touch, the one that failed first."""
    sites = likely(0.2, 0.7, 0.1)
    blocks = failing(0.1, np.nan, 0.102)
    assert with_found(sites, blocks, physics) is sites
    for z, strain in ((14, 0.11), (15, 0.09)):
        blocks.strain[1, 6, z] = strain
    blocks.strain[6, 1, 23] = 0.095
    found = with_found(sites, blocks, physics)
    assert found.place.tolist() == [*PLACES.tolist(), [1, 6, 15], [6, 1, 23]]
    assert found.features.tolist() == sites.features[[0, 1, 2, 1, 2]].tolist()
    assert found.coarse_rank.tolist() == [0, 0, 0, 0, 1] and (found.elastic_rank[3:] == -1).all()
    late = lateness(blocks, found.place)
    expected = [np.log(0.1 / 0.09), np.log(BEYOND), np.log(BEYOND), 0.0, np.log(0.095 / 0.09)]
    np.testing.assert_allclose(late, np.fmin(expected, np.log(BEYOND)), atol=1e-6)


def test_a_place_that_failed_before_what_is_beside_a_site_is_another(physics):
    blocks = failing(0.104, np.nan, np.nan)
    blocks.strain[4, 3, 4] = 0.1  # touches that, not the site
    found = with_found(likely(0.2, 0.7, 0.1), blocks, physics)
    assert found.place[3:].tolist() == [[4, 3, 4]]
    late = lateness(blocks, found.place)
    np.testing.assert_allclose(late[[0, 3]], [np.log(1.04), 0.0], atol=1e-6)


def test_another_place_is_as_likely_as_the_nearest_that_is_worth_a_block(physics):
    blocks = failing(np.nan, np.nan, np.nan)
    blocks.strain[4, 4, 17] = 0.1  # nearest to the last one
    for share, expected in ((LEAST / 2, 1), (LEAST, 2)):
        sites = likely(0.3, 0.6, share)
        found = with_found(sites, blocks, physics)
        assert found.features[3].tolist() == sites.features[expected].tolist()


def test_of_a_lost_race_no_place_is_known(physics):
    blocks = failing(np.nan, np.nan, np.nan)._replace(lost=1)
    blocks.strain[4, 4, 17] = 0.1
    sites = likely(0.3, 0.6, 0.1)
    assert with_found(sites, blocks, physics) is sites


def test_what_failed_beside_a_site_is_that_site(physics):
    """Though the voxels that failed with it are further off."""
    blocks = failing(0.1, np.nan, np.nan)
    blocks.strain[4:6, 2, 3] = 0.1
    sites = likely(0.2, 0.7, 0.1)
    assert with_found(sites, blocks, physics) is sites


def test_what_fails_later_is_less_probable():
    """By as much as the coefficient says; what was thought before counts as well."""
    blocks = BlockChoice(3, Choice(np.array([1.0, 0.0, -40.0]), -9.0), -0.2, {})
    found = ranked_anew(blocks, likely(0.5, 0.3, 0.2), failing(0.11, 0.1, 0.101))
    assert found.order.tolist() == [1, 2, 0]
    first, second = found.probability[[1, 2]]
    assert first / second == pytest.approx(0.3 / 0.2 * 1.01**40, rel=1e-3)
    assert found.member.tolist() == [False, True, True]


def test_what_is_not_seen_has_no_lateness():
    sites = likely(0.5, 0.3, 0.2)
    found = features_with(sites, None)
    assert found[:, :2].tolist() == sites.features.tolist() and not found[:, 2].any()
