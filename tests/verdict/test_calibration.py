"""Blocks around sites of a test specimen: whether the first to fail is right, and when it did."""

import numpy as np
import pytest

from porefail.fe.submodels import Submodels
from porefail.verdict.assessment import NO_SITES, Physics
from porefail.verdict.calibration import Case, first_block

SHAPE = (4, 4, 6)
PLACES = np.array([[1, 1, 1], [2, 2, 4]])


@pytest.fixture
def specimen() -> Case:
    """It failed at the second of two places, at a strain of 0.05."""
    failed = np.zeros(SHAPE, np.uint8)
    failed[2, 2, 5] = 1
    none = np.zeros(SHAPE, bool)
    known = {"failed": failed, "first_failure_strain": np.float64(0.05), "realization": 3}
    return Case(known, Physics(none, none, {}), NO_SITES, np.zeros(0, bool))


@pytest.fixture
def told(specimen):
    """What is told where blocks fail at some strains at the places."""

    def tell(*strains: float) -> dict:
        field = np.full(SHAPE, np.nan, np.float32)
        field[tuple(PLACES.T)] = strains
        return first_block(specimen, Submodels(field, 2, 0))

    return tell


def test_the_first_block_to_fail_counts(told):
    right = told(0.06, 0.04)
    assert right["blocks"] == 2
    assert right["block_top_1"] == 1 and right["block_strain"] == pytest.approx(0.8)
    wrong = told(0.03, 0.04)
    assert wrong["block_top_1"] == 0 and wrong["block_strain"] == pytest.approx(0.6)


def test_blocks_that_do_not_fail_tell_nothing(told):
    assert told(np.nan, 0.04)["block_top_1"] == 1
    none = told(np.nan, np.nan)
    assert none["block_top_1"] == 0 and np.isnan(none["block_strain"])


def test_where_a_scan_shows_nothing_no_block_is_pulled(specimen):
    unseen = first_block(specimen._replace(seen=None), None)
    assert unseen["block_top_1"] == 0 and np.isnan(unseen["block_strain"])
    assert unseen["blocks"] == 0
