"""HDF5 files of the workflow: names, checksums, completeness. The only user of h5py.

Files are written atomically (see porefail.files). Every dataset carries Fletcher-32 checksums,
HDF5's own structures carry theirs (file format of HDF5 1.10), and the root attribute `complete` is
written last.
"""

import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

import h5py
import numpy as np

from porefail.files import StoreError, reason, replacing

Datasets = Mapping[str, np.ndarray]
Attributes = Mapping[str, str | int | float | dict]
CHUNK_BYTES = 65536  # aimed at; a chunk holds at least one whole row
ROWS = 256  # read at a time where rows are chosen


class Status(IntEnum):
    """What became of a realization; only FIRST_FAILURE has a damage field to learn from."""

    FIRST_FAILURE = 1  # a voxel reached the maximum damage
    NO_FAILURE = 2  # the largest strain came first
    NOT_CONVERGED = 3  # the smallest load step did not converge
    EMPTY = 4  # no pore: not simulated
    SEVERED = 5  # no load path of voxels joined by faces between the grips


class _Target(io.FileIO):
    """A file that swallows and remembers the first write error.

    HDF5 cannot close a file whose pending writes fail, and crashes when the process ends; so it is
    told that all is well, and whoever writes looks at `error`.
    """

    error: OSError | None = None

    def write(self, data) -> int:
        rest = memoryview(data).cast("B")
        size = len(rest)
        try:
            while rest and self.error is None:
                rest = rest[super().write(rest) :]
        except OSError as error:
            self.error = error
        return size

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0


class Appender:
    """An open file whose datasets grow by rows."""

    def __init__(self, file: h5py.File, target: _Target):
        self._file, self._target = file, target

    def append(self, datasets: Datasets) -> None:
        """Add rows to each named dataset; the first call decides its row shape and type."""
        for name, values in datasets.items():
            values = np.asarray(values)
            if name not in self._file:
                row_bytes = max(1, int(np.prod(values.shape[1:])) * values.dtype.itemsize)
                self._file.create_dataset(
                    name,
                    shape=(0, *values.shape[1:]),
                    maxshape=(None, *values.shape[1:]),
                    chunks=(max(1, CHUNK_BYTES // row_bytes), *values.shape[1:]),
                    dtype=values.dtype,
                    compression="gzip",
                    compression_opts=1,
                    shuffle=True,
                    fletcher32=True,
                )
            dataset = self._file[name]
            first = dataset.shape[0]
            dataset.resize(first + values.shape[0], axis=0)
            if values.size:
                dataset[first:] = values
            if self._target.error is not None:
                raise self._target.error


@contextmanager
def appending(path: str | Path, attributes: Attributes) -> Iterator[Appender]:
    """Open `path` for row-wise writing; it appears, whole, when the block ends without an error.

    attributes: root attributes; a dict is stored as JSON text.
    Raises StoreError, with nothing left behind, where the system refuses (permission, disk full).
    """
    with replacing(path) as temporary, _Target(temporary, "x+") as target:
        with h5py.File(target, "w", libver="v110") as file:
            yield Appender(file, target)
            for name, value in attributes.items():
                file.attrs[name] = json.dumps(value) if isinstance(value, dict) else value
            file.attrs["complete"] = 1
        if target.error is None:
            os.fsync(target.fileno())
        else:
            raise target.error


def write_atomically(path: str | Path, datasets: Datasets, attributes: Attributes) -> None:
    """Write whole datasets, axis 0 the rows; same guarantees as `appending`."""
    with appending(path, attributes) as file:
        file.append(datasets)


def read(
    path: str | Path, names: Sequence[str] | None = None, rows: slice | None = None
) -> tuple[dict[str, np.ndarray], dict]:
    """Datasets (all of them, or `names`; all rows, or a slice of them) and root attributes.

    Raises StoreError where the file is missing, truncated, not complete, lacks a dataset, or where
    the checksum of a dataset does not fit.
    """
    with _opened(path) as file:
        attributes = {name: _decoded(value) for name, value in file.attrs.items()}
        datasets = {}
        for name in _dataset_names(file) if names is None else names:
            if name not in file:
                raise StoreError(f"{path}: no dataset /{name}")
            try:
                datasets[name] = file[name][rows or slice(None)]
            except (OSError, RuntimeError) as error:
                raise StoreError(f"{path}: dataset /{name} is damaged (checksum)") from error
    return datasets, attributes


def read_where(
    path: str | Path, names: Sequence[str], mask: np.ndarray
) -> tuple[dict[str, np.ndarray], dict]:
    """Rows where mask (n,) is true, and root attributes; holds few other rows in memory."""
    datasets: dict[str, np.ndarray] = {}
    filled = 0
    for first in range(0, len(mask), ROWS):
        chosen = mask[first : first + ROWS]
        block, _ = read(path, names, slice(first, first + ROWS))
        for name, values in block.items():
            if name not in datasets:
                shape = (np.count_nonzero(mask), *values.shape[1:])
                datasets[name] = np.empty(shape, values.dtype)
            datasets[name][filled : filled + np.count_nonzero(chosen)] = values[chosen]
        filled += np.count_nonzero(chosen)
    return datasets, read(path, [])[1]


def shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    """Shape of every dataset, by name."""
    with _opened(path) as file:
        return {name: file[name].shape for name in _dataset_names(file)}


@contextmanager
def _opened(path: str | Path) -> Iterator[h5py.File]:
    if not Path(path).is_file():
        raise StoreError(f"{path}: missing file")
    try:
        with open(path, "rb"):  # tells a lack of permission from a damaged file
            pass
        file = h5py.File(path, "r")
    except PermissionError as error:
        raise StoreError(f"{path}: cannot be read: {reason(error)}") from error
    except (OSError, RuntimeError) as error:
        raise StoreError(f"{path}: not an HDF5 file, or truncated") from error
    try:
        with file:
            if "complete" not in file.attrs:
                raise StoreError(f"{path}: not complete")
            yield file
    except (OSError, RuntimeError, KeyError) as error:
        raise StoreError(f"{path}: damaged ({str(error).split(chr(10))[0]})") from error


def _dataset_names(file: h5py.File) -> list[str]:
    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if hasattr(item, "shape") else None)
    return names


def _decoded(value):
    if isinstance(value, str) and value.startswith("{"):
        return json.loads(value)
    return value.item() if isinstance(value, np.generic) else value


def require_attributes(path: str | Path, attributes: Mapping, expected: Mapping) -> None:
    """Refuse a file made with other settings.

    Only the keys of `expected` count, but a nested mapping must fit as a whole. Raises StoreError
    that names the first key that differs, the value found and the value expected.
    """
    found = _flat({name: attributes[name] for name in expected if name in attributes})
    wanted = _flat(expected)
    for key in [*wanted, *found]:
        if key in wanted and key in found and found[key] == wanted[key]:
            continue
        values = [json.dumps(side[key]) if key in side else "not set" for side in (found, wanted)]
        raise StoreError(
            f"{path}: made with other settings: {key} is {values[0]}, expected {values[1]}; "
            "delete the file and run again"
        )


def _flat(nested: Mapping, prefix: str = "") -> dict:
    flat = {}
    for key, value in nested.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = list(value) if isinstance(value, tuple) else value
    return flat
