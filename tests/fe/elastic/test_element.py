"""The cube in modes, against Gauss points and against closed forms."""

import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.fe.elastic.element import (
    coefficients,
    largest_eigenvalue,
    moduli,
    nodal_forces,
    stiffness,
    to_modes,
    to_nodes,
)
from porefail.fe.hexahedron import CORNERS, ELEMENTS, hexahedron

NU = 0.27


def at_gauss_points(element):
    """Stiffness (24, 24) of a unit cube of Young's modulus 1 from Gauss points."""
    cube = hexahedron(1.0, element)
    shear, bulk = 0.5 / (1 + NU), 1 / (3 - 6 * NU)
    shared = 8 / len(cube.dilatation)
    volume = bulk * shared * np.einsum("na,nb->ab", cube.dilatation, cube.dilatation)
    return cube.weight * (2 * shear * cube.deviatoric.sum(axis=0) + volume)


@pytest.mark.parametrize("element", ELEMENTS)
def test_the_stiffness_is_that_of_gauss_points(element):
    expected = at_gauss_points(element)
    np.testing.assert_allclose(stiffness(moduli(NU, element)), expected, atol=1e-15)


def test_nodes_are_the_transpose_of_modes():
    values, forces = np.random.default_rng(1).standard_normal((2, 8))
    assert np.dot(to_modes(values), forces) == pytest.approx(np.dot(values, to_nodes(forces)))


@pytest.mark.parametrize("element", ELEMENTS)
def test_uniaxial_stress_pulls_at_the_ends_alone(element):
    """Forces of a quarter of the stress at each node of the two ends, no other."""
    u = CORNERS * np.array([-NU, -NU, 1.0])
    forces = np.array(nodal_forces(u.T, coefficients(moduli(NU, element)), 1.0))
    np.testing.assert_allclose(forces[:2], 0.0, atol=1e-15)
    np.testing.assert_allclose(forces[2], np.where(CORNERS[:, 2] == 1, 0.25, -0.25))


@pytest.mark.parametrize("element", ELEMENTS)
def test_no_eigenvalue_of_an_assembled_matrix_is_above_the_bound(element):
    material = moduli(NU, element)
    unit, bound = stiffness(material), largest_eigenvalue(material)
    density = np.random.default_rng(2).random((3, 4, 3)) * (
        np.random.default_rng(3).random((3, 4, 3)) < 0.8
    )
    number = np.arange(4 * 5 * 4).reshape(4, 5, 4)
    matrix = np.zeros((3 * number.size,) * 2)
    for place in np.argwhere(density):
        nodes = [number[tuple(place + corner)] for corner in CORNERS]
        own = (3 * np.array(nodes)[:, None] + np.arange(3)).ravel()
        matrix[np.ix_(own, own)] += density[tuple(place)] * unit
    diagonal = np.diag(matrix)
    kept = diagonal > 0
    scaled = matrix[np.ix_(kept, kept)] / np.sqrt(np.outer(diagonal[kept], diagonal[kept]))
    largest = np.linalg.eigvalsh(scaled)[-1]
    assert 0.5 * bound < largest < bound


def test_an_unknown_element_is_refused():
    with pytest.raises(PorefailError, match="element C3D20: expected one of full, b_bar"):
        moduli(NU, "C3D20")
