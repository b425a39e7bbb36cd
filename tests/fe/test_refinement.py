"""A manufactured elastic solution on the unit cube: the orders of convergence of the element.

u = a·sin πx·sin πy·sin πz, held at zero on the boundary, under the body force that makes it exact.
"""

import numpy as np
import pytest
from scipy.sparse.linalg import cg

from porefail.fe.hexahedron import CORNERS, ELEMENTS, hexahedron

YOUNG, POISSON = 1000.0, 0.3
AMPLITUDE = np.array([1.0, -0.5, 0.7])
POINTS = 0.5 + (CORNERS - 0.5) / np.sqrt(3.0)
SHAPES = np.array([np.where(CORNERS == 1, p, 1 - p).prod(axis=1) for p in POINTS])  # point, node


def second(x):
    """Second derivatives of sin πx·sin πy·sin πz, (..., 3, 3); its value and first ones."""
    s, c = np.sin(np.pi * x), np.cos(np.pi * x)
    value = s.prod(axis=-1)
    first = np.empty(x.shape)
    matrix = np.empty((*x.shape, 3))
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        first[..., i] = np.pi * c[..., i] * s[..., j] * s[..., k]
        matrix[..., i, i] = -(np.pi**2) * value
        matrix[..., i, j] = matrix[..., j, i] = np.pi**2 * c[..., i] * c[..., j] * s[..., k]
    return value, first, matrix


def exact(x):
    """Displacement, strain vector and body force at x (..., 3)."""
    value, first, matrix = second(x)
    gradient = AMPLITUDE[:, None] * first[..., None, :]
    g = gradient + gradient.swapaxes(-1, -2)
    strain = np.stack(
        [*(g[..., i, i] / 2 for i in range(3)), g[..., 0, 1], g[..., 1, 2], g[..., 2, 0]], axis=-1
    )
    shear = YOUNG / (2 * (1 + POISSON))
    lame = 2 * shear * POISSON / (1 - 2 * POISSON)
    laplacian = -3 * np.pi**2 * value[..., None] * AMPLITUDE
    force = -shear * laplacian - (lame + shear) * matrix @ AMPLITUDE
    return value[..., None] * AMPLITUDE, strain, force


def errors(kind, n, block, assembled, moduli):
    """Errors of displacement (L2 norm) and strain (energy norm), over the norms of the solution."""
    element = hexahedron(1.0 / n, kind)
    matrix = element.weight * np.einsum("gia,ij,gjb->ab", element.strain, moduli, element.strain)
    elements, nodes = block((n, n, n), 1.0 / n)
    stiffness = assembled(elements, matrix)
    corner = nodes[elements[:, 0] // 3]
    u_exact, strain_exact, body = exact(corner[:, None] + POINTS / n)
    force = np.zeros(3 * len(nodes))
    local = element.weight * np.einsum("ga,egc->eac", SHAPES, body)
    np.add.at(force, elements, local.reshape(-1, 24))
    inner = ((nodes > 1e-9) & (nodes < 1 - 1e-9)).all(axis=1).repeat(3)
    u = np.zeros_like(force)
    u[inner], status = cg(stiffness[inner][:, inner], force[inner], rtol=1e-10)
    assert status == 0
    ue = u[elements]
    du = np.einsum("ga,eac->egc", SHAPES, ue.reshape(-1, 8, 3)) - u_exact
    de = np.einsum("gia,ea->egi", element.strain, ue) - strain_exact
    energy = [np.einsum("egi,ij,egj", e, moduli, e) for e in (de, strain_exact)]
    return np.sqrt(np.sum(du**2) / np.sum(u_exact**2)), np.sqrt(energy[0] / energy[1])


@pytest.mark.parametrize("kind", ELEMENTS)
def test_orders_of_convergence(kind, block, assembled, elasticity):
    moduli = elasticity(YOUNG, POISSON)
    found = np.array([errors(kind, n, block, assembled, moduli) for n in (4, 8, 16)])
    order = np.log2(found[:-1] / found[1:])
    print("relative errors, L2 and energy:", *found[-1], "orders:", *order[-1])
    np.testing.assert_allclose(order[-1], [2, 1], atol=0.05)
    assert found[-1, 0] < 0.01
