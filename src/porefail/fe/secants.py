"""What past corrections of Newton's method tell about a tangent that is only roughly known."""

from collections.abc import Callable

import numpy as np
from mpi4py import MPI

KEPT = 8


class Secants:
    """Corrections and the changes of force that they brought, in one search for equilibrium.

    Limited-memory BFGS around the inverse of a positive definite tangent (Nocedal 1980,
    10.1090/S0025-5718-1980-0572855-7), which stays positive definite. Fields are those of the owned
    planes; collective over comm.
    """

    def __init__(self, comm: MPI.Comm):
        self.comm = comm
        self._pairs: list[tuple[np.ndarray, np.ndarray, float]] = []

    def _dot(self, a: np.ndarray, b: np.ndarray) -> float:
        return self.comm.allreduce(float(np.vdot(a, b)))

    def learn(self, correction: np.ndarray, change: np.ndarray) -> None:
        """Take in that `correction` (mm) changed the force of the free nodes by `change` (N)."""
        work = self._dot(correction, change)
        # Where the work is negative the equilibrium is no minimum: no positive definite tangent.
        if work > 0.0:
            self._pairs = [*self._pairs[1 - KEPT :], (correction, change, work)]

    def solve(
        self, inverse: Callable[[np.ndarray], tuple[np.ndarray, bool]], force: np.ndarray
    ) -> tuple[np.ndarray, bool]:
        """Correction for an unbalanced force; whether `inverse`, of the rough tangent, worked."""
        parts = []
        for correction, change, work in reversed(self._pairs):
            parts.append(self._dot(correction, force) / work)
            force = force - parts[-1] * change
        result, solved = inverse(force)
        for (correction, change, work), part in zip(self._pairs, reversed(parts), strict=True):
            result = result + (part - self._dot(change, result) / work) * correction
        return result, solved
