"""Text headers: lines of a key and a value, before the voxels or in a file of their own."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path, PureWindowsPath

from porefail.errors import PorefailError
from porefail.scans.volume import reading

LONGEST = 1 << 16  # bytes of a header; real ones have some hundreds


def lines(path: str) -> Iterator[tuple[str, int]]:
    """Lines of a header without their ends, each with the place in the file where the next begins.

    Raises PorefailError where a line is no text, and where what is read of the file is longer than
    any header.
    """
    with reading(path, "a header"), open(path, "rb") as file:
        while line := file.readline(LONGEST):
            if file.tell() > LONGEST:
                raise PorefailError(f"{path}: has no end of its header in {LONGEST} bytes")
            if b"\0" in line:
                raise PorefailError(f"{path}: its header is no text")
            try:
                told = line.decode()
            except UnicodeDecodeError:
                told = line.decode("cp1252", "replace")  # programs of Windows
            yield told.strip(), file.tell()


def field(path: str, line: str, sign: str) -> tuple[str, str]:
    """Key and value of a line as `key = value`, with this sign between them."""
    key, found, value = line.partition(sign)
    if not found or not key.strip():
        raise PorefailError(f"{path}: header line {line!r:.60} is not of the form key {sign} value")
    return key.strip(), value.strip()


def add(path: str, fields: dict[str, str], key: str, value: str) -> None:
    """Put a field to others; raises PorefailError where it is there with another value."""
    if fields.setdefault(key, value) != value:
        raise PorefailError(
            f"{path}: header has {key} twice, {fields[key]!r:.40} and {value!r:.40}"
        )


def text(path: str, fields: Mapping[str, str], key: str) -> str:
    """A field that must be there and not empty."""
    if not fields.get(key):
        raise PorefailError(f"{path}: header has no {key}")
    return fields[key]


def whole(path: str, fields: Mapping[str, str], key: str, count: int) -> tuple[int, ...]:
    """Whole numbers of a field, as many as `count`."""
    parts = text(path, fields, key).split()
    try:
        values = tuple(int(part) for part in parts)
    except ValueError:
        values = ()
    if len(values) != count:
        raise _wrong(path, fields, key, count, "whole number")
    return values


def real(path: str, fields: Mapping[str, str], key: str, count: int) -> tuple[float, ...]:
    """Finite numbers of a field, as many as `count`."""
    try:
        values = tuple(float(part) for part in text(path, fields, key).split())
    except ValueError:
        values = ()
    if len(values) != count or not all(map(math.isfinite, values)):
        raise _wrong(path, fields, key, count, "finite number")
    return values


def _wrong(path: str, fields: Mapping[str, str], key: str, count: int, kind: str) -> PorefailError:
    kind = f"{count} {kind}{'s' * (count > 1)}"
    return PorefailError(f"{path}: header has {key} = {fields[key]!r:.60}, expected {kind}")


def shape(path: str, fields: Mapping[str, str], key: str) -> tuple[int, int, int]:
    """Numbers of voxels along x, y, z, each at least one."""
    nx, ny, nz = whole(path, fields, key, 3)
    if min(nx, ny, nz) < 1:
        raise PorefailError(f"{path}: header has {key} = {fields[key]}, expected 1 or more")
    return nx, ny, nz


def data_file(path: str, name: str) -> str:
    """The file with the voxels that the header at `path` names, from its own folder on.

    A path of Windows stands for the file of its name beside the header: scans are moved. Raises
    PorefailError where there is no such file.
    """
    if "\\" in name:
        name = PureWindowsPath(name).name
    data = Path(path).parent / name
    if not data.is_file():
        raise PorefailError(f"{path}: its data file {data} is missing")
    return str(data)
