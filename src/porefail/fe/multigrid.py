"""Linear systems of the voxel grid: conjugate gradients with geometric multigrid (PETSc).

Each coarser grid has half the elements along each axis; trilinear interpolation joins the grids
and coarse matrices are Galerkin products, so pores need no mesh of their own on coarse grids. The
finest grid has no matrix (see tangent.py), and a V-cycle of its own (cycle.py); that of the next
one is computed element by element (coarse.py) and kept in single precision (stencil.py); from the
third grid on they are sparse, and the coarsest, the first one that is cheap to factor, is factored
(banded.py).
"""

import numpy as np
from mpi4py import MPI
from scipy import sparse

from porefail.fe.banded import BandedCholesky
from porefail.fe.coarse import children, coarse_stencil, coarsen
from porefail.fe.cycle import Cycle
from porefail.fe.grid import Slab
from porefail.fe.hexahedron import hexahedron
from porefail.fe.lanes import LANES
from porefail.fe.lines import lines_size
from porefail.fe.petsc import PETSc
from porefail.fe.seams import fill_seams
from porefail.fe.smoother import Smoother
from porefail.fe.stencil import Stencil
from porefail.fe.tangent import bulk_shape, multiply, points_shape

PREFIX = "porefail_"

# Iterations that a new preconditioner costs about as much as: after so many in excess it is due.
REFRESH = 12

# Numbers in the band of a factored matrix, at most: 1.1 million at 7×7×28 elements.
BAND = 2_000_000

OPTIONS = {
    "ksp_type": "cg",
    # The second grid, again with multigrid.
    "second_ksp_type": "preonly",
    "second_pc_type": "mg",
    "second_mg_levels_ksp_type": "chebyshev",
    "second_mg_levels_ksp_max_it": 2,
    "second_mg_levels_pc_type": "jacobi",
    "second_mg_coarse_ksp_type": "preonly",
}


def _interpolation(fine: tuple[int, int, int]) -> sparse.csr_matrix:
    """Trilinear interpolation of 3 components to a grid of `fine` elements (z, y, x) from the next.

    Of an odd count the last coarse element sticks out: its far nodes are shared by fewer.
    """
    axes = []
    for count in fine:
        half = -(-count // 2)
        identity = sparse.identity(half + 1, format="lil")
        axis = sparse.lil_matrix((2 * half + 1, half + 1))
        axis[::2] = identity
        axis[1::2] = 0.5 * (identity[:-1] + identity[1:])
        axes.append(axis.tocsr()[: count + 1])
    nodes = sparse.kron(sparse.kron(axes[0], axes[1]), axes[2])
    whole = sparse.kron(nodes, sparse.identity(3), format="csr")
    whole.eliminate_zeros()  # kron stores some, and a node would reach beyond its neighbours
    return whole


def _coarser(shape: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    """Elements (z, y, x) of the second grid of a specimen and of all after it."""
    grids = [tuple(count // 2 for count in shape)]
    while len(grids) < 2 or _band(grids[-1]) > BAND:
        grids.append(tuple(-(-count // 2) for count in grids[-1]))
    return grids


def _band(shape: tuple[int, int, int]) -> int:
    """Numbers in the band of a grid's matrix."""
    short, middle, long = sorted(count + 1 for count in shape)
    return 9 * short**2 * middle**2 * long


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


class Multigrid:
    """Solver for one specimen; its matrix may change, its grid and held nodes may not.

    shape: elements (nz, ny, nx), each even; kinds: all degrees of freedom of the grid
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
        self._fresh_effort, self._excess, self._kept = np.inf, np.inf, False
        plane = kinds[0].size
        fine_rows = (share.first_plane * plane, share.end_plane * plane)
        local = fine_rows[1] - fine_rows[0]
        self._matrix = PETSc.Mat().createPython(
            ((local, kinds.size), (local, kinds.size)), context=tangent, comm=comm
        )
        self._matrix.setUp()
        self._matrix.setOption(PETSc.Mat.Option.SPD, True)
        self._right, self._left = self._matrix.createVecs()

        grids = _coarser(shape)
        counts = [3 * int(np.prod(np.array(grid) + 1)) for grid in grids]
        rows = [_rows(count, comm.rank, comm.size) for count in counts]
        self._second = self._second_grid(grids[0], rows[0])
        # From the third grid on: matrices, and interpolations to the grid before.
        self._matrices = [self._third_matrix(grids[1], rows[1], counts[1])]
        self._interpolations = [
            _distributed(_interpolation(grid), rows[n], rows[n + 1], comm)
            for n, grid in enumerate(grids[:-1])
        ]
        for further in self._interpolations[1:]:
            self._matrices.append(self._matrices[-1].ptap(further))

        self._second_ksp = coarse = PETSc.KSP().create(comm)
        coarse.setOptionsPrefix(PREFIX + "second_")
        coarse.setOperators(self._second.matrix)
        pc = coarse.getPC()
        pc.setType("mg")
        levels = len(grids)
        pc.setMGLevels(levels)
        for n, further in enumerate(self._interpolations):
            pc.setMGInterpolation(levels - 1 - n, further)
        for n, matrix in enumerate(self._matrices[:-1], start=1):
            pc.getMGSmoother(levels - 1 - n).setOperators(matrix)
        last = pc.getMGCoarseSolve()
        last.setOperators(self._matrices[-1])
        last.getPC().setType("python")
        last.getPC().setPythonContext(
            BandedCholesky(self._matrices[-1], tuple(count + 1 for count in grids[-1]))
        )
        coarse.setFromOptions()
        self._smoother = Smoother(tangent.kinds, tangent.points, tangent.bulk, share, comm)
        self._cycle = Cycle(tangent.kinds, self._smoother, share, coarse)
        self._ksp = PETSc.KSP().create(comm)
        self._ksp.setOptionsPrefix(PREFIX)
        self._ksp.setOperators(self._matrix)
        self._ksp.getPC().setType("python")
        self._ksp.getPC().setPythonContext(self._cycle)
        self._ksp.setFromOptions()

    def _second_grid(self, shape: tuple[int, int, int], rows: tuple[int, int]) -> Stencil:
        """Matrix of the second grid, still empty; each rank adds what its own layers give."""
        layers = self._tangent.share.owned_layers
        offset = self._tangent.share.first_layer
        self._layers = np.arange(layers.start, layers.stop)
        self._first_layer = offset + layers.start
        planes = (self._first_layer // 2, (offset + layers.stop - 1) // 2 + 2)
        return Stencil(tuple(count + 1 for count in shape), planes, rows, self._comm)

    def _third_matrix(self, shape, rows: tuple[int, int], total: int) -> PETSc.Mat:
        """Matrix of the third grid, still empty; each rank adds what its planes of the second give.

        shape: elements (nz, ny, nx).
        """
        first, last = self._second.first_plane, self._second.first_plane + self._second.shape[0] - 1
        planes = (first // 2, (last + 1) // 2 + 1)
        self._third = np.zeros((planes[1] - planes[0], shape[1] + 1, shape[2] + 1, 3, 27, 3))
        self._inside, coo_rows, coo_columns = _pattern(shape, *planes)
        matrix = PETSc.Mat().create(self._comm)
        matrix.setSizes(((rows[1] - rows[0], total), (rows[1] - rows[0], total)))
        matrix.setType("aij")
        matrix.setPreallocationCOO(coo_rows, coo_columns)
        matrix.setValuesCOO(np.zeros(coo_rows.size))
        matrix.setOption(PETSc.Mat.Option.SPD, True)
        return matrix

    def update(self) -> None:
        """Take note that the tangent has changed (collective).

        The preconditioner is kept until the iterations that a new one would have saved pay for it:
        the tangent changes little from one load step to the next.
        """
        self._matrix.stateIncrease()
        self._kept = self._excess < REFRESH
        if self._kept:
            self._smoother.follow()
        else:
            self._renew()

    def _renew(self) -> None:
        """Make the coarse grids and the smoother those of the tangent as it is."""
        self._fresh_effort, self._excess, self._kept = np.inf, 0.0, False
        tangent = self._tangent
        coarse_stencil(
            self._first_layer,
            self._layers,
            tangent.bearing,
            tangent.kinds,
            tangent.points,
            tangent.bulk,
            self._kin,
            self._second.values,
        )
        self._second.update(tangent.scale)
        coarsen(self._second.values, self._second.shape, self._second.first_plane, self._third)
        self._matrices[0].setValuesCOO(self._third[self._inside])
        for n, further in enumerate(self._interpolations[1:]):
            self._matrices[n].ptap(further, self._matrices[n + 1])
        self._smoother.choose()

    def solve(self, force: np.ndarray, tolerance: float) -> tuple[np.ndarray, bool]:
        """Displacement (mm) of the owned planes under `force` (N), both (planes, ny+1, nx+1, 3).

        tolerance: of the preconditioned residual, relative. Returns the solution, to be used
        before the next solve, and whether the iteration converged.
        """
        self._ksp.setTolerances(rtol=tolerance, max_it=500)
        self._right.array[:] = force.ravel()
        self._ksp.solve(self._right, self._left)
        if self._ksp.getConvergedReason() < 0 and self._kept:
            # What was kept may be of another tangent than to precondition this one.
            self._renew()
            self._ksp.solve(self._right, self._left)
        iterations, decades = self._ksp.getIterationNumber(), -np.log10(tolerance)
        self._fresh_effort = min(self._fresh_effort, iterations / decades)
        self._excess += iterations - self._fresh_effort * decades
        return self._left.array.reshape(force.shape), self._ksp.getConvergedReason() > 0

    def destroy(self) -> None:
        """Free PETSc's memory (collective)."""
        self._second.release()
        for item in (
            self._ksp, self._second_ksp, self._matrix, *self._matrices, *self._interpolations,
            self._right, self._left,
        ):  # fmt: skip
            item.destroy()
        PETSc.garbage_cleanup(self._comm)


def _pattern(shape: tuple[int, int, int], first: int, end: int):
    """Non-zeros of a matrix kept as a stencil (planes, ny+1, nx+1, 3, 27, 3), x fastest in the 27.

    shape: elements (nz, ny, nx); the node planes are [first, end). Returns which entries of the
    stencil are inside the grid (bool), and their global rows and columns, 3·node + component.
    """
    counts = np.array(shape) + 1
    axes = (np.arange(first, end), np.arange(counts[1]), np.arange(counts[2]))
    node = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    offset = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(27, 3)
    neighbour = node + offset
    inside = np.all((neighbour >= 0) & (neighbour < counts), axis=-1)
    number = 3 * np.ravel_multi_index(np.moveaxis(neighbour, -1, 0), counts, mode="clip")
    full = (len(node), 3, 27, 3)
    columns = number.astype(np.int32)[:, None, :, None] + np.arange(3, dtype=np.int32)
    inside = np.broadcast_to(inside[:, None, :, None], full)
    first_row = np.int32(3 * np.ravel_multi_index((first, 0, 0), counts))
    rows = first_row + np.arange(3 * len(node), dtype=np.int32)
    rows = np.repeat(rows, inside.reshape(rows.size, 81).sum(axis=1))
    columns = np.broadcast_to(columns, full)[inside]
    return inside.reshape(end - first, *counts[1:], *full[1:]), rows, columns
