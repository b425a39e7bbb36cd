"""Blocks around sites of a test specimen: whether the first to fail is right, and when it did."""

import numpy as np
import pytest

from porefail.fe.submodels import Submodels
from porefail.learning.candidates import failed_at
from porefail.verdict import calibration, cases
from porefail.verdict.assessment import NO_SITES, Physics, Sites
from porefail.verdict.cases import Case, first_block, raced

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


def test_where_a_block_found_the_site_the_specimen_failed_at_one(specimen):
    sites = Sites(PLACES[:1], np.zeros((1, 2)), *np.zeros((2, 1), int))
    field = np.full(SHAPE, np.nan, np.float32)
    field[2, 2, 4] = 0.05
    each = specimen._replace(sites=sites, failed=np.array([False]))
    assert raced(each, None) is each
    found = raced(each, Submodels(field, 1, 0))
    assert found.failed.tolist() == [False, True]
    assert found.sites.place[1].tolist() == [2, 2, 4]


@pytest.fixture
def races(monkeypatch, locator):
    """Specimens of two equal sites, and what is learnt of blocks around them: of held-out ones the
    first block to fail is right. rights: of test specimens, whether theirs is; the last is unseen.
    """
    blocks = {}

    def specimen(number: int, right: bool) -> Case:
        random = np.random.default_rng(number)
        first = random.integers(2)
        failed = np.zeros(SHAPE, np.uint8)
        failed[tuple(PLACES[first if right else 1 - first])] = 1
        logs = np.log(random.dirichlet([9.0, 9.0]))
        features = np.column_stack([logs, logs - logs.max()])
        sites = Sites(PLACES, features, *np.zeros((2, 2), int))
        field = np.full(SHAPE, np.nan, np.float32)
        field[tuple(PLACES.T)] = [0.05, 0.0505] if first == 0 else [0.0505, 0.05]
        blocks[id(sites)] = Submodels(field, 2, 0)
        known = {"failed": failed, "first_failure_strain": 0.05, "realization": number}
        none = np.zeros(SHAPE, bool)
        return Case(known, Physics(none, none, {}), sites, failed_at(PLACES, failed == 1))

    def learn(rights: list[bool]):
        held = [specimen(n, n % 10 > 0) for n in range(40)]
        tested = [specimen(40 + n, right) for n, right in enumerate(rights)]
        unseen = tested[-1]._replace(seen=None, sites=NO_SITES, failed=np.zeros(0, bool))
        monkeypatch.setattr(cases, "pull", lambda voids, sites, *_: blocks[id(sites)])
        settings = {"penalty": 0.1, "coverage": 0.8, "channels": ["superposed_lode"]}
        source = {"spacing": 0.05, "simulation": locator.simulation}
        told = []
        found = calibration._with_blocks(
            held, [*tested[:-1], unseen], 2, settings, source, told.append
        )
        assert told == ["blocks: 20 of 46 specimens", "blocks: 40 of 46 specimens"]
        return found

    return learn


def test_a_choice_by_blocks_is_learnt_from_held_out_specimens_alone(races):
    right, scores, sets = races([True] * 6)
    wrong, others, _ = races([False] * 6)
    assert right.choice.coefficient[2] < -50 and right.most == 2
    np.testing.assert_array_equal(right.choice.coefficient, wrong.choice.coefficient)
    assert right.level == wrong.level
    assert scores["pulled_top_1"].tolist() == [1] * 5 + [0]
    assert others["pulled_top_1"].tolist() == [0] * 6
    assert scores["blocks"].tolist() == [2] * 5 + [0]
    assert right.skill["top_1"] == pytest.approx(5 / 6) and right.skill["specimens"] == 6
    assert 0.7 < scores["pulled_probability"][0] < 0.99  # nine of ten were right
    assert (sets["blocks"] == 2).all() and sets["specimens"].eq(6).all()
