"""Opening a scan, whatever its format: chosen by the suffix, for a folder by what is in it."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from porefail.errors import PorefailError
from porefail.scans.formats import arrays, itk, metaimage, nrrd, slices, tiff, vgi
from porefail.scans.formats.raw import open_raw
from porefail.scans.volume import Raw, Scan, require_volume
from porefail.store import foreign

FORMATS: dict[str, Callable[[str], Scan]] = {
    ".mhd": metaimage.open_metaimage,
    ".mha": metaimage.open_metaimage,
    ".nrrd": nrrd.open_nrrd,
    ".nhdr": nrrd.open_nrrd,
    ".vgi": vgi.open_vgi,
    ".npy": arrays.open_array,
    ".tif": tiff.open_tiff,
    ".tiff": tiff.open_tiff,
    ".nii": itk.open_nifti,
    ".nii.gz": itk.open_nifti,
    ".dcm": itk.open_dicom,
}
RAW = (".raw", ".vol", ".bin")
HDF5 = (".h5", ".hdf5", ".hdf")


def open_scan(
    paths: Sequence[str | Path], raw: Raw | None = None, dataset: str | None = None
) -> Scan:
    """The scan of one file, of one folder of slices, or of several slices.

    raw: what a file without a header holds; dataset: of an HDF5 file. Where a format allows it,
    only headers are read here and the voxels when they are used. Raises PorefailError, one line
    that begins with the path, for what cannot be read or is no grey volume.
    """
    names = [str(path) for path in paths]
    if not names:
        raise PorefailError("no scan is given, expected a file, a folder or slices")
    for name in names:
        _require_there(name, folder=len(names) == 1)
    first = names[0]
    suffix = _suffix(first)
    single = len(names) == 1 and not os.path.isdir(first)
    if raw is not None and not (single and suffix not in (*FORMATS, *HDF5)):
        raise PorefailError(f"{first}: shape and type of raw voxels are given, which it is not")
    if dataset is not None and not (single and suffix in HDF5):
        raise PorefailError(f"{first}: a dataset is given, but it is no HDF5 file")
    if len(names) > 1:
        scan = slices.open_slices(str(Path(first).parent), names)
    elif not single:
        scan = _open_folder(first)
    elif suffix in HDF5:
        values, source = foreign.volume(first, dataset)
        scan = Scan(first, "HDF5", values, None, source)
    elif suffix in FORMATS:
        scan = FORMATS[suffix](first)
    elif raw is not None or suffix in RAW:
        scan = open_raw(first, raw)
    else:
        scan = _open_unnamed(first, suffix)
    require_volume(scan.path, scan.values.shape, scan.values.dtype)
    if scan.values.dtype.kind == "b":
        return scan._replace(values=scan.values.view(np.uint8))
    return scan


def _require_there(path: str, folder: bool) -> None:
    """Raise PorefailError unless this is a file that is not empty, or a folder."""
    if os.path.isdir(path):
        if not folder:
            raise PorefailError(f"{path}: is a folder, expected it alone or slices")
    elif not os.path.exists(path):
        raise PorefailError(f"{path}: missing file")
    elif not os.path.isfile(path):
        raise PorefailError(f"{path}: is no regular file")
    elif not os.path.getsize(path):
        raise PorefailError(f"{path}: is an empty file")


def _suffix(path: str) -> str:
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    return ".nii.gz" if suffixes[-2:] == [".nii", ".gz"] else (suffixes or [""])[-1]


def _open_folder(path: str) -> Scan:
    """Slices, or a DICOM series; files that are neither are let be."""
    found = slices.images(path)
    others = {entry.path for entry in os.scandir(path) if entry.is_file()} - set(found)
    dicom = next(filter(itk.is_dicom, sorted(others)), None)
    if dicom and found:
        raise PorefailError(f"{path}: holds DICOM slices and images, {dicom} and {found[0]}")
    if dicom:
        return itk.open_dicom_folder(path)
    return slices.open_slices(path, found)


def _open_unnamed(path: str, suffix: str) -> Scan:
    """A file whose suffix says nothing: DICOM has often none."""
    if itk.is_dicom(path):
        return itk.open_dicom(path)
    if suffix == ".npz":
        raise PorefailError(f"{path}: holds several arrays, expected one (.npy)")
    if suffix in (*slices.KINDS, *slices.OTHERS):
        raise PorefailError(f"{path}: is one image, expected a folder of slices")
    known = " ".join([*FORMATS, *HDF5, *RAW])
    raise PorefailError(f"{path}: unknown format {suffix or 'without suffix'}, expected {known}")
