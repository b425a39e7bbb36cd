"""Places of a 3×3×3 kernel that the symmetries of a square prism bring onto each other."""

import numpy as np

# Of the 16 symmetries, z their axis: in the plane centre, edge and corner; along z the middle and
# the two ends. Six classes, of the 27 places in their order.
_OFFSET = np.abs(np.indices((3, 3, 3)) - 1)
CLASSES = (_OFFSET[0] + _OFFSET[1] + 3 * _OFFSET[2]).ravel()
