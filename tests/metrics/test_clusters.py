import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.metrics.clusters import cluster_overlap, cluster_table, site_threshold
from porefail.metrics.overlap import thresholds


def flood(mask):
    """Clusters as sets of voxels, by flooding: touching means no coordinate differs by over 1."""
    left = {tuple(map(int, voxel)) for voxel in np.argwhere(mask)}
    clusters = []
    while left:
        cluster, front = set(), {left.pop()}
        while front:
            cluster |= front
            front = {v for v in left if any(max(np.abs(np.subtract(v, f))) <= 1 for f in front)}
            left -= front
        clusters.append(cluster)
    return clusters


def fields(seed=0, shape=(3, 5, 5, 8)):
    rng = np.random.default_rng(seed)
    solid = rng.random(shape) > 0.1
    truth, prediction = rng.random((2, *shape))
    prediction = 0.5 * (truth + prediction)
    truth[~solid] = prediction[~solid] = np.nan
    return truth, prediction, solid


@pytest.mark.parametrize(
    "seed, true_threshold", [(0, None), (1, None), (2, None), (3, 0.6), (4, 0.85), (5, 2.0)]
)
def test_cluster_counts_equal_flooding(seed, true_threshold):
    truth, prediction, solid = fields(seed)
    levels = np.array([0.1, 0.6, 0.8, 0.9, 2.0])
    got = cluster_overlap(truth, prediction, solid, levels, true_threshold)
    for k, level in enumerate(levels):
        cut = level if true_threshold is None else true_threshold
        predicted = hit = true = found = 0
        for t, p, s in zip(truth, prediction, solid, strict=True):
            trues, preds = flood(s & (t >= cut)), flood(s & (p >= level))
            true, predicted = true + len(trues), predicted + len(preds)
            hit += sum(any(p & t for t in trues) for p in preds)
            found += sum(any(p & t for p in preds) for t in trues)
        assert (got.predicted[k], got.hit[k]) == (predicted, hit)
        assert (got.true[k], got.found[k]) == (true, found)
        if predicted + true:
            tp, fp, fn = hit, predicted - hit, true - found
            assert got.jaccard[k] == pytest.approx(tp / (tp + fp + fn))
            assert got.dice[k] == pytest.approx(2 * tp / (2 * tp + fp + fn))
    assert np.isnan(got.precision[-1]) and np.isnan(got.f[-1])
    assert np.isnan(got.recall[-1]) == (true_threshold in (None, 2.0))


def test_perfect_prediction_and_symmetry_of_the_scores():
    truth, prediction, solid = fields(4)
    itself = cluster_overlap(truth, truth, solid, thresholds(9))
    scores = [itself.precision, itself.recall, itself.f, itself.jaccard, itself.dice]
    np.testing.assert_array_equal(scores, 1.0)
    one = cluster_overlap(truth, prediction, solid, thresholds(5))
    other = cluster_overlap(prediction, truth, solid, thresholds(5))
    np.testing.assert_array_equal(one.precision, other.recall)


def test_a_true_cluster_met_by_two_pieces_is_found_once():
    truth, prediction = np.zeros((2, 1, 1, 1, 9))
    truth[0, 0, 0, :5] = 1.0
    prediction[0, 0, 0, [0, 2, 7]] = 1.0
    got = cluster_overlap(truth, prediction, np.ones(truth.shape, bool), np.array([0.5]))
    assert got.precision[0] == pytest.approx(2 / 3) and got.recall[0] == 1.0
    assert got.f[0] == pytest.approx(0.8)
    corner = cluster_overlap(truth, np.roll(truth, 4), np.ones(truth.shape, bool), np.array([0.5]))
    assert corner.f[0] == 1.0
    missed = cluster_overlap(truth, truth[..., ::-1] * (np.arange(9) > 5), truth >= 0, [0.5])
    assert missed.precision[0] == missed.recall[0] == missed.f[0] == 0.0


def test_cluster_table_equals_flooding():
    _, field, solid = fields(2)
    rank, table = cluster_table(field[0], solid[0], 0.8, 0.05)
    clusters = flood(solid[0] & (field[0] >= 0.8 * np.nanmax(field[0])))
    assert len(table.rank) == len(clusters) > 3
    rows = []
    for cluster in clusters:
        values = [field[0][voxel] for voxel in cluster]
        centroid = 0.05 * (np.mean(list(cluster), axis=0) + 0.5)
        rows.append((max(values), np.mean(values), len(cluster), *centroid))
    rows.sort(reverse=True)
    got = np.column_stack([table.peak, table.mean, table.voxels, table.centroid])
    np.testing.assert_allclose(got, rows)
    assert table.rank.tolist() == list(range(1, len(rows) + 1))


def test_equal_peaks_are_in_the_order_of_their_first_voxels():
    field = np.zeros((3, 5, 9))
    field[0, 0, 8] = field[0, 2, 2] = field[2, 0, 0] = field[2, 4, 4] = 0.9
    field[0, 1, 8], field[2, 4, 8], field[2, 4, 7] = 0.8, 0.95, 0.7
    _, table = cluster_table(field, np.ones(field.shape, bool), 0.7, 1.0)
    assert table.peak.tolist() == [0.95, 0.9, 0.9, 0.9, 0.9]
    centres = [[2.5, 4.5, 8], [0.5, 1, 8.5], [0.5, 2.5, 2.5], [2.5, 0.5, 0.5], [2.5, 4.5, 4.5]]
    np.testing.assert_allclose(table.centroid, centres)


def test_fields_of_another_shape():
    field = np.zeros((2, 2, 2))
    with pytest.raises(PorefailError, match="shapes differ"):
        cluster_table(field, np.ones((2, 2, 3), bool), 0.5, 0.05)


def test_site_threshold_of_fields_without_a_positive_maximum():
    solid = np.array([[[True, True, False]]])
    assert site_threshold(np.array([[[1.0, 0.5, 9.0]]]), solid, 0.8) == 0.8
    assert site_threshold(np.array([[[-2.0, -1.0, 9.0]]]), solid, 0.8) == -1.0
    for bad in (np.full(solid.shape, np.nan), np.full(solid.shape, np.inf)):
        with pytest.raises(PorefailError, match="not finite"):
            site_threshold(bad, solid, 0.8)
