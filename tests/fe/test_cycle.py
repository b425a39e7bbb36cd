"""The preconditioner: a symmetric positive definite V-cycle, with the spectrum that it assumes."""

import numpy as np
import pytest
from mpi4py import MPI
from scipy import sparse

from porefail.fe.grid import FREE, degrees_of_freedom, load_bearing, slab
from porefail.fe.multigrid import Multigrid, Tangent
from porefail.fe.petsc import PETSc
from porefail.fe.smoother import RANGE

GRADIENT = np.array([[-0.45, 0.02, 0.01], [0.0, -0.45, 0.03], [-0.03, 0.02, 1.0]])
SHAPE = (8, 4, 4)


@pytest.fixture(params=[1e-4, 0.03], ids=["elastic", "plastic"])
def solver(request, grid, named):
    """A Multigrid of a porous grid, its free degrees of freedom and its matrix (dense) for them."""
    bearing = load_bearing(np.random.default_rng(0).random(SHAPE) >= 0.1)
    mesh = grid(bearing, named("staged"))
    for _ in range(10):
        mesh.forces(mesh.linear(request.param / 10 * GRADIENT), request.param / 10 / 0.002)
        mesh.accept()
    kinds = degrees_of_freedom(bearing)
    share = slab(SHAPE[0], 0, 1)
    tangent = Tangent(bearing, kinds, share, 12000.0, MPI.COMM_SELF, mesh.kind)
    tangent.points[:], tangent.bulk[:] = mesh.points, mesh.bulk
    multigrid = Multigrid(SHAPE, kinds, tangent, MPI.COMM_SELF)
    multigrid.update()
    free = np.flatnonzero(kinds.ravel() == FREE)
    units = np.identity(kinds.size)[free].reshape(-1, *kinds.shape)
    matrix = np.array([mesh.product(unit).ravel()[free] for unit in units])
    yield multigrid, kinds, matrix
    multigrid.destroy()


def applied(multigrid, residual):
    x, y = multigrid._matrix.createVecs()
    x.array[:] = residual.ravel()
    multigrid._ksp.getPC().apply(x, y)
    return y.array.reshape(residual.shape).copy()


def preconditioner(multigrid, kinds):
    free = np.flatnonzero(kinds.ravel() == FREE)
    units = np.identity(kinds.size)[free].reshape(-1, *kinds.shape)
    return np.array([applied(multigrid, unit).ravel()[free] for unit in units])


def test_preconditioner_is_symmetric_positive_definite(solver):
    multigrid, kinds, _ = solver
    matrix = preconditioner(multigrid, kinds)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-5 * np.abs(matrix).max())
    assert np.linalg.eigvalsh((matrix + matrix.T) / 2)[0] > 0


def test_what_is_not_free_stays_where_it_is(solver):
    multigrid, kinds, _ = solver
    u = applied(multigrid, np.random.default_rng(0).normal(size=kinds.shape))
    assert not u[kinds != FREE].any() and u[kinds == FREE].all()


def test_preconditioner_that_is_kept_stays_positive_definite_where_points_unload(solver):
    """The elastic tangent is up to twice as stiff as the one that the steps were chosen for."""
    multigrid, kinds, _ = solver
    points = multigrid._tangent.points
    points[..., 0, :] *= 2.0
    points[..., 1:, :] = 0.0
    multigrid.update()
    matrix = preconditioner(multigrid, kinds)
    assert np.linalg.eigvalsh((matrix + matrix.T) / 2)[0] > 0


def test_largest_eigenvalue_is_within_the_range_that_is_smoothed(solver):
    multigrid, _, matrix = solver
    root = np.sqrt(np.diagonal(matrix))
    exact = np.linalg.eigvalsh(matrix / root / root[:, None])[-1]
    estimate = multigrid._smoother._largest_eigenvalue()
    print("largest eigenvalue, estimate:", exact, estimate)
    assert exact / RANGE[1] < estimate < 1.0001 * exact


def test_cycle_is_that_of_petsc(solver):
    """PETSc's multigrid in double precision: assembled matrix, diagonal and coarse solver."""
    multigrid, kinds, matrix = solver
    free = np.flatnonzero(kinds.ravel() == FREE)
    axes = []
    for count in SHAPE:
        nodes = np.arange(count // 2 + 1)
        axes.append(np.maximum(1 - np.abs(np.arange(count + 1)[:, None] / 2 - nodes), 0))
    interpolation = np.kron(np.kron(np.kron(*axes[:2]), axes[2]), np.identity(3))[free]
    operator, down = (
        PETSc.Mat().createAIJ(m.shape, csr=(m.indptr, m.indices, m.data))
        for m in (sparse.csr_matrix((matrix + matrix.T) / 2), sparse.csr_matrix(interpolation))
    )
    pc = PETSc.PC().create(PETSc.COMM_SELF)
    pc.setType("mg")
    pc.setMGLevels(2)
    pc.setOperators(operator)
    pc.setMGInterpolation(1, down)
    coarse = multigrid._cycle._coarse
    pc.getMGCoarseSolve().setType("preonly")
    pc.getMGCoarseSolve().setOperators(*coarse.getOperators())
    pc.getMGCoarseSolve().setPC(coarse.getPC())
    smoother = pc.getMGSmoother(1)
    smoother.setType("chebyshev")
    smoother.getPC().setType("jacobi")
    smoother.setTolerances(max_it=2)
    smoother.setNormType(PETSc.KSP.NormType.NONE)
    largest = multigrid._smoother._largest_eigenvalue()
    PETSc.Options()["reference_ksp_chebyshev_eigenvalues"] = ",".join(
        str(part * largest) for part in RANGE
    )
    smoother.setOptionsPrefix("reference_")
    smoother.setFromOptions()
    pc.setUp()
    x, y = operator.createVecs()
    x.array[:] = np.random.default_rng(4).normal(size=free.size)
    pc.apply(x, y)
    residual = np.zeros(kinds.shape)
    residual.flat[free] = x.array
    found = applied(multigrid, residual).ravel()[free]
    np.testing.assert_allclose(found, y.array, atol=1e-5 * np.abs(found).max())
