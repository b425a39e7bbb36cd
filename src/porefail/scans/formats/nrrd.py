"""NRRD (.nrrd in one file, .nhdr with a data file): https://teem.sourceforge.net/nrrd/format.html.

Distances have no unit unless the header names one; only in the anatomical spaces it is mm.
"""

import math
from collections.abc import Mapping

import numpy as np

from porefail.errors import PorefailError
from porefail.scans.formats import headers, itk, raw
from porefail.scans.lengths import UNITS, in_mm
from porefail.scans.volume import Scan, Spacing, known, require_volume

_NAMES = {
    "i1": "int8, int8_t, signed char",
    "u1": "uint8, uint8_t, uchar, unsigned char",
    "i2": "int16, int16_t, short, short int, signed short, signed short int",
    "u2": "uint16, uint16_t, ushort, unsigned short, unsigned short int",
    "i4": "int32, int32_t, int, signed int",
    "u4": "uint32, uint32_t, uint, unsigned int",
    "i8": "int64, int64_t, longlong, long long, long long int, signed long long,"
    " signed long long int",
    "u8": "uint64, uint64_t, ulonglong, unsigned long long, unsigned long long int",
    "f4": "float",
    "f8": "double",
}
TYPES = {name: code for code, names in _NAMES.items() for name in names.split(", ")}
_GZIP = ("gzip", "gz")
_OTHERS = ("bzip2", "bz2", "txt", "text", "ascii", "hex")
_ANATOMICAL = {  # in mm
    "right-anterior-superior",
    "left-anterior-superior",
    "left-posterior-superior",
    "ras",
    "las",
    "lps",
}


def open_nrrd(path: str) -> Scan:
    """Scan of a NRRD, mapped where it is not compressed; bzip2 and text are read by SimpleITK.

    Raises PorefailError for a header that is wrong or incomplete, more or fewer than 3 dimensions,
    axes that are oblique or run backwards, and a data file that is missing or of another size.
    """
    fields, end = _header(path)
    if headers.whole(path, fields, "dimension", 1) != (3,):
        raise PorefailError(f"{path}: has {fields['dimension']} dimensions, expected 3")
    shape = headers.shape(path, fields, "sizes")
    kind, encoding = (headers.text(path, fields, key).lower() for key in ("type", "encoding"))
    if kind not in TYPES:
        raise PorefailError(f"{path}: type {kind!r:.40}, expected whole or real numbers")
    if encoding not in ("raw", *_GZIP, *_OTHERS):
        raise PorefailError(f"{path}: unknown encoding {encoding!r:.40}")
    dtype = np.dtype(TYPES[kind])
    endian = fields.get(
        "endian", "little" if dtype.itemsize == 1 or encoding in _OTHERS else "none"
    )
    if endian not in ("little", "big"):
        raise PorefailError(f"{path}: header has endian {endian}, expected little or big")
    dtype = dtype.newbyteorder(">" if endian == "big" else "<")
    require_volume(path, shape, dtype)
    name = fields.get("data file")
    if name is not None and (name.split(" ")[0] == "LIST" or "%" in name):
        raise PorefailError(f"{path}: its voxels are in several files, expected one")
    data = path if name is None else headers.data_file(path, name)
    spacing, source = _spacing(path, fields)
    start = _start(path, fields, 0 if name else end)
    if encoding == "raw":
        values = raw.mapped(path, data, shape, dtype, start)
    elif encoding in _GZIP:
        if "byte skip" in fields:
            raise PorefailError(f"{path}: skips bytes of compressed voxels, expected no byte skip")
        values = raw.inflated(path, data, shape, dtype, start or 0)
    else:
        values = itk.values(path, shape, dtype)
    return Scan(path, "NRRD", values, spacing, source)


def _header(path: str) -> tuple[dict[str, str], int]:
    """Fields by their names in small letters, and the place of the first byte after the header."""
    fields: dict[str, str] = {}
    place = 0
    for line, end in headers.lines(path):
        place = end
        if not fields:
            if not line.startswith("NRRD000"):
                raise PorefailError(f"{path}: is no NRRD file, it does not begin with NRRD000")
            fields["version"] = line
        elif not line:
            break
        elif not line.startswith("#") and ":=" not in line:  # a comment; a key of somebody's own
            key, value = headers.field(path, line, ":")
            key = key.lower()
            headers.add(path, fields, {"datafile": "data file"}.get(key, key), value)
    if not fields:
        raise PorefailError(f"{path}: is an empty file, expected a NRRD header")
    return fields, place


def _start(path: str, fields: Mapping[str, str], end: int) -> int | None:
    """Place of the first voxel, None if it is counted from the end of the file."""
    lines, skip = (
        headers.whole(path, {key: value}, key, 1)[0]
        for key in ("line skip", "byte skip")
        for value in [fields.get(key, fields.get(key.replace(" ", ""), "0"))]
    )
    if lines or skip < -1:
        raise PorefailError(
            f"{path}: header skips {lines} lines and {skip} bytes, expected 0 lines and -1 or more"
        )
    return None if skip == -1 else end + skip


def _spacing(path: str, fields: Mapping[str, str]) -> tuple[Spacing | None, str]:
    """Spacing along x, y, z in mm, and where it came from or why there is none."""
    if "space directions" in fields:
        spacing = known(_directions(path, fields))
        units = fields.get("space units", "").replace('"', " ").split()
        if not units and fields.get("space", "").lower() in _ANATOMICAL:
            units = ["mm"] * 3
    elif "spacings" in fields:
        numbers = {"spacings": fields["spacings"].lower().replace("nan", "0")}  # nan: not known
        spacing = known(headers.real(path, numbers, "spacings", 3))
        units = fields.get("units", "").replace('"', " ").split()
    else:
        return None, "the NRRD header has no spacings"
    if spacing is None:
        return None, "the NRRD header leaves spacings open"
    if len(units) != 3 or any(unit not in UNITS for unit in units):
        told = " ".join(f"{side:g}" for side in spacing)
        return None, f"the NRRD header says {told} and no unit of length"
    mm = known([in_mm(side, unit) for side, unit in zip(spacing, units, strict=True)])
    return mm, f"spacings of the NRRD header, in {units[0]}"


def _directions(path: str, fields: Mapping[str, str]) -> list[float]:
    """Spacings from vectors as (0.01,0,0) (0,0.01,0) (0,0,0.01), which must lie on their axes."""
    vectors = fields["space directions"].replace(" ", "").strip("()").split(")(")
    try:
        matrix = [[float(part) for part in vector.split(",")] for vector in vectors]
    except ValueError:
        matrix = []
    if [len(row) for row in matrix] != [3, 3, 3]:
        raise PorefailError(
            f"{path}: header has space directions {fields['space directions']!r:.60}, expected"
            " three vectors"
        )
    spacing = [matrix[i][i] for i in range(3)]
    size = max(map(abs, spacing))
    others = [matrix[i][j] for i in range(3) for j in range(3) if i != j]
    if not all(math.isfinite(part) and abs(part) <= 1e-6 * size for part in others):
        raise PorefailError(f"{path}: is oblique, its space directions are not along x, y, z")
    if min(spacing) < 0:
        raise PorefailError(f"{path}: an axis of its space directions runs backwards")
    return spacing
