"""Bending of a nearly incompressible bar: B-bar does not lock, plain full integration does.

A bar of 1×1×4 mm is bent by end moments. The exact solution of three-dimensional elasticity
(Saint-Venant): σzz = E·x/R, u = (−(z² + ν(x² − y²))/2R, −νxy/R, xz/R).
"""

import numpy as np
import pytest
from scipy.sparse.linalg import spsolve

from porefail.fe.hexahedron import hexahedron

LENGTH, YOUNG = 4.0, 1000.0


def deflection(element, n, poisson, block, assembled, elasticity):
    """Tip displacement over the exact one; n elements across."""
    spacing = 1.0 / n
    strain = hexahedron(spacing, element).strain
    matrix = np.einsum("gia,ij,gjb->ab", strain, elasticity(YOUNG, poisson), strain)
    elements, nodes = block((n, n, 4 * n), spacing)
    stiffness = assembled(elements, matrix * spacing**3 / 8)
    x, y, z = (nodes - [0.5, 0.5, 0.0]).T

    # Consistent forces of the traction E·x/R with R = 1: mass matrix of the line along x and y.
    mass = spacing / 6 * (4 * np.eye(n + 1) + np.eye(n + 1, k=1) + np.eye(n + 1, k=-1))
    mass[[0, -1], [0, -1]] /= 2
    along_x, along_y = mass @ (YOUNG * x[: n + 1]), mass.sum(axis=1)
    force = np.zeros((len(nodes), 3))
    force[z > LENGTH - 1e-9, 2] = np.outer(along_y, along_x).ravel()

    held = np.zeros_like(force, dtype=bool)
    bottom, middle = z < 1e-9, abs(y) < 1e-9
    held[bottom, 2] = True
    held[bottom & middle & (abs(x) < 1e-9), :2] = True
    held[bottom & middle & (x > 0.5 - 1e-9), 1] = True
    free = np.flatnonzero(~held.ravel())
    u = np.zeros(force.size)
    u[free] = spsolve(stiffness[free][:, free].tocsc(), force.ravel()[free])
    tip = (abs(x) < 1e-9) & middle & (z > LENGTH - 1e-9)
    return u.reshape(-1, 3)[tip, 0].item() / (-(LENGTH**2) / 2)


@pytest.mark.parametrize("poisson", [0.3, 0.4999])
def test_b_bar_converges_at_any_poisson_ratio(poisson, block, assembled, elasticity):
    given = (poisson, block, assembled, elasticity)
    error = np.array([abs(deflection("b_bar", n, *given) - 1) for n in (2, 4, 8)])
    order = np.log2(error[:-1] / error[1:])
    print("relative errors of the deflection:", *error, "orders:", *order)
    assert error[0] < 0.03 and error[-1] < 0.003
    assert order[-1] > 1.7


def test_full_integration_locks(block, assembled, elasticity):
    """Plain elements are as good at ν = 0.3, but at 0.4999 refinement hardly helps them."""
    good, locked = (
        np.array(
            [
                abs(deflection("full", n, poisson, block, assembled, elasticity) - 1)
                for n in (2, 4, 8)
            ]
        )
        for poisson in (0.3, 0.4999)
    )
    print("relative errors of full integration at ν = 0.3:", *good, "at 0.4999:", *locked)
    assert good[-1] < 0.01
    assert np.all(locked > 0.2)
