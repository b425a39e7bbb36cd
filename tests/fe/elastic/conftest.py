"""Nodal values as lines and back."""

import numpy as np
import pytest

from porefail.fe.lanes import LANES
from porefail.fe.lines import line_length


@pytest.fixture(scope="session")
def lines_of():
    """Lines of nodal values (planes, ny+1, nx+1, 3), in their type."""

    def to_lines(field: np.ndarray) -> np.ndarray:
        planes, ny, nx, _ = field.shape
        lines = np.zeros((planes, ny, 3, line_length(nx)), field.dtype)
        lines[..., :nx] = field.swapaxes(2, 3)
        return np.concatenate([lines.ravel(), np.zeros(LANES, field.dtype)])

    return to_lines


@pytest.fixture(scope="session")
def field_of():
    """Nodal values (planes, ny+1, nx+1, 3) of lines; shape: elements (layers, ny, nx)."""

    def from_lines(lines: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        planes, ny, nx = (count + 1 for count in shape)
        field = lines[:-LANES].reshape(planes, ny, 3, -1)[..., :nx]
        return field.swapaxes(2, 3)

    return from_lines
