"""The tangent as an operator: the derivative of the forces, symmetric, without what is void."""

import numpy as np
import pytest

from porefail.fe.constitutive import KAPPA
from porefail.fe.grid import FREE, HELD, VOID, degrees_of_freedom, node_planes
from porefail.fe.hexahedron import ELEMENTS, hexahedron
from porefail.fe.tangent import decoupled, element_diagonal, element_forces

# Sides that are odd, and x not a multiple of 8 (the lanes) but once.
SHAPES = [(3, 5, 11), (1, 3, 8), (5, 1, 20), (1, 1, 1)]
GRADIENT = np.array([[-0.4, 0.2, 0.1], [0.0, -0.3, 0.3], [-0.3, 0.2, 1.0]])
SINGLE = 1e-6  # several roundings of single precision


def without_softening(material):
    """No voids grow: then the tangent, the symmetric part at fixed φ, is all of it."""
    return material._replace(void_size=0.0, initial_damage=0.0)


def strained(grid, material, shape, strain, seed=0, fraction=0.15):
    """A porous grid, brought to a strain in one step, and the noisy change of the next one."""
    generator = np.random.default_rng(seed)
    bearing = generator.random(shape) >= fraction
    bearing[0, 0, 0] = True
    mesh = grid(bearing, material)
    mesh.forces(mesh.linear(strain * GRADIENT) + 1e-5 * generator.normal(size=mesh.counts), 2.0)
    mesh.accept()
    change = mesh.linear(0.1 * strain * GRADIENT) + 1e-6 * generator.normal(size=mesh.counts)
    mesh.forces(change, 0.5)
    return mesh, change, generator


def flows(mesh):
    grown = mesh.next[mesh.bearing][:, KAPPA] > mesh.state[mesh.bearing][:, KAPPA]
    return grown.mean()


@pytest.mark.parametrize("shape", SHAPES)
def test_elastic_forces_are_the_product(shape, named, grid):
    """Linear range, damaged material: the product is the change of the forces itself."""
    mesh, change, generator = strained(grid, named("literal"), shape, 1e-4)
    assert flows(mesh) == 0
    d = 1e-6 * generator.normal(size=mesh.counts)
    product = mesh.product(d)
    difference = mesh.forces(change + d, 0.5) - mesh.forces(change - d, 0.5)
    np.testing.assert_allclose(product, difference / 2, atol=SINGLE * np.abs(product).max())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("lag", [0.0, 1.0], ids=["no damage", "damage that lags"])
def test_product_is_the_derivative_of_the_forces_in_flow(lag, shape, named, grid):
    """The error of a central difference falls as h², down to single precision."""
    material = named("staged") if lag else without_softening(named("staged"))
    mesh, change, generator = strained(grid, material, shape, 0.01)
    mesh.forces(change, 0.5, lag)
    assert flows(mesh) > 0.9
    d = 2e-6 * generator.normal(size=mesh.counts)
    product, errors = mesh.product(d), []
    for h in (4.0, 2.0, 1.0, 1e-2):
        ahead, behind = (mesh.forces(change + side * h * d, 0.5, lag) for side in (1, -1))
        errors.append(np.abs((ahead - behind) / (2 * h) - product).max() / np.abs(product).max())
    order = np.log2(np.array(errors[:2]) / errors[1:3])
    print("relative errors of the product, steps 4, 2, 1, 0.01:", *errors, "orders:", *order)
    np.testing.assert_allclose(order, 2, atol=0.2)
    assert errors[-1] < SINGLE


@pytest.mark.parametrize("strain", [1e-4, 0.01], ids=["elastic", "plastic"])
@pytest.mark.parametrize("shape", SHAPES)
def test_product_and_diagonal_are_those_of_the_matrix(shape, strain, named, grid):
    """Products with unit vectors make up a symmetric matrix; damage and voids included."""
    mesh, _, _ = strained(grid, named("staged"), shape, strain, fraction=0.3)
    size = int(np.prod(mesh.counts))
    unit = np.identity(size).reshape(size, *mesh.counts)
    chosen = np.random.default_rng(1).permutation(size)[:200]
    columns = np.array([mesh.product(unit[n]).ravel() for n in chosen])
    square, largest = columns[:, chosen], np.abs(columns).max()
    np.testing.assert_allclose(square, square.T, atol=SINGLE * largest)
    diag = mesh.diagonal()
    np.testing.assert_allclose(diag.ravel()[chosen], np.diagonal(square), atol=SINGLE * largest)
    if len(chosen) == size:
        assert np.linalg.eigvalsh((square + square.T) / 2)[0] > -10 * SINGLE * largest
    nodes = node_planes(mesh.bearing)
    assert np.all(diag[nodes] > 0) and np.all(diag[~nodes] == 0)


def test_voids_give_nothing(named, grid):
    """A node inside a pore is not felt and feels nothing."""
    bearing = np.ones((4, 4, 10), dtype=bool)
    bearing[1:3, 1:3, 7:9] = False
    mesh = grid(bearing, named("staged"))
    mesh.forces(mesh.linear(0.01 * GRADIENT), 2.0)
    u = np.random.default_rng(0).normal(size=mesh.counts)
    far = u.copy()
    far[2, 2, 8] = 1e6
    product = mesh.product(u)
    assert np.all(product[2, 2, 8] == 0) and np.count_nonzero(product) == product.size - 3
    np.testing.assert_array_equal(mesh.product(far), product)
    assert not mesh.points[1:3, 1:3, 0, :, :, 7].any() and not mesh.bulk[1:3, 1:3, 1, :, 0].any()


@pytest.mark.parametrize("strain", [1e-4, 0.01], ids=["elastic", "plastic"])
def test_rigid_motion_gives_no_force(strain, named, grid):
    mesh, _, generator = strained(grid, named("staged"), (3, 5, 11), strain)
    spin = np.array([[0, -0.3, 0.2], [0.3, 0, -0.1], [-0.2, 0.1, 0]])
    rigid = mesh.product(mesh.linear(spin) + 0.1)
    other = mesh.product(mesh.linear(np.abs(spin)))
    assert np.abs(rigid).max() < 1e-5 * np.abs(other).max()


@pytest.mark.parametrize("shape", [(4, 4, 10), (4, 4, 8)])
def test_what_is_not_free_is_decoupled(shape, named, grid):
    """Held ones have the given stiffness, voids next to none; free ones do not feel them."""
    bearing = np.ones(shape, dtype=bool)
    bearing[1:3, 1:3, 3:5] = False
    mesh = grid(bearing, named("staged"))
    mesh.forces(mesh.linear(0.01 * GRADIENT), 2.0)
    kinds, scale = degrees_of_freedom(bearing), 2e4
    kinds[1, 1, -1] = HELD
    kinds[3, 2, 0, 1] = HELD
    u = np.random.default_rng(0).normal(size=mesh.counts)
    product = mesh.product(u, kinds, scale)
    free = np.where(kinds == FREE, u, 0.0)
    np.testing.assert_array_equal(
        product[kinds == FREE], mesh.product(free, 0 * kinds)[kinds == FREE]
    )
    assert 0 < decoupled(VOID) < 1e-6 and decoupled(HELD) == 1
    for kind in (HELD, VOID):
        assert (kinds == kind).any()
        expected = scale * decoupled(kind) * u[kinds == kind]
        np.testing.assert_allclose(product[kinds == kind], expected)


@pytest.mark.parametrize("element", ELEMENTS)
def test_forces_and_diagonal_of_an_element_are_those_of_its_matrix(element):
    """The arithmetic of a block of lanes, done by NumPy, against the element's matrices."""
    unit = hexahedron(1.0, element)
    generator = np.random.default_rng(0)
    shear, bulk = generator.uniform(1, 2, 8), generator.uniform(1, 2, len(unit.dilatation))
    t = generator.normal(size=(8, 6))
    t[:, 2] = -t[:, 0] - t[:, 1]
    share = 8 / len(bulk)
    matrix = share * np.einsum("n,na,nb->ab", bulk, unit.dilatation, unit.dilatation)
    for g in range(8):
        side = t[g] @ unit.strain[g]
        matrix += shear[g] * unit.deviatoric[g] - np.outer(side, side)
    u = generator.normal(size=24)
    nodes = [[u[3 * a + c : 3 * a + c + 1] for a in range(8)] for c in range(3)]
    rows = np.column_stack([shear, t[:, [0, 1, 3, 4, 5]]])
    forces = np.array(element_forces(nodes, lambda g: rows[g][:, None], bulk)).squeeze()
    np.testing.assert_allclose(forces.T.ravel(), matrix @ u, rtol=1e-12)
    diag = np.array(element_diagonal(unit, lambda g: rows[g][:, None], bulk)).squeeze()
    np.testing.assert_allclose(diag.T.ravel(), np.diagonal(matrix), rtol=1e-12)
