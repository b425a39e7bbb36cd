"""The probability of each site: a model of choice, fitted to specimens whose failure is known."""

from typing import NamedTuple

import numpy as np

from porefail.errors import PorefailError
from porefail.metrics import conformal

FOLDS = 5  # of specimens that calibrate each other
ROUNDING = 1e-9  # of the largest value of a feature: less than this tells nothing


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


class Ranking(NamedTuple):
    """The sites of a specimen: their probability (m,), their order by it, bool (m,): in the set."""

    probability: np.ndarray
    order: np.ndarray
    member: np.ndarray


def ranking(probability: np.ndarray, level: float) -> Ranking:
    """Sites (m,) by falling probability, with the conformal set of a level."""
    order = np.argsort(-probability, kind="stable")
    return Ranking(probability, order, conformal.members(probability, level))


def calibrate_choice(
    features: list[np.ndarray], failed: list[np.ndarray], penalty: float
) -> tuple[Choice, np.ndarray]:
    """A choice of all specimens, and their conformal scores (n,), see metrics.conformal.

    A specimen is scored by a choice that was fitted to the others, in FOLDS parts (cross-conformal
    prediction, Vovk 2015): few specimens serve both. Sets of the scores' level then hold a true
    site about as often as asked; sure is half of it (misses up to twice as often). Arguments as of
    fit_choice().
    """
    folds = min(FOLDS, len(features))
    if folds < 2:
        raise PorefailError(f"{len(features)} specimens to calibrate with, expected 2 or more")
    number = np.arange(len(features)) % folds
    scores = np.empty(len(features))
    for fold in range(folds):
        others = np.flatnonzero(number != fold)
        model = fit_choice([features[n] for n in others], [failed[n] for n in others], penalty)
        for n in np.flatnonzero(number == fold):
            scores[n] = conformal.score(model.probability(features[n]), failed[n])
    return fit_choice(features, failed, penalty), scores


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
    known = np.concatenate(whole)
    scale = known.std(axis=0)
    scale[scale <= ROUNDING * np.abs(known).max(axis=0)] = 1.0
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
