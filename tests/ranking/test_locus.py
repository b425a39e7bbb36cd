import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.ranking.locus import agreement, locus
from porefail.voxels.neighbours import grown

from .conftest import SHAPE, at

ORIGINAL = at((1, 1, 4))
# Two near the original, one a little on, one far off with two voxels.
FAILED = np.array([at((1, 1, 4)), at((2, 2, 5)), at((2, 2, 7)), at((4, 4, 15), (4, 4, 16))])


def test_places_of_failure():
    found = locus(FAILED, ORIGINAL, 1, 0.05)
    assert found.count.sum() == 5 and found.count[1, 1, 4] == 1
    assert found.place.max() == 3 and found.place[1, 1, 4] == found.place[2, 2, 5] != 0
    assert found.place[2, 2, 7] not in (0, found.place[2, 2, 5])
    assert found.place[4, 4, 15] == found.place[4, 4, 16]
    assert (found.place > 0).sum() == 5
    assert found.moved.tolist() == [False, False, True, True]
    assert found.height == pytest.approx([0, 0.05, 0.15, 0.575])
    # A chain of near failures is one place.
    assert locus(FAILED, ORIGINAL, 2, 0.05).place.max() == 2


def test_agreement_with_sites():
    rank = np.zeros(SHAPE, int)
    rank[4, 4, 17] = 1  # next to a failure
    rank[0, 0, 3] = 2  # next to the original failure
    rank[5, 0, 10] = 3  # no copy failed there
    found = agreement(FAILED, locus(FAILED, ORIGINAL, 1, 0.05), rank, ~ORIGINAL, 1)
    assert found.rank.tolist() == [2, 0, 0, 1]
    assert (found.found, found.places) == (2, 3)
    assert found.sites.tolist() == [True, True, False]
    assert found.moved.tolist() == [True, False, False]  # at the second the copies fail as before
    reached = sum(np.count_nonzero(grown(rank == k, 1)) for k in (1, 2, 3))
    # The original failure is near site 2 and not solid here.
    assert found.chance == pytest.approx((reached - 1) / (rank.size - 1))
    exact = agreement(FAILED, locus(FAILED, ORIGINAL, 0, 0.05), rank, ~ORIGINAL, 0)
    assert exact.rank.tolist() == [0, 0, 0, 0] and exact.found == 0 and not exact.sites.any()


def test_a_failure_near_two_sites_counts_for_the_better():
    rank = np.zeros(SHAPE, int)
    rank[0, 1, 4], rank[2, 1, 4] = 2, 1
    found = agreement(FAILED[:1], locus(FAILED[:1], ORIGINAL, 1, 0.05), rank, ~ORIGINAL, 1)
    assert found.rank.tolist() == [1] and found.sites.tolist() == [True, True]


def test_no_site_and_no_failure():
    found = agreement(FAILED, locus(FAILED, ORIGINAL, 1, 0.05), np.zeros(SHAPE, int), ~ORIGINAL, 1)
    assert not found.rank.any() and found.sites.size == 0 and found.chance == 0
    with pytest.raises(PorefailError, match="only of those that failed"):
        locus(np.zeros((2, *SHAPE), bool), ORIGINAL, 1, 0.05)
    with pytest.raises(PorefailError, match="only of those that failed"):
        locus(FAILED[:0], ORIGINAL, 1, 0.05)
