"""What a void of one voxel changes in the elastic stresses around it, if it is alone."""

import numpy as np

from porefail.fe.elastic.fields import elastic_fields

SIDE = 49  # voxels of the cube that it is the middle of: its sides change less than 1e-4


def around_one_void(reach: int, poisson_ratio: float, element: str) -> np.ndarray:
    """Changes (5, reach + 1, reach + 1, reach + 1) at places x, y, z ≥ 0 from the void, float32.

    Of the logarithms of von Mises stress and of its largest Gauss point, of triaxiality, of the
    largest tension of the points and of the Lode measure, from those of uniform tension; 0 in the
    void itself. All other places are mirror images.
    """
    middle = SIDE // 2
    porosity = np.zeros((SIDE,) * 3, np.uint8)
    porosity[middle, middle, middle] = 1
    found = elastic_fields(porosity, poisson_ratio, element)
    changes = np.stack(
        [
            np.log(found.von_mises),
            np.log(found.largest_von_mises),
            found.pressure / found.von_mises - 1 / 3,
            found.largest_pressure - 1 / 3,
            found.lode - 1,
        ]
    )
    octant = slice(middle, middle + reach + 1)
    return np.nan_to_num(changes[:, octant, octant, octant]).astype(np.float32)
