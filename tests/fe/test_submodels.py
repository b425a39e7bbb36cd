"""Sub-models fail as the specimen does that they are cut from, and at the same voxel."""

import numpy as np
import pytest

from porefail.configuration.codes import Status
from porefail.errors import PorefailError
from porefail.fe import tension
from porefail.fe.submodels import HALF, LONG, submodels
from porefail.fe.tension import LoadSettings, simulate

SETTINGS = LoadSettings(
    strain_rate=0.002,
    max_strain=0.25,
    max_strain_step=2e-3,
    min_strain_step=1e-6,
    max_damage_step=0.02,
    newton_tolerance=1e-4,
    newton_iterations=12,
    linear_tolerance=1e-2,
    kinematics="small",
    element="full",
    damage_in_stress="start_of_step",
    max_damage_share=0.3,
)


@pytest.fixture(scope="module")
def material(named):
    return named("deviator_norm")


def bar(length, *pores):
    voxels = np.zeros((6, 6, length), np.uint8)
    for pore in pores:
        voxels[pore] = 1
    return voxels


# Not symmetric: one voxel fails first. The first three are one pore, larger than the other.
FAR_APART = (slice(1, 3), 2, 9), (1, 3, 9), (2, 2, 10), (4, 3, 31)


@pytest.fixture(scope="module")
def whole(material):
    """A bar longer than a block, with two pores."""
    porosity = bar(40, *FAR_APART)
    assert porosity.shape[2] > 4 * HALF[2]
    return porosity, simulate(porosity, 0.05, material, SETTINGS)


def test_a_block_of_the_whole_specimen_is_the_specimen(material):
    porosity = bar(16, (3, 3, 8), (4, 3, 8))
    expected = simulate(porosity, 0.05, material, SETTINGS)
    found = submodels(porosity, [(2, 3, 8)], 0.05, material, SETTINGS)
    np.testing.assert_array_equal(np.isfinite(found.strain), expected.failed == 1)
    assert np.nanmin(found.strain) == np.float32(expected.first_failure_strain)
    assert (found.pulled, found.lost) == (1, 0)


def test_a_block_fails_as_the_specimen_that_it_is_cut_from(whole, material):
    porosity, expected = whole
    assert expected.status == Status.FIRST_FAILURE
    spot = np.argwhere(expected.failed)[0]
    assert spot[2] < 20
    found = submodels(porosity, [spot], 0.05, material, SETTINGS)
    np.testing.assert_array_equal(np.isfinite(found.strain), expected.failed == 1)
    # The pores are a larger part of the block, which strains by so much more.
    assert 1 < np.nanmin(found.strain) / expected.first_failure_strain < 1.08


def test_the_first_to_fail_is_found_in_whatever_order(whole, material):
    """A block that would fail later is not pulled as far as it takes."""
    porosity, expected = whole
    first, other = np.argwhere(expected.failed)[0], (4, 3, 32)
    for spots in ([first, other], [other, first]):
        found = submodels(porosity, spots, 0.05, material, SETTINGS)
        assert found.pulled == 2
        best = np.unravel_index(np.nanargmin(found.strain), porosity.shape)
        assert expected.failed[best] == 1


def test_how_much_later_others_fail_is_told_as_far_as_is_asked(material):
    porosity = bar(40, *FAR_APART[:3], (slice(3, 5), 3, 31))
    spots = (2, 3, 9), (4, 3, 32)
    first, alone = (submodels(porosity, [each], 0.05, material, SETTINGS).strain for each in spots)
    late = np.nanmin(alone) / np.nanmin(first)
    assert late > 1.05
    short, long = (
        submodels(porosity, spots, 0.05, material, SETTINGS, beyond).strain
        for beyond in (1.0, 1.1 * late)
    )
    at = np.isfinite(alone)
    assert np.isnan(short[at]).all()
    np.testing.assert_allclose(long[at], alone[at], rtol=2e-3)  # another last step
    np.testing.assert_array_equal(long[~at], short[~at])


def test_a_block_beside_an_end_is_as_large(material, monkeypatch):
    """And has the whole cross-section: strains of blocks that are alike meet."""
    shapes = []

    def seen(porosity, *_):
        shapes.append(porosity.shape)
        return simulate(bar(4), 0.05, material, SETTINGS._replace(max_strain=1e-3))

    monkeypatch.setattr(tension, "simulate", seen)
    submodels(bar(40), [(0, 0, 0), (5, 1, 20), (3, 3, 39)], 0.05, material, SETTINGS)
    assert shapes == [(6, 6, 2 * HALF[2])] * 3


@pytest.fixture
def races(monkeypatch, material):
    """Blocks of a long bar around its spots, each of which fails at a strain of its own, by the
    length of its block; and their lengths, in the order in which they were pulled."""

    def go(spots: list, strains: dict[int, list], shape=(6, 6, 96), lost: int = 0, **given):
        """lost: number of the block that has no solution, if any."""
        lengths = []

        def pulled(block, spacing, material, settings):
            lengths.append(block.shape[2])
            numbers = np.unique(block[block > 1]).astype(int)
            there = {strains[lengths[-1]][n - 2]: n for n in numbers}
            strain = min(there)
            ended = strain <= settings.max_strain and len(lengths) != lost
            status = Status.FIRST_FAILURE if ended else Status.NO_FAILURE
            return tension.Tension(
                Status.NOT_CONVERGED if len(lengths) == lost else status,
                None,
                ((block == there[strain]) & ended).astype(np.uint8),
                None,
                None,
                strain if ended else np.nan,
                {},
            )

        porosity = np.zeros(shape, np.uint8)
        for n, spot in enumerate(spots):
            porosity[spot] = n + 2
        monkeypatch.setattr(tension, "simulate", pulled)
        found = submodels(porosity, spots, 0.05, material, SETTINGS, **given)
        at = [found.strain[spot] for spot in spots]
        assert np.isfinite(at).sum() == np.isfinite(found.strain).sum()
        assert (found.pulled, found.again) == (len(lengths), lengths.count(2 * LONG[2]))
        return at, lengths

    return go


def test_a_close_race_is_run_again_in_longer_blocks(races):
    spots = [(2, 2, 20), (3, 3, 70)]
    strains = {16: [0.1, 0.104], 32: [0.09, 0.085]}
    at, lengths = races(spots, strains, beyond=1.1)
    np.testing.assert_allclose(at, strains[32])
    assert lengths == [16, 16, 32, 32]
    at, lengths = races(spots, strains | {16: [0.1, 0.106]}, beyond=1.1)
    np.testing.assert_allclose(at, [0.1, 0.106])
    assert lengths == [16, 16]


def test_what_is_late_has_no_strain_beside_those_of_longer_blocks(races):
    """However late these are."""
    spots = [(2, 2, 20), (3, 3, 50), (4, 4, 80)]
    strains = {16: [0.1055, 0.102, 0.1], 32: [0, 0.106, 0.107]}
    at, lengths = races(spots, strains, beyond=1.1)
    np.testing.assert_allclose(at, [np.nan, 0.106, 0.107])
    assert lengths == [16, 16, 16, 32, 32]


def test_a_longer_race_counts_if_it_is_whole(races):
    spots = [(2, 2, 20), (3, 3, 70)]
    strains = {16: [0.1, 0.104], 32: [0.09, 0.085]}
    for lost in (3, 4):
        at, lengths = races(spots, strains, beyond=1.1, lost=lost)
        np.testing.assert_allclose(at, strains[16])
        assert lengths == [16, 16, 32, 32]
    unfailed = races(spots, strains | {32: [0.3, 0.3]}, beyond=1.1)[0]
    np.testing.assert_allclose(unfailed, strains[16])


def test_a_race_that_lost_a_block_is_not_run_again(races):
    spots = [(2, 2, 20), (3, 3, 50), (4, 4, 80)]
    at, lengths = races(spots, {16: [0.1, 0.102, 0.104]}, beyond=1.1, lost=3)
    assert lengths == [16] * 3
    np.testing.assert_allclose(at, [0.1, 0.102, np.nan])


def test_no_race_is_run_again_where_only_the_first_is_asked_for(races):
    strains = {16: [0.104, 0.103]}
    assert races([(2, 2, 20), (3, 3, 70)], strains, beyond=1.0)[1] == [16, 16]


def test_a_race_is_not_run_again_where_no_block_can_be_longer(races):
    strains = {16: [0.1, 0.101]}
    assert races([(2, 2, 1), (68, 3, 14)], strains, (70, 6, 16), beyond=1.1)[1] == [16, 16]


def test_close_spots_share_a_longer_block(races):
    """If they are well inside it."""
    strains = {16: [0.1, 0.2, 0.101], 32: [0.095, 0.2, 0.094]}
    at, lengths = races([(2, 2, 40), (3, 3, 45), (3, 3, 70)], strains, beyond=1.1)
    assert lengths == [16, 16, 16, 32, 32]
    np.testing.assert_allclose(at, [0.095, np.nan, 0.094])
    strains = {16: [0.1, 0.101], 32: [0.095, 0.094]}
    at, lengths = races([(2, 2, 24), (3, 3, 4)], strains, beyond=1.1)
    assert lengths == [16, 16, 32, 32] and np.nanmin(at) == np.float32(0.094)


def test_spots_that_share_a_block_have_one(races):
    """As those do whose blocks end with the bar; others count up to `most`."""
    strains = {16: [0.1, 0.2, 0.3, 0.4]}
    spots = [(2, 2, 20), (4, 4, 24), (2, 2, 25), (2, 2, 60)]
    assert races(spots[:2], strains)[1] == [16]
    assert races(spots, strains)[1] == [16] * 3
    assert races(spots, strains, most=2)[1] == [16] * 2
    assert races([(2, 2, 1), (2, 2, 8)], strains)[1] == [16]
    assert races([(2, 2, 12), (2, 2, 1)], strains)[1] == [16, 16]


def test_a_block_that_bears_nothing_does_not_fail(material):
    porosity = bar(32)
    porosity[:, :, 16] = 1
    found = submodels(porosity, [(3, 3, 15)], 0.05, material, SETTINGS)
    assert (found.pulled, found.lost) == (1, 1) and np.isnan(found.strain).all()


def test_odd_sides_are_refused(material):
    with pytest.raises(PorefailError, match=r"grid \(6, 6, 15\)"):
        submodels(bar(15), [(1, 1, 1)], 0.05, material, SETTINGS)
