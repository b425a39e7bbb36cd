"""How good a predicted uncertainty is: scores of normal predictive distributions."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from porefail.errors import PorefailError
from porefail.metrics.intervals import wilson
from porefail.voxels.rounding import bin_of


class Scores(NamedTuple):
    """Means over voxels; the smaller the better, but for coverage, which ought to be `level`.

    log_score: negative log-likelihood of the label; crps: continuous ranked probability score, in
    units of the label; coverage: share of the labels in the central interval; sharpness: mean width
    of the interval.
    """

    log_score: float
    crps: float
    coverage: float
    sharpness: float


def scores(
    label: np.ndarray, mean: np.ndarray, variance: np.ndarray, level: float = 0.95
) -> Scores:
    """Scores of N(mean, variance) against labels; arrays of one shape, voxels without label NaN.

    level: probability of the central interval. Raises PorefailError on shapes that differ, and
    where a labelled voxel has no positive variance.
    """
    label, mean, variance = _labelled(label, mean, variance)
    scale = np.sqrt(variance)
    error = (label - mean) / scale
    half = stats.norm.ppf(0.5 + level / 2)
    return Scores(
        float(np.mean(0.5 * np.log(2 * np.pi * variance) + 0.5 * error**2)),
        float(np.mean(crps(error) * scale)),
        float(np.mean(np.abs(error) <= half)),
        float(np.mean(2 * half * scale)),
    )


def crps(error: np.ndarray) -> np.ndarray:
    """Continuous ranked probability score of N(0, 1) for outcomes `error`.

    Gneiting and Raftery 2007, eq. 21. For N(mean, scale²): scale · crps((outcome - mean) / scale).
    """
    cumulative, density = stats.norm.cdf(error), stats.norm.pdf(error)
    return error * (2 * cumulative - 1) + 2 * density - 1 / np.sqrt(np.pi)


class Reliability(NamedTuple):
    """Of each bin of a field (b,), NaN where it is empty: coverage of the central interval, means
    of the variances.
    """

    coverage: np.ndarray
    epistemic: np.ndarray
    noise: np.ndarray


def reliability(
    by: np.ndarray,
    label: np.ndarray,
    mean: np.ndarray,
    epistemic: np.ndarray,
    noise: np.ndarray,
    bins: int = 10,
    level: float = 0.95,
) -> Reliability:
    """Coverage and variance of N(mean, epistemic + noise) in equal bins of [0, 1] of a field.

    by: the field, beyond 0 and 1 in the first and last bin; arrays as for scores(). By the
    prediction, coverage ought to be `level` in each bin. By the label it ought not quite, for a
    high label is often one that was higher than expected; a noise that is the same everywhere may
    yet cover 95 % of all voxels and few of those that fail.
    """
    known = ~np.isnan(label)
    by, epistemic, noise = (
        np.broadcast_to(each, label.shape)[known] for each in (by, epistemic, noise)
    )
    label, mean, variance = _labelled(label[known], mean[known], epistemic + noise)
    half = stats.norm.ppf(0.5 + level / 2) * np.sqrt(variance)
    return Reliability(*by_bin(by, bins, np.abs(label - mean) <= half, epistemic, noise)[1:])


def by_bin(by: np.ndarray, bins: int, *values: np.ndarray) -> list[np.ndarray]:
    """Number of entries in equal bins of [0, 1] of `by`, and means of values there, NaN if none."""
    place = bin_of(by, bins)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        return [count, *(np.bincount(place, each, bins) / count for each in values)]


class ProbabilityBins(NamedTuple):
    """Entries (b,) in equal bins of a probability, mean probability and share that is true there.

    low, high: (b,), Wilson interval of 95 % of the share; NaN in empty bins, as said and true.
    error: expected calibration error, their mean difference, weighted by the entries.
    """

    count: np.ndarray
    said: np.ndarray
    true: np.ndarray
    low: np.ndarray
    high: np.ndarray
    error: float


def probability_bins(probability: np.ndarray, true: np.ndarray, bins: int) -> ProbabilityBins:
    """Of probabilities (n,) of events, and whether they came true (n,). Guo et al. 2017, Eq. 3."""
    count, said, share = by_bin(probability, bins, probability, true.astype(float))
    gap = np.nansum(count * np.abs(said - share)) / count.sum()
    bounds = np.full((2, bins), np.nan)
    for k in np.flatnonzero(count):
        bounds[:, k] = wilson(share[k] * count[k], int(count[k]))
    return ProbabilityBins(count, said, share, *bounds, float(gap))


def _labelled(label, mean, variance) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The voxels with a label, in double precision."""
    if not label.shape == mean.shape == variance.shape:
        raise PorefailError(f"shapes differ: {label.shape}, {mean.shape}, {variance.shape}")
    known = ~np.isnan(label)
    found = tuple(each[known].astype(float) for each in (label, mean, variance))
    if not (found[2] > 0).all():
        raise PorefailError("a predictive distribution needs a positive variance")
    return found
