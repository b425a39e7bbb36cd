import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.metrics.overlap import harmonic_mean, overlap, thresholds


def fields(seed=0, shape=(3, 4, 4, 6)):
    rng = np.random.default_rng(seed)
    solid = rng.random(shape) > 0.1
    truth, prediction = rng.random((2, *shape)).round(2)  # ties with the thresholds
    truth[~solid] = prediction[~solid] = np.nan
    return truth, prediction, solid


@pytest.mark.parametrize("true_threshold", [None, 0.0, 0.5, 0.87, 1.1])
def test_counts_equal_a_loop_over_voxels(true_threshold):
    truth, prediction, solid = fields()
    assert (truth == 0.5).any() and (truth == 0.87).any()
    levels = np.array([0.0, 0.1, 0.25, 0.5, 0.9, 1.1])
    got = overlap(truth, prediction, solid, levels, true_threshold)
    for k, level in enumerate(levels):
        cut = level if true_threshold is None else true_threshold
        counts = dict(tp=0, fp=0, fn=0)
        for t, p, s in zip(truth.flat, prediction.flat, solid.flat, strict=True):
            if s:
                counts["tp"] += t >= cut and p >= level
                counts["fp"] += t < cut and p >= level
                counts["fn"] += t >= cut and p < level
        assert got.true_positive[k] == counts["tp"]
        assert got.false_positive[k] == counts["fp"]
        assert got.false_negative[k] == counts["fn"]


def test_scores_and_their_relations():
    score = overlap(*fields(), thresholds(9))
    precision, recall = score.precision, score.recall
    np.testing.assert_allclose(score.f, 2 * precision * recall / (precision + recall))
    np.testing.assert_allclose(score.jaccard, score.dice / (2 - score.dice))
    np.testing.assert_array_equal(score.f, score.dice)
    truth, _, solid = fields()
    itself = overlap(truth, truth, solid, thresholds(9))
    for name in ("precision", "recall", "f", "jaccard", "dice"):
        np.testing.assert_array_equal(getattr(itself, name), 1.0)


def test_exchange_of_truth_and_prediction_exchanges_precision_and_recall():
    truth, prediction, solid = fields(1)
    one = overlap(truth, prediction, solid, thresholds(5))
    other = overlap(prediction, truth, solid, thresholds(5))
    np.testing.assert_array_equal(one.precision, other.recall)
    np.testing.assert_array_equal(one.jaccard, other.jaccard)


def test_zero_over_zero_is_not_a_score():
    solid = np.ones((1, 2, 2, 2), bool)
    truth, low = np.full(solid.shape, 0.9), np.full(solid.shape, 0.1)
    score = overlap(truth, low, solid, np.array([0.5]))
    assert np.isnan(score.precision[0]) and score.recall[0] == 0 and score.f[0] == 0
    score = overlap(low, truth, solid, np.array([0.5]))
    assert score.precision[0] == 0 and np.isnan(score.recall[0]) and score.f[0] == 0
    score = overlap(low, low, solid, np.array([0.5]))
    assert np.isnan([score.precision[0], score.recall[0], score.f[0], score.jaccard[0]]).all()


def test_recall_falls_and_nothing_true_changes_where_truth_is_cut_at_one_value():
    score = overlap(*fields(), thresholds(19), 0.7)
    assert np.all(np.diff(score.recall) <= 0) and score.recall[0] > 0.9 > 0.2 > score.recall[-1]
    assert len(set((score.true_positive + score.false_negative).tolist())) == 1


def test_harmonic_mean_of_nothing():
    nan = np.nan
    got = harmonic_mean(np.array([0.0, nan, 1.0, 0.5]), np.array([0.0, 1.0, nan, 1.0]))
    np.testing.assert_allclose(got, [0, nan, nan, 2 / 3])


def test_thresholds_lie_inside_and_divide_the_interval_equally():
    np.testing.assert_allclose(thresholds(4), [0.2, 0.4, 0.6, 0.8])


def test_bad_input_is_refused():
    truth, prediction, solid = fields()
    with pytest.raises(PorefailError, match="shapes differ"):
        overlap(truth[:2], prediction, solid, thresholds(3))
    with pytest.raises(PorefailError, match="boolean"):
        overlap(truth, prediction, solid.astype(int), thresholds(3))
    with pytest.raises(PorefailError, match="NaN in a solid voxel"):
        overlap(truth, prediction, np.ones_like(solid), thresholds(3))
    with pytest.raises(PorefailError, match="ascend"):
        overlap(truth, prediction, solid, np.array([0.5, 0.5]))
