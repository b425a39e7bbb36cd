"""Numbers that lie on a bound: on which side of it they count, the same everywhere.

In mm, 0.15 / 0.05 is 2.9999999999999996; in single precision a label of 0.58 is below 0.58.
"""

import numpy as np

TOLERANCE = 1e-6  # relative; above the rounding of single precision, below any step of a grid


def within(distance: np.ndarray | float, most: float) -> np.ndarray | bool:
    """Whether distances are at most `most`, or beyond it by no more than rounding; any shape."""
    return distance <= most * (1 + TOLERANCE)


def bin_of(values: np.ndarray, bins: int) -> np.ndarray:
    """Number of the equal bin of [0, 1] that values lie in, 0 to bins - 1; same shape.

    A bin holds its left edge k / bins, in single and in double precision alike; the last one also
    1. Values outside [0, 1] count as 0 or 1, NaN as 1.
    """
    place = np.asarray(values, np.float32) * np.float32(bins * (1 + TOLERANCE))
    return np.clip(np.fmin(place, bins - 1), 0, None).astype(np.int32)
