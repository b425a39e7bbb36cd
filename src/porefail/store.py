"""HDF5 files of the workflow: names, checksums, completeness. The only user of h5py.

Files are written atomically (see porefail.files). Every dataset carries Fletcher-32 checksums,
HDF5's own structures carry theirs (file format of HDF5 1.10), and the root attribute `complete` is
written last.

FIELDS lists every dataset that there is, with its unit and meaning, KINDS the root attributes that
readers of each kind of file rely on.
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
# How every dataset is compressed and checked.
FILTERS = {"compression": "gzip", "compression_opts": 1, "shuffle": True, "fletcher32": True}
ROWS = 256  # read at a time where rows are chosen


class OtherSettings(StoreError):
    """A whole file that was made with other settings than asked for."""


class Status(IntEnum):
    """What became of a realization; only FIRST_FAILURE has a damage field to learn from."""

    FIRST_FAILURE = 1  # a voxel reached the maximum damage
    NO_FAILURE = 2  # the largest strain came first
    NOT_CONVERGED = 3  # the smallest load step did not converge
    EMPTY = 4  # no pore: not simulated
    SEVERED = 5  # no load path of voxels joined by faces between the grips


class Collapse(IntEnum):
    """How the run from first to structural failure ended."""

    NOT_RUN = 0  # not asked for, or no first failure
    REACHED = 1  # the nominal stress fell below the configured fraction of its peak
    MAX_STRAIN = 2  # the largest strain came first
    NOT_CONVERGED = 3  # the specimen could not be finished


# The contract with external tools: dataset -> unit, meaning; both are written beside the data.
# n: realizations; fields (n, nx, ny, nz); histories (n, steps), padded with NaN; snapshots at s
# configured strains, (n, s) and (n, s, nx, ny, nz), not there if s = 0; clusters (m).
FIELDS = {
    "realization": ("1", "number of the realization"),
    "porosity": ("1", "explicit pores: 1 in a void, else 0"),
    "damage": ("1", "void fraction of the material at first failure, NaN in voids"),
    "failed": ("1", "1 in voxels at the maximum damage at first failure, else 0"),
    "final_failed": ("1", "1 in voxels at the maximum damage at structural failure, else 0"),
    "status": ("1", "what became of the realization"),
    "first_failure_strain": ("1", "nominal strain along z at first failure, NaN if none"),
    "structural_status": ("1", "how the run from first to structural failure ended"),
    "structural_failure_strain": (
        "1",
        "nominal strain along z at which the nominal stress had fallen below the configured "
        "fraction of its peak, NaN if not run or not reached",
    ),
    "history/strain": ("1", "nominal strain along z at each load step"),
    "history/stress": ("MPa", "nominal stress along z at each load step"),
    "history/max_damage": ("1", "largest damage of a voxel at each load step"),
    "history/failed_fraction": (
        "1",
        "share of solid voxels at the maximum damage at each load step",
    ),
    "snapshots/strain": ("1", "nominal strain along z of each snapshot"),
    "snapshots/damage": (
        "1",
        "void fraction of the material at each snapshot, failed voxels as they failed, NaN in "
        "voids and where the run did not get there",
    ),
    "elastic/von_mises": ("1", "linear elastic von Mises stress per unit nominal stress"),
    "elastic/pressure": ("1", "linear elastic mean stress, tension positive, per unit nominal"),
    "provenance/host": ("1", "machine that simulated the realization"),
    "provenance/started": ("s", "when its simulation began, since 1970-01-01 00:00 UTC"),
    "provenance/seconds": ("s", "wall time of its simulation"),
    "provenance/ranks": ("1", "MPI ranks that shared its simulation"),
    "provenance/software": ("1", "versions of what simulated it"),
    "label": ("1", "damage as the network learns it, in [0, 1], NaN in voids"),
    "part": ("1", "part of the data set that the realization belongs to"),
    "mean": ("1", "predicted label, NaN in voids"),
    "variance": ("1", "variance of the predicted label, NaN where it is not estimated"),
    "epistemic": ("1", "variance of the predicted label between draws of the weights"),
    "noise": ("1", "variance of the label about a draw's prediction, mean of the draws"),
    "site": ("1", "rank of the likely failure site that the voxel belongs to, 0 in none"),
    "clusters/realization": ("1", "realization that the cluster belongs to"),
    "clusters/rank": ("1", "rank of the cluster in its realization, 1 has the highest peak"),
    "clusters/peak": ("1", "largest predicted label in the cluster"),
    "clusters/mean": ("1", "mean predicted label of the cluster"),
    "clusters/voxels": ("voxels", "size of the cluster"),
    "clusters/centroid_mm": ("mm", "centroid (x, y, z) from the corner of the specimen"),
}
HISTORY = tuple(name for name in FIELDS if name.startswith("history/"))
# Who simulated a realization, and when: all else is the same wherever and whenever it is made.
PROVENANCE = tuple(name for name in FIELDS if name.startswith("provenance/"))
# Datasets stored as an HDF5 enumeration, so that every tool can name the codes.
CODES = {
    "status": {status.name: status.value for status in Status},
    "structural_status": {status.name: status.value for status in Collapse},
    "part": {"TRAIN": 0, "VALIDATION": 1, "TEST": 2},  # as in porefail.dataset.split
}
_SOURCE = ("porosity", "simulation", "model_version", "spacing")
KINDS = {
    "porosity shard": ("porosity", "spacing"),
    "ensemble": _SOURCE,
    "data set": (*_SOURCE, "dataset"),
    "prediction": (*_SOURCE, "dataset", "predict"),
    "ranking": (*_SOURCE, "dataset", "rank"),
}


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
        unit, meaning = FIELDS[name]
        kind = values.dtype
        if name in CODES:
            kind = h5py.enum_dtype(CODES[name], basetype=kind)
        row_bytes = max(1, int(np.prod(values.shape[1:])) * values.dtype.itemsize)
        dataset = self._file.create_dataset(
            name,
            shape=(0, *values.shape[1:]),
            maxshape=(None, *values.shape[1:]),
            chunks=(max(1, CHUNK_BYTES // row_bytes), *values.shape[1:]),
            dtype=kind,
            **FILTERS,
        )
        dataset.attrs["unit"] = unit
        dataset.attrs["meaning"] = meaning


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
            file.attrs[name] = json.dumps(value) if isinstance(value, dict) else value
        file.attrs["complete"] = 1


def write_atomically(path: str | Path, datasets: Datasets, attributes: Attributes) -> None:
    """Write whole datasets, axis 0 the rows; same guarantees as `appending`."""
    with appending(path, attributes) as file:
        file.append(datasets)


def read(
    path: str | Path,
    names: Sequence[str] | None = None,
    rows: slice | None = None,
    kind: str | None = None,
) -> tuple[dict[str, np.ndarray], dict]:
    """Datasets (all of them, or `names`; all rows, or a slice of them) and root attributes.

    kind: of KINDS; the file has its attributes. Raises StoreError where the file is missing,
    truncated, not complete, of another kind, lacks a dataset, or where the checksum of a dataset
    does not fit.
    """
    with _opened(path) as file:
        attributes = {name: _decoded(value) for name, value in file.attrs.items()}
        for name in KINDS[kind] if kind else ():
            if name not in attributes:
                raise StoreError(f"{path}: no attribute {name}, which every {kind} has")
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

    Only the keys of `expected` count, but a nested mapping must fit as a whole. Raises
    OtherSettings that names the first key that differs, the value found and the value expected.
    """
    found = _flat({name: attributes[name] for name in expected if name in attributes})
    wanted = _flat(expected)
    for key in [*wanted, *found]:
        if key in wanted and key in found and found[key] == wanted[key]:
            continue
        values = [json.dumps(side[key]) if key in side else "not set" for side in (found, wanted)]
        raise OtherSettings(
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
