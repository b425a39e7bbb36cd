"""Weights of the voxels' errors by true damage (paper, section 3.2, Eq. 11 and Fig. 7).

A weighting is a table over equal bins of the label in [0, 1]: one row for all realizations, or one
for each. Void voxels (NaN) have no label and take no part.
"""

import numpy as np

from porefail.errors import PorefailError
from porefail.voxels.rounding import bin_of

KINDS = ("uniform", "logistic", "inverse_histogram", "inverse_histogram_per_realization")
TABLE = 256  # bins of a weighting that is a smooth function
SMALLEST = 1e-12  # weight beside the largest one


def histogram(label: np.ndarray, bins: int) -> np.ndarray:
    """Number of solid voxels (n, bins) of each realization by label; label (n, nx, ny, nz)."""
    counts = np.empty((len(label), bins), np.int64)
    for row, field in zip(counts, label, strict=True):
        row[:] = np.bincount(bin_of(field[~np.isnan(field)], bins), minlength=bins)
    return counts


def pool(counts: np.ndarray, share: float) -> np.ndarray:
    """Mean count (bins,) of each bin's pool: neighbours joined until each pool holds the share.

    counts (bins,) of one histogram. Pools grow from the upper end, where damage is rare; what is
    left at the lower end joins the last pool.
    """
    pooled = np.empty(counts.size)
    wanted = max(share * counts.sum(), np.finfo(float).tiny)  # never an empty pool
    end = counts.size
    last = None
    for first in range(counts.size - 1, -1, -1):
        if counts[first:end].sum() >= wanted:
            last = slice(first, end)
            pooled[last] = counts[last].mean()
            end = first
    if end:
        last = slice(0, counts.size if last is None else last.stop)
        pooled[last] = counts[last].mean()
    return pooled


def weights(
    kind: str,
    label: np.ndarray,
    *,
    bins: int = 50,
    pool_share: float = 1e-3,
    largest: float = 100.0,
    midpoint: float = 0.5,
    steepness: float = 10.0,
) -> np.ndarray:
    """Table (1 or n, bins) float32 of a weighting fitted to labels (n, nx, ny, nz), NaN in voids.

    uniform: 1. logistic: 1 / (1 + exp(−steepness·(label − midpoint))). inverse_histogram: one over
    the number of voxels of the label's bin, in all realizations; ..._per_realization: in the same
    realization. bins: of the histogram; pool_share: smallest share of the voxels that a bin's
    weight is drawn from, smaller ones are pooled with their neighbours (0: as it is); largest:
    multiple of their mean at which weights are cut. The mean over the voxels of all realizations
    (or of each) is 1, so that a weighting changes no learning rate and no balance with another term
    of a loss. Raises PorefailError on an unknown kind and on parameters out of range.
    """
    if kind not in KINDS:
        raise PorefailError(f"weighting {kind!r} is unknown: use one of {', '.join(KINDS)}")
    if bins < 2 or not 0 <= pool_share < 1 or not largest > 1 or not steepness > 0:
        raise PorefailError(
            "a weighting needs bins >= 2, pool_share in [0, 1), largest > 1 and steepness > 0, "
            f"not {bins}, {pool_share}, {largest}, {steepness}"
        )
    if kind == "uniform":
        return np.ones((1, 1), np.float32)
    if kind == "logistic":
        centre = (np.arange(TABLE) + 0.5) / TABLE
        table = 1 / (1 + np.exp(-steepness * (centre[None] - midpoint)))
        counts = histogram(label, TABLE).sum(axis=0, keepdims=True)
    else:
        counts = histogram(label, bins)
        if kind == "inverse_histogram":
            counts = counts.sum(axis=0, keepdims=True)
        table = np.stack([1 / pool(row, pool_share) for row in counts])
    share = counts / counts.sum(axis=1, keepdims=True)
    rows = [_scaled(row, part, largest) for row, part in zip(table, share, strict=True)]
    return np.array(rows, np.float32)


def _scaled(weight: np.ndarray, share: np.ndarray, largest: float) -> np.ndarray:
    """A multiple of weights (bins,), cut at `largest`, whose mean over the voxels is 1.

    share: (bins,), of the voxels.
    """
    weight = np.maximum(weight, SMALLEST * weight.max())  # or else nothing is left to scale
    cut = np.zeros(weight.shape, bool)
    while True:
        factor = (1 - largest * share[cut].sum()) / (share[~cut] @ weight[~cut])
        scaled = np.minimum(factor * weight, largest)
        # What the cut ones lack the others get, which may lift more of them over the limit.
        if not (more := (scaled >= largest) & ~cut).any():
            return scaled
        cut |= more
