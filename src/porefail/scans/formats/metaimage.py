"""MetaImage (.mhd with a data file, .mha in one), as ITK and VTK write it.

https://itk.org/Wiki/ITK/MetaIO/Documentation; there distances are in mm.
"""

from collections.abc import Mapping

import numpy as np

from porefail.errors import PorefailError
from porefail.scans.formats import headers, raw
from porefail.scans.volume import Scan, Spacing, known, require_volume

TYPES = {
    "MET_UCHAR": "u1",
    "MET_CHAR": "i1",
    "MET_USHORT": "u2",
    "MET_SHORT": "i2",
    "MET_UINT": "u4",
    "MET_INT": "i4",
    "MET_ULONG": "u4",
    "MET_LONG": "i4",
    "MET_ULONG_LONG": "u8",
    "MET_LONG_LONG": "i8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_MATRIX = ("TransformMatrix", "Rotation", "Orientation")  # three names of one field
_ORDER = ("ElementByteOrderMSB", "BinaryDataByteOrderMSB")


def open_metaimage(path: str) -> Scan:
    """Scan of a MetaImage, mapped where it is not compressed.

    Raises PorefailError for a header that is wrong or incomplete, more or fewer than 3 dimensions,
    several channels, axes that are turned, and a data file that is missing or of another size.
    """
    fields, end = _header(path)
    if headers.whole(path, fields, "NDims", 1) != (3,):
        raise PorefailError(f"{path}: has {fields['NDims']} dimensions (NDims), expected 3")
    channels = fields.get("ElementNumberOfChannels", "1")
    if channels != "1":
        raise PorefailError(f"{path}: has {channels} numbers for each voxel, expected 1")
    for name in _MATRIX:
        if name in fields and headers.real(path, fields, name, 9) != (1, 0, 0, 0, 1, 0, 0, 0, 1):
            raise PorefailError(f"{path}: is oblique, its axes are turned or mirrored ({name})")
    shape = headers.shape(path, fields, "DimSize")
    kind = headers.text(path, fields, "ElementType")
    if kind not in TYPES:
        raise PorefailError(f"{path}: ElementType {kind}, expected one of {', '.join(TYPES)}")
    if not _truth(path, fields, "BinaryData", True):
        raise PorefailError(f"{path}: holds its voxels as text, expected BinaryData = True")
    big = any(_truth(path, fields, name, False) for name in _ORDER)
    dtype = np.dtype(TYPES[kind]).newbyteorder(">" if big else "<")
    require_volume(path, shape, dtype)
    name, local = fields["ElementDataFile"], fields["ElementDataFile"].upper() == "LOCAL"
    if name.split()[0] == "LIST" or "%" in name:
        raise PorefailError(f"{path}: its voxels are in several files, expected one")
    data = path if local else headers.data_file(path, name)
    if _truth(path, fields, "CompressedData", False):
        values = raw.inflated(path, data, shape, dtype, end if local else 0)
    else:
        skip = headers.whole(path, fields, "HeaderSize", 1)[0] if "HeaderSize" in fields else 0
        if skip < -1:
            raise PorefailError(f"{path}: header has HeaderSize = {skip}, expected -1 or more")
        start = None if skip == -1 else skip + (end if local else 0)
        values = raw.mapped(path, data, shape, dtype, start)
    return Scan(path, "MetaImage", values, *_spacing(path, fields))


def _header(path: str) -> tuple[dict[str, str], int]:
    """Fields up to ElementDataFile, and the place of the first byte after them."""
    fields: dict[str, str] = {}
    for line, end in headers.lines(path):
        if line:
            key, value = headers.field(path, line, "=")
            headers.add(path, fields, key, value)
        if "ElementDataFile" in fields:
            headers.text(path, fields, "ElementDataFile")
            return fields, end
    raise PorefailError(f"{path}: header has no ElementDataFile")


def _truth(path: str, fields: Mapping[str, str], key: str, default: bool) -> bool:
    word = fields.get(key, str(default)).lower()
    if word not in ("true", "false", "1", "0"):
        raise PorefailError(f"{path}: header has {key} = {word!r:.40}, expected True or False")
    return word in ("true", "1")


def _spacing(path: str, fields: Mapping[str, str]) -> tuple[Spacing | None, str]:
    for name in ("ElementSpacing", "ElementSize"):
        if name in fields:
            spacing = known(headers.real(path, fields, name, 3))
            if spacing is None:
                raise PorefailError(
                    f"{path}: header has {name} = {fields[name]}, expected numbers above 0"
                )
            if set(spacing) == {1.0}:  # what ITK writes where nobody told it
                return None, f"{name} of the MetaImage is 1 1 1, as if not known"
            return spacing, f"{name} of the MetaImage, which is in mm"
    return None, "the MetaImage has no ElementSpacing"
