"""Choosing what to simulate next: the table, what both ways share, and where choosing pays."""

import numpy as np
import pytest

from porefail.baselines import site_regression
from porefail.errors import PorefailError
from porefail.learning import active
from porefail.metrics.peaks import local_maxima

SHAPE = (4, 4, 6)


def specimens(count: int, seed: int) -> active.Known:
    """Made-up fields; a specimen fails where a sum of two of them is highest."""
    rng = np.random.default_rng(seed)
    fields = {name: rng.normal(size=(count, *SHAPE)).astype(np.float32) for name in ("a", "b")}
    porosity = (rng.random((count, *SHAPE)) < 0.05).astype(np.uint8)
    score = np.where(porosity == 0, fields["a"] + 2 * fields["b"], -np.inf)
    failed = score == score.max(axis=(1, 2, 3), keepdims=True)
    return active.known(fields, porosity, failed)


@pytest.fixture(scope="module")
def table():
    return active.skill_curves(
        specimens(60, 0), specimens(30, 1), [4, 12, 30], 3, 1e-2, 1, 5, lambda text: None
    )


def test_a_row_for_each_way_and_size_and_the_whole_pool(table):
    found = table.groupby("choice")["specimens"].apply(list).to_dict()
    assert found == {active.RANDOM: [4, 12, 30, 60], active.UNSURE: [4, 12, 30, 60]}
    for name in ("top_1", "top_3", "surprise"):
        assert (table[f"{name}_low"] <= table[name] + 1e-12).all()
        assert (table[name] <= table[f"{name}_high"] + 1e-12).all()
    assert (table["top_1"] <= table["top_3"]).all()


def test_both_ways_begin_and_end_alike(table):
    """With the same specimens: so there is nothing to gain."""
    random, unsure = (table[table["choice"] == way] for way in (active.RANDOM, active.UNSURE))
    scores = [name for name in table if name != "choice"]
    for row in (0, -1):
        np.testing.assert_array_equal(random.iloc[row][scores], unsure.iloc[row][scores])
    gains = [name for name in table if "gain" in name]
    assert (random[gains] == 0).all(axis=None)
    assert (unsure.iloc[1:3][gains] != 0).any(axis=None)


def test_more_specimens_teach_more(table):
    random = table[table["choice"] == active.RANDOM]
    assert random["surprise"].is_monotonic_decreasing
    assert random["top_1"].iloc[-1] > 0.8 > random["top_1"].iloc[0]


def test_the_whole_pool_is_a_fit_of_all_of_it(table):
    pool, test = specimens(60, 0), specimens(30, 1)
    model = site_regression.fit_rows(
        pool.names, pool.rows, pool.sites, pool.rows, pool.sites, [1e-2]
    )
    surprise = [
        site_regression.surprise(site_regression.scores(model, rows), sites)
        for rows, sites in zip(test.rows, test.sites, strict=True)
    ]
    assert table["surprise"].iloc[-1] == pytest.approx(np.mean(surprise))


def test_the_margin_is_of_the_two_highest_maxima():
    pool = specimens(3, 2)
    model = site_regression.fit_rows(
        pool.names, pool.rows, pool.sites, pool.rows, pool.sites, [1e-2]
    )
    field = np.zeros(SHAPE)
    solid = pool.porosity[0] == 0
    field[solid] = site_regression.scores(model, pool.rows[0])
    value = local_maxima(field, solid).value
    found = active.margin(model, pool.rows[0], pool.porosity[0])
    assert found == pytest.approx(value[0] - value[1]) and found > 0


def test_a_pool_that_is_too_small_is_refused():
    pool, test = specimens(40, 3), specimens(10, 4)
    assert len(active.skill_curves(pool, test, [3, 50], 2, 1e-2, 1, 0, lambda text: None)) == 4
    with pytest.raises(PorefailError, match="campaign.sizes begins with 40, expected fewer than"):
        active.skill_curves(pool, test, [40], 2, 1e-2, 1, 0)
