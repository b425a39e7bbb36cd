"""TIFF files: stacks of ImageJ, OME, BigTIFF and plain pages; and single slices."""

import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

import numpy as np
import tifffile
from PIL import Image

from porefail.errors import PorefailError
from porefail.scans.lengths import UNITS, in_mm
from porefail.scans.volume import Scan, Spacing, known, reading, require_volume
from porefail.store import memory

_MODES = {  # of Pillow, that hold every value of a type
    "bool": ("1",),
    "uint8": ("L",),
    "uint16": ("I;16", "I;16B", "I;16L", "I;16N"),
    "int16": ("I",),
    "int32": ("I",),
    "float32": ("F",),
}
_OTHER_AXES = {"S": "colours", "C": "channels", "T": "time steps"}
_STACKED = "ZIQR"  # axes of tifffile: planes in z, pages, not named, more pages


def open_tiff(path: str) -> Scan:
    """Scan of a TIFF with a page for each slice; mapped where it is not compressed.

    Raises PorefailError for what is no such TIFF, is truncated, has colours, channels or time
    steps, one page, or pages of several sizes.
    """
    with _opened(path) as tif:
        series = _series(path, tif)
        axes = series.axes
        for axis in (axis for axis in axes if axis in _OTHER_AXES):
            count = series.shape[axes.index(axis)]
            raise PorefailError(
                f"{path}: has {count} {_OTHER_AXES[axis]}, expected one grey volume"
            )
        if axes == "YX":
            raise PorefailError(f"{path}: is one slice, expected a stack or a folder of slices")
        if len(axes) != 3 or axes[0] not in _STACKED or axes[1:] != "YX":
            raise PorefailError(f"{path}: has the axes {axes}, expected slices in z")
        require_volume(path, series.shape[::-1], series.dtype)
        values = _mapped(path, tif, series)
        if values is None:
            values = _read(path, series)
        spacing, source = _spacing(tif, series)
        kind = "OME-TIFF" if tif.is_ome else "ImageJ TIFF" if tif.is_imagej else "TIFF"
    return Scan(path, kind, values.T, spacing, source)


def slice_of(path: str) -> np.ndarray:
    """The one page (ny, nx) of a TIFF, in memory; raises PorefailError as `open_tiff`."""
    with _opened(path) as tif:
        series = _series(path, tif)
        if series.axes != "YX":
            shape = " x ".join(map(str, series.shape[::-1]))
            raise PorefailError(f"{path}: holds {shape} numbers, expected one grey slice")
        return _read(path, series)


class _Heard(logging.Handler):
    """Keeps what tifffile complains of and goes on: a page that is missing, for one."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if not said.startswith("<TiffTag"):  # private tags of scanners
            self.said.append(re.sub("^<.*?> *", "", said))

    def refuse(self, path: str) -> None:
        if self.said:
            raise PorefailError(f"{path}: is damaged or truncated ({self.said[0]:.120})")


@contextmanager
def _opened(path: str) -> Iterator[tifffile.TiffFile]:
    heard, logger = _Heard(), logging.getLogger("tifffile")
    logger.addHandler(heard)
    try:
        with reading(path, "a TIFF file"), tifffile.TiffFile(path) as tif:
            _ = len(tif.pages), tif.series  # reads what tells of all pages
            heard.refuse(path)
            yield tif
            heard.refuse(path)
    finally:
        logger.removeHandler(heard)


def _series(path: str, tif: tifffile.TiffFile) -> tifffile.TiffPageSeries:
    """The one series of pages, of grey values that are all in the file."""
    if len(tif.series) != 1:
        raise PorefailError(f"{path}: holds {len(tif.series)} stacks of images, expected one")
    series = tif.series[0]
    colour = series.keyframe.photometric
    if colour == tifffile.PHOTOMETRIC.MINISWHITE:
        raise PorefailError(f"{path}: its 0 is white (MinIsWhite), expected 0 to be black")
    if colour != tifffile.PHOTOMETRIC.MINISBLACK:
        name = getattr(colour, "name", colour)
        raise PorefailError(f"{path}: is in colour ({name}), expected grey values")
    if series.dtype is None:
        raise PorefailError(f"{path}: holds no whole or real numbers")
    size, start = os.stat(path).st_size, series.dataoffset
    pages = [page for page in series.pages if page is not None]
    ends = [start + series.nbytes] if start is not None else []
    for page in pages if start is None else ():
        parts = list(zip(page.dataoffsets, page.databytecounts, strict=True))
        if not parts or min(min(part) for part in parts) < 1:
            raise PorefailError(f"{path}: has a page without data")
        ends.append(max(offset + count for offset, count in parts))
    if max(ends) > size:
        raise PorefailError(f"{path}: is truncated: {size} bytes, expected {max(ends)} or more")
    return series


def _mapped(
    path: str, tif: tifffile.TiffFile, series: tifffile.TiffPageSeries
) -> np.ndarray | None:
    """Slices (nz, ny, nx) mapped from the file, None where they do not lie there as they are."""
    if series.dataoffset is None or not series.keyframe.is_memmappable:
        return None
    dtype = series.dtype.newbyteorder(tif.byteorder)
    return np.memmap(path, dtype, "r", series.dataoffset, series.shape)


def _read(path: str, series: tifffile.TiffPageSeries) -> np.ndarray:
    """The numbers of all pages, of the shape of the series."""
    memory.require(2 * series.nbytes, path)
    try:
        values = series.asarray()
    except (ValueError, KeyError) as error:
        if "imagecodecs" not in str(error):
            raise
        values = _read_by_pillow(path, series)
    return values


def _read_by_pillow(path: str, series: tifffile.TiffPageSeries) -> np.ndarray:
    """The same of what tifffile cannot decompress without a further package, as LZW."""
    modes = _MODES.get(series.dtype.name, ())
    values = np.empty((len(series.pages), *series.shape[-2:]), series.dtype)
    with opened_image(path) as image:
        for page, into in zip(series.pages, values, strict=True):
            image.seek(page.index)
            if image.mode not in modes or image.size != into.shape[::-1]:
                raise PorefailError(
                    f"{path}: {series.dtype} compressed by {page.compression.name} is not read,"
                    " save it without compression"
                )
            into[:] = pixels(image)
    return values.reshape(series.shape)


@contextmanager
def opened_image(path: str) -> Iterator[Image.Image]:
    """An image of Pillow, where what it warns of is an error; slices may be large."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(path) as image:
            yield image


def pixels(image: Image.Image) -> np.ndarray:
    """Pixels (ny, nx) of an image of Pillow, whose truth values are bytes of 255 for NumPy."""
    return np.asarray(image.convert("L")) > 0 if image.mode == "1" else np.asarray(image)


def _spacing(tif: tifffile.TiffFile, series: tifffile.TiffPageSeries) -> tuple[Spacing | None, str]:
    """Spacing along x, y, z in mm, and where it came from or why there is none."""
    if tif.is_ome:
        found = ElementTree.fromstring(tif.ome_metadata).find(".//{*}Pixels")
        told = [
            (found.get(f"PhysicalSize{axis}"), found.get(f"PhysicalSize{axis}Unit", "um"))
            for axis in "XYZ"
        ]
        spacing = _in_mm(told)
        return spacing, "PhysicalSize of OME" if spacing else "OME has no PhysicalSize in x, y, z"
    if tif.is_imagej:
        meta = tif.imagej_metadata or {}
        unit = str(meta.get("unit", "pixel")).replace("\\u00B5", "\u00b5")
        tags = [series.keyframe.tags.get(f"{axis}Resolution") for axis in "XY"]
        # Voxels for each unit, as a fraction.
        sides = [tag and tag.value[0] and tag.value[1] / tag.value[0] for tag in tags]
        spacing = _in_mm([(side, unit) for side in (*sides, meta.get("spacing"))])
        missing = f"ImageJ has no spacing in x, y, z with a unit of length (unit {unit:.20})"
        return spacing, f"ImageJ, in {unit}" if spacing else missing
    return None, "a plain TIFF has none: its resolution is for print, and is not in z"


def _in_mm(told: list[tuple[str | float | None, str]]) -> Spacing | None:
    if any(not side or unit not in UNITS for side, unit in told):
        return None
    return known([in_mm(float(side), unit) for side, unit in told])
