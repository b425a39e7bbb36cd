"""Fitted models as .npz files, whole or not at all."""

import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from porefail import files
from porefail.errors import PorefailError


def write(path: str | Path, kind: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays and the kind of model. Raises PorefailError where it cannot be written."""
    with files.new_file(path) as file:  # an open file: savez would add a suffix to a name
        np.savez(file, kind=np.array(kind), **arrays)


def read(path: str | Path, kind: str, names: Collection[str]) -> dict[str, np.ndarray]:
    """Arrays by name, those `names` at least.

    Raises PorefailError where the file is missing or holds no such model.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise PorefailError(f"{path}: cannot be read as a model ({error})") from error
    if str(arrays.pop("kind", "")) != kind or not arrays.keys() >= set(names):
        raise PorefailError(f"{path}: not a model of the kind {kind}")
    return arrays
