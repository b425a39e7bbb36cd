"""Likely sites: the highest maxima with their shares, and which of them failed."""

import numpy as np
import pytest

from porefail.learning.candidates import MOST, box_about, candidates, failed_at
from porefail.metrics.peaks import local_maxima


def test_candidates_are_the_highest_maxima_with_their_shares():
    likelihood = np.random.default_rng(0).random((8, 8, 12))
    likelihood[0, 0, 0] = np.nan
    found = candidates(likelihood)
    assert len(found.place) == MOST
    value = likelihood[tuple(found.place.T)]
    assert (np.diff(value) <= 0).all()
    rank = local_maxima(np.nan_to_num(likelihood), ~np.isnan(likelihood)).rank
    assert rank[tuple(found.place.T)].tolist() == list(range(1, MOST + 1))
    near = np.nansum(likelihood[box_about(found.place[0])])
    assert found.share[0] == pytest.approx(np.log(near / np.nansum(likelihood)))


def test_one_site_alone():
    likelihood = np.zeros((4, 4, 6))
    likelihood[3, 3, 5] = 1.0
    found = candidates(likelihood)
    assert found.place[0].tolist() == [3, 3, 5] and found.share[0] == 0


def test_failed_means_within_a_voxel():
    failed = np.zeros((4, 4, 6), bool)
    failed[1, 1, 1] = True
    place = np.array([[0, 0, 0], [2, 2, 2], [1, 1, 3], [3, 1, 1]])
    assert failed_at(place, failed).tolist() == [True, True, False, False]
    assert failed_at(place[:0], failed).shape == (0,)
