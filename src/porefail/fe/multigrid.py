"""Linear systems of the voxel grid: conjugate gradients with geometric multigrid (PETSc).

Each coarser grid has half the elements along each axis; trilinear interpolation joins the grids
and coarse matrices are Galerkin products, so pores need no mesh of their own on coarse grids.
"""

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc
from scipy import sparse

from porefail.fe.assembly import Pattern
from porefail.fe.grid import HELD, Slab

LEVELS = 3

PREFIX = "porefail_"

OPTIONS = {
    # Plain products are faster than PETSc's inodes on these matrices.
    "mat_no_inode": None,
    "ksp_type": "cg",
    "pc_type": "mg",
    "pc_mg_galerkin": "both",
    "mg_levels_ksp_type": "chebyshev",
    "mg_levels_ksp_max_it": 2,
    "mg_levels_pc_type": "jacobi",
    "mg_coarse_ksp_type": "preonly",
    "mg_coarse_pc_type": "redundant",
    "mg_coarse_redundant_pc_type": "cholesky",
}


def _interpolation(coarse: tuple[int, int, int]) -> sparse.csr_matrix:
    """Trilinear interpolation of 3 components from a grid of `coarse` elements (z, y, x)."""
    axes = []
    for count in coarse:
        identity = sparse.identity(count + 1, format="lil")
        axis = sparse.lil_matrix((2 * count + 1, count + 1))
        axis[::2] = identity
        axis[1::2] = 0.5 * (identity[:-1] + identity[1:])
        axes.append(axis.tocsr())
    nodes = sparse.kron(sparse.kron(axes[0], axes[1]), axes[2])
    return sparse.kron(nodes, sparse.identity(3), format="csr")


class Multigrid:
    """Solver for one specimen; its matrix may change, its grid and held nodes may not.

    shape: elements (nz, ny, nx), each divisible by 4; kinds: all degrees of freedom of the grid
    (nz+1, ny+1, nx+1, 3). Collective over comm.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        kinds: np.ndarray,
        share: Slab,
        entries: Pattern,
        comm: MPI.Comm,
    ):
        for key, value in OPTIONS.items():
            PETSc.Options()[PREFIX + key] = value
        total = kinds.size
        local = (share.end_plane - share.first_plane) * kinds[0].size
        self._entries = entries
        self._comm = comm
        # Iterations a decade: of the last solve, and of the best with this preconditioner.
        self._effort, self._fresh_effort = np.inf, 0.0
        self._matrix = PETSc.Mat().create(comm)
        self._matrix.setSizes(((local, total), (local, total)))
        self._matrix.setOptionsPrefix(PREFIX)
        self._matrix.setType("aij")
        self._matrix.setFromOptions()
        self._matrix.setPreallocationCOO(entries.rows, entries.columns)
        self._matrix.setOption(PETSc.Mat.Option.SPD, True)
        self._right, self._left = self._matrix.createVecs()

        self._ksp = PETSc.KSP().create(comm)
        self._ksp.setOptionsPrefix(PREFIX)
        self._ksp.setOperators(self._matrix)
        pc = self._ksp.getPC()
        pc.setType("mg")
        pc.setMGLevels(LEVELS)
        fine = shape
        first, end = share.first_plane * kinds[0].size, share.end_plane * kinds[0].size
        for level in range(LEVELS - 1, 0, -1):
            coarse = tuple(count // 2 for count in fine)
            matrix = _interpolation(coarse)
            if level == LEVELS - 1:
                matrix = sparse.diags((kinds.ravel() != HELD).astype(float)) @ matrix
            columns = 3 * np.prod(np.array(coarse) + 1)
            ranks, rank = comm.size, comm.rank
            coarse_first, coarse_end = (columns * r // ranks for r in (rank, rank + 1))
            own = sparse.csr_matrix(matrix)[first:end]
            interpolation = PETSc.Mat().createAIJ(
                ((end - first, matrix.shape[0]), (coarse_end - coarse_first, columns)),
                csr=(own.indptr.astype(np.int32), own.indices.astype(np.int32), own.data),
                comm=comm,
            )
            pc.setMGInterpolation(level, interpolation)
            fine, first, end = coarse, coarse_first, coarse_end
        self._ksp.setFromOptions()

    def set_matrix(self, stencil: np.ndarray) -> None:
        """Take the constrained tangent of the owned planes (see assembly), N/mm.

        The preconditioner is kept while it serves: it costs as much as a solve, and the tangent
        changes little from one load step to the next.
        """
        self._matrix.setValuesCOO(stencil.ravel()[self._entries.entries])
        self._ksp.setOperators(self._matrix)
        keep = self._effort <= 1.5 * self._fresh_effort
        self._ksp.getPC().setReusePreconditioner(keep)
        if not keep:
            self._fresh_effort = np.inf

    def solve(self, force: np.ndarray, tolerance: float) -> tuple[np.ndarray, bool]:
        """Displacement (mm) of the owned planes under `force` (N), both (planes, ny+1, nx+1, 3).

        tolerance: of the preconditioned residual, relative. Returns the solution and whether
        the iteration converged.
        """
        self._ksp.setTolerances(rtol=tolerance, max_it=500)
        self._right.array[:] = force.ravel()
        self._ksp.solve(self._right, self._left)
        self._effort = self._ksp.getIterationNumber() / -np.log10(tolerance)
        self._fresh_effort = min(self._fresh_effort, self._effort)
        return self._left.array.reshape(force.shape).copy(), self._ksp.getConvergedReason() > 0

    def destroy(self) -> None:
        """Free PETSc's memory (collective)."""
        for item in (self._ksp, self._matrix, self._right, self._left):
            item.destroy()
        PETSc.garbage_cleanup(self._comm)
