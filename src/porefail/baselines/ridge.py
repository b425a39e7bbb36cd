"""Ridge regression in closed form, of full and of reduced rank, for many penalties at once.

Minimises |Y − X B|² + λ |B|² (Hoerl and Kennard 1970) given XᵀX and XᵀY alone, X and Y without
their means. A penalty is relative: λ = penalty · mean eigenvalue of XᵀX. So it has no unit, and
data that hold every specimen twice have the same solution.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from porefail.errors import PorefailError


class Spectrum(NamedTuple):
    """Normal equations turned to the eigenvectors of XᵀX, directions without data left out.

    values: (d,) eigenvalues; vectors: (m, d) in columns; target: (d, v), vectorsᵀ XᵀY; mean: of
    all m eigenvalues.
    """

    values: np.ndarray
    vectors: np.ndarray
    target: np.ndarray
    mean: float


def spectrum(gram: np.ndarray, cross: np.ndarray) -> Spectrum:
    """Turn the normal equations: gram XᵀX (m, m), cross XᵀY (m, v)."""
    values, vectors = np.linalg.eigh(gram)
    seen = values > len(values) * np.finfo(float).eps * values[-1]
    vectors = vectors[:, seen]
    return Spectrum(values[seen], vectors, vectors.T @ cross, float(np.trace(gram)) / len(gram))


def factors(turned: Spectrum, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Two matrices, (m, d) and (d, v), whose product is B.

    The second holds the fitted values, those of the penalty's own rows (√λ I, 0) included, in an
    orthonormal basis of the samples; the first turns X into that basis. Without data in some
    directions and without a penalty B is the solution of least norm.
    """
    root = np.sqrt(turned.values + penalty * turned.mean)
    return turned.vectors / root, turned.target / root[:, None]


def leading(fitted: np.ndarray, rank: int) -> np.ndarray:
    """Basis (d, rank) of the leading components of fitted values (d, v), in descending order.

    With the `factors` A and F and this basis U the minimum under the constraint of that rank is
    (A U)(Uᵀ F): Izenman 1975 without a penalty, Mukherjee and Zhu 2011 with one.
    """
    return np.linalg.eigh(fitted @ fitted.T)[1][:, ::-1][:, :rank]


def check_penalties(penalties: Sequence[float]) -> None:
    """Raise PorefailError unless there is a penalty and all are finite and not negative."""
    if not len(penalties) or not all(0 <= penalty < math.inf for penalty in penalties):
        raise PorefailError(f"penalties are {list(penalties)}, expected numbers from 0")
