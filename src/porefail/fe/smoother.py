"""Chebyshev smoothing with the diagonal on the finest grid, in single precision (numba).

The residual is carried along: a step of the smoother and the product that brings the residual up to
date are all that is done, in the layout of lines.py, with no conversion in between.
"""

import numpy as np
from mpi4py import MPI
from numba import njit
from scipy.linalg import eigh_tridiagonal

from porefail.fe.grid import FREE, Slab
from porefail.fe.lines import line_length, lines_size, planes_of, to_lines
from porefail.fe.seams import fill_seams
from porefail.fe.tangent import diagonal, subtract_product

# The range that is smoothed, in parts of the estimate of the largest eigenvalue: the plastic
# tangent has many small ones, which are the coarse grid's business. Found by trial, as the number
# of steps.
RANGE = 0.2, 1.1
STEPS = 2

# By so much a diagonal may grow before it is made anew: the cycle stays positive definite up to the
# sum of RANGE times the estimate.
GROWTH = 1.1

# Steps of Lanczos' method that estimate the largest eigenvalue.
LANCZOS = 10


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _advance(inverse, rest, momentum, size, step, total):
    """step = momentum·step + size·inverse·rest; total += step."""
    momentum, size = np.float32(momentum), np.float32(size)
    for n in range(step.size):
        step[n] = momentum * step[n] + size * inverse[n] * rest[n]
        total[n] += step[n]


@njit(cache=True, error_model="numpy")
def _invert(diag, kinds, inverse, free):
    """Take diag's inverse over where it is smaller by GROWTH; zero what is not free.

    All are lines but kinds, local degrees of freedom; free is written: one, or zero.
    """
    planes, ny, nx, _ = kinds.shape
    line = line_length(nx)
    at = 0
    for k in range(planes):
        for j in range(ny):
            for c in range(3):
                for i in range(nx):
                    of = kinds[k, j, i, c] == FREE
                    free[at + i] = 1.0 if of else 0.0
                    new = 1.0 / diag[at + i] if of else 0.0
                    if new * GROWTH < inverse[at + i]:
                        inverse[at + i] = new
                for i in range(nx, line):
                    free[at + i] = inverse[at + i] = 0.0
                at += line
    free[at:] = 0.0
    inverse[at:] = 0.0


class Smoother:
    """Smoothing of A u = b on a rank's share; u is zero where degrees of freedom are not free.

    kinds: local degrees of freedom (layers+1, ny+1, nx+1, 3); points, bulk: see tangent.py.
    step, total, rest: lines; the last correction, u, and b − A u, right on the owned planes.
    Collective over comm.
    """

    def __init__(
        self,
        kinds: np.ndarray,
        points: np.ndarray,
        bulk: np.ndarray,
        share: Slab,
        comm: MPI.Comm,
    ):
        self._tangent, self._share, self._comm = (points, bulk), share, comm
        self._kinds, self._layers = kinds, kinds.shape[0] - 1
        size = lines_size(tuple(n - 1 for n in kinds.shape[:3]))
        self.free, self._inverse, self.step, self.total, self.rest = np.zeros((5, size), np.float32)
        self._coefficients: list[tuple[float, float]] = []

    def follow(self) -> None:
        """Keep the steps safe for a tangent that has changed; heed what is no longer free.

        The diagonal is taken over where it has grown much, as where points unload: else eigenvalues
        would leave the range of the steps. Where it has fallen it stays: smaller, it would raise
        them.
        """
        diag = self.step  # scratch
        diagonal(*self._tangent, diag)
        _invert(diag, self._kinds, self._inverse, self.free)

    def choose(self) -> None:
        """Choose diagonal and steps for the tangent as it is."""
        self._inverse[:] = np.inf
        self.follow()
        largest = self._largest_eigenvalue()
        low, high = (part * largest for part in RANGE)
        centre, half_width = (high + low) / 2, (high - low) / 2
        # Saad, Iterative Methods for Sparse Linear Systems (2003), algorithm 12.1.
        ratio = half_width / centre
        self._coefficients = [(0.0, 1.0 / centre)]
        for _ in range(STEPS - 1):
            following = 1.0 / (2.0 * centre / half_width - ratio)
            self._coefficients.append((following * ratio, 2.0 * following / half_width))
            ratio = following

    def start(self) -> None:
        """u = 0; `rest` is to be b."""
        self.total[:] = 0.0
        self.step[:] = 0.0

    def smooth(self, finish: bool) -> None:
        """Smooth; `rest` stays as it was before the last step if `finish`."""
        for number, (momentum, size) in enumerate(self._coefficients, 1):
            _advance(self._inverse, self.rest, momentum, size, self.step, self.total)
            if number < STEPS or not finish:
                fill_seams(planes_of(self.step, self._layers), self._share, self._comm)
                subtract_product(*self._tangent, self.step, self.rest)

    def correct(self) -> None:
        """Add `step`, given on all planes of the slab, to u."""
        self.total += self.step
        subtract_product(*self._tangent, self.step, self.rest)

    def _dot(self, a: np.ndarray, b: np.ndarray) -> float:
        owned = self._share.owned
        a, b = (planes_of(lines, self._layers)[owned].ravel() for lines in (a, b))
        return self._comm.allreduce(float(np.dot(a, b)))

    def _largest_eigenvalue(self) -> float:
        """Estimate, from below, of the largest eigenvalue of the inverse diagonal times A.

        Conjugate gradients' coefficients are those of Lanczos' method.
        """
        rest, product, u = np.zeros((3, self.rest.size), np.float32)
        noise = np.empty(self._kinds.shape, np.float32)
        planes = range(self._share.first_layer, self._share.end_layer + 1)
        for plane, number in zip(noise, planes, strict=True):
            # Numbers without pattern, the same for however many ranks.
            place = number * plane.size + np.arange(plane.size, dtype=float)
            plane[...] = np.sin(place**2).reshape(plane.shape)
        to_lines(noise, self._kinds, rest)
        del noise
        rest *= self.free
        alphas, betas, before = [], [], 0.0
        for _ in range(LANCZOS):
            square = self._dot(rest, self._inverse * rest)
            if not square > 0.0:
                break
            beta = square / before if before else 0.0
            u = self._inverse * rest + np.float32(beta) * u
            fill_seams(planes_of(u, self._layers), self._share, self._comm)
            product[:] = 0.0
            subtract_product(*self._tangent, u, product)
            alpha = square / -self._dot(u, product)
            rest += np.float32(alpha) * product
            alphas.append(alpha)
            betas.append(beta)
            before = square
        alphas, betas = np.array(alphas), np.array(betas)
        main = 1.0 / alphas
        main[1:] += betas[1:] / alphas[:-1]
        return eigh_tridiagonal(main, np.sqrt(betas[1:]) / alphas[:-1], eigvals_only=True)[-1]
