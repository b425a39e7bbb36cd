"""HDF5 files are written atomically (see porefail.files): whole or not at all.

Every dataset carries Fletcher-32 checksums, HDF5's own structures carry theirs (file format of
HDF5 1.10), attributes among them: texts have a fixed length, for those of any length lie in a heap
without a checksum. HDF5 has none for attributes of more than 4 kB: the root attribute `checksums`
holds one (CRC-32) of each, and is written last but for `complete`.
"""

import io
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from porefail.files import replacing
from porefail.store.contract import CODES, FIELDS

Datasets = Mapping[str, np.ndarray]
Attributes = Mapping[str, str | int | float | dict]
CHUNK_BYTES = 65536  # aimed at; a chunk holds at least one whole row,
LARGEST_CHUNK = 2**24  # bytes, unless that is larger: it is held in memory
# How every dataset is compressed and checked.
FILTERS = {"compression": "gzip", "compression_opts": 1, "shuffle": True, "fletcher32": True}


class Target(io.FileIO):
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

    def check(self) -> None:
        """Raise the first error, if there was one."""
        if self.error is not None:
            raise self.error


def stored(value: str | int | float | dict) -> np.generic | int | float:
    """An attribute as it is stored: text as UTF-8 of a fixed length, a mapping as JSON text."""
    if isinstance(value, dict):
        value = json.dumps(value)
    if not isinstance(value, str):
        return value
    text = value.encode()
    return np.array(text, h5py.string_dtype("utf-8", max(1, len(text))))


def checksum(value: object) -> int:
    """CRC-32 of an attribute as it is read."""
    return zlib.crc32(np.asarray(value).tobytes())


class Appender:
    """An open file whose datasets grow by rows."""

    def __init__(self, file: h5py.File, target: Target):
        self._file, self._target = file, target

    def append(self, datasets: Datasets) -> None:
        """Add rows to each named dataset; the first call decides its row shape and type.

        Raises KeyError on a name that is not in FIELDS: a bug.
        """
        for name, values in datasets.items():
            values = np.asarray(values)
            if name not in self._file:
                self._create(name, values)
            dataset = self._file[name]
            first = dataset.shape[0]
            dataset.resize(first + values.shape[0], axis=0)
            if values.size:
                dataset[first:] = values
            self._target.check()

    def _create(self, name: str, values: np.ndarray) -> None:
        field = FIELDS[name]
        kind = values.dtype
        if name in CODES:
            kind = h5py.enum_dtype(CODES[name], basetype=kind)
        row_bytes = max(1, int(np.prod(values.shape[1:])) * values.dtype.itemsize)
        block = list(values.shape[1:])
        if row_bytes > LARGEST_CHUNK:
            block[0] = max(1, block[0] * LARGEST_CHUNK // row_bytes)
        dataset = self._file.create_dataset(
            name,
            shape=(0, *values.shape[1:]),
            maxshape=(None, *values.shape[1:]),
            chunks=(max(1, CHUNK_BYTES // row_bytes), *block),
            dtype=kind,
            **FILTERS,
        )
        dataset.attrs["unit"] = stored(field.unit)
        dataset.attrs["meaning"] = stored(field.meaning)


@contextmanager
def creating(path: str | Path) -> Iterator[tuple[h5py.File, Target]]:
    """A new HDF5 file, and what it is written to: look there for errors while writing.

    It appears, whole, when the block ends without an error. Raises StoreError, with nothing left
    behind, where the system refuses (permission, disk full).
    """
    with replacing(path) as temporary, Target(temporary, "x+") as target:
        with h5py.File(target, "w", libver="v110") as file:
            yield file, target
        target.check()
        os.fsync(target.fileno())


@contextmanager
def appending(path: str | Path, attributes: Attributes) -> Iterator[Appender]:
    """Open `path` for row-wise writing; it appears, whole, when the block ends without an error.

    attributes: root attributes; a dict is stored as JSON text. Raises StoreError as `creating`.
    """
    with creating(path) as (file, target):
        yield Appender(file, target)
        for name, value in attributes.items():
            file.attrs[name] = stored(value)
        file.attrs["checksums"] = stored({name: checksum(file.attrs[name]) for name in attributes})
        file.attrs["complete"] = 1


def write_atomically(path: str | Path, datasets: Datasets, attributes: Attributes) -> None:
    """Write whole datasets, axis 0 the rows; same guarantees as `appending`."""
    with appending(path, attributes) as file:
        file.append(datasets)
