"""Where a specimen fails, by the network and by predictors that need no learning."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from porefail.metrics import sites as site


class Specimen(NamedTuple):
    """A held-out specimen; fields (nx, ny, nz), NaN in voids."""

    realization: int
    solid: np.ndarray
    label: np.ndarray
    prediction: np.ndarray
    failed: np.ndarray  # voxels that failed first
    elastic: np.ndarray  # hot spot of one linear elastic solve, see baselines/sites.py


# Where a specimen fails, by predictor; a cluster is above a fraction of its field's maximum.
SITES: dict[str, Callable[[Specimen, float], np.ndarray]] = {
    "network": lambda s, fraction: site.hot_cluster(s.prediction, s.solid, fraction),
    "network, one voxel": lambda s, _: site.hottest_voxel(s.prediction, s.solid),
    "elastic hot spot": lambda s, fraction: site.hot_cluster(s.elastic, s.solid, fraction),
    "elastic hot spot, one voxel": lambda s, _: site.hottest_voxel(s.elastic, s.solid),
    "largest pore": lambda s, _: site.largest_pore(s.solid),
    "most porous cross-section": lambda s, _: site.weakest_section(s.solid),
}
RANDOM = "random voxel"  # its hits are an exact expectation
PREDICTORS = (*SITES, RANDOM)
