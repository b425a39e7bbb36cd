"""A scan as it was found, and what every format asks of one."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from porefail.errors import PorefailError
from porefail.files import reason

Spacing = tuple[float, float, float]


class Scan(NamedTuple):
    """A volume in the order of its file: nothing is turned, mirrored, scaled.

    path: the file, or the folder of slices; format: its name in words.
    values: (nx, ny, nz), real or whole numbers, often mapped from the file and then of its byte
    order; masks are uint8.
    spacing: mm along x, y, z, or None; source: where it came from in words, or why there is none.
    """

    path: str
    format: str
    values: np.ndarray
    spacing: Spacing | None
    source: str


class Raw(NamedTuple):
    """What a file without a header does not tell.

    shape: nx, ny, nz, x fastest in the file; dtype: as in `formats.raw.TYPES`; skip: bytes before
    the first voxel.
    """

    shape: tuple[int, int, int]
    dtype: str
    big_endian: bool = False
    skip: int = 0


def require_volume(path: str, shape: Sequence[int], dtype: np.dtype) -> None:
    """Raise PorefailError unless these are voxels in three dimensions with one real number each."""
    sides = " x ".join(map(str, shape))
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise PorefailError(f"{path}: holds {dtype}, expected one real number for each voxel")
    if len(shape) != 3:
        raise PorefailError(f"{path}: has {len(shape)} dimensions ({sides}), expected 3")
    if min(shape) < 1:
        raise PorefailError(f"{path}: has no voxels ({sides})")
    if min(shape) < 2:
        raise PorefailError(f"{path}: is one slice ({sides} voxels), expected a volume")


def known(spacing: Sequence[float]) -> Spacing | None:
    """Spacing along x, y, z as it is, None where a number is not finite or not above 0."""
    x, y, z = map(float, spacing)
    return (x, y, z) if all(0 < side < math.inf for side in (x, y, z)) else None


@contextmanager
def reading(path: str, what: str) -> Iterator[None]:
    """Turn whatever a reader of foreign files raises into one line that names `path`.

    Readers of images raise errors of every kind on damaged files. what: as in "a TIFF file".
    """
    try:
        yield
    except PorefailError:
        raise
    except MemoryError as error:
        raise PorefailError(f"{path}: needs more memory than there is") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno:
            raise PorefailError(f"{path}: cannot be read: {reason(error)}") from error
        told = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise PorefailError(f"{path}: cannot be read as {what}: {told:.200}") from error
