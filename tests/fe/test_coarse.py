"""The coarse matrix against the definition: PᵀKP, K by products, P by interpolation along axes."""

import numpy as np
import pytest

from porefail.fe.coarse import children, coarse_stencil, coarsen
from porefail.fe.grid import HELD, degrees_of_freedom, slab
from porefail.fe.hexahedron import hexahedron
from porefail.fe.lanes import LANES

GRADIENT = np.array([[-0.4, 0.2, 0.1], [0.0, -0.3, 0.3], [-0.3, 0.2, 1.0]])


@pytest.fixture(scope="module")
def build(grid, named):
    """Builds a porous grid in flow, and the kinds of its degrees of freedom."""

    def make(shape, fraction=0.15):
        generator = np.random.default_rng(0)
        mesh = grid(generator.random(shape) >= fraction, named("staged"))
        change = mesh.linear(0.01 * GRADIENT) + 1e-5 * generator.normal(size=mesh.counts)
        mesh.forces(change, 2.0)
        return mesh, degrees_of_freedom(mesh.bearing)

    return make


def refine(field):
    """Trilinear interpolation of nodal values (nz+1, ny+1, nx+1, 3), one axis after the other."""
    for axis in range(3):
        count = field.shape[axis]
        field = np.apply_along_axis(
            lambda f, n=count: np.interp(np.arange(2 * n - 1) / 2, np.arange(n), f), axis, field
        )
    return field


def by_products(mesh, kinds):
    """PᵀKP as a matrix; P gives nothing where a degree of freedom is held."""
    coarse = (*(n // 2 + 1 for n in mesh.bearing.shape), 3)
    size = int(np.prod(coarse))
    prolonged = np.empty((size, *mesh.counts))
    for n, unit in enumerate(np.identity(size)):
        prolonged[n] = np.where(kinds == HELD, 0.0, refine(unit.reshape(coarse)))
    products = np.array([mesh.product(u) for u in prolonged])
    return prolonged.reshape(size, -1) @ products.reshape(size, -1).T


def stencil_of(mesh, kinds, share):
    """The stencil that a rank with this share of the grid computes, and its first plane."""
    local = slice(share.first_layer, share.end_layer)
    layers = np.arange(share.owned_layers.start, share.owned_layers.stop)
    first = share.first_layer + layers[0]
    planes = (first + layers.size - 1) // 2 - first // 2 + 2
    _, ny, nx = mesh.bearing.shape
    shape = (planes, ny // 2 + 1, nx // 2 + 1)
    values = np.full((-(-int(np.prod(shape)) // LANES), 27, 3, 3, LANES), np.nan, np.float32)
    coarse_stencil(
        first, layers, mesh.bearing[local], kinds[share.first_layer : share.end_layer + 1],
        mesh.points[local], mesh.bulk[local], children(hexahedron(1.0, mesh.kind)), values,
    )  # fmt: skip
    return as_stencil(values, shape), first // 2


def as_stencil(values, shape):
    """Stencil (planes, ny, nx, 3, 27, 3) of values in lanes."""
    rows = values.transpose(0, 4, 3, 1, 2).reshape(-1, 3, 27, 3)
    nodes = int(np.prod(shape))
    assert not rows[nodes:].any()
    return rows[:nodes].reshape(*shape, 3, 27, 3)


def in_lanes(stencil):
    """Values in lanes of a stencil."""
    rows = stencil.reshape(-1, 3, 27, 3)
    rows = np.pad(rows, ((0, -len(rows) % LANES), (0, 0), (0, 0), (0, 0)))
    values = rows.reshape(-1, LANES, 3, 27, 3).transpose(0, 3, 4, 2, 1)
    return np.ascontiguousarray(values, np.float32)


def as_matrix(stencil):
    """A stencil of all planes as a matrix; what points out of the grid must be zero."""
    counts = stencil.shape[:3]
    number = np.pad(np.arange(np.prod(counts)).reshape(counts), 1, constant_values=-1)
    matrix = np.zeros((np.prod(counts), 3, np.prod(counts) + 1, 3))
    for d in range(27):
        z, y, x = d // 9, d // 3 % 3, d % 3
        other = number[z : z + counts[0], y : y + counts[1], x : x + counts[2]].ravel()
        matrix[np.arange(other.size), :, other] += stencil[..., d, :].reshape(-1, 3, 3)
    assert not matrix[:, :, -1].any()
    size = 3 * int(np.prod(counts))
    return matrix[:, :, :-1].reshape(size, size)


@pytest.mark.parametrize("fraction", [0.0, 0.15, 0.5])
@pytest.mark.parametrize("shape", [(4, 4, 4), (8, 4, 12), (2, 6, 10)])
def test_coarse_matrix_is_the_galerkin_product(shape, fraction, build):
    mesh, kinds = build(shape, fraction)
    assert (kinds == HELD).any()
    found = as_matrix(stencil_of(mesh, kinds, slab(shape[0], 0, 1))[0])
    expected = by_products(mesh, kinds)
    np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())
    np.testing.assert_allclose(found, found.T, atol=1e-6 * np.abs(found).max())


def test_held_nodes_matter(build):
    """Their elements take another path through the code: both give the same where none is held."""
    mesh, kinds = build((4, 4, 8))
    share = slab(4, 0, 1)
    held = as_matrix(stencil_of(mesh, kinds, share)[0])
    free = as_matrix(stencil_of(mesh, np.zeros_like(kinds), share)[0])
    expected = by_products(mesh, np.zeros_like(kinds))
    np.testing.assert_allclose(free, expected, atol=1e-6 * np.abs(expected).max())
    assert np.abs(held - free).max() > 0.01 * np.abs(free).max()


def test_empty_part_of_the_grid_gives_zeros(named, grid):
    """Coarse nodes amid voids have no stiffness: the solver gives them a diagonal."""
    bearing = np.ones((8, 4, 8), dtype=bool)
    bearing[2:6, :, 2:6] = False
    mesh = grid(bearing, named("staged"))
    mesh.forces(mesh.linear(0.01 * GRADIENT), 2.0)
    stencil, _ = stencil_of(mesh, degrees_of_freedom(bearing), slab(8, 0, 1))
    assert not stencil[2, :, 2].any()
    stencil[2, :, 2] = 1.0
    assert np.all(stencil[..., [0, 1, 2], 13, [0, 1, 2]] > 0)


@pytest.mark.parametrize("ranks", [2, 3, 5])
def test_slabs_of_several_ranks_sum_up_to_the_whole(ranks, build):
    """Two ranks have coarse elements of their own, more share some: odd first layers."""
    mesh, kinds = build((8, 4, 12))
    whole, _ = stencil_of(mesh, kinds, slab(8, 0, 1))
    total, odd = np.zeros_like(whole), False
    for rank in range(ranks):
        share = slab(8, rank, ranks)
        part, plane = stencil_of(mesh, kinds, share)
        total[plane : plane + len(part)] += part
        odd = odd or (share.first_layer + share.owned_layers.start) % 2 == 1
    assert odd == (ranks > 2)
    np.testing.assert_allclose(total, whole, atol=1e-6 * np.abs(whole).max())


def interpolation(counts):
    """P to nodes `counts` from the next grid, whose last elements stick out of an odd one."""
    matrix = np.ones((1, 1))
    for count in counts:
        axis = np.zeros((count, count // 2 + 1))
        for n in range(count):
            axis[n, n // 2] += 0.5
            axis[n, (n + 1) // 2] += 0.5
        matrix = np.kron(matrix, axis)
    return np.kron(matrix, np.identity(3))


@pytest.mark.parametrize("cuts", [(), (2,), (3,), (1, 4)], ids=str)
@pytest.mark.parametrize("counts", [(5, 3, 5), (6, 4, 3), (7, 6, 5)], ids=str)
def test_the_grid_after_is_the_galerkin_product_too(counts, cuts):
    """What ranks give to it sums up, wherever their slabs are cut: at these planes of nodes."""
    generator = np.random.default_rng(0)
    whole = generator.normal(size=(*counts, 3, 27, 3)).astype(np.float32)
    number = np.stack(np.indices(counts), axis=-1)
    for d in range(27):
        other = number + (d // 9 - 1, d // 3 % 3 - 1, d % 3 - 1)
        whole[~((other >= 0) & (other < counts)).all(axis=-1), :, d] = 0.0
    coarse = tuple(count // 2 + 1 for count in counts)
    total = np.zeros((*coarse, 3, 27, 3))
    edges = (0, *cuts, counts[0] - 1)
    left = whole.copy()
    for first, last in zip(edges[:-1], edges[1:], strict=True):
        # Of a plane that two ranks give to, this one gives what does not point beyond.
        mine = left[first : last + 1].copy()
        mine[-1, ..., 18:, :] = 0.0 if last < counts[0] - 1 else mine[-1, ..., 18:, :]
        left[first : last + 1] -= mine
        part = np.full(((last + 1) // 2 - first // 2 + 1, *coarse[1:], 3, 27, 3), np.nan)
        coarsen(in_lanes(mine), mine.shape[:3], first, part)
        total[first // 2 : first // 2 + len(part)] += part
    interpolate = interpolation(counts)
    expected = interpolate.T @ as_matrix(whole) @ interpolate
    np.testing.assert_allclose(as_matrix(total), expected, atol=1e-5 * np.abs(expected).max())
