import math

import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.metrics.operating_point import best_threshold
from porefail.metrics.overlap import overlap, thresholds

NAN = np.nan
THRESHOLD = [0.1, 0.2, 0.3, 0.4]


def brute(recall, precision, wanted):
    """Index of the best: rule after rule, what is not the best by it drops out."""
    merit = []
    for r, p in zip(recall, precision, strict=True):
        if wanted is None:
            merit.append(0.0 if r + p == 0 else 2 * r * p / (r + p))
        else:
            merit.append(p if r >= wanted else NAN)
    left = [i for i, r in enumerate(recall) if not math.isnan(r)]
    for values in (merit, recall, precision):
        known = [values[i] for i in left if not math.isnan(values[i])]
        if known:
            left = [i for i in left if values[i] == max(known)]
    return left[0]


@pytest.mark.parametrize("wanted", [None, 0.0, 0.5, 0.9, 1.0])
def test_it_is_the_one_that_a_search_rule_by_rule_finds(wanted):
    rng = np.random.default_rng(0)
    levels = np.array([0.0, 0.25, 0.5, 0.75, 1.0, NAN])  # many ties
    for _ in range(300):
        recall, precision = rng.choice(levels, (2, 6), p=[0.1, 0.1, 0.3, 0.2, 0.1, 0.2])
        if np.isnan(recall).all():
            continue
        threshold = np.sort(rng.random(6))
        k = brute(recall.tolist(), precision.tolist(), wanted)
        assert best_threshold(threshold, recall, precision, wanted) == threshold[k]


def test_highest_precision_among_those_that_reach_the_wanted_recall():
    recall, precision = [1.0, 0.9, 0.8, 0.3], [0.1, 0.3, 0.5, 0.9]
    found = {
        wanted: best_threshold(THRESHOLD, recall, precision, wanted)
        for wanted in (0.95, 0.9, 0.5, 0.0)
    }
    assert found == {0.95: 0.1, 0.9: 0.2, 0.5: 0.3, 0.0: 0.4}
    assert best_threshold(THRESHOLD, recall, precision) == 0.3


def test_ties_go_to_the_higher_recall_then_to_the_lower_threshold():
    assert best_threshold(THRESHOLD, [0.8, 0.9, 0.9, 0.7], [0.5] * 4, 0.6) == 0.2
    assert best_threshold(THRESHOLD, [0.5, 0.25, 0.5, 0], [0.25, 0.5, 0.25, 1]) == 0.1


def test_recall_that_no_threshold_reaches():
    assert best_threshold(THRESHOLD, [0.4, 0.7, 0.7, NAN], [0.9, 0.2, 0.3, 1], 0.9) == 0.3
    assert best_threshold(THRESHOLD, [0.0] * 4, [NAN] * 4) == 0.1


def test_it_serves_an_operating_curve():
    rng = np.random.default_rng(1)
    truth = rng.random((4, 6, 6, 6))
    prediction = np.clip(0.6 * truth + 0.2 * rng.random(truth.shape), 0, 1)
    curve = overlap(truth, prediction, np.ones(truth.shape, bool), thresholds(99), 0.8)
    threshold = best_threshold(curve.threshold, curve.recall, curve.precision, 0.9)
    at = np.searchsorted(curve.threshold, threshold)
    assert curve.recall[at] >= 0.9
    assert not np.any((curve.recall >= 0.9) & (curve.precision > curve.precision[at]))
    best = best_threshold(curve.threshold, curve.recall, curve.precision)
    assert curve.f[np.searchsorted(curve.threshold, best)] == np.nanmax(curve.f)


def test_bad_input_is_refused():
    with pytest.raises(PorefailError, match="equally long"):
        best_threshold(THRESHOLD, [1.0] * 4, [1.0] * 3)
    with pytest.raises(PorefailError, match="0 to 1"):
        best_threshold(THRESHOLD, [1.0] * 4, [1.0] * 4, 90)
    with pytest.raises(PorefailError, match="no threshold has a recall"):
        best_threshold(THRESHOLD, [NAN] * 4, [1.0] * 4, 0.9)
