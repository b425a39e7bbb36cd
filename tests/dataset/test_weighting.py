import numpy as np
import pytest

from porefail.dataset.weighting import KINDS, histogram, pool, weights
from porefail.errors import PorefailError
from porefail.metrics.distributions import damage_distribution
from porefail.metrics.uncertainty import by_bin
from porefail.nn.batches import look_up


def labels(count=6, shape=(6, 6, 12), seed=0):
    """Labels that pile up at low values, NaN in voids."""
    rng = np.random.default_rng(seed)
    label = rng.beta(1, 12, (count, *shape)).astype(np.float32)
    label /= label.max(axis=(1, 2, 3), keepdims=True)
    label[rng.random(label.shape) < 0.1] = np.nan
    return label


@pytest.mark.parametrize("kind", KINDS)
def test_the_mean_weight_of_a_solid_voxel_is_one(kind):
    label = labels()
    table = weights(kind, label)
    each = look_up(table, label)
    solid = ~np.isnan(label)
    assert table.dtype == np.float32 and (table > 0).all()
    assert each[solid].mean() == pytest.approx(1, abs=1e-4)
    assert (each[~solid] == 0).all()
    if kind == "inverse_histogram_per_realization":
        assert len(table) == len(label)
        for own, mask in zip(each, solid, strict=True):
            assert own[mask].mean() == pytest.approx(1, abs=1e-4)
    else:
        assert len(table) == 1


def test_uniform_and_logistic_are_what_they_say():
    label = labels()
    assert weights("uniform", label).tolist() == [[1.0]]
    table = weights("logistic", label, midpoint=0.4, steepness=8.0)[0]
    centre = (np.arange(table.size) + 0.5) / table.size
    shape = 1 / (1 + np.exp(-8.0 * (centre - 0.4)))
    np.testing.assert_allclose(table / table[-1], shape / shape[-1], rtol=1e-5)


@pytest.mark.parametrize("per_realization", [False, True])
def test_an_inverse_histogram_gives_every_filled_bin_the_same_weight_in_all(per_realization):
    label = labels()
    label[:, 0, 0, :4] = [0.1, 0.4, 0.6, 0.9]  # so that no bin is empty
    name = "inverse_histogram" + "_per_realization" * per_realization
    table = weights(name, label, bins=4, pool_share=0.0, largest=1e9)
    for row, part in zip(table, label if per_realization else [label], strict=True):
        values = part[~np.isnan(part)]
        bins = np.minimum((values * 4).astype(int), 3)
        count = np.array([np.sum(bins == k) for k in range(4)])
        assert (count > 0).all()  # no bin to pool
        np.testing.assert_allclose(row * count / values.size, 0.25, rtol=1e-4)


def test_the_histogram_counts_solid_voxels_and_takes_both_ends():
    label = np.array([0.0, 0.09, 0.1, 0.5, 1.0, np.nan], np.float32).reshape(1, 1, 1, 6)
    assert histogram(label, 10).tolist() == [[2, 1, 0, 0, 0, 1, 0, 0, 0, 1]]


def test_pools_hold_the_share_and_each_bin_weighs_by_its_pool():
    counts = np.array([900, 70, 20, 5, 0, 3, 0, 1, 0, 1])
    # From above: 1 + 0 + 1 + 0 + 3 + 0 + 5 reach 1 % of 1000.
    assert pool(counts, 0.01).tolist() == [900, 70, 20] + [10 / 7] * 7
    assert pool(counts, 0.0).tolist() == [900, 70, 20, 2.5, 2.5, 1.5, 1.5, 0.5, 0.5, 1]
    assert pool(np.array([1, 2, 1000]), 0.01).tolist() == [334.333333333333333] * 3
    assert pool(counts[::-1], 0.01).sum() == pytest.approx(1000)


def test_pooling_bounds_the_weights_and_so_does_the_cut():
    label = labels()
    raw = weights("inverse_histogram", label, pool_share=0.0, largest=1e9)
    pooled = weights("inverse_histogram", label, pool_share=0.05, largest=1e9)
    cut = weights("inverse_histogram", label, pool_share=0.0, largest=5.0)
    assert pooled.max() <= 1 / 0.05 < raw.max()
    assert cut.max() == 5.0 < raw.max()
    assert cut.min() > raw.min()  # what the cut ones lack the others get


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("largest", [1.5, 5.0, 100.0])
def test_no_weight_is_above_the_largest_and_the_rest_keep_their_ratios(kind, largest):
    label = labels()
    raw, cut = (weights(kind, label, pool_share=0.0, largest=x) for x in (1e9, largest))
    assert cut.max() <= largest * (1 + 1e-6)
    for row, whole, own in zip(cut, raw, label if len(cut) > 1 else [label], strict=True):
        each = look_up(row[None], own.reshape(1, 1, 1, -1))
        assert each[0, 0, 0][~np.isnan(own.ravel())].mean() == pytest.approx(1, abs=1e-4)
        free = row < largest * (1 - 1e-6)
        ratio = row[free] / whole[free]
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)
        assert (whole[~free] * ratio[0] >= largest * (1 - 1e-4)).all()


def test_labels_on_an_edge_are_counted_where_their_weight_is_looked_up():
    """One rule in all rooms: in single precision 0.58, 0.70, 0.82 and 0.94 are below themselves."""
    for bins in (10, 50, 100):
        label = (np.arange(bins + 1) / bins).astype(np.float32).reshape(1, 1, 1, -1)
        solid = np.ones(label.shape, bool)
        table = np.arange(bins, dtype=np.float32)[None]
        looked_up = np.bincount(look_up(table, label).ravel().astype(int), minlength=bins)
        expected = [1] * (bins - 1) + [2]
        assert looked_up.tolist() == histogram(label, bins)[0].tolist() == expected
        assert damage_distribution(label, label, solid, bins).true.tolist() == expected
        assert by_bin(label.ravel(), bins)[0].tolist() == expected


def test_voids_and_other_realizations_do_not_matter():
    label = labels()
    changed = label.copy()
    changed[0] = labels(1, seed=5)[0]
    own, other = (weights("inverse_histogram_per_realization", x) for x in (label, changed))
    np.testing.assert_array_equal(own[1:], other[1:])
    assert (own[0] != other[0]).any()


def test_bad_input_is_refused():
    label = labels(1)
    with pytest.raises(PorefailError, match="weighting 'IH' is unknown: use one of uniform, "):
        weights("IH", label)
    for bad in (dict(bins=1), dict(pool_share=1.0), dict(largest=1.0), dict(steepness=0.0)):
        with pytest.raises(PorefailError, match="a weighting needs bins >= 2"):
            weights("logistic", label, **bad)


def test_weights_of_extreme_parameters_are_finite():
    """A logistic weight so steep that all below it vanishes: what the cut leave goes to them."""
    label = np.linspace(0, 1, 8**3).reshape(1, 8, 8, 8)
    table = weights("logistic", label, largest=2.0, midpoint=0.99, steepness=1000.0)
    assert np.isfinite(table).all() and table.max() <= 2 * (1 + 1e-6)
