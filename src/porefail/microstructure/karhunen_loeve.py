"""Karhunen-Loève expansion of the porosity process on a voxel grid (paper, section 2.2).

The pores are the places where a Gaussian random field is high. Its correlation is separable,
ρ(Δ) = Π_i exp(−(|Δ_i|/ℓ)^p), so the eigenvectors of its covariance matrix are tensor products of
the eigenvectors of three small matrices, one an axis: exact, and fast on any grid.
"""

import math
from functools import reduce
from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from porefail.errors import PorefailError

# Of `expansion`, as a configuration names them.
ARGUMENTS = ("shape", "spacing", "correlation_length", "exponent", "energy")


class KarhunenLoeve(NamedTuple):
    """A truncated expansion of a Gaussian field with unit variance at every voxel.

    axes: three arrays (n_i, n_i), eigenvectors of each axis in columns.
    amplitude: (nx, ny, nz), square root of the eigenvalue of each kept tensor-product mode, else 0.
    scale: (nx, ny, nz), factor that restores unit variance at every voxel after the truncation.
    """

    axes: tuple[np.ndarray, np.ndarray, np.ndarray]
    amplitude: np.ndarray
    scale: np.ndarray

    @property
    def modes(self) -> int:
        """Number of modes kept."""
        return int(np.count_nonzero(self.amplitude))


def _correlation(count: int, spacing: float, length: float, exponent: float) -> np.ndarray:
    position = spacing * np.arange(count)
    distance = np.abs(position[:, None] - position[None, :])
    return np.exp(-((distance / length) ** exponent))


def _combine(axes: tuple[np.ndarray, ...], coefficients: np.ndarray) -> np.ndarray:
    """Sum of tensor-product modes: contract each axis of (nx, ny, nz) coefficients in turn."""
    return np.einsum("ia,jb,kc,abc->ijk", *axes, coefficients, optimize=True)


def _check(shape, spacing, correlation_length, exponent, energy) -> None:
    if len(shape) != 3 or any(not isinstance(n, Integral) or n < 1 for n in shape):
        raise PorefailError(f"shape is {list(shape)}, expected three positive whole numbers")
    for name, length in (("spacing", spacing), ("correlation_length", correlation_length)):
        if not 0.0 < length < math.inf:
            raise PorefailError(f"{name} is {length}, expected a positive number of mm")
    for name, number, most in (("exponent", exponent, 2), ("energy", energy, 1)):
        if not 0.0 < number <= most:
            raise PorefailError(f"{name} is {number}, expected a number in (0, {most}]")


def expansion(
    shape: tuple[int, int, int],
    spacing: float,
    correlation_length: float,
    exponent: float,
    energy: float,
) -> KarhunenLoeve:
    """Expand a Gaussian field of power-exponential correlation and keep `energy` of its variance.

    shape: voxels (nx, ny, nz); spacing, correlation_length in mm; exponent in (0, 2]; energy, the
    kept fraction of the total variance, in (0, 1]. Modes of equal energy are kept or dropped
    together, so that the field stays statistically symmetric. Paper, section 2.2; the
    correlation function and its constants: config/ (ASSUME: the paper does not print them).
    Raises PorefailError that names the argument that is out of range.
    """
    _check(shape, spacing, correlation_length, exponent, energy)
    # ASSUME: the correlation is separable; for exponent 2 it is isotropic as well.
    values, vectors = [], []
    for count in shape:
        value, vector = np.linalg.eigh(_correlation(count, spacing, correlation_length, exponent))
        values.append(np.clip(value, 0.0, None))
        vectors.append(vector)
    axes = tuple(vectors)
    eigenvalues = reduce(np.multiply.outer, values)
    descending = np.sort(eigenvalues, axis=None)[::-1]
    cumulative = np.cumsum(descending)
    last = min(int(np.searchsorted(cumulative, energy * cumulative[-1])), descending.size - 1)
    smallest = max(descending[last] * (1 - 1e-9), np.finfo(float).tiny)
    kept = np.where(eigenvalues >= smallest, eigenvalues, 0.0)
    variance = _combine(tuple(vector**2 for vector in axes), kept)
    # ASSUME: after the truncation the field is rescaled to unit variance at every voxel.
    return KarhunenLoeve(axes, np.sqrt(kept), 1.0 / np.sqrt(variance))


def gaussian_field(expanded: KarhunenLoeve, seed: int, realization: int) -> np.ndarray:
    """One realization (nx, ny, nz) of the standard Gaussian field.

    It depends on the root seed and the number of the realization alone, not on batches or order.
    Raises PorefailError where the seed is negative.
    """
    if seed < 0:
        raise PorefailError(f"seed is {seed}, expected a whole number from 0")
    generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(realization,)))
    coefficients = expanded.amplitude * generator.standard_normal(expanded.amplitude.shape)
    return expanded.scale * _combine(expanded.axes, coefficients)


def realize(
    expanded: KarhunenLoeve, mean_porosity: float, seed: int, realization: int
) -> np.ndarray:
    """One porosity realization (nx, ny, nz) uint8, 1 = void.

    One threshold serves all realizations, the normal quantile of the mean porosity, so the number
    of voids varies from specimen to specimen (ASSUME: the paper does not give this step).
    """
    if not 0.0 < mean_porosity < 1.0:
        raise PorefailError(f"mean_porosity is {mean_porosity}, expected a fraction in (0, 1)")
    threshold = norm.isf(mean_porosity)
    return (gaussian_field(expanded, seed, realization) > threshold).astype(np.uint8)
