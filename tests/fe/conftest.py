"""Materials by name, and what several tests need of a specimen and of a mesh."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy import sparse

from porefail.fe.constitutive import STATE, initial_state
from porefail.fe.equilibrium import Specimen
from porefail.fe.evaluation import POINTS, evaluate
from porefail.fe.grid import FREE
from porefail.fe.hexahedron import ELEMENTS, Hexahedron, hexahedron
from porefail.fe.lines import from_lines, lines_size
from porefail.fe.material import Material, material
from porefail.fe.tangent import bulk_shape, diagonal, multiply, points_shape

CONFIG = Path(__file__).parents[2] / "config" / "materials.yaml"
SPACING = 0.05


@pytest.fixture(scope="session")
def named():
    """Materials by name, from the configuration that users run."""

    def load(name: str) -> Material:
        return material(yaml.safe_load(CONFIG.read_text())["materials"][name])

    return load


@pytest.fixture(scope="session")
def point_states():
    """Reads the states (elements, 8 points, 9) of a specimen's load-bearing elements."""

    def read(specimen: Specimen) -> np.ndarray:
        return specimen.state[specimen.bearing].swapaxes(-1, -2)

    return read


@dataclass
class Grid:
    """A whole grid of elements (nz, ny, nx) for the compiled loops, without MPI and solver.

    kind: of hexahedron.ELEMENTS.
    state, next: (nz, ny, nx, 9, 8); guess: (nz, ny, nx, 8); points, bulk: the tangent.
    """

    kind: str
    bearing: np.ndarray
    material: Material
    element: Hexahedron
    state: np.ndarray
    next: np.ndarray
    guess: np.ndarray
    points: np.ndarray
    bulk: np.ndarray

    @property
    def counts(self) -> tuple[int, ...]:
        """Shape (nz+1, ny+1, nx+1, 3) of displacements and forces."""
        return (*(n + 1 for n in self.bearing.shape), 3)

    def linear(self, gradient: np.ndarray) -> np.ndarray:
        """Nodal displacements (mm) of a displacement gradient (3, 3)."""
        z, y, x = np.meshgrid(*map(np.arange, self.counts[:3]), indexing="ij")
        return SPACING * np.stack([x, y, z], axis=-1) @ gradient.T

    def forces(self, change: np.ndarray, dt: float, lag: float = 0.0) -> np.ndarray:
        """Nodal forces (N) of a displacement change (mm) in dt; writes next, points, bulk."""
        force = np.full(self.counts, np.nan)
        evaluate(
            change, self.bearing, self.state, self.guess, dt, lag, self.material, self.element,
            self.next, force, self.points, self.bulk,
        )  # fmt: skip
        return force

    def accept(self) -> None:
        """Make the states of the last evaluation the current ones."""
        self.state, self.next = self.next, self.state

    def product(self, u: np.ndarray, kinds=None, scale: float = 0.0) -> np.ndarray:
        """Tangent times displacement; all degrees of freedom are free, or of the given kinds."""
        kinds = np.full(self.counts, FREE, np.uint8) if kinds is None else kinds
        force = np.full(self.counts, np.nan)
        scratch = np.full((2, lines_size(self.bearing.shape)), np.nan, np.float32)
        multiply(u, kinds, scale, self.points, self.bulk, scratch, force)
        return force

    def diagonal(self) -> np.ndarray:
        """Diagonal of the tangent where all degrees of freedom are free."""
        lines = np.full(lines_size(self.bearing.shape), np.nan, np.float32)
        diagonal(self.points, self.bulk, lines)
        diag = np.full(self.counts, np.nan)
        from_lines(lines, diag)
        return diag


@pytest.fixture(scope="session", params=ELEMENTS)
def grid(request):
    """Builds a Grid of undeformed material; bearing: (nz, ny, nx) bool."""

    def build(bearing: np.ndarray, material: Material) -> Grid:
        state = np.empty((*bearing.shape, STATE, POINTS))
        state[:] = initial_state(material)[:, None]
        element = hexahedron(SPACING, request.param)
        return Grid(
            request.param,
            bearing,
            material,
            element,
            state,
            state.copy(),
            np.full((*bearing.shape, POINTS), np.inf),
            np.zeros(points_shape(bearing.shape), np.float32),
            np.zeros(bulk_shape(bearing.shape, element), np.float32),
        )

    return build


@pytest.fixture(scope="session")
def block():
    """Elements (m, 24 degrees of freedom) of a whole grid, and its node positions (n, 3).

    Nodes are numbered with x fastest, as are the corners of an element; degree of freedom:
    3·node + component.
    """

    def build(shape: tuple[int, int, int], spacing: float) -> tuple[np.ndarray, np.ndarray]:
        nx, ny, nz = shape
        number = np.arange((nx + 1) * (ny + 1) * (nz + 1)).reshape(nz + 1, ny + 1, nx + 1)
        corners = [
            number[a >> 2 : nz + (a >> 2), a >> 1 & 1 : ny + (a >> 1 & 1), a & 1 : nx + (a & 1)]
            for a in range(8)
        ]
        nodes = np.stack([corner.ravel() for corner in corners], axis=1)
        elements = (3 * nodes[:, :, None] + np.arange(3)).reshape(-1, 24)
        z, y, x = np.meshgrid(*(np.arange(n + 1) for n in (nz, ny, nx)), indexing="ij")
        return elements, spacing * np.stack([x, y, z], axis=-1).reshape(-1, 3)

    return build


@pytest.fixture(scope="session")
def assembled():
    """Assembles one element matrix (24, 24), the same everywhere, with SciPy."""

    def assemble(elements: np.ndarray, matrix: np.ndarray) -> sparse.csr_matrix:
        rows, columns = elements.repeat(24, axis=1), np.tile(elements, (1, 24))
        values = np.broadcast_to(matrix.ravel(), rows.shape)
        return sparse.coo_matrix((values.ravel(), (rows.ravel(), columns.ravel()))).tocsr()

    return assemble


@pytest.fixture(scope="session")
def elasticity():
    """Elastic moduli (6, 6) of strains with engineering shears."""

    def moduli(young: float, poisson: float) -> np.ndarray:
        lame = young * poisson / ((1 + poisson) * (1 - 2 * poisson))
        shear = young / (2 * (1 + poisson))
        matrix = np.diag(shear * np.array([2.0, 2, 2, 1, 1, 1]))
        matrix[:3, :3] += lame
        return matrix

    return moduli
