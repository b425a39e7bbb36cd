"""Where will it fail? Predicted sites of one specimen, and whether the true first failure is there.

A site is a set of solid voxels, a boolean (nx, ny, nz). A predictor gives sites (k, nx, ny, nz):
one, or several where the best place is a tie. Tied sites are equally likely, so a tie scores the
share of its sites that are right: no result depends on the order of the voxels or on chance.
"""

from typing import NamedTuple

import numpy as np

from porefail.errors import PorefailError
from porefail.metrics.clusters import site_threshold
from porefail.voxels.neighbours import connected, grown
from porefail.voxels.rounding import within


class Hits(NamedTuple):
    """Probability, 0 to 1, that the true first failure is at a predicted site; the site's size.

    holds: a failed voxel is in it; near: within some voxels of it in any direction (Chebyshev
    distance); near_z: within some mm of it along z; voxels: its mean number of voxels.
    """

    holds: float
    near: float
    near_z: float
    voxels: float


def hot_cluster(score: np.ndarray, solid: np.ndarray, fraction: float) -> np.ndarray:
    """Sites (k, nx, ny, nz): the clusters over fraction × maximum that hold the maximum.

    score (nx, ny, nz): a predicted damage, or an elastic hot spot; solid: bool. Clusters are
    26-connected. k > 1 only where clusters tie for the maximum.
    """
    labels, _ = connected(solid & (_filled(score) >= site_threshold(score, solid, fraction)))
    return _each(labels, labels[_maxima(score, solid)])


def hottest_voxel(score: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """Sites (k, nx, ny, nz) of one voxel: the maximum of a score over the solid voxels."""
    voxels = np.argwhere(_maxima(score, solid))
    sites = np.zeros((len(voxels), *solid.shape), bool)
    sites[(np.arange(len(voxels)), *voxels.T)] = True
    return sites


def largest_pore(solid: np.ndarray) -> np.ndarray:
    """Sites (k, nx, ny, nz): the solid voxels that touch the pore with the most voxels.

    Pores are 26-connected void clusters. Raises PorefailError where there is no pore.
    """
    # ASSUME: the site of a pore is its skin (solid voxels within one voxel of it, corners
    # included): a void cannot fail, and first failures touch a void.
    labels, count = connected(~solid)
    if not count:
        raise PorefailError("no pore: the largest one is not defined")
    size = np.bincount(labels.ravel())[1:]
    pores = _each(labels, 1 + np.flatnonzero(size == size.max()))
    return grown(pores, 1) & solid


def weakest_section(solid: np.ndarray) -> np.ndarray:
    """Sites (k, nx, ny, nz): all solid voxels of the layer normal to z with the most void."""
    void = np.count_nonzero(~solid, axis=(0, 1))
    layers = np.flatnonzero(void == void.max())
    sites = np.zeros((layers.size, *solid.shape), bool)
    for site, layer in zip(sites, layers, strict=True):
        site[:, :, layer] = solid[:, :, layer]
    return sites


def hits(
    sites: np.ndarray, failed: np.ndarray, near_voxels: int, near_z: float, spacing: float
) -> Hits:
    """How well sites (k, nx, ny, nz) meet the voxels that failed first, failed (nx, ny, nz) bool.

    Any failed voxel counts where several failed. near_z, spacing in mm. Raises PorefailError
    where no voxel failed or a site is empty.
    """
    _check(failed, sites)
    close, level = _neighbourhoods(failed, near_voxels, near_z, spacing)
    mean = [np.mean([np.any(site & zone) for site in sites]) for zone in (failed, close, level)]
    return Hits(*map(float, mean), float(sites.sum() / len(sites)))


def random_hits(
    solid: np.ndarray, failed: np.ndarray, near_voxels: int, near_z: float, spacing: float
) -> Hits:
    """Exact expectation of hits() for one solid voxel drawn at random, all equally likely."""
    _check(failed, solid[None])
    close, level = _neighbourhoods(failed, near_voxels, near_z, spacing)
    count = np.count_nonzero(solid)
    return Hits(*(np.count_nonzero(solid & zone) / count for zone in (failed, close, level)), 1.0)


def pool(each: list[Hits]) -> Hits:
    """Hits of many specimens: holds, near, near_z as counts (sums), voxels as mean."""
    table = np.array(each, float)
    return Hits(*map(float, (*table[:, :3].sum(axis=0), table[:, 3].mean())))


def position(mask: np.ndarray, spacing: float) -> np.ndarray:
    """Centroid (3,) of a voxel set in mm from the specimen's corner: mean of voxel centres."""
    if not mask.any():
        raise PorefailError("an empty set of voxels has no position")
    return spacing * (np.argwhere(mask).mean(axis=0) + 0.5)


def _check(failed: np.ndarray, sites: np.ndarray) -> None:
    if failed.dtype != bool or sites.dtype != bool or sites.shape[1:] != failed.shape:
        raise PorefailError(
            f"sites {sites.shape} and failed {failed.shape} must be boolean and of one grid"
        )
    if not failed.any():
        raise PorefailError("no voxel has failed: there is no true site to compare with")
    if not len(sites) or not sites.any(axis=(1, 2, 3)).all():
        raise PorefailError("a predicted site is empty")


def _neighbourhoods(
    failed: np.ndarray, near_voxels: int, near_z: float, spacing: float
) -> tuple[np.ndarray, np.ndarray]:
    """Voxels within a Chebyshev distance of a failed one; voxels within near_z mm along z."""
    close = grown(failed, near_voxels)
    layers = np.flatnonzero(failed.any(axis=(0, 1)))
    distance = np.abs(np.arange(failed.shape[2])[:, None] - layers).min(axis=1)
    level = within(distance * spacing, near_z)
    return close, np.broadcast_to(level, failed.shape)


def _filled(score: np.ndarray) -> np.ndarray:
    return np.nan_to_num(score, nan=-np.inf)


def _maxima(score: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """The solid voxels where the score takes its maximum over solid voxels."""
    return solid & (score == site_threshold(score, solid, 1.0))


def _each(labels: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """One boolean field for each chosen label."""
    return labels[None] == np.unique(chosen)[:, None, None, None]
