import numpy as np
import pytest
from scipy import integrate, stats

from porefail.errors import PorefailError
from porefail.metrics.intervals import wilson
from porefail.metrics.uncertainty import by_bin, crps, probability_bins, reliability, scores

RANDOM = np.random.default_rng(0)
MEAN = RANDOM.random((50, 4, 4, 8))
VARIANCE = 0.01 * (0.5 + RANDOM.random(MEAN.shape))
LABEL = MEAN + np.sqrt(VARIANCE) * RANDOM.standard_normal(MEAN.shape)
LABEL[:, 0, 0, 0] = np.nan


def test_crps_is_its_integral():
    for outcome in (-2.0, 0.0, 0.3, 4.0):
        below, above = (
            integrate.quad(lambda x, sign=sign: stats.norm.cdf(sign * x) ** 2, *bounds)[0]
            for sign, bounds in ((1, (-12, outcome)), (-1, (outcome, 12)))
        )
        assert crps(np.array(outcome)) == pytest.approx(below + above, abs=1e-7)


def test_scores_of_the_true_distribution():
    found = scores(LABEL, MEAN, VARIANCE)
    known = ~np.isnan(LABEL)
    exact = -stats.norm.logpdf(LABEL[known], MEAN[known], np.sqrt(VARIANCE[known]))
    assert found.log_score == pytest.approx(exact.mean())
    assert found.coverage == pytest.approx(0.95, abs=0.01)
    assert found.sharpness == pytest.approx(2 * 1.96 * np.sqrt(VARIANCE[known]).mean(), rel=1e-4)
    assert scores(LABEL, MEAN, VARIANCE, 0.5).coverage == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_proper_scores_favour_the_true_variance(factor):
    true, other = scores(LABEL, MEAN, VARIANCE), scores(LABEL, MEAN, factor * VARIANCE)
    assert true.log_score < other.log_score and true.crps < other.crps


def test_one_noise_for_all_covers_the_many_and_not_the_few():
    """The failing voxels are few and their error is large: what reliability is there to show."""
    label = np.full((1, 10, 10, 100), 0.05)
    label[..., :2] = 0.95
    mean = label + 0.05 * RANDOM.standard_normal(label.shape)
    mean[..., :2] -= 0.5
    noise = np.full(label.shape, 0.05**2)
    assert scores(label, mean, noise).coverage > 0.92
    found = reliability(label, label, mean, np.zeros(label.shape), noise)
    assert found.coverage[0] > 0.93 and found.coverage[-1] == 0
    assert np.isnan(found.coverage[1:-1]).all()
    assert found.noise[[0, -1]] == pytest.approx(0.05**2)


def test_by_the_prediction_each_bin_is_covered_as_it_ought_to_be():
    found = reliability(MEAN, LABEL, MEAN, np.zeros_like(VARIANCE), VARIANCE, bins=5)
    np.testing.assert_allclose(found.coverage, 0.95, atol=0.03)


def test_parts_of_the_variance_are_told_apart():
    found = reliability(LABEL, LABEL, MEAN, 0.25 * VARIANCE, 0.75 * VARIANCE, bins=4)
    whole = reliability(LABEL, LABEL, MEAN, np.zeros_like(VARIANCE), VARIANCE, bins=4)
    np.testing.assert_allclose(found.epistemic * 3, found.noise)
    np.testing.assert_allclose(found.coverage, whole.coverage)


def test_errors():
    with pytest.raises(PorefailError, match="shapes differ"):
        scores(LABEL, MEAN[1:], VARIANCE)
    with pytest.raises(PorefailError, match="positive variance"):
        scores(LABEL, MEAN, 0 * VARIANCE)


def test_numbers_and_means_in_bins():
    by, values = RANDOM.random(1000), RANDOM.random(1000)
    by[by < 0.25] = 0.9
    count, mean = by_bin(by, 4, values)
    assert count.sum() == 1000 and count[0] == 0 and np.isnan(mean[0])
    for k in range(1, 4):
        inside = (by >= k / 4) & (by < (k + 1) / 4)
        assert count[k] == inside.sum() and mean[k] == pytest.approx(values[inside].mean())


def test_reliability_of_probabilities():
    """Two bins: said 0.1, true in 1 of 4; said 0.8, true in 2 of 2."""
    probability = np.array([0.1, 0.1, 0.05, 0.15, 0.7, 0.9])
    true = np.array([0, 1, 0, 0, 1, 1])
    found = probability_bins(probability, true, 2)
    assert found.count.tolist() == [4, 2]
    np.testing.assert_allclose(found.said, [0.1, 0.8])
    np.testing.assert_allclose(found.true, [0.25, 1.0])
    np.testing.assert_allclose([found.low, found.high], np.array([wilson(1, 4), wilson(2, 2)]).T)
    assert found.error == pytest.approx((4 * 0.15 + 2 * 0.2) / 6)
    random = np.random.default_rng(3)
    chance = random.random(20_000)
    honest = probability_bins(chance, random.random(20_000) < chance, 10)
    bold = probability_bins(chance**0.5, random.random(20_000) < chance, 10)
    assert honest.error < 0.02 < 0.1 < bold.error
