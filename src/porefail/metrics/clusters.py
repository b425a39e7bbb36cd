"""Clusters of high damage: their overlap over thresholds and their table (paper, section 4.1).

Clusters are 26-connected: voxels that share a face, an edge or a corner belong together.
"""

from typing import NamedTuple

import numpy as np

from porefail.errors import PorefailError
from porefail.metrics.overlap import check_fields, harmonic_mean, ratio
from porefail.voxels.neighbours import connected


class ClusterOverlap(NamedTuple):
    """Counts of clusters, one entry a threshold, pooled over all specimens; scores from them.

    predicted, hit: predicted clusters, and those that share a voxel with a true one (TP);
    true, found: true clusters, and those that share a voxel with a predicted one.
    """

    threshold: np.ndarray
    predicted: np.ndarray
    hit: np.ndarray
    true: np.ndarray
    found: np.ndarray

    @property
    def precision(self) -> np.ndarray:
        """Share of the predicted clusters that touch a true one, NaN where none is predicted."""
        return ratio(self.hit, self.predicted)

    @property
    def recall(self) -> np.ndarray:
        """Share of the true clusters that touch a predicted one, NaN where there is none."""
        # ASSUME: counted in true clusters. With the paper's TP, counted in predicted clusters,
        # a true cluster would be found once for each piece that the prediction breaks into.
        return ratio(self.found, self.true)

    @property
    def f(self) -> np.ndarray:
        """Harmonic mean of precision and recall, 0 where both are 0, NaN where one is NaN."""
        return harmonic_mean(self.precision, self.recall)

    @property
    def jaccard(self) -> np.ndarray:
        """Overlap TP / (TP + FP + FN), NaN where there is no cluster at all.

        As in section 4.1: TP, FP are predicted clusters that touch a true one or do not; FN are
        true clusters that no predicted one touches.
        """
        return ratio(self.hit, self.predicted + self.true - self.found)

    @property
    def dice(self) -> np.ndarray:
        """Sørensen-Dice coefficient 2 TP / (2 TP + FP + FN), NaN where there is no cluster."""
        return ratio(2 * self.hit, self.predicted + self.hit + self.true - self.found)


class ClusterTable(NamedTuple):
    """Clusters of one field by falling peak; equal peaks in the order of their first voxel.

    rank: (m,) from 1; peak, mean: (m,) of the field; voxels: (m,); centroid: (m, 3), mean of the
    voxel centres in mm from the specimen's corner.
    """

    rank: np.ndarray
    peak: np.ndarray
    mean: np.ndarray
    voxels: np.ndarray
    centroid: np.ndarray


def cluster_overlap(
    truth: np.ndarray,
    prediction: np.ndarray,
    solid: np.ndarray,
    threshold: np.ndarray,
    true_threshold: float | None = None,
) -> ClusterOverlap:
    """Cluster overlap metric of section 4.1 over thresholds, pooled over specimens.

    truth, prediction, solid (bool): (n, nx, ny, nz); threshold: (m,). A cluster is made of solid
    voxels with value >= threshold. true_threshold as in overlap(). Raises PorefailError as
    overlap() does.
    """
    check_fields(truth, prediction, solid)
    threshold = np.asarray(threshold, float)
    counts = np.zeros((4, threshold.size), int)
    for true_field, predicted_field, mask in zip(truth, prediction, solid, strict=True):
        if true_threshold is not None:
            true = connected(mask & (true_field >= true_threshold))
        for k, value in enumerate(threshold):
            if true_threshold is None:
                true = connected(mask & (true_field >= value))
            counts[:, k] += _meetings(connected(mask & (predicted_field >= value)), true)
    return ClusterOverlap(threshold, *counts)


def _meetings(predicted: tuple[np.ndarray, int], true: tuple[np.ndarray, int]) -> list[int]:
    """Of clusters as connected() gives them: predicted, hit, true, found (see ClusterOverlap)."""
    shared = (predicted[0] > 0) & (true[0] > 0)
    counts = []
    for labels, count in (predicted, true):
        counts += [count, np.count_nonzero(np.bincount(labels[shared]))]
    return counts


def cluster_table(
    field: np.ndarray, solid: np.ndarray, fraction: float, spacing: float
) -> tuple[np.ndarray, ClusterTable]:
    """Clusters of one field (nx, ny, nz) over fraction × maximum, and their table; spacing in mm.

    The first are ranks (nx, ny, nz), 0 outside. Raises PorefailError on shapes that differ, and as
    site_threshold() does.
    """
    if field.shape != solid.shape:
        raise PorefailError(f"shapes differ: field {field.shape}, solid {solid.shape}")
    threshold = site_threshold(field, solid, fraction)
    labels, count = connected(solid & (np.nan_to_num(field, nan=-np.inf) >= threshold))
    voxel = np.argwhere(labels)
    group = labels[labels > 0] - 1
    value = field[labels > 0].astype(float)
    voxels = np.bincount(group, minlength=count)
    peak = np.full(count, -np.inf)
    np.maximum.at(peak, group, value)
    centroid = [np.bincount(group, voxel[:, i] + 0.5, count) / voxels for i in range(3)]
    order = np.argsort(-peak, kind="stable")
    rank = np.zeros(count + 1, int)
    rank[order + 1] = np.arange(1, count + 1)
    return rank[labels], ClusterTable(
        rank[order + 1],
        peak[order],
        (np.bincount(group, value, count) / voxels)[order],
        voxels[order],
        spacing * np.stack(centroid, axis=-1)[order],
    )


def site_threshold(field: np.ndarray, solid: np.ndarray, fraction: float) -> float:
    """The value that bounds a predicted site: fraction × maximum over the solid voxels.

    Where the maximum is not positive: the maximum itself, so that a site is never empty.
    Raises PorefailError where a field is not finite, or no voxel solid.
    """
    values = field[solid]
    if not values.size or not np.isfinite(values).all():
        raise PorefailError("no solid voxel, or the field is not finite in one")
    high = float(values.max())
    return fraction * high if high > 0 else high
