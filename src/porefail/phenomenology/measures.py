"""How an ensemble of specimens is damaged, fails and collapses, in numbers (paper, section 2.4).

Fields are (n, nx, ny, nz), histories (n, steps) and padded with NaN, strains fractions, heights mm
above the lower face. What is not defined for a specimen is NaN.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from porefail.voxels.rounding import TOLERANCE, within


class Spread(NamedTuple):
    """Mean, standard deviation (n - 1), median and quartiles of the n values that are known."""

    mean: float
    deviation: float
    median: float
    lower: float
    upper: float
    n: int


def spread(values: np.ndarray) -> Spread:
    """Spread of an array of any shape; NaN counts as not known. All NaN if nothing is known."""
    known = values[np.isfinite(values)]
    if not known.size:
        return Spread(*[np.nan] * 5, 0)
    lower, median, upper = np.quantile(known, [0.25, 0.5, 0.75])
    deviation = known.std(ddof=1) if known.size > 1 else np.nan
    return Spread(*map(float, (known.mean(), deviation, median, lower, upper)), known.size)


def _each(
    strain: np.ndarray, values: np.ndarray, measure: Callable[[np.ndarray, np.ndarray], float]
) -> np.ndarray:
    """A measure of the known steps of each history, (n,); NaN where none is known."""
    result = np.full(len(strain), np.nan)
    known = np.isfinite(strain) & np.isfinite(values)
    for row in np.flatnonzero(known.any(axis=1)):
        result[row] = measure(strain[row, known[row]], values[row, known[row]])
    return result


def value_at(strain: np.ndarray, values: np.ndarray, at: float) -> np.ndarray:
    """Histories `values` at the strain `at`, (n,): linear between steps, NaN after the last one.

    Before the first step the value of that step.
    """
    return _each(strain, values, lambda x, y: np.interp(at, x, y) if within(at, x[-1]) else np.nan)


def strain_at(strain: np.ndarray, values: np.ndarray, level: float) -> np.ndarray:
    """Strain at which each history first reaches a level, (n,), linear between steps."""

    def first(x: np.ndarray, y: np.ndarray) -> float:
        reached = np.flatnonzero(y >= level)
        return _crossing(x, y, reached[0], level) if reached.size else np.nan

    return _each(strain, values, first)


def strain_between(strain: np.ndarray, values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Strain that each history spends from low to high, from its first step on, (n,).

    Linear between steps, so the way up counts too; NaN where nothing is known.
    """
    return _each(strain, values, lambda x, y: _in_window(x, y, low, high)[0])


def mean_between(
    strain: np.ndarray, values: np.ndarray, other: np.ndarray, low: float, high: float
) -> np.ndarray:
    """Mean over the strain of histories `other` while `values` is from low to high, (n,).

    Of the steps that end there, each with the strain that it took; NaN where there is none.
    """
    step = np.diff(strain, axis=1, prepend=0.0)
    weight = np.where((values >= low) & (values <= high) & np.isfinite(other), step, 0.0)
    total = weight.sum(axis=1)
    mean = (weight * np.nan_to_num(other)).sum(axis=1) / np.where(total > 0, total, 1.0)
    return np.where(total > 0, mean, np.nan)


def last_strain_at(strain: np.ndarray, values: np.ndarray, level: float) -> np.ndarray:
    """Strain at which each history exceeds a level for good, (n,), linear between steps.

    NaN where its last value does not.
    """

    def last(x: np.ndarray, y: np.ndarray) -> float:
        under = np.flatnonzero(y < level)
        step = under[-1] + 1 if under.size else 0
        return _crossing(x, y, step, level) if y[-1] >= level else np.nan

    return _each(strain, values, last)


def plateau_level(
    strain: np.ndarray, values: np.ndarray, width: float, levels: np.ndarray, shortest: float
) -> np.ndarray:
    """Level at which each history spends the most strain, (n,).

    Of the windows about `levels`, each of a width, the one in which it spends the most; in it the
    mean over the strain. NaN where it spends less than `shortest` there, and where that window is
    the first or the last one, or the level lies outside: then it is none of those looked at.
    """

    def window(x: np.ndarray, y: np.ndarray, level: float) -> tuple[float, float]:
        return _in_window(x, y, level - width / 2, level + width / 2)

    def longest(x: np.ndarray, y: np.ndarray) -> float:
        every = np.array([window(x, y, level)[0] for level in levels])
        best = np.flatnonzero(every >= every.max() * (1 - TOLERANCE))
        best = best[len(best) // 2]
        if every[best] < shortest or not 0 < best < len(levels) - 1:
            return np.nan
        spent, weighted = window(x, y, levels[best])
        # Again about what was found, so that the flanks on both sides weigh alike.
        for _ in range(5):
            spent, weighted = window(x, y, weighted / spent)
        level = weighted / spent
        return level if spent >= shortest and levels[0] < level < levels[-1] else np.nan

    return _each(strain, values, longest)


def _crossing(x: np.ndarray, y: np.ndarray, step: int, level: float) -> float:
    """Strain in the rise that ends at a step of one history where its value is the level."""
    first = max(step - 1, 0)
    rise = y[step] - y[first]
    share = (level - y[first]) / rise if rise > 0 else 1.0
    return x[first] + share * (x[step] - x[first])


def _in_window(x: np.ndarray, y: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """Strain that one history spends from low to high, and the integral of its value there."""
    first, last = np.clip(y[:-1], low, high), np.clip(y[1:], low, high)
    rise = np.abs(np.diff(y))
    flat = (rise == 0) & (low <= y[:-1]) & (y[:-1] <= high)
    share = np.where(flat, 1.0, np.abs(last - first) / np.where(rise > 0, rise, 1.0))
    spent = np.diff(x) * share
    return spent.sum(), (spent * 0.5 * (first + last)).sum()


def peak(values: np.ndarray) -> np.ndarray:
    """Largest value of each history, (n,)."""
    highest = np.where(np.isnan(values), -np.inf, values).max(axis=1)
    return np.where(np.isfinite(highest), highest, np.nan)


def count_above(damage: np.ndarray, level: float) -> np.ndarray:
    """Number of voxels with a damage of at least `level`, (n,); voids (NaN) never count."""
    return np.count_nonzero(damage >= level, axis=(1, 2, 3)).astype(float)


def failed_fraction(failed: np.ndarray, porosity: np.ndarray) -> np.ndarray:
    """Share of the solid voxels that failed, (n,); NaN where none failed."""
    count = np.count_nonzero(failed, axis=(1, 2, 3)).astype(float)
    solid = np.count_nonzero(porosity == 0, axis=(1, 2, 3))
    return np.where(count > 0, count / np.maximum(solid, 1), np.nan)


def height(failed: np.ndarray, spacing: float) -> np.ndarray:
    """Mean z of the failed voxels' centres, mm, (n,).

    # ASSUME: the paper's "z-location of failure as measured at the final load step" is the mean
    # over all voxels failed by then, and that of first failure the mean over those failed first.
    """
    return _moments(failed, spacing)[0]


def thickness(failed: np.ndarray, spacing: float) -> np.ndarray:
    """Standard deviation of z over the failed voxels, mm, (n,).

    A horizontal fracture surface one voxel thick has 0; one that cuts a specimen of width w at 45°
    has w/√12, that is 0.29 mm for 1 mm; failure all along a length l has l/√12.
    """
    return _moments(failed, spacing)[1]


def densest_layer(failed: np.ndarray, spacing: float) -> np.ndarray:
    """Height of the layer normal to z with most failed voxels, mm, (n,); mean height if tied."""
    per_layer = np.count_nonzero(failed, axis=(1, 2))
    most = per_layer == per_layer.max(axis=1, keepdims=True)
    z = (np.arange(failed.shape[3]) + 0.5) * spacing
    return np.where(per_layer.any(axis=1), (most * z).sum(axis=1) / most.sum(axis=1), np.nan)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's correlation over the specimens where both are known; NaN for fewer than three."""
    known = np.isfinite(one) & np.isfinite(other)
    if np.count_nonzero(known) < 3 or not one[known].std() or not other[known].std():
        return np.nan
    return float(np.corrcoef(one[known], other[known])[0, 1])


def representatives(values: np.ndarray, count: int) -> np.ndarray:
    """Rows of at most `count` specimens at even ranks of a quantity, from its least to its largest.

    One alone is the median (the lower one). values: (n,) without NaN; ties in order of rows.
    """
    order = np.argsort(values, kind="stable")
    if count == 1:
        return order[[(len(order) - 1) // 2]]
    ranks = np.linspace(0, len(order) - 1, min(count, len(order)))
    return order[np.round(ranks).astype(int)]


def _moments(failed: np.ndarray, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of z, mm, over the failed voxels, (n,) each."""
    per_layer = np.count_nonzero(failed, axis=(1, 2)).astype(float)
    weight = per_layer / np.maximum(per_layer.sum(axis=1, keepdims=True), 1)
    z = (np.arange(failed.shape[3]) + 0.5) * spacing
    mean = weight @ z
    deviation = np.sqrt((weight * (z - mean[:, None]) ** 2).sum(axis=1))
    some = per_layer.any(axis=1)
    return np.where(some, mean, np.nan), np.where(some, deviation, np.nan)
