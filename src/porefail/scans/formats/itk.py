"""What SimpleITK reads for us: DICOM, NIfTI, rare encodings of NRRD. It is optional."""

import locale
import math
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from porefail.errors import PorefailError
from porefail.scans.volume import Scan, known, reading, require_volume
from porefail.store import memory

if TYPE_CHECKING:
    import SimpleITK

_PLAIN = (1, 0, 0, 0, 1, 0, 0, 0, 1)
_NIFTI_PLAIN = (-1, 0, 0, 0, -1, 0, 0, 0, 1)  # ITK counts x and y the other way than NIfTI
_NIFTI_UNITS = {1: "m", 2: "mm", 3: "um"}
_POSITION, _PIXELS, _PIXELS_AT_DETECTOR = "0020|0032", "0028|0030", "0018|1164"  # of DICOM


def values(path: str, shape: tuple[int, int, int], dtype: np.dtype) -> np.ndarray:
    """Voxels (nx, ny, nz) of an encoded file whose header says shape and type.

    Raises PorefailError where SimpleITK is missing or finds something else.
    """
    with _calling(path, "encoded voxels") as sitk:
        found = _voxels(path, sitk, _header(path, sitk))
    if found.shape != shape or found.dtype != dtype.newbyteorder("="):
        raise PorefailError(
            f"{path}: SimpleITK reads {found.dtype} {found.shape}, its header says {dtype} {shape}"
        )
    return found


def open_nifti(path: str) -> Scan:
    """Scan of a NIfTI file (.nii, .nii.gz); its values are scaled as it says.

    Raises PorefailError for oblique axes, 4 dimensions, several numbers for each voxel.
    """
    with _calling(path, "a NIfTI file") as sitk:
        reader = _header(path, sitk, (_PLAIN, _NIFTI_PLAIN))
        _require_whole(path, reader)
        code = int(float(reader.GetMetaData("xyzt_units"))) & 7
        found = _voxels(path, sitk, reader)
        spacing = known(reader.GetSpacing()) if code in _NIFTI_UNITS else None
    if spacing is None:
        return Scan(path, "NIfTI", found, None, "the NIfTI header names no unit of length")
    source = f"the NIfTI header, in {_NIFTI_UNITS[code]}; SimpleITK gives it in mm"
    return Scan(path, "NIfTI", found, spacing, source)


def _require_whole(path: str, reader: "SimpleITK.ImageFileReader") -> None:
    """Raise PorefailError for a truncated NIfTI, of which ITK makes up the rest."""
    start, bits = (int(float(reader.GetMetaData(key))) for key in ("vox_offset", "bitpix"))
    expected = start + bits // 8 * math.prod(reader.GetSize())
    there = os.path.getsize(path)
    if path.lower().endswith(".gz"):  # which ends with what it holds, in 32 bits
        with open(path, "rb") as file:
            file.seek(-4, os.SEEK_END)
            there, expected = int.from_bytes(file.read(), "little"), expected % 2**32
    if there != expected:
        raise PorefailError(f"{path}: is truncated, or not as long as its header says")


def is_dicom(path: str) -> bool:
    """Whether a file has the mark of DICOM; its name often has no suffix."""
    try:
        with open(path, "rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def open_dicom(path: str) -> Scan:
    """Scan of one DICOM file with all slices; its values are scaled as it says.

    A side of 1 mm is what GDCM says of a file that has no spacing, so it is none here.
    """
    with _calling(path, "a DICOM file") as sitk:
        reader = _header(path, sitk)
        found = _voxels(path, sitk, reader)
        spacing = known(reader.GetSpacing())
    if spacing is None or 1.0 in spacing:
        return Scan(path, "DICOM", found, None, "the DICOM file has no spacing, or 1 mm")
    return Scan(path, "DICOM", found, spacing, "the DICOM file, which is in mm")


def open_dicom_folder(path: str) -> Scan:
    """Scan of the one series of DICOM slices in a folder; its values are scaled as it says.

    Raises PorefailError for no or several series, oblique or colour slices, slices of other sizes,
    without a position, or not at equal distances (one is missing).
    """
    with _calling(path, "a DICOM series") as sitk:
        series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(path)
        if len(series) != 1:
            raise PorefailError(f"{path}: holds {len(series)} DICOM series, expected one")
        names = list(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(path, series[0]))
        if len(names) == 1:
            return open_dicom(names[0])
        slices = [_header(name, sitk, slices=True) for name in names]
        for name, each in zip(names, slices, strict=True):
            if each.GetSize() != slices[0].GetSize():
                raise PorefailError(f"{name}: is a slice of another size than {names[0]}")
            if not each.HasMetaDataKey(_POSITION):
                raise PorefailError(f"{name}: says no position of its slice")
        distance = _distance(path, [each.GetMetaData(_POSITION) for each in slices])
        first = slices[0]
        width, height = first.GetSize()[:2]
        size = width * height * len(names) * _dtype(sitk, first).itemsize
        memory.require(2 * size, f"{path}: {len(names)} slices")
        found = sitk.GetArrayFromImage(sitk.ReadImage(names)).T
        if found.shape != (width, height, len(names)):
            raise PorefailError(f"{path}: SimpleITK reads {found.shape} of {len(names)} slices")
    if not any(map(first.HasMetaDataKey, (_PIXELS, _PIXELS_AT_DETECTOR))):
        return Scan(path, "DICOM", found, None, "the DICOM slices name no spacing of pixels")
    spacing = known((*first.GetSpacing()[:2], distance))
    return Scan(path, "DICOM", found, spacing, "pixels and positions of the slices, in mm")


def _distance(path: str, positions: Sequence[str]) -> float:
    """Distance (mm) of slices from their positions in DICOM's text."""
    places = np.array([[float(part) for part in each.split("\\")] for each in positions])
    steps = np.diff(places, axis=0)
    mean = steps.mean(axis=0)
    if mean[2] <= 0 or not np.allclose(steps, [0, 0, mean[2]], rtol=0, atol=0.01 * mean[2]):
        raise PorefailError(
            f"{path}: its slices are not one above the other at equal distances; is one missing?"
        )
    return float(mean[2])


@contextmanager
def _calling(path: str, what: str) -> Iterator[ModuleType]:
    """SimpleITK, whose errors become one line; raises PorefailError where it is not installed."""
    try:
        import SimpleITK as sitk
    except ImportError as error:
        raise PorefailError(f'{path}: needs SimpleITK: pip install "porefail[itk]"') from error
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    before = locale.setlocale(locale.LC_ALL)
    with reading(path, what):
        try:
            yield sitk
        except RuntimeError as error:  # several lines, of which the last says what is wrong
            told = str(error).strip().splitlines()[-1]
            raise RuntimeError(re.sub(r"\(0x\w+\)", "", told)) from error
        finally:
            # Its reader of DICOM leaves the locale C, in which Python reads and prints no µ.
            locale.setlocale(locale.LC_ALL, before)


def _header(
    path: str, sitk: ModuleType, plain: Sequence[tuple] = (_PLAIN,), slices: bool = False
) -> "SimpleITK.ImageFileReader":
    """Reader that has read the header, of a volume or of one slice, in which all is as we ask."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(path)
    reader.ReadImageInformation()
    if reader.GetNumberOfComponents() != 1:
        raise PorefailError(
            f"{path}: has {reader.GetNumberOfComponents()} numbers for each voxel (colours?),"
            " expected 1"
        )
    size = reader.GetSize()
    if slices and any(side != 1 for side in size[2:]):
        raise PorefailError(f"{path}: holds several slices, expected one")
    if not slices:
        require_volume(path, size, _dtype(sitk, reader))
    direction = reader.GetDirection()
    if len(direction) == 9 and not any(np.allclose(direction, each, atol=1e-4) for each in plain):
        raise PorefailError(f"{path}: is oblique, its axes are turned or mirrored")
    return reader


def _dtype(sitk: ModuleType, reader: "SimpleITK.ImageFileReader") -> np.dtype:
    return sitk.GetArrayFromImage(sitk.Image([1, 1], reader.GetPixelID())).dtype


def _voxels(path: str, sitk: ModuleType, reader: "SimpleITK.ImageFileReader") -> np.ndarray:
    """The voxels (nx, ny, nz), x fastest; for a moment there are two copies."""
    bytes_ = float(np.prod(reader.GetSize(), dtype=float)) * _dtype(sitk, reader).itemsize
    memory.require(2 * bytes_, path)
    return sitk.GetArrayFromImage(reader.Execute()).T
