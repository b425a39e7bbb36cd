"""The table of scans that `snakemake scans` looks at: read, checked, made options of `scan`.

A CSV file with a header and a line for each sample; a cell is what the option of `scan` of the
same name takes. Without numerical imports: workflow files use it.
"""

import csv
import io
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from porefail.configuration.locators import LOCATORS
from porefail.configuration.schema import shown
from porefail.errors import PorefailError

TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
REQUIRED = ("name", "file", "axis")
PATHS = ("file", "part_mask")
_NUMBER = r"(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?"
_REAL = rf"[+-]?{_NUMBER}"
_LENGTH = rf"\s*{_NUMBER}\s*[A-Za-z\u00b5\u03bc]+\s*"
_RANGE, _COUNT = r"\s*\d{0,9}:\d{0,9}\s*", r"[1-9]\d{0,8}"
# What a cell of each column is, and in words.
COLUMNS = {
    "name": (
        r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}",
        "text of letters, digits, _, dots, dashes, at most 100, the first no dot or dash",
    ),
    "file": (r"[^{};]+(;[^{};]+)*", "paths with ; between them, without { and }"),
    "axis": (r"[xyz]", "x, y or z"),
    "voxel_size": (rf"{_LENGTH}(,{_LENGTH},{_LENGTH})?", "9.8um, or three as 9um,9um,12um"),
    "crop": (rf"{_RANGE},{_RANGE},{_RANGE}", "x0:x1,y0:y1,z0:z1 in voxels, as :,:,20:380"),
    "bin": (_COUNT, "a whole number, at least 1"),
    "threshold": (_REAL, "a number"),
    "metal_value": (_REAL, "a number"),
    "void_value": (_REAL, "a number"),
    "part_mask": (r"[^{};]+", "a path without {, } and ;"),
    "shape": (rf"{_COUNT}(\s+{_COUNT}){{2}}", "three whole numbers, voxels along x, y, z"),
    "dtype": ("|".join(TYPES), f"one of {', '.join(TYPES)}"),
    "big_endian": (r"(?i:true|false)", "true or false"),
    "skip": (r"\d{1,9}", "a whole number, at least 0"),
    "dataset": (r".+", "text"),
}


class Sample(NamedTuple):
    """A line of the table."""

    files: list[str]  # of the scan
    masks: list[str]  # part_mask, if there is one
    options: list[str]  # words of the command line, but for files and output


def samples_of(config: Mapping) -> dict[str, Sample]:
    """The samples of a whole configuration by name, in the order of the table; none without one.

    Raises PorefailError as `read_samples`, and where `scan.locator` is neither a shipped one's name
    nor a file.
    """
    asked = config["scan"]
    if asked["samples"] is None:
        return {}
    locator = locator_file(asked)
    if locator is not None and not os.path.isfile(locator):
        raise PorefailError(
            f"configuration: scan.locator: {locator}: neither {', '.join(LOCATORS)} nor a file"
        )
    return read_samples(asked["samples"])


def locator_file(asked: Mapping) -> str | None:
    """Path of the locator of a section `scan`; None where it is one that ships."""
    return None if asked["locator"] in LOCATORS else asked["locator"]


def read_samples(path: str | Path) -> dict[str, Sample]:
    """The samples of a table (CSV, UTF-8) by name, in its order.

    Paths in it are relative to its folder. Raises PorefailError, one line that names the table, the
    line, the column and what was expected.
    """
    (_, header), *lines = _lines(path)
    for name in header:
        if name not in COLUMNS:
            raise PorefailError(
                f"{path}: unknown column {shown(name)}, expected columns with commas between them:"
                f" {', '.join(COLUMNS)}"
            )
        if header.count(name) > 1:
            raise PorefailError(f"{path}: column {name} appears twice")
    for name in REQUIRED:
        if name not in header:
            raise PorefailError(f"{path}: missing column {name}, expected {COLUMNS[name][1]}")
    if not lines:
        raise PorefailError(f"{path}: 0 samples, expected 1 or more below the header")
    found: dict[str, Sample] = {}
    first: dict[str, int] = {}
    for line, row in lines:
        where = f"{path}, line {line}"
        if len(row) != len(header):
            raise PorefailError(f"{where}: {len(row)} cells, expected {len(header)}")
        cells = {name: cell.strip() for name, cell in zip(header, row, strict=True)}
        name = cells["name"]
        _require_fit(where, cells)
        if name in found:
            raise PorefailError(
                f"{where}, column name: {name} is also in line {first[name]}, expected another name"
            )
        found[name], first[name] = _sample(where, Path(path).parent, cells), line
    return found


def _lines(path: str | Path) -> list[tuple[int, list[str]]]:
    """Of the header and of each row that is not blank the number of its line and its cells."""
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        lines = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except FileNotFoundError:
        raise PorefailError(f"{path}: missing file, expected a table of samples") from None
    except OSError as error:
        raise PorefailError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise PorefailError(f"{path}, line {line}: not UTF-8, expected a table in UTF-8") from None
    except csv.Error as error:
        raise PorefailError(f"{path}, line {reader.line_num}: no table in CSV: {error}") from None
    if not lines:
        raise PorefailError(f"{path}: is empty, expected a table with a header")
    line, header = lines[0]
    return [(line, [name.strip() for name in header]), *lines[1:]]


def _require_fit(where: str, cells: Mapping[str, str]) -> None:
    for name, cell in cells.items():
        pattern, words = COLUMNS[name]
        if not cell and name in REQUIRED:
            raise PorefailError(f"{where}, column {name}: is empty, expected {words}")
        if re.search(r"[\x00-\x1f\x7f]", cell):
            words = "text on one line"
        elif not cell or re.fullmatch(pattern, cell, re.ASCII):
            continue
        raise PorefailError(f"{where}, column {name}: is {shown(cell)}, expected {words}")
    for name, other in (("shape", "dtype"), ("dtype", "shape")):
        if cells.get(name) and not cells.get(other):
            words = COLUMNS[other][1]
            raise PorefailError(
                f"{where}, column {other}: is empty beside {name}, expected {words}"
            )


def _sample(where: str, folder: Path, cells: Mapping[str, str]) -> Sample:
    paths = {
        name: [str(folder / each.strip()) for each in cells[name].split(";")]
        for name in PATHS
        if cells.get(name)
    }
    for name, some in paths.items():
        for each in some:
            if not os.path.exists(each):
                raise PorefailError(f"{where}, column {name}: {each}: missing file")
    masks = paths.get("part_mask", [])
    options = [f"--part-mask={each}" for each in masks]
    for name, cell in cells.items():
        option = f"--{name.replace('_', '-')}"
        if not cell or name in ("name", *PATHS):
            continue
        if name == "shape":
            options += [option, *cell.split()]
        elif name == "big_endian":
            options += [option] * (cell.lower() == "true")
        else:
            options.append(f"{option}={cell}")
    return Sample(paths["file"], masks, options)
