"""Likely sites of a specimen: the highest local maxima of a likelihood."""

from typing import NamedTuple

import numpy as np

from porefail.metrics import peaks
from porefail.voxels.neighbours import grown

MOST = 12  # sites of a specimen
NEAR = 1  # voxels from a site to one that failed
TINY = 1e-12  # of the likelihood


class Candidates(NamedTuple):
    """Likely sites of a specimen by falling likelihood: place (m, 3) in voxels; share (m,): log
    share of the likelihood within NEAR voxels."""

    place: np.ndarray
    share: np.ndarray


def candidates(likelihood: np.ndarray) -> Candidates:
    """The MOST likely local maxima of a likelihood (nx, ny, nz), NaN in voids."""
    solid = ~np.isnan(likelihood)
    score = np.where(solid, likelihood, 0.0).astype(float)
    place = peaks.first_voxels(peaks.local_maxima(score, solid), MOST)
    total = score.sum()
    share = np.empty(len(place))
    for k, middle in enumerate(place):
        share[k] = score[box_about(middle)].sum() / total
    return Candidates(place, np.log(np.maximum(share, TINY)))


def box_about(place: np.ndarray, voxels: int = NEAR) -> tuple[slice, ...]:
    """All within so many voxels of one (3,), as far as there are any."""
    return tuple(slice(max(each - voxels, 0), each + voxels + 1) for each in place)


def failed_at(place: np.ndarray, failed: np.ndarray) -> np.ndarray:
    """Which sites (m, 3) are within NEAR voxels of those that failed, bool (nx, ny, nz)."""
    return grown(failed, NEAR)[tuple(place.T)]
