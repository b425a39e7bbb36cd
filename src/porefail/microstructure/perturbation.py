"""Small changes of the pores near a failure, to see whether it moves (paper, section 2.5)."""

import numpy as np
from scipy import ndimage

from porefail.errors import PorefailError
from porefail.voxels.rounding import within

_STREAM = 1  # tells these random numbers from those that made the realizations


def edges(porosity: np.ndarray, failed: np.ndarray, distance: float) -> np.ndarray:
    """Flat indices of void voxels that share a face with a solid one and are near the failure.

    porosity, failed, distance: see swap().
    """
    void = porosity != 0
    # Beyond the surface there is no solid voxel.
    inside = ndimage.binary_erosion(void, border_value=1)
    near = within(ndimage.distance_transform_edt(~failed.astype(bool)), distance)
    return np.flatnonzero(void & ~inside & near)


def swap(
    porosity: np.ndarray,
    failed: np.ndarray,
    distance: float,
    seed: int,
    realization: int,
    number: int,
) -> np.ndarray:
    """Porosity after one void voxel near the failure and one solid voxel anywhere change places.

    porosity: (nx, ny, nz), 1 = void; failed: (nx, ny, nz), true where the specimen failed;
    distance: between the centres of a void voxel and of the nearest failed one at most, in voxels;
    one that differs from it by rounding alone is in.
    The void voxel is on the edge of its pore: it shares a face with a solid one. Which two, depends
    on (seed, realization, number) alone, all equally likely. Raises PorefailError where there is no
    such void voxel, or no failed one.
    """
    if porosity.shape != failed.shape or not failed.any():
        raise PorefailError(
            f"realization {realization}: a perturbation needs the voxels that failed, not a field"
            f" {failed.shape} with {np.count_nonzero(failed)} of them for {porosity.shape} voxels"
        )
    voids, solids = edges(porosity, failed, distance), np.flatnonzero(porosity == 0)
    if not voids.size:
        raise PorefailError(
            f"realization {realization}: no pore within {distance:g} voxels of its failure"
        )
    sequence = np.random.SeedSequence(seed, spawn_key=(_STREAM, realization, number))
    random = np.random.default_rng(sequence)
    perturbed = porosity.copy()
    perturbed.flat[random.choice(voids)] = 0
    perturbed.flat[random.choice(solids)] = 1
    return perturbed
