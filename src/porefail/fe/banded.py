"""Direct solver of the coarsest grid, as PETSc sees a preconditioner: Cholesky in a band (LAPACK).

Nodes are numbered along the grid's longest axis last, so that the band is narrow. Every rank
factors the whole matrix.
"""

import numpy as np
from mpi4py import MPI
from scipy.linalg.lapack import dpbtrf, dpbtrs

from porefail.fe.petsc import PETSc


class BandedCholesky:
    """Solution with the matrix of a grid, degrees of freedom 3·node + component.

    matrix: symmetric positive definite, joins neighbours alone, its pattern does not change; shape:
    nodes (z, y, x). Collective over the matrix' communicator.
    """

    def __init__(self, matrix: PETSc.Mat, shape: tuple[int, int, int]):
        self._whole = PETSc.IS().createStride(matrix.getSize()[0], 0, 1, MPI.COMM_SELF)
        vector = matrix.createVecRight()
        self._scatter, self._near = PETSc.Scatter.toAll(vector)
        axes = np.argsort(shape, kind="stable")[::-1]
        size = int(np.prod(shape))
        nodes = np.arange(size).reshape(shape).transpose(axes).ravel()
        self._order = (3 * nodes[:, None] + np.arange(3)).ravel()
        place = np.empty(3 * size, int)
        place[self._order] = np.arange(3 * size)
        _, middle, short = np.array(shape)[axes]
        # To the node one further along all axes, from its first to its last component.
        self._width = 3 * (middle * short + short + 1) + 2
        self._copies = matrix.createSubMatrices(self._whole)
        starts, columns, _ = self._copies[0].getValuesCSR()
        below = place[np.repeat(np.arange(3 * size), np.diff(starts))] - place[columns]
        self._lower = np.flatnonzero(below >= 0)
        # Of the entries below the diagonal, in a matrix (column, distance from the diagonal).
        self._places = (place[columns] * (self._width + 1) + below)[self._lower]
        self._band = np.zeros((3 * size, self._width + 1))

    def setUp(self, pc):  # noqa: N802 - PETSc's name
        """PETSc's notice that the matrix has changed."""
        pc.getOperators()[1].createSubMatrices(self._whole, submats=self._copies)
        self._band.reshape(-1)[:] = 0.0
        self._band.reshape(-1)[self._places] = self._copies[0].getValuesCSR()[2][self._lower]
        _, info = dpbtrf(self._band.T, lower=1, overwrite_ab=1)  # in place
        if info:  # not positive definite: PETSc's iteration ends when it sees this
            self._band[:] = np.nan

    def apply(self, pc, x, y):
        """PETSc's preconditioner."""
        self._scatter.scatter(x, self._near)
        result, _ = dpbtrs(self._band.T, self._near.getArray()[self._order], lower=1)
        self._near.getArray()[self._order] = result
        y.getArray()[:] = self._near.getArray()[slice(*y.getOwnershipRange())]
