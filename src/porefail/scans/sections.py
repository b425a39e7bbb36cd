"""What the cross-sections near one another of a part have in common."""

from collections.abc import Iterator

import numpy as np


def usual_sections(mask: np.ndarray, reach: int) -> Iterator[np.ndarray]:
    """For each section along z of a mask (nx, ny, nz) bool what is usual there, (nx, ny) bool: true
    in half or more of the sections as near as `reach`, its own among them."""
    count, first, last = np.zeros(mask.shape[:2], int), 0, 0  # of sections first to before last
    for k in range(mask.shape[2]):
        while last < min(k + reach + 1, mask.shape[2]):
            count += mask[:, :, last]
            last += 1
        while first < k - reach:
            count -= mask[:, :, first]
            first += 1
        yield 2 * count >= last - first
