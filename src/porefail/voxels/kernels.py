"""Places of a 3×3×3 kernel that the symmetries of a square prism bring onto each other."""

import numpy as np

# Of the 16 symmetries, z their axis: in the plane centre, edge and corner; along z the middle and
# the two ends. Six classes, of the 27 places in their order.
_OFFSET = np.abs(np.indices((3, 3, 3)) - 1)
CLASSES = (_OFFSET[0] + _OFFSET[1] + 3 * _OFFSET[2]).ravel()


def class_sums(fields: np.ndarray) -> np.ndarray:
    """Sums of the neighbours of each inner voxel by their class, (m, x - 2, y - 2, z - 2, 6 c).

    fields: (m, x, y, z, c). So a kernel of six numbers costs six products, not 27.
    """
    low, middle, high = slice(None, -2), slice(1, -1), slice(2, None)
    across = fields[:, low] + fields[:, high]
    corners = across[:, :, low] + across[:, :, high]
    edges = across[:, :, middle] + fields[:, middle, low] + fields[:, middle, high]
    planes = (fields[:, middle, middle], edges, corners)
    sums = [each[:, :, :, middle] for each in planes]
    sums += [each[:, :, :, low] + each[:, :, :, high] for each in planes]
    return np.concatenate(sums, axis=-1)
