"""Where perturbed copies of a specimen fail, beside where it was predicted (paper, section 4.3)."""

from typing import NamedTuple

import numpy as np
from scipy import sparse, spatial

from porefail.errors import PorefailError
from porefail.voxels.neighbours import grown


class Locus(NamedTuple):
    """Where k perturbed copies of a specimen failed first.

    count: (nx, ny, nz), how many failed in each voxel; place: (nx, ny, nz), places of failure by
    number from 1, 0 elsewhere; moved: bool (k,), not near where the specimen itself failed; height:
    (k,), mm, how far along z from there.
    """

    count: np.ndarray
    place: np.ndarray
    moved: np.ndarray
    height: np.ndarray


def locus(failed: np.ndarray, original: np.ndarray, near: int, spacing: float) -> Locus:
    """Places where perturbed copies failed, failed (k, nx, ny, nz) bool, k at least 1.

    original: (nx, ny, nz) bool, where the specimen itself failed first; near: failures no more than
    so many voxels apart, corners included, are at one place; spacing in mm. Raises PorefailError
    where one has not failed.
    """
    if not len(failed) or not failed.any(axis=(1, 2, 3)).all() or not original.any():
        raise PorefailError("where a specimen fails is known only of those that failed")
    count = failed.sum(axis=0)
    voxels = np.argwhere(count)
    pairs = spatial.cKDTree(voxels).query_pairs(max(near, 1), p=np.inf, output_type="ndarray")
    graph = sparse.coo_array((np.ones(len(pairs)), pairs.T), shape=(len(voxels), len(voxels)))
    _, number = sparse.csgraph.connected_components(graph, directed=False)
    place = np.zeros(count.shape, int)
    place[tuple(voxels.T)] = 1 + number
    around = grown(original, near)
    middle = _height(original)
    return Locus(
        count,
        place,
        np.array([not (each & around).any() for each in failed]),
        np.array([spacing * abs(_height(each) - middle) for each in failed]),
    )


def _height(mask: np.ndarray) -> float:
    return float(np.argwhere(mask)[:, 2].mean())


class Agreement(NamedTuple):
    """How predicted sites meet perturbed failures.

    rank: (k,), the best rank of a site that a failed voxel is in or near, 0 if none; found: of how
    many places, and of how many in all; sites, moved: bool (m,), by rank, whether a copy failed at
    the site, and whether one did that the change had moved; chance: share of the solid voxels that
    are in or near a site.
    """

    rank: np.ndarray
    found: int
    places: int
    sites: np.ndarray
    moved: np.ndarray
    chance: float


def agreement(
    failed: np.ndarray, locus: Locus, rank: np.ndarray, solid: np.ndarray, near: int
) -> Agreement:
    """Compare failures (k, nx, ny, nz) bool with sites, rank (nx, ny, nz), 0 in none.

    near: voxels by which a site may miss a failure, corners included.
    """
    count = int(rank.max())
    # A voxel near several sites belongs to the best of them.
    reach = np.zeros(rank.shape, int)
    hit, moved = np.zeros((2, count), bool)
    others = failed[locus.moved].any(axis=0)
    for number in range(count, 0, -1):
        zone = grown(rank == number, near)
        reach[zone] = number
        hit[number - 1] = locus.count[zone].any()
        moved[number - 1] = others[zone].any()
    best = np.where(reach > 0, reach, count + 1)
    ranks = np.array([best[each].min() for each in failed])
    within = np.unique(locus.place[(locus.count > 0) & (reach > 0)])
    return Agreement(
        np.where(ranks > count, 0, ranks),
        within.size,
        int(locus.place.max()),
        hit,
        moved,
        float(np.mean(reach[solid] > 0)),
    )
