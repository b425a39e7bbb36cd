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

from porefail import writable
from porefail.errors import PorefailError


class StoreError(PorefailError):
    """A file that cannot be read, written or trusted; one line that names it."""


_READ_ONLY: list[str | Path] = []  # of this process


def never_write(paths: Sequence[str | Path]) -> None:
    """From now on `replacing` refuses these files, also through links: they are what is read."""
    _READ_ONLY[:] = paths


def same(path: str | Path, other: str | Path) -> bool:
    """Whether two paths, of files that need not be there, lead to one file."""
    try:
        return os.path.samefile(path, other)
    except OSError:
        return os.path.realpath(path) == os.path.realpath(other)


def require_regular(path: str | Path) -> None:
    """Raise StoreError where a folder or a device stands in the place of a file to be written."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise StoreError(f"{path}: cannot be written: it is there and is no regular file")


def require_writable(path: str | Path) -> None:
    """Raise StoreError where a file cannot be written, before the work that makes it.

    Folders that are missing are made when it is written; nothing is left here.
    """
    require_regular(path)
    with writing(path):
        writable.try_writing(writable.existing(os.path.dirname(path)))


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
    if any(same(path, each) for each in _READ_ONLY):
        raise StoreError(f"{path}: is read here, so it is not written")
    require_regular(path)
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


def read_table(
    path: str | Path, columns: Mapping[str, type] | None = None, rows: int = 1
) -> dict[str, np.ndarray]:
    """Columns of a CSV file (UTF-8, with or without a byte order mark) with a header.

    columns: what each one holds, as in porefail.tables; others in the file are left out. Without
    it all are read: float64 where every cell is a number, else text. rows: the least number of
    rows. Raises StoreError that names what is wrong: the file, the column, the line.
    """
    if not Path(path).is_file():
        raise StoreError(f"{path}: missing file")
    header, lines = read_lines(path)
    if columns is None:
        return {name: _guessed(cells) for name, cells in _cells(path, header, lines).items()}
    for name in columns:
        if name not in header:
            raise StoreError(f"{path}: missing column {name}")
    if len(lines) < rows:
        raise StoreError(f"{path}: {len(lines)} rows, expected {rows} or more below the header")
    return convert(path, header, lines, columns)


def read_lines(path: str | Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header of a CSV file, and of each row that is not blank the number of its line and its cells.

    Raises StoreError where it is no such text, is empty or names a column twice.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
        if "\0" in text:
            raise ValueError("it holds a NUL byte")
        reader = csv.reader(io.StringIO(text, newline=""))
        lines = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {reason(error)}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise StoreError(f"{path}, line {line}: cannot be read: not UTF-8") from None
    except (ValueError, csv.Error) as error:
        raise StoreError(f"{path}: cannot be read as a table: {error}") from None
    if not lines:
        raise StoreError(f"{path}: is empty, expected a table with a header")
    header = [name.strip() for name in lines[0][1]]
    for name in header:
        if header.count(name) > 1:
            raise StoreError(f"{path}: column {name} appears twice")
    return header, lines[1:]


def convert(
    path: str | Path,
    header: Sequence[str],
    lines: Sequence[tuple[int, list[str]]],
    columns: Mapping[str, type],
) -> dict[str, np.ndarray]:
    """Columns of what read_lines() gave; see read_table()."""
    cells = _cells(path, header, lines)
    numbers = [line for line, _ in lines]
    return {name: _converted(path, numbers, name, cells[name], columns[name]) for name in columns}


def _cells(
    path: str | Path, header: Sequence[str], lines: Sequence[tuple[int, list[str]]]
) -> dict[str, list[str]]:
    for line, row in lines:
        if len(row) != len(header):
            raise StoreError(f"{path}, line {line}: {len(row)} cells, expected {len(header)}")
    return {name: [row[i] for _, row in lines] for i, name in enumerate(header)}


def _guessed(cells: list[str]) -> np.ndarray:
    try:
        return np.array(cells, dtype=str).astype(float)
    except ValueError:
        return np.array(cells, dtype=str)


def _converted(
    path: str | Path, lines: Sequence[int], name: str, cells: list[str], kind: type
) -> np.ndarray:
    if kind is str:
        return np.array(cells, dtype=str)
    words = {int: "a whole number", float: "a number"}.get(kind, "a number or nan")
    values = np.empty(len(cells))
    for i, cell in enumerate(cells):
        try:
            values[i] = float(cell)
            fits = np.isfinite(values[i]) or (np.isnan(values[i]) and kind not in (int, float))
        except ValueError:
            fits = False
        # Whole numbers beyond this cannot be told from their neighbours.
        if not fits or (kind is int and (values[i] % 1 or abs(values[i]) > 2**53)):
            raise StoreError(f"{path}, line {lines[i]}, column {name}: {cell!r} is not {words}")
    return values.astype(np.int64) if kind is int else values


def require(path: str | Path, valid: bool, expected: str) -> None:
    """Refuse a table, or another file, that says something else than expected."""
    if not valid:
        raise StoreError(f"{path}: expected {expected}")
