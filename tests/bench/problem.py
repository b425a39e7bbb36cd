"""The J2 problem that all programs solve, as plain arrays; needs NumPy alone.

A voxel specimen with voids is pulled along z in equal increments: u_z = 0 below, prescribed above,
both faces free to contract. Small strain, von Mises plasticity, linear isotropic hardening. Arrays
are (z, y, x) as inside porefail.fe.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

FREE, HELD = 0, 1  # as in porefail.fe.grid


class Problem(NamedTuple):
    """bearing: (nz, ny, nx) bool, voxels that bear load; kinds: (nz+1, ny+1, nx+1, 3), see
    porefail.fe.grid; spacing in mm; moduli and yield stress in MPa; strain_step: nominal strain of
    an increment; tolerance: norm of the unbalanced forces over that of the reactions;
    linear_tolerance: of iterative linear solvers, relative."""

    bearing: np.ndarray
    kinds: np.ndarray
    spacing: float
    young_modulus: float
    poisson_ratio: float
    yield_stress: float
    hardening_modulus: float
    strain_step: float
    increments: int
    tolerance: float
    linear_tolerance: float

    @property
    def length(self) -> float:
        """Length along z, mm."""
        return self.bearing.shape[0] * self.spacing


class Mesh(NamedTuple):
    """nodes: (n, 3) grid indices (z, y, x) of the nodes in use; elements: (m, 8) numbers of nodes,
    x runs fastest, then y, then z."""

    nodes: np.ndarray
    elements: np.ndarray


class Result(NamedTuple):
    """What a program found: forces (N) on the upper face and linear solves, one an increment;
    CPU seconds from the set-up of mesh and solver to the end of each increment (or of the last)."""

    version: str
    forces: list[float]
    iterations: list[int]
    cpu_seconds: list[float]


def mesh(bearing: np.ndarray) -> Mesh:
    """Hexahedra of the load-bearing voxels, with the nodes that they use."""
    counts = np.array(bearing.shape) + 1
    voxels = np.argwhere(bearing)
    corners = np.array([[a >> 2, a >> 1 & 1, a & 1] for a in range(8)])
    grid = voxels[:, None] + corners
    used, elements = np.unique(
        np.ravel_multi_index(np.moveaxis(grid, -1, 0), counts), return_inverse=True
    )
    nodes = np.stack(np.unravel_index(used, counts), axis=-1)
    return Mesh(nodes, elements.reshape(-1, 8))


def save(problem: Problem, path: str | Path) -> None:
    """Write a problem as .npz."""
    np.savez(path, **problem._asdict())


def load(path: str | Path) -> Problem:
    """Read what `save` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        values = [arrays[name] for name in Problem._fields]
    return Problem(*(value if value.ndim else value.item() for value in values))


def save_result(result: Result, path: str | Path) -> None:
    """Write a result as JSON."""
    Path(path).write_text(json.dumps(result._asdict()))


def load_result(path: str | Path) -> Result:
    """Read what `save_result` wrote."""
    return Result(**json.loads(Path(path).read_text()))
