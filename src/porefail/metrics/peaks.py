"""Ranked sites of one specimen: the local maxima of a score, and at which rank the true site is.

A maximum is a 26-connected set of solid voxels of one value (a plateau, mostly one voxel) whose
solid neighbours are all lower. Its site is the solid voxels within `radius` voxels of it in any
direction (Chebyshev distance). Maxima of the same value stand in no order: results are exact
expectations over all their orders, so none depends on the order of the voxels or on chance.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from porefail.errors import PorefailError
from porefail.metrics.clusters import label


class Maxima(NamedTuple):
    """Local maxima: rank (nx, ny, nz), from 1, 0 where there is none; value (m,), falling.

    Ranks of equal maxima are in the order of their first voxels.
    """

    rank: np.ndarray
    value: np.ndarray


def peaks(score: np.ndarray, solid: np.ndarray, count: int, radius: int) -> np.ndarray:
    """Sites (k, nx, ny, nz) of the `count` highest maxima, k <= count, the highest first.

    score, solid (bool): (nx, ny, nz). Equal maxima come in the order of their first voxels, also
    where `count` cuts between them: to look at; top_hits() shares such ties. Raises PorefailError
    where the score is not finite in a solid voxel, no voxel is solid, or count or radius too low.
    """
    if count < 1:
        raise PorefailError(f"the number of peaks must be at least 1, not {count}")
    maxima = local_maxima(score, solid)
    first = range(1, min(count, maxima.value.size) + 1)
    return np.stack([solid & _grown(maxima.rank == rank, radius) for rank in first])


def top_hits(
    score: np.ndarray, solid: np.ndarray, failed: np.ndarray, ranks: np.ndarray, radius: int
) -> np.ndarray:
    """Probability that a voxel that failed first is in one of the first k sites, for k in ranks.

    failed: bool, (nx, ny, nz); any failed voxel counts where several failed. ranks: (m,), from 1.
    Where only r of t equal maxima are among the first k, each choice of r is equally likely
    (hypergeometric). Raises PorefailError as peaks() does, and where no solid voxel failed.
    """
    if np.any(np.asarray(ranks) < 1):
        raise PorefailError(f"ranks count from 1, not {np.min(ranks)}")
    value, hit = _judged(score, solid, failed, radius)
    return np.array([_top_hit(value, hit, min(k, value.size)) for k in map(int, ranks)])


def rank_of_truth(score: np.ndarray, solid: np.ndarray, failed: np.ndarray, radius: int) -> float:
    """Rank, from 1, of the first site that holds a voxel that failed first; NaN if none does.

    Where it is one of equal maxima, the mean over all their orders. Raises as top_hits() does.
    """
    value, hit = _judged(score, solid, failed, radius)
    if not hit.any():
        return math.nan
    best = value[hit][0]
    tied = value == best
    # The first of h among t in random order is at (t + 1) / (h + 1) on average.
    first = (np.count_nonzero(tied) + 1) / (np.count_nonzero(hit & tied) + 1)
    return float(np.count_nonzero(value > best) + first)


def local_maxima(score: np.ndarray, solid: np.ndarray) -> Maxima:
    """Local maxima of a score over the solid voxels, (nx, ny, nz) both. Raises as peaks() does."""
    if score.shape != solid.shape or solid.dtype != bool:
        raise PorefailError(
            f"score {score.shape} and boolean solid {solid.shape} must be of one grid"
        )
    if not solid.any() or not np.isfinite(score[solid]).all():
        raise PorefailError("no solid voxel, or the score is not finite in one")
    top = solid & (score == _highest_around(score, solid))
    # Of a plateau with a higher neighbour some voxels are in `top`; they touch one that is not.
    slope = top & (score == _highest_around(score, solid & ~top))
    labels, count = label(top)
    whole = np.ones(count + 1, bool)
    whole[labels[slope]] = whole[0] = False
    value = np.full(count + 1, -np.inf)
    value[labels[top]] = score[top]
    order = np.flatnonzero(whole)[np.argsort(-value[whole], kind="stable")]
    rank = np.zeros(count + 1, int)
    rank[order] = np.arange(1, order.size + 1)
    return Maxima(rank[labels], value[order])


def _judged(
    score: np.ndarray, solid: np.ndarray, failed: np.ndarray, radius: int
) -> tuple[np.ndarray, np.ndarray]:
    """Values of the maxima, falling, (m,), and whether the site of each holds a failed voxel."""
    if failed.shape != solid.shape or failed.dtype != bool or not (failed & solid).any():
        raise PorefailError(
            "failed must be boolean, of the grid of solid, with a solid voxel in it"
        )
    maxima = local_maxima(score, solid)
    met = np.bincount(maxima.rank[_grown(failed & solid, radius)], minlength=maxima.value.size + 1)
    return maxima.value, met[1:] > 0


def _top_hit(value: np.ndarray, hit: np.ndarray, k: int) -> float:
    """Probability of a hit among the first k <= m of maxima by falling value."""
    sure, tied = value > value[k - 1], value == value[k - 1]
    if hit[sure].any():
        return 1.0
    count, places = np.count_nonzero(tied), k - np.count_nonzero(sure)
    wrong = count - np.count_nonzero(hit & tied)
    return 1.0 - math.comb(wrong, places) / math.comb(count, places)


def _highest_around(score: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Highest score in the mask within one voxel of each voxel, -inf where there is none."""
    values = np.where(mask, score, -np.inf)
    return ndimage.maximum_filter(values, size=3, mode="constant", cval=-np.inf)


def _grown(mask: np.ndarray, radius: int) -> np.ndarray:
    """Voxels within a Chebyshev distance of a mask."""
    if radius < 0:
        raise PorefailError(f"a radius must be at least 0 voxels, not {radius}")
    return ndimage.maximum_filter(mask, size=2 * radius + 1, mode="constant", cval=False)
