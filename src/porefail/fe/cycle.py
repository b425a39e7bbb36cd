"""The V-cycle on the finest grid, in single precision, as PETSc sees a preconditioner."""

import numpy as np
from mpi4py import MPI

from porefail.fe.grid import Slab
from porefail.fe.lines import from_lines, to_lines
from porefail.fe.petsc import PETSc
from porefail.fe.smoother import Smoother
from porefail.fe.transfer import prolong, restrict


class Cycle:
    """Smoothing, correction from the next grid, smoothing: symmetric, on the owned planes.

    kinds: local degrees of freedom; coarse: solver of the next grid, whose nodes ranks own in any
    contiguous way. Collective over comm.
    """

    def __init__(self, kinds: np.ndarray, smoother: Smoother, share: Slab, coarse: PETSc.KSP):
        self._kinds, self._smoother, self._share, self._coarse = kinds, smoother, share, coarse
        self._u = np.zeros(kinds.shape)
        matrix = coarse.getOperators()[0]
        self._right, self._left = matrix.createVecs()
        # The planes of the next grid that the slab touches.
        first, last = share.first_layer // 2, (share.end_layer + 1) // 2
        rows, nodes = (n // 2 + 1 for n in kinds.shape[1:3])
        self._near_shape = (last - first + 1, rows, nodes, 3)
        plane = 3 * rows * nodes
        size = plane * self._near_shape[0]
        self._near = PETSc.Vec().createSeq(size)
        stride = PETSc.IS().createStride(size, first * plane, 1, MPI.COMM_SELF)
        self._scatter = PETSc.Scatter().create(self._right, stride, self._near, None)

    def apply(self, pc, x, y):
        """PETSc's preconditioner."""
        owned, smoother = self._share.owned, self._smoother
        self._u[owned] = x.getArray(readonly=True).reshape(self._u[owned].shape)
        to_lines(self._u, self._kinds, smoother.rest)
        smoother.start()
        smoother.smooth(finish=False)
        self._correct()
        smoother.smooth(finish=True)
        from_lines(smoother.total, self._u)
        y.getArray().reshape(self._u[owned].shape)[:] = self._u[owned]

    def _correct(self) -> None:
        """Correct by the solution of the next grid for the residual."""
        share, smoother = self._share, self._smoother
        layers, owned = self._kinds.shape[0] - 1, (share.owned.start, share.owned.stop)
        near = self._near.getArray().reshape(self._near_shape)
        restrict(smoother.rest, smoother.free, layers, share.first_layer, owned, near)
        self._right.set(0.0)
        self._scatter.scatter(
            self._near, self._right, PETSc.InsertMode.ADD_VALUES, PETSc.ScatterMode.REVERSE
        )
        self._coarse.solve(self._right, self._left)
        self._scatter.scatter(self._left, self._near)
        prolong(near, smoother.free, layers, share.first_layer, smoother.step)
        smoother.correct()
