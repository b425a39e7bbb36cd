"""Ranking of likely failure sites by draws of a predicted field (paper, section 6.2)."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from porefail.errors import PorefailError


def averages(field: np.ndarray, labels: np.ndarray, clusters: int) -> np.ndarray:
    """Mean of each cluster in one draw of a field: (clusters,).

    field: (nx, ny, nz); labels: of the same shape, clusters from 1 as clusters.label() gives them.
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


class Stability(NamedTuple):
    """How far a ranking keeps its order whatever the threshold.

    thresholds: those other than the reference at which the masses tell clusters apart; agreement:
    Kendall's rank correlation (tau-b) of the masses there with the order at the reference, mean
    over thresholds: 1 for the same order without ties, NaN where there is nothing to compare.
    """

    thresholds: np.ndarray
    agreement: float


def stability(average: np.ndarray, reference: float, thresholds: np.ndarray) -> Stability:
    """Compare the ranking at a reference threshold with that at others (Fig 15).

    average: (draws, clusters). Clusters of equal mass count as ties (tau-b).
    """
    masses = np.array([mass(average, threshold) for threshold in thresholds])
    telling = (np.ptp(masses, axis=1) > 0) & ~np.isclose(thresholds, reference)
    telling &= average.shape[1] > 1
    place = np.empty(average.shape[1])
    place[order(average, reference)] = -np.arange(average.shape[1])
    agreement = [stats.kendalltau(place, masses[k]).statistic for k in np.flatnonzero(telling)]
    return Stability(
        np.asarray(thresholds)[telling], float(np.mean(agreement)) if agreement else np.nan
    )


class Choice(NamedTuple):
    """A conditional logit model of which of several sites fails, or none of them.

    Probability of site i: exp(u_i) / (exp(none) + Σ exp(u_j)), u_i = coefficient · feature_i.
    """

    coefficient: np.ndarray  # (features,)
    none: float

    def probability(self, features: np.ndarray) -> np.ndarray:
        """Of each site (sites,), from features (sites, features); the rest is for "elsewhere"."""
        utility = np.append(features @ self.coefficient, self.none)
        chance = np.exp(utility - utility.max())
        return (chance / chance.sum())[:-1]


def fit_choice(features: list[np.ndarray], failed: list[np.ndarray], penalty: float) -> Choice:
    """The most probable model (McFadden 1974) for a Gaussian prior on its coefficients.

    features: of each specimen's sites, (sites, features); failed: of each specimen, bool (sites,),
    which of them failed; none of them is an outcome too, several share it. One more specimen, of
    which half failed at a site and half elsewhere, keeps either from being impossible. penalty:
    precision (1 / variance) of the prior of the coefficients of features in units of their
    standard deviation, about 0; the more specimens, the less it weighs. Raises PorefailError where
    there is no specimen, or no site.
    """
    from scipy.optimize import minimize

    whole = [each for each in features if len(each)]
    if not whole:
        raise PorefailError("no specimen has a site to learn from")
    scale = np.concatenate(whole).std(axis=0)
    scale[scale == 0] = 1.0
    scaled = [each / scale for each in features]

    def loss(parameters: np.ndarray) -> float:
        model = Choice(parameters[:-1], parameters[-1])
        total = penalty / 2 * np.sum(parameters[:-1] ** 2)
        for sites, hit in zip(scaled, failed, strict=True):
            chance = model.probability(sites)
            sites_share = np.clip(chance.sum(), 1e-12, 1 - 1e-12)
            likelihood = chance[hit].sum() if hit.any() else 1 - chance.sum()
            total -= np.log(max(likelihood, 1e-300))
            total -= 0.5 * (np.log(sites_share) + np.log(1 - sites_share)) / len(features)
        return total / len(features)

    found = minimize(loss, np.zeros(scale.size + 1), method="L-BFGS-B").x
    return Choice(found[:-1] / scale, float(found[-1]))
