"""Slices in files of their own: a folder or a list of TIFF, PNG or BMP, in the order of numbers."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from porefail.errors import PorefailError
from porefail.scans.formats import tiff
from porefail.scans.volume import Scan, reading, require_volume
from porefail.store import memory

KINDS = {".tif": "TIFF", ".tiff": "TIFF", ".png": "PNG", ".bmp": "BMP"}
OTHERS = (".jpg", ".jpeg", ".jp2", ".gif")  # images that change grey values, or hold colours
_GREY = ("1", "L", "I;16", "I;16B", "I", "F")  # modes of Pillow


def images(folder: str) -> list[str]:
    """Files of a folder that are images by their names, in no order; hidden ones are let be."""
    with reading(folder, "a folder"):
        return [
            str(path)
            for path in Path(folder).iterdir()
            if path.suffix.lower() in (*KINDS, *OTHERS)
            and not path.name.startswith(".")
            and path.is_file()
        ]


def open_slices(path: str, paths: Iterable[str]) -> Scan:
    """Scan of slices, the lowest number in their names at z = 0.

    path: what the scan is called; the folder, as a rule. Raises PorefailError where there are no
    two slices or more of one suffix, one shape, one type, numbered without a gap, and grey.
    """
    names = ordered(path, paths)
    first = _grey(names[0])
    shape = (*first.shape[::-1], len(names))
    require_volume(path, shape, first.dtype)
    memory.require(first.nbytes * len(names), f"{path}: {len(names)} slices")
    values = np.empty(shape[::-1], first.dtype)
    for name, into in zip(names, values, strict=True):
        found = _grey(name)
        if found.shape != first.shape or found.dtype != first.dtype:
            raise PorefailError(
                f"{name}: is a slice of {_told(found)}, expected {_told(first)} as in {names[0]}"
            )
        into[:] = found
    kind = KINDS[Path(names[0]).suffix.lower()]
    return Scan(path, f"{kind} slices", values.T, None, "slices have no spacing in z")


def ordered(path: str, paths: Iterable[str]) -> list[str]:
    """The slices in the order of the one number in their names that differs: 9, 10, 11.

    Raises PorefailError where there is no such number, where it has gaps or comes twice, for other
    files and several suffixes.
    """
    names = sorted(paths)
    if not names:
        raise PorefailError(f"{path}: holds no slices, expected TIFF, PNG or BMP files")
    suffixes = sorted({Path(name).suffix.lower() for name in names})
    if len(suffixes) > 1:
        raise PorefailError(f"{path}: holds slices {' and '.join(suffixes)}, expected one of them")
    if suffixes[0] not in KINDS:
        raise PorefailError(f"{names[0]}: expected slices that are TIFF, PNG or BMP files")
    if len(names) == 1:
        raise PorefailError(f"{path}: holds one slice, expected two or more")
    parts = [re.split("([0-9]+)", Path(name).stem) for name in names]  # text, number, text, ...
    for name, part in zip(names, parts, strict=True):
        if part[::2] != parts[0][::2]:
            raise PorefailError(
                f"{path}: holds slices {Path(names[0]).name} and {Path(name).name}, expected names"
                " that differ in one number alone"
            )
    numbers = np.array([[int(digits) for digits in part[1::2]] for part in parts], object)
    varies = [column for column in numbers.T if len(set(column)) > 1]
    if len(varies) != 1:
        what = f"names differ in {len(varies)} numbers" if varies else "numbers are all the same"
        raise PorefailError(f"{path}: slices whose {what}, expected them to differ in one number")
    by_number = sorted(zip(varies[0], names, strict=True))
    _require_consecutive(path, by_number)
    return [name for _, name in by_number]


def _require_consecutive(path: str, by_number: Sequence[tuple[int, str]]) -> None:
    for (number, name), (following, other) in zip(by_number, by_number[1:], strict=False):
        if following == number:
            raise PorefailError(f"{path}: both {name} and {other} are slice {number}")
        if following > number + 1:
            raise PorefailError(
                f"{path}: slice {number + 1} is missing, after {Path(name).name} comes"
                f" {Path(other).name}"
            )


def _grey(path: str) -> np.ndarray:
    """One slice (ny, nx) of grey values, or of 0 and 1."""
    if KINDS[Path(path).suffix.lower()] == "TIFF":
        values = tiff.slice_of(path)
    else:
        with reading(path, "an image"), tiff.opened_image(path) as image:
            if image.mode not in _GREY:
                raise PorefailError(f"{path}: is in colour ({image.mode}), expected grey values")
            if getattr(image, "n_frames", 1) > 1:
                raise PorefailError(f"{path}: holds {image.n_frames} images, expected one slice")
            values = tiff.pixels(image)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _told(values: np.ndarray) -> str:
    ny, nx = values.shape
    return f"{nx} x {ny} {values.dtype}"
