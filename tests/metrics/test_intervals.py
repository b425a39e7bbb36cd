import numpy as np
import pytest
from scipy.stats import binom

from porefail.errors import PorefailError
from porefail.metrics.intervals import bootstrap, wilson


def test_it_is_where_the_score_test_just_rejects():
    """Definition: the rates p with |hits/n − p| = 1.96 √(p(1−p)/n)."""
    for hits in (3, 17, 40):
        for bound in wilson(hits, 64):
            distance = abs(hits / 64 - bound) / np.sqrt(bound * (1 - bound) / 64)
            assert distance == pytest.approx(1.959964, rel=1e-6)


def test_ends_and_fractions():
    low, high = wilson(np.array([0.0, 20.5, 64.0]), 64)
    assert abs(low[0]) < 1e-15 and abs(high[2] - 1) < 1e-15
    assert 0 < high[0] < 0.1 and 0.9 < low[2] < 1
    assert low[1] < 20.5 / 64 < high[1]


def test_it_covers_the_true_rate_about_as_often_as_it_says():
    hits = np.arange(65)
    low, high = wilson(hits, 64)
    for rate in np.linspace(0.05, 0.95, 19):
        covered = binom.pmf(hits, 64, rate)[(low <= rate) & (rate <= high)].sum()
        assert 0.91 < covered < 0.99


def test_bad_input_is_refused():
    for hits, count in ((3, 0), (5, 4), (-1, 4)):
        with pytest.raises(PorefailError, match="0 <= hits <= count"):
            wilson(hits, count)


def test_bootstrap_is_the_interval_of_the_normal_distribution():
    """Of many values; and none where all are the same."""
    values = np.random.default_rng(0).standard_normal(2000) + 3.0
    low, high = bootstrap(values)
    half = 1.96 * values.std() / np.sqrt(values.size)
    np.testing.assert_allclose(
        [low, high], values.mean() + half * np.array([-1, 1]), atol=0.1 * half
    )
    assert bootstrap(np.full(5, 0.5)) == (0.5, 0.5)
    assert bootstrap(values) == (low, high)
    with pytest.raises(PorefailError, match="values"):
        bootstrap(np.empty(0))
