"""Arrays of NumPy (.npy), mapped into memory."""

import os

import numpy as np

from porefail.errors import PorefailError
from porefail.scans.volume import Scan, reading, require_volume


def open_array(path: str) -> Scan:
    """Scan of an array (nx, ny, nz) as stored; it has no spacing.

    Raises PorefailError for arrays of objects, another number of dimensions, a file of another
    length than its array.
    """
    with reading(path, "a NumPy array"), open(path, "rb") as file:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0}.get(
            version, np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read(file)
        if dtype.hasobject:
            raise PorefailError(f"{path}: holds pickled Python objects, expected numbers")
        require_volume(path, shape, dtype)
        values = np.lib.format.open_memmap(path, "r")
    there, expected = os.stat(path).st_size, values.offset + values.nbytes
    if there != expected:
        raise PorefailError(f"{path}: holds {there} bytes, expected {expected}")
    return Scan(path, "NumPy array", values, None, "an array of NumPy, axes (x, y, z), has none")
