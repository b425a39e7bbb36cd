"""Volumes in HDF5 files of other programs, which know nothing of our contract."""

from pathlib import Path

import h5py
import numpy as np

from porefail.files import StoreError, reason
from porefail.store import memory


def volume(path: str | Path, dataset: str | None = None) -> tuple[np.ndarray, str]:
    """A dataset (nx, ny, nz) as stored, and in words where it is; 0 and 1 for truth values.

    dataset: its name; without one the file must have no more than one of three dimensions that
    holds whole or real numbers. Raises StoreError where there is no such dataset, where there are
    several, and where the file is missing, damaged or no HDF5 file; PorefailError where there is
    not the memory for it.
    """
    if not Path(path).is_file():
        raise StoreError(f"{path}: missing file")
    try:
        with h5py.File(path, "r", locking=False) as file:
            found = _only(path, file) if dataset is None else _named(path, file, dataset)
            memory.require(found.nbytes, f"{path}: dataset {found.name}")
            values = found[()]
            name = found.name
    except (OSError, RuntimeError, KeyError) as error:
        # What the system refuses has a number; HDF5's own complaints have none.
        if isinstance(error, OSError) and error.errno:
            raise StoreError(f"{path}: cannot be read: {reason(error)}") from error
        raise StoreError(f"{path}: not an HDF5 file, truncated or damaged") from error
    if values.dtype.kind == "b":
        values = values.view(np.uint8)
    return values, f"dataset {name}, axes (x, y, z) as stored; HDF5 has no spacing"


def _fits(found: object) -> bool:
    return isinstance(found, h5py.Dataset) and found.dtype.kind in "biuf" and found.ndim == 3


def _only(path: str | Path, file: h5py.File) -> h5py.Dataset:
    names: list[str] = []
    file.visititems(lambda name, found: names.append(name) if _fits(found) else None)
    if len(names) != 1:
        told = f"{len(names)} ({', '.join(names[:10])}), name one" if names else "none"
        raise StoreError(f"{path}: expected one dataset of three dimensions, found {told}")
    return file[names[0]]


def _named(path: str | Path, file: h5py.File, name: str) -> h5py.Dataset:
    found = file.get(name)
    if found is None:
        raise StoreError(f"{path}: no dataset {name}")
    if not _fits(found):
        is_ = "a group" if isinstance(found, h5py.Group) else f"{found.dtype} {found.shape}"
        raise StoreError(f"{path}: {name} is {is_}, expected numbers in three dimensions")
    return found
