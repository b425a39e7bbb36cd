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


def curves(seed: int = 5, pool: int = 60, test: int = 30, sizes=(4, 12, 30), repeats: int = 3):
    parts = specimens(pool, 0), specimens(test, 1)
    return active.skill_curves(*parts, sizes, repeats, 1e-2, 1, seed, lambda text: None)


@pytest.fixture(scope="module")
def found():
    return curves()


@pytest.fixture(scope="module")
def table(found):
    return found[0]


def test_a_row_for_each_way_and_size_and_the_whole_pool(table):
    found = table.groupby("choice")["specimens"].apply(list).to_dict()
    assert found == {active.RANDOM: [4, 12, 30, 60], active.UNSURE: [4, 12, 30, 60]}
    for name in ("top_1", "top_3", "log_likelihood"):
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
    assert random["log_likelihood"].is_monotonic_increasing
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
    assert table["log_likelihood"].iloc[-1] == pytest.approx(-np.mean(surprise))


def test_the_gain_is_over_all_sizes_that_leave_a_choice(found):
    table, gain = found
    inner = table[(table["choice"] == active.UNSURE) & table["specimens"].isin([12, 30])]
    for name in ("top_1", "top_3", "log_likelihood"):
        assert gain[f"{name}_gain"] == pytest.approx(inner[f"{name}_gain"].mean())
        assert gain[f"{name}_gain_low"] <= gain[f"{name}_gain"] <= gain[f"{name}_gain_high"]


def test_where_there_is_nothing_to_gain_none_is_found(monkeypatch):
    """Both ways at random: intervals of repeats and specimens hold 0 but for a few."""
    rng = np.random.default_rng(0)
    monkeypatch.setattr(active, "margin", lambda *given: rng.random())
    wrong = 0
    for seed in range(8):
        _, gain = curves(seed, 40, 60, (4, 8, 16), 6)
        low, high = gain["log_likelihood_gain_low"], gain["log_likelihood_gain_high"]
        wrong += not low <= 0 <= high
    assert wrong <= 2


def test_the_margin_is_to_the_next_site_and_not_to_its_own_neighbour():
    pool = specimens(8, 2)
    model = site_regression.fit_rows(
        pool.names, pool.rows, pool.sites, pool.rows, pool.sites, [1e-2]
    )
    nearer = 0
    for rows, porosity in zip(pool.rows, pool.porosity, strict=True):
        field, solid = np.zeros(SHAPE), porosity == 0
        field[solid] = site_regression.scores(model, rows)
        maxima = local_maxima(field, solid)
        place = [np.argwhere(maxima.rank == 1 + k)[0] for k in range(len(maxima.value))]
        apart = [np.abs(each - place[0]).max() > 2 for each in place]
        second = apart.index(True)
        found = active.margin(model, rows, porosity, 1)
        assert found == pytest.approx(maxima.value[0] - maxima.value[second])
        assert active.margin(model, rows, porosity, 9) == np.inf
        nearer += second > 1
    assert nearer


def test_a_pool_that_is_too_small_is_refused():
    assert len(curves(sizes=[3, 20, 500])[0]) == 6
    with pytest.raises(PorefailError, match="campaign.sizes has 1 below the 60 specimens to choo"):
        curves(sizes=[3, 60, 500])
