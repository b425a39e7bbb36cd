"""Files written atomically, and CSV tables.

A file is written under a temporary name, flushed to the disk and renamed, so a name that exists is
a whole file.
"""

import csv
import io
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from porefail.errors import PorefailError


class StoreError(PorefailError):
    """A file that cannot be read, written or trusted; one line that names it."""


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Turn what the system refuses (permission, disk full) into one line that names `path`."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {reason(error)}") from error


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary name beside `path` that replaces it when the block ends without an error."""
    path = Path(path)
    start = f".{path.name}.{socket.gethostname()}-"
    temporary = path.with_name(f"{start}{os.getpid()}.tmp")
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            for old in path.parent.iterdir():
                # No glob: a name may hold its signs, and `gpu-*` would be of the host gpu-1 too.
                owner = old.name.removeprefix(start).removesuffix(".tmp")
                if old.name != f"{start}{owner}.tmp" or not owner.isdecimal():
                    continue
                if owner == str(os.getpid()) or not Path(f"/proc/{owner}").exists():
                    old.unlink(missing_ok=True)  # its writer was killed
            yield temporary
            os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def reason(error: OSError) -> str:
    """What the system says, without the chatter of HDF5."""
    return error.strerror if error.strerror and error.errno else str(error).split("\n")[0]


@contextmanager
def new_file(path: str | Path) -> Iterator[BinaryIO]:
    """An open file, for bytes, with the same guarantees."""
    with replacing(path) as temporary, open(temporary, "xb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a file with the same guarantees."""
    with new_file(path) as file:
        file.write(data)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file with the same guarantees."""
    write_bytes(path, text.encode())


def write_table(path: str | Path, columns: Mapping[str, Sequence]) -> None:
    """Write columns of equal length as CSV with a header, with the same guarantees."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow(
            [format(cell, ".9g") if isinstance(cell, float | np.floating) else cell for cell in row]
        )
    write_text(path, text.getvalue())


def read_table(path: str | Path) -> dict[str, np.ndarray]:
    """Columns of a CSV file: float64 where every cell is a number, else text.

    Raises StoreError where the file is missing or not such a table.
    """
    if not Path(path).is_file():
        raise StoreError(f"{path}: missing file")
    try:
        with open(path, newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        cells = np.array(rows, dtype=str).reshape(len(rows), len(header))
    except (OSError, ValueError, csv.Error) as error:
        raise StoreError(f"{path}: cannot be read as a table ({error})") from error
    columns: dict[str, np.ndarray] = {}
    for name, column in zip(header, cells.T, strict=True):
        try:
            columns[name] = column.astype(float)
        except ValueError:
            columns[name] = column
    return columns
