"""CSV tables: columns of equal length under a header.

Pandas is imported by the functions that need it: a rank of a simulation comes here too, and it
writes no table.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from porefail.files.atomic import StoreError, reason, write_text

if TYPE_CHECKING:
    import pandas as pd


def write_table(path: str | Path, columns: "pd.DataFrame | Mapping[str, Sequence]") -> None:
    """Write columns of equal length as CSV with a header, with the same guarantees."""
    import pandas as pd

    options = {"index": False, "float_format": "%.9g", "na_rep": "nan", "lineterminator": "\n"}
    write_text(path, pd.DataFrame(columns).to_csv(**options))


def read_table(path: str | Path, columns: Mapping[str, type] | None = None) -> "pd.DataFrame":
    """Table of a CSV file (UTF-8, with or without a byte order mark) with a header.

    columns: what each one holds, as in files/tables.py; others in the file are left out. Without it
    all are read: float64 where every cell is a number, else text.
    Raises StoreError that names what is wrong: the file, the column, the line, no row at all.
    """
    import pandas as pd

    if not Path(path).is_file():
        raise StoreError(f"{path}: missing file")
    header, lines = read_lines(path)
    if columns is None:
        cells = _cells(path, header, lines)
        return pd.DataFrame({name: _guessed(column) for name, column in cells.items()})
    for name in columns:
        if name not in header:
            raise StoreError(f"{path}: missing column {name}")
    if not lines:
        raise StoreError(f"{path}: 0 rows, expected 1 or more below the header")
    return pd.DataFrame(convert(path, header, lines, columns))


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
