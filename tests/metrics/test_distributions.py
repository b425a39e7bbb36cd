import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.metrics.distributions import damage_distribution, pool


def fields(seed=0, shape=(3, 4, 4, 6)):
    """Values on bin edges, 0 and 1 among them, predictions outside [0, 1], voids."""
    rng = np.random.default_rng(seed)
    solid = rng.random(shape) > 0.1
    truth = rng.integers(0, 11, shape) / 10
    prediction = truth + rng.normal(0, 0.3, shape).round(1)
    truth[~solid] = prediction[~solid] = np.nan
    return truth, prediction, solid


def bin_of(value, edges):
    """The last bin whose left edge the value reaches to 1e-6; the first one for values below 0."""
    return max([i for i, edge in enumerate(edges[:-1]) if value >= edge - 1e-6], default=0)


@pytest.mark.parametrize("bins", [1, 2, 5, 8])
def test_counts_and_errors_equal_a_loop_over_voxels(bins):
    truth, prediction, solid = fields()
    assert np.nanmin(prediction) < 0 and np.nanmax(prediction) > 1 and np.nanmax(truth) == 1
    got = damage_distribution(truth, prediction, solid, bins)
    assert got.edges == pytest.approx([i / bins for i in range(bins + 1)])
    true, predicted, squared = [0] * bins, [0] * bins, [0.0] * bins
    for t, p, s in zip(truth.flat, prediction.flat, solid.flat, strict=True):
        if s:
            true[bin_of(t, got.edges)] += 1
            predicted[bin_of(p, got.edges)] += 1
            squared[bin_of(t, got.edges)] += (p - t) ** 2
    assert got.true.tolist() == true and got.predicted.tolist() == predicted
    assert got.squared_error == pytest.approx(squared)
    for i in range(bins):
        mean = squared[i] / true[i] if true[i] else np.nan
        assert got.mean_squared_error[i] == pytest.approx(mean, nan_ok=True)


def test_components_sum_to_the_mean_squared_error():
    truth, prediction, solid = fields(1)
    got = damage_distribution(truth, prediction, solid, 7)
    assert got.component.sum() == pytest.approx(np.nanmean((truth - prediction) ** 2))
    assert got.component == pytest.approx(got.mean_squared_error * got.true / solid.sum())


def test_one_voxel_in_single_precision():
    solid = np.ones((1, 1, 1, 1), bool)
    truth, prediction = (np.full(solid.shape, value, np.float32) for value in (0.3, 1.5))
    got = damage_distribution(truth, prediction, solid, 4)
    assert got.true.tolist() == [0, 1, 0, 0] and got.predicted.tolist() == [0, 0, 0, 1]
    np.testing.assert_allclose(got.mean_squared_error, [np.nan, 1.44, np.nan, np.nan], rtol=1e-6)


def test_pooled_batches_equal_all_at_once():
    truth, prediction, solid = fields(3)
    whole = damage_distribution(truth, prediction, solid, 6)
    parts = [
        damage_distribution(truth[i], prediction[i], solid[i], 6)
        for i in (slice(0, 1), slice(1, 3))
    ]
    pooled = pool(parts)
    for got, expected in zip(pooled, whole, strict=True):
        np.testing.assert_allclose(got, expected)
    assert pooled.component == pytest.approx(whole.component)
    with pytest.raises(PorefailError, match="different bins"):
        pool([whole, damage_distribution(truth, prediction, solid, 5)])


def test_no_voxel_and_bad_input():
    truth, prediction, solid = fields()
    none = damage_distribution(truth, prediction, np.zeros_like(solid), 3)
    assert none.true.tolist() == [0, 0, 0] and none.squared_error.tolist() == [0, 0, 0]
    assert np.isnan([none.component, none.mean_squared_error]).all()
    with pytest.raises(PorefailError, match="at least one bin"):
        damage_distribution(truth, prediction, solid, 0)
    with pytest.raises(PorefailError, match="shapes differ"):
        damage_distribution(truth[:1], prediction, solid, 3)
