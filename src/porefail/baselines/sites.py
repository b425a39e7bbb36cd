"""Where an engineer would look without learning: fields in [0, 1], 1 at the likeliest site.

All fields are (n, nx, ny, nz), NaN in voids; each specimen's own maximum is 1.
"""

import numpy as np
from scipy import ndimage

from porefail.voxels.neighbours import connected


def hot_spot(von_mises: np.ndarray, pressure: np.ndarray, porosity: np.ndarray) -> np.ndarray:
    """Von Mises stress × mean tension of a linear elastic solve, 0 in compression."""
    return _scaled(von_mises * np.maximum(pressure, 0), porosity)


def coarse_damage(log_growth: np.ndarray, porosity: np.ndarray) -> np.ndarray:
    """Growth of damage in one coarse load step, from its logarithm."""
    return _scaled(np.exp(log_growth), porosity)


def submodel_failure(
    strain: np.ndarray, von_mises: np.ndarray, pressure: np.ndarray, porosity: np.ndarray
) -> np.ndarray:
    """Sites of sub-models by the strain at which they fail, 0 elsewhere; below them hot_spot()."""
    known = strain > 0
    sooner = np.where(known, 1.0 / np.where(known, strain, 1.0), 0.0)
    sooner = _scaled(sooner, porosity)
    return _scaled(np.where(known, 1.0 + sooner, hot_spot(von_mises, pressure, porosity)), porosity)


def pore_size(porosity: np.ndarray) -> np.ndarray:
    """Voxels of the largest pore (26-connected) that a solid voxel touches, 0 where none."""
    size = np.zeros(porosity.shape, np.float32)
    for field, voids in zip(size, porosity, strict=True):
        labels, _ = connected(voids == 1)
        voxels = np.bincount(labels.ravel())
        voxels[0] = 0
        field[:] = ndimage.maximum_filter(voxels[labels], size=3, mode="constant")
    return _scaled(size, porosity)


def section_porosity(porosity: np.ndarray) -> np.ndarray:
    """Void share of the cross-section normal to z that a voxel lies in."""
    share = np.mean(porosity, axis=(1, 2), keepdims=True, dtype=float)
    return _scaled(np.broadcast_to(share, porosity.shape), porosity)


def _scaled(field: np.ndarray, porosity: np.ndarray) -> np.ndarray:
    solid = np.where(porosity == 0, field, -np.inf)
    high = solid.max(axis=(1, 2, 3), keepdims=True)
    return np.where(porosity == 0, field / np.where(high > 0, high, 1.0), np.nan).astype(np.float32)
