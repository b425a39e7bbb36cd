"""Confidence intervals of hit rates, and of their differences."""

import numpy as np
from scipy.stats import norm

from porefail.errors import PorefailError


def wilson(hits: np.ndarray, count: int, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Wilson score interval (low, high) of a rate with `hits` successes in `count` trials.

    hits: any shape, 0 to count (a fraction where a tie counts in part). Wilson 1927. Unlike
    mean ± 1.96 σ it stays within [0, 1] and does not shrink to nothing at 0 or at count hits.
    """
    hits = np.asarray(hits, float)
    if count < 1 or np.any((hits < 0) | (hits > count)):
        raise PorefailError(f"a rate needs 0 <= hits <= count, not {hits} of {count}")
    z = norm.ppf(0.5 + level / 2)
    rate = hits / count
    centre = (rate + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(rate * (1 - rate) / count + z**2 / (4 * count**2))
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def bootstrap(values: np.ndarray, level: float = 0.95, draws: int = 4000, seed: int = 0):
    """Percentile interval (low, high) of the mean of values (n,), by resampling them."""
    values = np.asarray(values, float)
    if values.ndim != 1 or not values.size:
        raise PorefailError(f"an interval needs values (n,), not {values.shape}")
    rng = np.random.default_rng(seed)
    means = [values[rng.integers(0, values.size, values.size)].mean() for _ in range(draws)]
    return tuple(np.quantile(means, (0.5 - level / 2, 0.5 + level / 2)))


def crossed_bootstrap(values: np.ndarray, level: float = 0.95, draws: int = 4000, seed: int = 0):
    """Percentile interval (low, high) of the mean of values (r, n) of r repeats on n specimens.

    Both are resampled, each by itself (Owen 2007): what is drawn for a repeat moves all of its
    specimens together.
    """
    values = np.asarray(values, float)
    if values.ndim != 2 or not values.size:
        raise PorefailError(f"an interval needs values (repeats, n), not {values.shape}")
    rng = np.random.default_rng(seed)
    rows, columns = (
        rng.multinomial(count, np.full(count, 1 / count), draws) / count for count in values.shape
    )
    means = np.einsum("dr,rn,dn->d", rows, values, columns, optimize=True)
    return tuple(np.quantile(means, (0.5 - level / 2, 0.5 + level / 2)))
