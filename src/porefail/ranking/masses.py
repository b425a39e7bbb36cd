"""Probability masses of likely sites, by draws of a predicted field (paper, section 6.2)."""

import numpy as np
from scipy import stats


def averages(field: np.ndarray, labels: np.ndarray, clusters: int) -> np.ndarray:
    """Mean of each cluster in one draw of a field: (clusters,).

    field: (nx, ny, nz); labels: of the same shape, clusters from 1 as connected() gives them.
    """
    places = np.flatnonzero(labels)
    cluster = labels.flat[places] - 1
    voxels = np.bincount(cluster, minlength=clusters)
    return np.bincount(cluster, field.flat[places], clusters) / voxels


def mass(average: np.ndarray, threshold: float) -> np.ndarray:
    """Probability mass of each cluster's average above a threshold: share of draws (clusters,).

    average: (draws, clusters), as averages() gives them.
    """
    return (average > threshold).mean(axis=0)


def order(average: np.ndarray, threshold: float) -> np.ndarray:
    """Clusters (clusters,) by falling mass; where it is the same, by falling mean of the draws."""
    return np.lexsort((-average.mean(axis=0), -mass(average, threshold)))


def stability(average: np.ndarray, reference: float, thresholds: np.ndarray) -> float:
    """How far a ranking keeps its order whatever the threshold (Fig 15).

    average: (draws, clusters). Kendall's rank correlation (tau-b) of the masses with the order at
    the reference threshold, mean over those other thresholds that tell clusters apart: 1 for the
    same order without ties, NaN where there is nothing to compare.
    """
    masses = np.array([mass(average, threshold) for threshold in thresholds])
    telling = (np.ptp(masses, axis=1) > 0) & ~np.isclose(thresholds, reference)
    telling &= average.shape[1] > 1
    place = np.empty(average.shape[1])
    place[order(average, reference)] = -np.arange(average.shape[1])
    agreement = [stats.kendalltau(place, masses[k]).statistic for k in np.flatnonzero(telling)]
    return float(np.mean(agreement)) if agreement else np.nan
