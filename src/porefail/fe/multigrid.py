"""Linear systems of the voxel grid: conjugate gradients with geometric multigrid (PETSc).

Each coarser grid has half the elements along each axis; trilinear interpolation joins the grids
and coarse matrices are Galerkin products, so pores need no mesh of their own on coarse grids. The
finest grid has no matrix (see tangent.py); that of the next one is computed element by element
(coarse.py), and multiplied in single precision (stencil.py).
"""

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc
from scipy import sparse

from porefail.fe.coarse import children, coarse_stencil
from porefail.fe.grid import HELD, Slab
from porefail.fe.hexahedron import hexahedron
from porefail.fe.lanes import LANES
from porefail.fe.seams import fill_seams
from porefail.fe.stencil import Stencil
from porefail.fe.tangent import bulk_shape, diagonal, lines_size, multiply, points_shape

PREFIX = "porefail_"

# Iterations that a new preconditioner costs about as much as: after so many in excess it is due.
REFRESH = 6

OPTIONS = {
    "ksp_type": "cg",
    "pc_type": "mg",
    "pc_mg_levels": 2,
    "mg_levels_ksp_type": "chebyshev",
    "mg_levels_ksp_max_it": 2,
    # The range that is smoothed, in parts of the largest eigenvalue: the plastic tangent has many
    # small ones, which are the coarse grid's business. Found by trial, as the 2 above.
    "mg_levels_ksp_chebyshev_esteig": "0,0.2,0,1.1",
    "mg_levels_pc_type": "jacobi",
    # The second grid, again with multigrid.
    "mg_coarse_ksp_type": "preonly",
    "mg_coarse_pc_type": "mg",
    "mg_coarse_pc_mg_levels": 2,
    "mg_coarse_pc_use_amat": None,  # products by the stencil; the sparse matrix is for the third
    "mg_coarse_mg_levels_ksp_type": "chebyshev",
    "mg_coarse_mg_levels_ksp_max_it": 2,
    "mg_coarse_mg_levels_pc_type": "jacobi",
    "mg_coarse_mg_coarse_ksp_type": "preonly",
    "mg_coarse_mg_coarse_pc_type": "redundant",
    "mg_coarse_mg_coarse_redundant_pc_type": "cholesky",
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


def _rows(total: int, rank: int, size: int) -> tuple[int, int]:
    """Share of a rank in the unknowns of a coarse grid: those of whole nodes."""
    nodes = total // 3
    return 3 * (nodes * rank // size), 3 * (nodes * (rank + 1) // size)


def _distributed(
    matrix: sparse.spmatrix, rows: tuple[int, int], columns: tuple[int, int], comm: MPI.Comm
) -> PETSc.Mat:
    own = sparse.csr_matrix(matrix)[rows[0] : rows[1]]
    return PETSc.Mat().createAIJ(
        ((rows[1] - rows[0], matrix.shape[0]), (columns[1] - columns[0], matrix.shape[1])),
        csr=(own.indptr.astype(np.int32), own.indices.astype(np.int32), own.data),
        comm=comm,
    )


class Tangent:
    """The tangent of a rank's share as PETSc sees it; held degrees of freedom are decoupled.

    `points` and `bulk` are written by evaluation.evaluate. element: of hexahedron.ELEMENTS.
    """

    def __init__(self, bearing, kinds, share: Slab, scale: float, comm: MPI.Comm, element: str):
        self.bearing, self.kinds, self.share = bearing, kinds, share
        self.element = hexahedron(1.0, element)
        self.points = np.zeros(points_shape(bearing.shape), np.float32)
        self.bulk = np.zeros(bulk_shape(bearing.shape, self.element), np.float32)
        self.scale = scale
        self._comm = comm
        self._u = np.zeros(kinds.shape)
        self._force = np.zeros(kinds.shape)
        self._lines = np.zeros((2, lines_size(bearing.shape)), np.float32)

    def forget(self, gone: np.ndarray) -> None:
        """Elements (layers, ny, nx) that have no stiffness any more."""
        k, j, i = np.nonzero(gone)
        self.points[k, j, i // LANES, :, :, i % LANES] = 0.0
        self.bulk[k, j, i // LANES, :, i % LANES] = 0.0

    def mult(self, matrix, x, y):
        """PETSc's matrix product."""
        owned = self.share.owned
        given = x.getArray(readonly=True).reshape(self._force[owned].shape)
        result = y.getArray().reshape(given.shape)
        if given.shape == self._force.shape:
            self._multiply(given, result)
            return
        self._u[owned] = given
        fill_seams(self._u, self.share, self._comm)
        self._multiply(self._u, self._force)
        result[:] = self._force[owned]

    def _multiply(self, u, force):
        multiply(u, self.kinds, self.scale, self.points, self.bulk, self._lines, force)

    def getDiagonal(self, matrix, diag):  # noqa: N802 - PETSc's name
        """PETSc's diagonal."""
        diagonal(
            self.bearing,
            self.kinds,
            self.scale,
            self.points,
            self.bulk,
            self.element,
            self._force,
        )
        diag.getArray()[:] = self._force[self.share.owned].ravel()


class Multigrid:
    """Solver for one specimen; its matrix may change, its grid and held nodes may not.

    shape: elements (nz, ny, nx), each divisible by 4; kinds: all degrees of freedom of the grid
    (nz+1, ny+1, nx+1, 3); tangent: of this rank's share. Collective over comm.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        kinds: np.ndarray,
        tangent: Tangent,
        comm: MPI.Comm,
    ):
        for key, value in OPTIONS.items():
            PETSc.Options()[PREFIX + key] = value
        share = tangent.share
        self._comm, self._tangent = comm, tangent
        self._kin = children(tangent.element)
        # Iterations a decade of the best solve with this preconditioner, and those beyond it.
        self._fresh_effort, self._excess = np.inf, np.inf
        plane = kinds[0].size
        fine_rows = (share.first_plane * plane, share.end_plane * plane)
        local = fine_rows[1] - fine_rows[0]
        self._matrix = PETSc.Mat().createPython(
            ((local, kinds.size), (local, kinds.size)), context=tangent, comm=comm
        )
        self._matrix.setUp()
        self._matrix.setOption(PETSc.Mat.Option.SPD, True)
        self._right, self._left = self._matrix.createVecs()

        second = tuple(count // 2 for count in shape)
        third = tuple(count // 2 for count in second)
        counts = [3 * int(np.prod(np.array(grid) + 1)) for grid in (second, third)]
        second_rows, third_rows = (_rows(count, comm.rank, comm.size) for count in counts)
        self._coarse = self._coarse_matrix(second, second_rows, counts[0])
        self._product = Stencil(self._coarse, tuple(count + 1 for count in second))
        product = PETSc.Mat().createPython(
            self._coarse.getSizes(), context=self._product, comm=comm
        )
        product.setUp()
        free = sparse.diags((kinds.ravel() != HELD).astype(float))
        down = _distributed(free @ _interpolation(second), fine_rows, second_rows, comm)
        further = _distributed(_interpolation(third), second_rows, third_rows, comm)

        self._ksp = PETSc.KSP().create(comm)
        self._ksp.setOptionsPrefix(PREFIX)
        self._ksp.setOperators(self._matrix)
        pc = self._ksp.getPC()
        pc.setType("mg")
        pc.setMGLevels(2)
        pc.setMGInterpolation(1, down)
        coarse = pc.getMGCoarseSolve()
        coarse.setOperators(product, self._coarse)
        coarse.getPC().setType("mg")
        coarse.getPC().setMGLevels(2)
        coarse.getPC().setMGInterpolation(1, further)
        self._further, self._third = further, self._coarse.ptap(further)
        coarse.getPC().getMGCoarseSolve().setOperators(self._third)
        self._ksp.setFromOptions()

    def _coarse_matrix(self, shape, rows: tuple[int, int], total: int) -> PETSc.Mat:
        """Matrix of the second grid, still empty; each rank adds what its own layers give."""
        layers = self._tangent.share.owned_layers
        offset = self._tangent.share.first_layer
        self._layers = np.arange(layers.start, layers.stop)
        self._first_layer = offset + layers.start
        first = self._first_layer // 2
        last = (offset + layers.stop - 1) // 2
        self._stencil = np.zeros((last - first + 2, shape[1] + 1, shape[2] + 1, 3, 27, 3))
        self._entries, coo_rows, coo_columns = _pattern(shape, first, last + 2)
        matrix = PETSc.Mat().create(self._comm)
        matrix.setSizes(((rows[1] - rows[0], total), (rows[1] - rows[0], total)))
        matrix.setOptionsPrefix(PREFIX + "mg_coarse_")
        matrix.setType("aij")
        matrix.setFromOptions()
        matrix.setPreallocationCOO(coo_rows, coo_columns)
        matrix.setValuesCOO(np.zeros(self._entries.size))
        matrix.setOption(PETSc.Mat.Option.SPD, True)
        return matrix

    def update(self) -> None:
        """Take note that the tangent has changed (collective).

        The preconditioner is kept until the iterations that a new one would have saved pay for it:
        the tangent changes little from one load step to the next.
        """
        self._matrix.stateIncrease()
        keep = self._excess < REFRESH
        self._ksp.getPC().setReusePreconditioner(keep)
        if keep:
            return
        self._fresh_effort, self._excess = np.inf, 0.0
        tangent = self._tangent
        coarse_stencil(
            self._first_layer,
            self._layers,
            tangent.bearing,
            tangent.kinds,
            tangent.points,
            tangent.bulk,
            self._kin,
            self._stencil,
        )
        self._coarse.setValuesCOO(self._stencil.ravel()[self._entries])
        diag = self._coarse.getDiagonal()
        array = diag.getArray()
        array[array == 0.0] = tangent.scale
        self._coarse.setDiagonal(diag)
        diag.destroy()
        self._product.update()
        self._coarse.ptap(self._further, self._third)

    def solve(self, force: np.ndarray, tolerance: float) -> tuple[np.ndarray, bool]:
        """Displacement (mm) of the owned planes under `force` (N), both (planes, ny+1, nx+1, 3).

        tolerance: of the preconditioned residual, relative. Returns the solution and whether
        the iteration converged.
        """
        self._ksp.setTolerances(rtol=tolerance, max_it=500)
        self._right.array[:] = force.ravel()
        self._ksp.solve(self._right, self._left)
        iterations, decades = self._ksp.getIterationNumber(), -np.log10(tolerance)
        self._fresh_effort = min(self._fresh_effort, iterations / decades)
        self._excess += iterations - self._fresh_effort * decades
        return self._left.array.reshape(force.shape).copy(), self._ksp.getConvergedReason() > 0

    def destroy(self) -> None:
        """Free PETSc's memory (collective)."""
        for item in (
            self._ksp, self._matrix, self._coarse, self._third, self._right, self._left
        ):  # fmt: skip
            item.destroy()
        PETSc.garbage_cleanup(self._comm)


def _pattern(shape: tuple[int, int, int], first: int, end: int):
    """Non-zeros of a matrix kept as a stencil (planes, ny+1, nx+1, 3, 27, 3), x fastest in the 27.

    shape: elements (nz, ny, nx); the node planes are [first, end). Returns the positions of the
    entries in the flat stencil, row by row, and their global rows and columns, 3·node + component.
    """
    counts = np.array(shape) + 1
    axes = (np.arange(first, end), np.arange(counts[1]), np.arange(counts[2]))
    node = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    offset = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(27, 3)
    neighbour = node[..., None, :] + offset
    inside = np.all((neighbour >= 0) & (neighbour < counts), axis=-1)
    number = np.ravel_multi_index(np.moveaxis(neighbour, -1, 0), counts, mode="clip")
    full = (*inside.shape[:3], 3, 27, 3)
    entries = np.flatnonzero(np.broadcast_to(inside[..., None, :, None], full))
    columns = (3 * number[..., None, :, None] + np.arange(3)) + np.zeros((3, 1, 1), int)
    rows = 3 * np.ravel_multi_index((first, 0, 0), counts) + entries // 81
    return entries, rows.astype(np.int32), columns.ravel()[entries].astype(np.int32)
