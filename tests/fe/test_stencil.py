"""Products with a coarse matrix: those of the sparse matrix itself, in single precision."""

import subprocess
import sys

import numpy as np
import pytest
from mpi4py import MPI
from scipy import sparse

from porefail.fe.lanes import LANES
from porefail.fe.stencil import Stencil

ALONE = 7.0


def random_matrix(shape):
    """All entries between nodes (z, y, x) that are neighbours, SciPy."""
    near = [sparse.diags([1.0, 1.0, 1.0], [-1, 0, 1], shape=(n, n)) for n in shape]
    nodes = sparse.kron(sparse.kron(near[0], near[1]), near[2])
    matrix = sparse.kron(nodes, np.ones((3, 3)), format="csr")
    matrix.eliminate_zeros()
    matrix.data = np.random.default_rng(0).normal(size=matrix.nnz)
    return matrix


def write(stencil, matrix, shape, planes, rank=0):
    """Give a rank's stencil its entries: the first rank that holds both ends of one gives it.

    planes: [first, end) of each rank.
    """
    stencil.values[:] = 0.0
    plane, first = shape[1] * shape[2], planes[rank][0]
    for row, column, value in zip(*sparse.find(matrix), strict=True):
        (node, c), (other, e) = divmod(row, 3), divmod(column, 3)
        low, high = sorted((node // plane, other // plane))
        holders = [n for n, (start, end) in enumerate(planes) if start <= low and high < end]
        if holders[0] != rank:
            continue
        steps = np.subtract(np.unravel_index(other, shape), np.unravel_index(node, shape))
        number = node - first * plane
        place = int(np.dot(steps + 1, (9, 3, 1)))
        stencil.values[number // LANES, place, e, c, number % LANES] = value


def alone(shape):
    size = 3 * int(np.prod(shape))
    return Stencil(shape, (0, shape[0]), (0, size), MPI.COMM_SELF)


@pytest.mark.parametrize("shape", [(2, 3, 3), (5, 4, 7), (3, 8, 8)])
def test_product_is_that_of_the_sparse_matrix(shape):
    """Also after the values have changed; nodes fill no, one or many blocks of lanes."""
    matrix = random_matrix(shape)
    stencil = alone(shape)
    x, y = stencil.matrix.createVecs()
    x.array[:] = np.random.default_rng(1).normal(size=x.size)
    for factor in (1.0, -2.0):
        write(stencil, factor * matrix, shape, [(0, shape[0])])
        stencil.update(ALONE)
        stencil.matrix.mult(x, y)
        expected = factor * matrix @ x.array
        np.testing.assert_allclose(y.array, expected, atol=1e-6 * np.abs(expected).max())
        diagonal = stencil.matrix.getDiagonal().array
        np.testing.assert_allclose(diagonal, factor * matrix.diagonal(), rtol=1e-6)
    stencil.release()


def test_nodes_without_stiffness_stand_alone():
    shape = (3, 4, 5)
    matrix = random_matrix(shape).tolil()
    empty = [17, 18, 19, 20, 100]
    matrix[empty], matrix[:, empty] = 0.0, 0.0
    stencil = alone(shape)
    write(stencil, matrix.tocsr(), shape, [(0, shape[0])])
    stencil.update(ALONE)
    x, y = stencil.matrix.createVecs()
    x.array[:] = 1.0 + np.arange(x.size)
    stencil.matrix.mult(x, y)
    np.testing.assert_array_equal(y.array[empty], ALONE * x.array[empty])
    np.testing.assert_array_equal(stencil.matrix.getDiagonal().array[empty], ALONE)
    stencil.release()


def product_on_ranks(shape: tuple[int, int, int]) -> float:
    """Largest relative difference from the sparse product; collective over all ranks."""
    comm = MPI.COMM_WORLD
    matrix = random_matrix(shape).tolil()
    nodes = int(np.prod(shape))
    empty = np.arange(2, 3 * nodes, 17)
    matrix[empty], matrix[:, empty] = 0.0, 0.0
    matrix = matrix.tocsr()
    cuts = [(shape[0] - 1) * rank // comm.size for rank in range(comm.size + 1)]
    # Neighbours share one plane, or two.
    planes = [
        (cuts[rank], min(cuts[rank + 1] + 1 + rank % 2, shape[0])) for rank in range(comm.size)
    ]
    rows = tuple(3 * (nodes * rank // comm.size) for rank in (comm.rank, comm.rank + 1))
    stencil = Stencil(shape, planes[comm.rank], rows, comm)
    write(stencil, matrix, shape, planes, comm.rank)
    stencil.update(ALONE)
    matrix = matrix.tolil()
    matrix[empty, empty] = ALONE
    matrix = matrix.tocsr()
    x, y = stencil.matrix.createVecs()
    x.array[:] = np.sin(np.arange(*rows))
    stencil.matrix.mult(x, y)
    expected = matrix @ np.sin(np.arange(3 * nodes))
    wrong = [y.array - expected[slice(*rows)]]
    wrong.append(stencil.matrix.getDiagonal().array - matrix.diagonal()[slice(*rows)])
    error = max(np.abs(each).max(initial=0.0) for each in wrong)
    return comm.allreduce(error, MPI.MAX) / np.abs(expected).max()


@pytest.mark.parametrize("ranks", [2, 4])
def test_ranks_share_a_product(ranks, mpiexec):
    """They share PETSc's vectors by nodes, what they give by planes: of four one gives nothing."""
    command = [mpiexec, "-n", str(ranks), sys.executable, __file__]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1e-6


if __name__ == "__main__":
    error = product_on_ranks((4, 6, 7))
    if MPI.COMM_WORLD.rank == 0:
        print(error)
