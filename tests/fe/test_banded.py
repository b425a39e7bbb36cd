"""The direct solver of the coarsest grid, against SciPy's."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import spsolve

from porefail.fe.banded import BandedCholesky
from porefail.fe.petsc import PETSc


def neighbours_matrix(shape, seed=0):
    """A random symmetric positive definite matrix that joins the neighbours in a grid of nodes."""
    generator = np.random.default_rng(seed)
    near = [np.abs(np.subtract.outer(range(n), range(n))) <= 1 for n in shape]
    joined = np.kron(np.kron(np.kron(*near[:2]), near[2]), np.ones((3, 3)))
    pattern = sparse.csr_matrix(joined)
    pattern.data[:] = generator.normal(size=pattern.nnz)
    matrix = sparse.csr_matrix(pattern + pattern.T)
    matrix.setdiag(1.0 + np.abs(matrix).sum(axis=1).A1)
    return matrix


def solver(matrix, shape):
    petsc = PETSc.Mat().createAIJ(
        matrix.shape, csr=(matrix.indptr, matrix.indices, matrix.data), comm=PETSc.COMM_SELF
    )
    ksp = PETSc.KSP().create(PETSc.COMM_SELF)
    ksp.setType("preonly")
    ksp.setOperators(petsc)
    ksp.getPC().setType("python")
    ksp.getPC().setPythonContext(BandedCholesky(petsc, shape))
    return ksp, petsc


def solve(ksp, right):
    x, y = ksp.getOperators()[0].createVecs()
    x.array[:] = right
    ksp.solve(x, y)
    return y.array.copy()


@pytest.mark.parametrize("shape", [(9, 3, 4), (3, 9, 4), (4, 3, 9), (3, 3, 3), (2, 2, 2)])
def test_solution_is_that_of_a_sparse_solver(shape):
    matrix = neighbours_matrix(shape)
    ksp, petsc = solver(matrix, shape)
    right = np.random.default_rng(1).normal(size=matrix.shape[0])
    np.testing.assert_allclose(solve(ksp, right), spsolve(matrix.tocsc(), right), rtol=1e-9)
    # Other values in the same pattern.
    other = neighbours_matrix(shape, seed=2)
    petsc.setValuesCSR(other.indptr, other.indices, other.data)
    petsc.assemble()
    np.testing.assert_allclose(solve(ksp, right), spsolve(other.tocsc(), right), rtol=1e-9)


def test_a_matrix_that_is_not_positive_definite_gives_no_number():
    matrix = neighbours_matrix((5, 3, 3))
    ksp, _ = solver(-matrix, (5, 3, 3))
    assert np.isnan(solve(ksp, np.ones(matrix.shape[0]))).all()
