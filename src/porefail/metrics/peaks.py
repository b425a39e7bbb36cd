"""At which rank the true site is among the local maxima of a score of one specimen.

A maximum is a 26-connected set of solid voxels of one value (a plateau, mostly one voxel) whose
solid neighbours are all lower. Its site is one of its voxels, any equally likely: a predictor that
scores a whole pore alike has not said where the pore fails. Maxima of the same value stand in no
order. Results are exact expectations over all voxels of the plateaus and all orders, so none
depends on the order of the voxels or on chance.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from porefail.errors import PorefailError
from porefail.voxels.neighbours import connected, grown


class Maxima(NamedTuple):
    """Local maxima: rank (nx, ny, nz), from 1, 0 where there is none; value (m,), falling.

    Ranks of equal maxima are in the order of their first voxels.
    """

    rank: np.ndarray
    value: np.ndarray


def top_hits(
    score: np.ndarray, solid: np.ndarray, failed: np.ndarray, ranks: np.ndarray, radius: int
) -> np.ndarray:
    """Probability that one of the first k sites is at a voxel that failed first, for k in ranks.

    score, solid (bool), failed (bool): (nx, ny, nz); ranks: (m,), from 1. At a failed voxel means
    within `radius` voxels of it in any direction (Chebyshev distance); any failed voxel counts
    where several failed. Where only r of t equal maxima are among the first k, each choice of r is
    equally likely. Raises PorefailError where the score is not finite in a solid voxel, no solid
    voxel failed, a rank is below 1 or the radius below 0.
    """
    if np.any(np.asarray(ranks) < 1):
        raise PorefailError(f"ranks count from 1, not {np.min(ranks)}")
    if radius < 0:
        raise PorefailError(f"a radius must be at least 0 voxels, not {radius}")
    if failed.shape != solid.shape or failed.dtype != bool or not (failed & solid).any():
        raise PorefailError(
            "failed must be boolean, of the grid of solid, with a solid voxel in it"
        )
    maxima = local_maxima(score, solid)
    count = maxima.value.size + 1
    near = maxima.rank[grown(failed & solid, radius)]
    voxels = np.bincount(maxima.rank.ravel(), minlength=count)[1:]
    wrong = 1 - np.bincount(near, minlength=count)[1:] / voxels
    return np.array([_top_hit(maxima.value, wrong, min(k, count - 1)) for k in map(int, ranks)])


def local_maxima(score: np.ndarray, solid: np.ndarray) -> Maxima:
    """Local maxima of a score over the solid voxels, (nx, ny, nz) both; raises as top_hits()."""
    if score.shape != solid.shape or solid.dtype != bool:
        raise PorefailError(
            f"score {score.shape} and boolean solid {solid.shape} must be of one grid"
        )
    if not solid.any() or not np.isfinite(score[solid]).all():
        raise PorefailError("no solid voxel, or the score is not finite in one")
    top = solid & (score == _highest_around(score, solid))
    # Of a plateau with a higher neighbour some voxels are in `top`; they touch one that is not.
    slope = top & (score == _highest_around(score, solid & ~top))
    labels, count = connected(top)
    whole = np.ones(count + 1, bool)
    whole[labels[slope]] = whole[0] = False
    value = np.full(count + 1, -np.inf)
    value[labels[top]] = score[top]
    order = np.flatnonzero(whole)[np.argsort(-value[whole], kind="stable")]
    rank = np.zeros(count + 1, int)
    rank[order] = np.arange(1, order.size + 1)
    return Maxima(rank[labels], value[order])


def first_voxels(maxima: Maxima, count: int) -> np.ndarray:
    """First voxels (m, 3) of the first `count` maxima, fewer if there are fewer."""
    found = np.argwhere(maxima.rank > 0)
    order = np.argsort(maxima.rank[tuple(found.T)], kind="stable")
    ranks, first = np.unique(maxima.rank[tuple(found[order].T)], return_index=True)
    return found[order][first[ranks <= count]]


def _top_hit(value: np.ndarray, wrong: np.ndarray, k: int) -> float:
    """Probability of a hit among the first k <= m of maxima by falling value, each wrong or not."""
    sure, tied = value > value[k - 1], value == value[k - 1]
    places = k - np.count_nonzero(sure)
    # Mean over all choices of r of the maxima so far, for each r, of all of them being wrong.
    mean = np.zeros(places + 1)
    mean[0] = 1.0
    chosen = np.arange(1, places + 1)
    for number, each in enumerate(wrong[tied], start=1):
        share = np.minimum(chosen / number, 1.0)
        mean[1:] = share * each * mean[:-1] + (1 - share) * mean[1:]
    return 1.0 - float(np.prod(wrong[sure]) * mean[places])


def _highest_around(score: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Highest score in the mask within one voxel of each voxel, -inf where there is none."""
    values = np.where(mask, score, -np.inf)
    return ndimage.maximum_filter(values, size=3, mode="constant", cval=-np.inf)
