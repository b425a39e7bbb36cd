"""Forces of a cube of uniform elastic material, in few operations.

Along each axis nodal values become their mean and their difference. In these 8 modes of a component
the exact integrals of trilinear fields (which 2×2×2 Gauss points give) are diagonal, but for six
couplings of each pair of components: 200 operations instead of 576 multiplications and additions.
"""

from itertools import permutations
from typing import NamedTuple

import numpy as np

from porefail.errors import PorefailError
from porefail.fe.hexahedron import ELEMENTS

# Integral of the square of a mode along one axis: of 1, and of -1/2 ... 1/2.
SQUARE = (1.0, 1.0 / 12.0)
# The corners of an element in pairs along each axis: they are numbered with x fastest. So are the
# modes, of which bit 0 tells of a difference along x, and so on.
PAIRS = tuple(tuple((a, a | 1 << axis) for a in range(8) if not a >> axis & 1) for axis in range(3))


class Moduli(NamedTuple):
    """Twice the elastic energy density of a cube is
    pointwise·(tr ε)² + 2·shear·ε:ε + mean·(mean of tr ε)², in units of Young's modulus."""

    pointwise: float
    shear: float
    mean: float


def moduli(poisson_ratio: float, element: str) -> Moduli:
    """Moduli for Young's modulus 1. Raises PorefailError where the element is not of ELEMENTS."""
    if element not in ELEMENTS:
        raise PorefailError(f"element {element}: expected one of {', '.join(ELEMENTS)}")
    shear = 0.5 / (1.0 + poisson_ratio)
    bulk = 1.0 / (3.0 * (1.0 - 2.0 * poisson_ratio))
    if element == "full":
        return Moduli(bulk - 2.0 * shear / 3.0, shear, 0.0)
    return Moduli(-2.0 * shear / 3.0, shear, bulk)


def to_modes(values):
    """Modes (8) of nodal values (8)."""
    values = list(values)
    for pairs in PAIRS:
        for low, high in pairs:
            values[low], values[high] = (
                0.5 * (values[low] + values[high]),
                values[high] - values[low],
            )
    return values


def to_nodes(forces):
    """Nodal forces (8) of those that work on modes (8): the transpose of to_modes()."""
    forces = list(forces)
    for pairs in PAIRS:
        for mean, difference in pairs:
            if forces[mean] is None:  # no force works on the mean of all
                forces[mean], forces[difference] = -1.0 * forces[difference], forces[difference]
                continue
            half = 0.5 * forces[mean]
            forces[mean], forces[difference] = half - forces[difference], half + forces[difference]
    return forces


def coefficients(material: Moduli) -> np.ndarray:
    """What modal_forces() multiplies with, (10,): stiffnesses of a mode by itself, of those that
    differ along the component's own axis and 0, 1 or 2 others, and along 1 or 2 others alone; then
    those of pairs that pull and that shear, of modes that do not and that do differ along the third
    axis; then that of the mean dilatation."""
    own, other, square = material.pointwise + 2.0 * material.shear, material.shear, SQUARE[1]
    return np.array(
        [
            own,
            (own + other) * square,
            (own + 2.0 * other) * square**2,
            other,
            2.0 * other * square,
            *(material.pointwise * each for each in SQUARE),
            *(material.shear * each for each in SQUARE),
            material.mean,
        ]
    )


def modal_forces(modes, of):
    """Forces [c][mode] on the modes of a unit cube, whose displacements are modes[c][mode].

    of: coefficients(). None works on the mean of all nodes. Works on all that supports + - *.
    """
    forces = [[None] * 8 for _ in range(3)]
    for c in range(3):
        for m in range(1, 8):
            along = [axis for axis in range(3) if m >> axis & 1]
            place = len(along) - 1 if c in along else len(along) + 2
            forces[c][m] = of[place] * modes[c][m]
    for c, other in permutations(range(3), 2):
        third = 3 - c - other
        for along in range(2):
            pulled, sheared = (1 << axis | along << third for axis in (c, other))
            forces[c][pulled] = forces[c][pulled] + of[5 + along] * modes[other][sheared]
            forces[c][sheared] = forces[c][sheared] + of[7 + along] * modes[other][pulled]
    mean = of[9] * (modes[0][1] + modes[1][2] + modes[2][4])
    for c in range(3):
        forces[c][1 << c] = forces[c][1 << c] + mean
    return forces


def nodal_forces(nodes, of, density):
    """Nodal forces [c][a] of unit cubes with nodal displacements nodes[c][a] and a density each.

    of: coefficients().
    """
    forces = modal_forces([to_modes(each) for each in nodes], of)
    scaled = [[None if f is None else density * f for f in each] for each in forces]
    return [to_nodes(each) for each in scaled]


def stiffness(material: Moduli) -> np.ndarray:
    """Matrix (24, 24) of a unit cube, degree of freedom 3·a + component of corner a."""
    columns = np.identity(24).reshape(24, 8, 3)
    nodes = columns.transpose(2, 1, 0)
    return (
        np.array(nodal_forces(nodes, coefficients(material), 1.0))
        .transpose(1, 0, 2)
        .reshape(24, 24)
    )


def largest_eigenvalue(material: Moduli) -> float:
    """Bound of the eigenvalues of any assembled matrix times its inverse diagonal.

    uᵀKu = Σ uᵀKₑu ≤ λ Σ uᵀDₑu, with λ of one element: all are the same matrix times a density.
    """
    matrix = stiffness(material)
    return float(np.linalg.eigvalsh(matrix / matrix[0, 0])[-1])
