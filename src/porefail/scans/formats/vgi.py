"""Headers of Volume Graphics (.vgi) and of programs that write for it; the voxels are in a .vol."""

import re
from collections.abc import Mapping

import numpy as np

from porefail.errors import PorefailError
from porefail.scans.formats import headers, raw
from porefail.scans.lengths import UNITS, in_mm
from porefail.scans.volume import Scan, Spacing, known

TYPES = {
    ("unsigned integer", 8): "u1",
    ("unsigned integer", 16): "u2",
    ("unsigned integer", 32): "u4",
    ("integer", 8): "i1",
    ("integer", 16): "i2",
    ("integer", 32): "i4",
    ("signed integer", 8): "i1",
    ("signed integer", 16): "i2",
    ("signed integer", 32): "i4",
    ("float", 32): "f4",
    ("float", 64): "f8",
}
Sections = dict[str, dict[str, dict[str, str]]]  # {object} [section] key = value


def open_vgi(path: str) -> Scan:
    """Scan of the one volume of a .vgi, of its one file.

    Where the object was turned in its scene, its voxels were not: this is not looked at. Raises
    PorefailError where something is missing or nonsense, and for several volumes or files, parts of
    a volume, mirrored axes, colours, and a data file of another size.
    """
    sections = _sections(path)
    volumes = [name for name in sections if re.fullmatch(r"volume\d*", name)]
    if len(volumes) != 1:
        raise PorefailError(f"{path}: has {len(volumes)} volumes, expected one")
    volume = sections[volumes[0]]
    files = [name for name in volume if re.fullmatch(r"file\d*", name)]
    if len(files) != 1:
        raise PorefailError(f"{path}: its volume has {len(files)} files, expected one")
    file, whole = volume[files[0]], volume.get("representation", {})
    shape = headers.shape(path, file, "size")
    if "size" in whole and headers.shape(path, whole, "size") != shape:
        raise PorefailError(
            f"{path}: header and file disagree on the size, {whole['size']} and {file['size']}"
        )
    _require_plain(path, file, whole, shape)
    bits = headers.whole(path, file, "bitsperelement", 1)[0]
    kind = " ".join(headers.text(path, file, "datatype").lower().split())
    if (kind, bits) not in TYPES:
        raise PorefailError(f"{path}: holds {kind} of {bits} bits, expected integer or float")
    skip = headers.whole(path, file, "skipheader", 1)[0] if "skipheader" in file else 0
    if skip < 0:
        raise PorefailError(f"{path}: header has skipheader = {skip}, expected 0 or more")
    data = headers.data_file(path, headers.text(path, file, "name"))
    values = raw.mapped(path, data, shape, np.dtype(TYPES[kind, bits]).newbyteorder("<"), skip)
    return Scan(path, "Volume Graphics", values, *_spacing(path, sections, volumes[0]))


def _sections(path: str) -> Sections:
    """All fields; names of objects, sections and keys in small letters."""
    sections: Sections = {}
    fields: dict[str, str] | None = None
    of: dict[str, dict[str, str]] = {}
    for line, _ in headers.lines(path):
        if line.startswith("{") and line.endswith("}"):
            of = sections.setdefault(line[1:-1].strip().lower(), {})
            fields = None
        elif line.startswith("[") and line.endswith("]"):
            fields = of.setdefault(line[1:-1].strip().lower(), {})
        elif line:
            if fields is None:
                raise PorefailError(f"{path}: {line!r:.40} stands before the first [section]")
            key, value = headers.field(path, line, "=")
            fields[key.lower()] = value  # scenes have keys twice
    return sections


def _require_plain(
    path: str, file: Mapping[str, str], whole: Mapping[str, str], shape: tuple[int, int, int]
) -> None:
    """Refuse what is stored otherwise than voxel after voxel of the whole volume."""
    if file.get("fileformat", "raw").lower() != "raw":
        raise PorefailError(f"{path}: fileformat {file['fileformat']}, expected raw")
    for fields in (file, whole):
        if set(fields.get("mirror", "").split()) - {"0"}:
            raise PorefailError(
                f"{path}: has mirrored axes (mirror = {fields['mirror']}), expected none; its data"
                " file can be read as raw voxels"
            )
    first, last = "regionofintereststart", "regionofinterestend"
    if first in file and last in file:
        start = headers.whole(path, file, first, 3)
        end = headers.whole(path, file, last, 3)
        if start != (0, 0, 0) or end != tuple(side - 1 for side in shape):
            raise PorefailError(f"{path}: its file is a part of the volume, expected all of it")


def _spacing(path: str, sections: Sections, volume: str) -> tuple[Spacing | None, str]:
    """Resolution of the object that shows the volume."""
    for sections_of in sections.values():
        geometry = sections_of.get("geometry", {})
        shows = sections_of.get("volume", {}).get("volume", volume).lower()
        if "resolution" not in geometry or shows != volume:
            continue
        unit = geometry.get("unit", "none").lower()
        resolution = headers.real(path, geometry, "resolution", 3)
        if unit not in UNITS:
            return None, f"the .vgi says resolution {geometry['resolution']} and no unit of length"
        spacing = known([in_mm(side, unit) for side in resolution])
        if spacing is None:
            told = geometry["resolution"]
            raise PorefailError(f"{path}: header has resolution = {told}, expected above 0")
        return spacing, f"resolution of the .vgi, in {unit}"
    return None, "the .vgi has no resolution"
