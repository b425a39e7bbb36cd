"""Products with the matrix of a coarse grid in single precision: 27 neighbours of 3×3 a node.

A product is bound by memory: a third of the bytes of a sparse matrix, and no column numbers.
Nodes of a rank's planes are numbered through, x fastest; eight that follow each other are the lanes
of a block, and their neighbours are at the same 27 distances everywhere, `row` along y, `plane`
along z. values: (blocks, 27 neighbours, 3 columns, 3 rows, LANES). What lies outside has zeros.
"""

import numpy as np
from llvmlite import ir
from mpi4py import MPI
from numba import njit, types
from numba.extending import intrinsic

from porefail.fe.lanes import LANES, load, places
from porefail.fe.petsc import PETSc


@intrinsic
def _multiply_block(typing, values, u, result, first, at, line, row, plane):
    """Product for one block. values: flat, those of the block from `first` on.

    u, result: components `line` apart; at: index of the block in them; row, plane: distances to
    the neighbours along y and z.
    """

    def emit(context, builder, signature, arguments):
        in_values, in_u, in_result = (
            places(context, builder, signature.args[n], arguments[n]) for n in range(3)
        )
        first, at, line, row, plane = arguments[3:]
        starts = [at, builder.add(at, line), builder.add(at, builder.add(line, line))]
        sums = [None] * 3
        for n in range(27):
            dz, dy, dx = n // 9 - 1, n // 3 % 3 - 1, n % 3 - 1
            away = builder.add(
                builder.mul(plane, ir.Constant(plane.type, dz)),
                builder.mul(row, ir.Constant(row.type, dy)),
            )
            for e in range(3):
                there = load(builder, in_u(builder.add(starts[e], away), dx))
                for c in range(3):
                    value = load(builder, in_values(first, ((n * 3 + e) * 3 + c) * LANES))
                    sums[c] = value * there if sums[c] is None else sums[c] + value * there
        for c in range(3):
            sums[c].store(in_result(starts[c]))
        return context.get_dummy_value()

    return types.void(values, u, result, first, at, line, row, plane), emit


@njit(cache=True)
def multiply_stencil(values, u, result, row, plane):
    """result = matrix · u; u, result: (3, plane+row+1 more at both ends, whole blocks), float32."""
    blocks, line = values.shape[0], u.shape[1]
    flat, flat_u, flat_result = values.reshape(-1), u.reshape(-1), result.reshape(-1)
    for b in range(blocks):
        _multiply_block(
            flat, flat_u, flat_result, b * 243 * LANES, plane + row + 1 + b * LANES,
            line, row, plane,
        )  # fmt: skip


class Stencil:
    """The matrix of a grid as PETSc sees one, the sum of what each rank gives to its planes.

    shape: nodes (z, y, x), at least 3 along y and x; planes: [first, end), the node planes that
    this rank gives to, others may give to them as well; rows: [first, end), its share of PETSc's
    vectors, degrees of freedom 3·node + component. `values` are to be written, then update()
    called. Collective over comm.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        planes: tuple[int, int],
        rows: tuple[int, int],
        comm: MPI.Comm,
    ):
        self.shape, self.first_plane = (planes[1] - planes[0], *shape[1:]), planes[0]
        self._row, self._plane = shape[2], shape[1] * shape[2]
        nodes = self.shape[0] * self._plane
        margin = self._plane + self._row + 1
        blocks = -(-nodes // LANES)
        self.values = np.zeros((blocks, 27, 3, 3, LANES), np.float32)
        self._u = np.zeros((3, LANES * blocks + 2 * margin), np.float32)
        self._result = np.zeros_like(self._u)
        self._own = slice(margin, margin + nodes)
        size = (rows[1] - rows[0], 3 * int(np.prod(shape)))
        self.matrix = PETSc.Mat().createPython((size, size), context=self, comm=comm)
        self.matrix.setUp()
        self.matrix.setOption(PETSc.Mat.Option.SPD, True)
        self._diagonal = self.matrix.createVecRight()
        self._scatter = self._near = None
        if comm.size > 1:
            self._near = PETSc.Vec().createSeq(3 * nodes)
            stride = PETSc.IS().createStride(
                3 * nodes, 3 * planes[0] * self._plane, 1, MPI.COMM_SELF
            )
            self._scatter = PETSc.Scatter().create(self._diagonal, stride, self._near, None)
        self._put(np.ones((nodes, 3)), self._diagonal)
        self._ranks = self._take(self._diagonal).astype(np.uint8)  # that give to each node

    def update(self, alone: float) -> None:
        """Heed new values; nodes that have no stiffness get `alone` on the diagonal."""
        self._put(self._own_diagonal(), self._diagonal)
        empty = self._take(self._diagonal) == 0.0
        numbers, components = np.nonzero(empty)
        self.values[numbers // LANES, 13, components, components, numbers % LANES] = (
            alone / self._ranks[empty]
        )
        self._put(self._own_diagonal(), self._diagonal)
        self.matrix.stateIncrease()

    def _own_diagonal(self) -> np.ndarray:
        """(nodes, 3), what this rank gives."""
        each = self.values[:, 13, range(3), range(3)].transpose(0, 2, 1).reshape(-1, 3)
        return each[: self._own.stop - self._own.start]

    def _take(self, vector) -> np.ndarray:
        """The part of a vector that belongs to this rank's planes, (nodes, 3)."""
        if self._scatter is not None:
            self._scatter.scatter(vector, self._near)
            vector = self._near
        return vector.getArray(readonly=True).reshape(-1, 3)

    def _put(self, parts: np.ndarray, vector) -> None:
        """Write the sum of the ranks' parts (nodes, 3) to a vector."""
        if self._scatter is None:
            vector.getArray().reshape(-1, 3)[:] = parts
            return
        self._near.getArray().reshape(-1, 3)[:] = parts
        vector.set(0.0)
        self._scatter.scatter(
            self._near, vector, PETSc.InsertMode.ADD_VALUES, PETSc.ScatterMode.REVERSE
        )

    def mult(self, matrix, x, y):
        """PETSc's matrix product."""
        self._u[:, self._own] = self._take(x).T
        multiply_stencil(self.values, self._u, self._result, self._row, self._plane)
        self._put(self._result[:, self._own].T, y)

    def getDiagonal(self, matrix, vector):  # noqa: N802 - PETSc's name
        """PETSc's diagonal."""
        self._diagonal.copy(vector)

    def release(self) -> None:
        """Free PETSc's memory (collective)."""
        for item in (self.matrix, self._diagonal, self._scatter, self._near):
            if item is not None:
                item.destroy()
