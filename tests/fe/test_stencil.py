"""Products with a coarse matrix: those of the sparse matrix itself, in single precision."""

import subprocess
import sys

import numpy as np
import pytest
from mpi4py import MPI
from scipy import sparse

from porefail.fe.petsc import PETSc
from porefail.fe.stencil import Stencil


def random_matrix(shape):
    """All entries between nodes (z, y, x) that are neighbours, SciPy."""
    near = [sparse.diags([1.0, 1.0, 1.0], [-1, 0, 1], shape=(n, n)) for n in shape]
    nodes = sparse.kron(sparse.kron(near[0], near[1]), near[2])
    matrix = sparse.kron(nodes, np.ones((3, 3)), format="csr")
    matrix.eliminate_zeros()
    matrix.data = np.random.default_rng(0).normal(size=matrix.nnz)
    return matrix


def owned(matrix, first, end, comm=MPI.COMM_SELF):
    """The rows of nodes [first, end) as PETSc's matrix."""
    part = matrix[3 * first : 3 * end]
    size = (part.shape[0], matrix.shape[0])
    return PETSc.Mat().createAIJ(
        (size, size),
        csr=(part.indptr.astype(np.int32), part.indices.astype(np.int32), part.data),
        comm=comm,
    )


@pytest.mark.parametrize("shape", [(2, 3, 3), (5, 4, 7), (3, 8, 8)])
def test_product_is_that_of_the_sparse_matrix(shape):
    """Also after the values have changed; nodes fill no, one or many blocks of lanes."""
    matrix = random_matrix(shape)
    nodes = int(np.prod(shape))
    petsc = owned(matrix, 0, nodes)
    stencil = Stencil(petsc, shape)
    x, y = petsc.createVecs()
    x.array[:] = np.random.default_rng(1).normal(size=3 * nodes)
    for factor in (1.0, -2.0):
        petsc.scale(factor)
        matrix = matrix * factor
        stencil.update()
        stencil.mult(None, x, y)
        expected = matrix @ x.array
        np.testing.assert_allclose(y.array, expected, atol=1e-6 * np.abs(expected).max())


def product_on_ranks(shape: tuple[int, int, int]) -> float:
    """Largest relative difference from the sparse product; collective over all ranks."""
    comm = MPI.COMM_WORLD
    nodes = int(np.prod(shape))
    first, end = (nodes * rank // comm.size for rank in (comm.rank, comm.rank + 1))
    petsc = owned(random_matrix(shape), first, end, comm)
    stencil = Stencil(petsc, shape)
    stencil.update()
    x, y = petsc.createVecs()
    x.array[:] = np.sin(np.arange(3 * first, 3 * end))
    expected = y.duplicate()
    petsc.mult(x, expected)
    stencil.mult(None, x, y)
    error = np.abs(y.array - expected.array).max(initial=0.0)
    return comm.allreduce(error, MPI.MAX) / expected.norm(PETSc.NormType.INFINITY)


@pytest.mark.parametrize("ranks", [2, 4])
def test_ranks_share_a_product(ranks, mpiexec):
    """Four ranks: less than a plane each, so that neighbours are two ranks away."""
    command = [mpiexec, "-n", str(ranks), sys.executable, __file__]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1e-6


if __name__ == "__main__":
    error = product_on_ranks((3, 6, 7))
    if MPI.COMM_WORLD.rank == 0:
        print(error)
