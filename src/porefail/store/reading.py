"""Reading what writing.py has written, and what other tools have: nothing is used unchecked.

Finished files never change, so no lock is taken: none is to be had on some network file systems.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from porefail.files import StoreError, reason
from porefail.store import memory
from porefail.store.contract import CODES, DATASETS, FIELDS, GRID, KINDS
from porefail.store.writing import checksum

ROWS = 256  # read at a time where rows are chosen
KIND_NAMES = {"u": "whole numbers", "i": "whole numbers", "f": "real numbers", "S": "text"}


class OtherSettings(StoreError):
    """A whole file that was made with other settings than asked for."""


def read(
    path: str | Path,
    names: Sequence[str] | None = None,
    rows: slice | None = None,
    kind: str | None = None,
) -> tuple[dict[str, np.ndarray], dict]:
    """Datasets (all that the contract knows, or `names`; all rows, or a slice) and root attributes.

    kind: of KINDS; the file has its attributes and datasets. Raises StoreError where the file is
    missing, truncated, not complete, of another kind, lacks a dataset, where the checksum of a
    dataset does not fit, or where something is not as FIELDS says: type, shape, range, the same
    rows in all datasets, each realization once.
    """
    with _opened(path) as file:
        attributes = _attributes(path, file)
        there = _require_layout(path, file, attributes, kind)
        datasets = {}
        for name in there if names is None else names:
            if name not in there:
                raise StoreError(f"{path}: no dataset /{name}")
            size = file[name].dtype.itemsize * np.prod(file[name].shape[1:], dtype=float)
            count = len(range(*(rows or slice(None)).indices(file[name].shape[0])))
            memory.require(size * count, f"{path}: dataset /{name}")
            try:
                datasets[name] = file[name][rows or slice(None)]
            except (OSError, RuntimeError) as error:
                raise StoreError(f"{path}: dataset /{name} is damaged (checksum)") from error
            _require_values(path, name, datasets[name])
    return datasets, attributes


def read_where(
    path: str | Path, names: Sequence[str], mask: np.ndarray
) -> tuple[dict[str, np.ndarray], dict]:
    """Rows where mask (n,) is true, and root attributes; holds few other rows in memory.

    Raises StoreError as `read`, and where the file does not have n rows.
    """
    rows = {shape[0] for name, shape in shapes(path).items() if name in names}
    if rows and rows != {len(mask)}:
        raise StoreError(f"{path}: has {rows.pop()} rows, expected {len(mask)}")
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
    """Shape of every dataset of the contract, by name."""
    with _opened(path) as file:
        return {name: file[name].shape for name in _require_layout(path, file, {}, None)}


@contextmanager
def _opened(path: str | Path) -> Iterator[h5py.File]:
    if not Path(path).is_file():
        raise StoreError(f"{path}: missing file")
    try:
        with open(path, "rb"):  # tells a lack of permission from a damaged file
            pass
        file = h5py.File(path, "r", locking=False)
    except (OSError, RuntimeError) as error:
        # What the system refuses has a number; HDF5's own complaints have none.
        if isinstance(error, OSError) and error.errno:
            raise StoreError(f"{path}: cannot be read: {reason(error)}") from error
        raise StoreError(f"{path}: not an HDF5 file, or truncated") from error
    try:
        with file:
            if not np.array_equal(file.attrs.get("complete", 0), 1):
                raise StoreError(f"{path}: not complete")
            yield file
    except (OSError, RuntimeError, KeyError) as error:
        raise StoreError(f"{path}: damaged ({str(error).split(chr(10))[0]})") from error


def _attributes(path: str | Path, file: h5py.File) -> dict:
    """Root attributes, decoded; those that carry a checksum fit it (files of others have none)."""
    stored = {name: file.attrs[name] for name in file.attrs}
    sums = _decoded(stored.pop("checksums", b"{}"))
    if not isinstance(sums, dict):
        raise StoreError(f"{path}: attribute checksums is damaged")
    for name, expected in sums.items():
        if name not in stored or checksum(stored[name]) != expected:
            raise StoreError(f"{path}: attribute {name} is damaged (checksum)")
    return {name: _decoded(value) for name, value in stored.items()}


def _decoded(value):
    """An attribute as plain Python values; text that is JSON as what it says."""
    if isinstance(value, bytes):  # text of a fixed length
        value = value.decode(errors="replace")
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def _require_layout(
    path: str | Path, file: h5py.File, attributes: Mapping, kind: str | None
) -> list[str]:
    """Refuse a file whose attributes, or types and shapes of datasets, are not as they should be.

    Returns the names of the datasets that the contract knows; others are let be.
    """
    for name in KINDS[kind] if kind else ():
        if name not in attributes:
            raise StoreError(f"{path}: no attribute {name}, which every {kind} has")
    _require_attributes(path, {name: attributes[name] for name in KINDS.get(kind, ())})
    there = [name for name in FIELDS if name in file]
    for name in DATASETS[kind] if kind else ():
        if name not in there:
            raise StoreError(f"{path}: no dataset /{name}, which every {kind} has")
    pores = attributes.get("porosity")
    grid = pores.get("shape") if isinstance(pores, Mapping) else None
    sides: dict[str, tuple[str, int]] = {}  # of each axis by name: dataset, its length
    rows: dict[str, tuple[str, int]] = {}  # of realizations, of clusters: dataset, their number
    for name in there:
        dataset, field = file[name], FIELDS[name]
        wanted = f"expected {KIND_NAMES[field.dtype[0]]}, (n{''.join(f', {n}' for n in field.row)})"
        if not isinstance(dataset, h5py.Dataset):
            raise StoreError(f"{path}: /{name} is a group, {wanted}")
        kinds = "iu" if field.dtype[0] in "iu" else field.dtype[0]
        shape = dataset.shape or ()
        fits = len(shape) == 1 + len(field.row) and all(
            isinstance(side, str) or side == found
            for side, found in zip(field.row, shape[1:], strict=True)
        )
        if dataset.dtype.kind not in kinds or not fits:
            raise StoreError(f"{path}: /{name} holds {dataset.dtype} {shape}, {wanted}")
        if grid is not None and field.row[-3:] == GRID and list(shape[-3:]) != grid:
            raise StoreError(
                f"{path}: /{name} has the grid {list(shape[-3:])}, expected {grid}, as the"
                " attribute porosity.shape says"
            )
        for axis, side in zip(field.row, shape[1:], strict=True):
            first, known = sides.setdefault(axis, (name, side))
            if side != known or not side:
                raise StoreError(
                    f"{path}: /{name} holds {side} along {axis}, expected"
                    f" {known or 'at least one'}{f', as /{first}' if side != known else ''}"
                )
        first, count = rows.setdefault(name.partition("/")[0] == "clusters", (name, shape[0]))
        if shape[0] != count:
            raise StoreError(f"{path}: /{name} has {shape[0]} rows, /{first} has {count}")
    return there


def _require_attributes(path: str | Path, attributes: Mapping) -> None:
    for name, value in attributes.items():
        if name == "spacing":
            fits = _number(value) and 0 < value < math.inf
            expected = "a number above 0 (mm)"
        elif name == "model_version":
            fits, expected = type(value) is int, "a whole number"
        else:
            fits, expected = isinstance(value, Mapping), "a mapping (JSON)"
        if not fits:
            raise StoreError(f"{path}: attribute {name} is {value!r:.60}, expected {expected}")
    material = attributes.get("simulation", {}).get("material", {})
    for name in ("initial_damage", "maximum_damage") if "simulation" in attributes else ():
        value = material.get(name) if isinstance(material, Mapping) else None
        if not (_number(value) and 0 <= value < 1):
            raise StoreError(
                f"{path}: attribute simulation.material.{name} is {value!r:.60}, expected a number"
                " in [0, 1)"
            )


def _number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _require_values(path: str | Path, name: str, values: np.ndarray) -> None:
    """Refuse values outside of what a dataset may hold."""
    field = FIELDS[name]
    if not values.size or values.dtype.kind == "S":
        return
    if name in CODES:
        unknown = np.setdiff1d(values, list(CODES[name].values()))
        if unknown.size:
            known = ", ".join(f"{code} {word}" for word, code in CODES[name].items())
            raise StoreError(f"{path}: /{name} holds {unknown[0]}, expected one of {known}")
        return
    if not field.nan and np.isnan(values.min()):
        raise StoreError(f"{path}: /{name} holds NaN, which it must not")
    # These two pass over NaN.
    low, high = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
    if low < field.low or high > field.high or np.isinf(low) or np.isinf(high):
        bad = low if low < field.low or np.isinf(low) else high
        bounds = f"{field.low:g} to {field.high:g}" if np.isfinite(field.high) else "finite numbers"
        if np.isfinite(field.low) and not np.isfinite(field.high):
            bounds = f"{field.low:g} or more"
        raise StoreError(f"{path}: /{name} holds {bad:g}, expected {bounds}")
    if name == "realization":
        numbers, counts = np.unique(values, return_counts=True)
        if len(numbers) < len(values):
            raise StoreError(f"{path}: realization {numbers[counts > 1][0]} appears twice")


def require_attributes(path: str | Path, attributes: Mapping, expected: Mapping) -> None:
    """Refuse a file made with other settings.

    Only the keys of `expected` count, but a nested mapping must fit as a whole. Raises
    OtherSettings that names the first key that differs, the value found and the value expected.
    """
    different = difference(attributes, expected)
    if different:
        key, found, wanted = different
        raise OtherSettings(
            f"{path}: made with other settings: {key} is {found}, expected {wanted}; "
            "delete the file and run again"
        )


def difference(attributes: Mapping, expected: Mapping) -> tuple[str, str, str] | None:
    """The first key that differs from what is expected, value found, value expected, as text.

    Only the keys of `expected` count. None if all are as expected.
    """
    found = _flat({name: attributes[name] for name in expected if name in attributes})
    wanted = _flat(expected)
    for key in [*wanted, *found]:
        if key in wanted and key in found and found[key] == wanted[key]:
            continue
        one, other = (
            json.dumps(side[key]) if key in side else "not set" for side in (found, wanted)
        )
        return key, one, other
    return None


def _flat(nested: Mapping, prefix: str = "") -> dict:
    flat = {}
    for key, value in nested.items():
        if isinstance(value, Mapping):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = list(value) if isinstance(value, tuple) else value
    return flat
