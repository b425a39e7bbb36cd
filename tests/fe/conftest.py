"""Materials by name, and what several tests need of a specimen and of a mesh."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy import sparse

from porefail.fe.constitutive import STATE
from porefail.fe.equilibrium import Specimen
from porefail.fe.material import Material, material

CONFIG = Path(__file__).parents[2] / "config" / "materials.yaml"


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
        states = specimen.state[specimen.bearing]
        return states if states.shape[-1] == STATE else states.swapaxes(-1, -2)

    return read


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
