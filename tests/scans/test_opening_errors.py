"""What cannot be read as a scan is refused in one line that begins with its path."""

import gzip
import os
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from porefail.errors import PorefailError
from porefail.scans.formats import raw as raw_voxels
from porefail.scans.opening import open_scan
from porefail.scans.volume import Raw
from porefail.store import foreign, memory

SHAPE = (7, 5, 9)
VOXELS = np.arange(315, dtype=np.uint16).reshape(SHAPE)
DATA = VOXELS.tobytes(order="F")
MHD = {
    "NDims": "3",
    "DimSize": "7 5 9",
    "ElementSpacing": "0.01 0.01 0.01",
    "ElementType": "MET_USHORT",
    "ElementDataFile": "scan.raw",
}
NRRD = {
    "type": "uint16",
    "dimension": "3",
    "sizes": "7 5 9",
    "encoding": "raw",
    "endian": "little",
    "data file": "scan.raw",
}
VGI = {
    "FileFormat": "raw",
    "Size": "7 5 9",
    "Name": "scan.raw",
    "Datatype": "unsigned integer",
    "BitsPerElement": "16",
}


def refusal(*paths, **options) -> str:
    with pytest.raises(PorefailError) as raised:
        open_scan(paths, **options)
    message = str(raised.value)
    assert "\n" not in message and message.startswith(f"{paths[0]}: ")
    return message.removeprefix(f"{paths[0]}: ")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "scan.raw").write_bytes(DATA)
    return tmp_path


def changed(fields: dict, changes: dict, sign: str) -> str:
    """Lines of a header with changes; None leaves a field out. The data file stays at the end."""
    fields = fields | changes
    return "".join(f"{key}{sign}{value}\n" for key, value in fields.items() if value is not None)


@pytest.mark.parametrize(
    "raw, words",
    [
        (None, "has no header, expected its shape and type with it"),
        (Raw((7, 5, 10), "uint16"), "holds 630 bytes, expected 700 (7 x 5 x 10 voxels of 2 bytes)"),
        (Raw((7, 5, 8), "uint16"), "holds 630 bytes, expected 560"),
        (Raw(SHAPE, "uint16", skip=7), "holds 630 bytes, expected 637"),
        (Raw(SHAPE, "uint16", skip=-7), "skips -7 bytes"),
        (Raw((7, 5, 0), "uint16"), "has no voxels (7 x 5 x 0)"),
        (Raw((7, 45, 1), "uint16"), "is one slice (7 x 45 x 1 voxels), expected a volume"),
        (Raw((-7, -5, 9), "uint16"), "has no voxels"),
        (Raw((7, 45), "uint16"), "has 2 dimensions (7 x 45), expected 3"),
        (Raw((2**40, 2**40, 2**40), "uint16"), "holds 630 bytes, expected 265845599"),
        (Raw(SHAPE, "complex64"), "type 'complex64', expected one of uint8, int8"),
        (Raw(SHAPE, "O"), "type 'O', expected one of"),
    ],
)
def test_raw(folder, raw, words):
    assert words in refusal(folder / "scan.raw", raw=raw)


def test_raw_beside_a_header(folder):
    (folder / "scan.vgi").write_text("x")
    (folder / "scan.raw").rename(folder / "scan.vol")
    assert f"; or give {folder}/scan.vgi" in refusal(folder / "scan.vol")


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"DimSize": "7 5 10"}, "scan.raw holds 630 bytes, expected 700"),
        ({"DimSize": "99999999 99999999 99999999"}, "scan.raw holds 630 bytes, expected 19999"),
        ({"DimSize": "7 5 0"}, "header has DimSize = 7 5 0, expected 1 or more"),
        ({"DimSize": "7 5"}, "header has DimSize = '7 5', expected 3 whole numbers"),
        ({"DimSize": "7 5 9.5"}, "expected 3 whole numbers"),
        ({"DimSize": None}, "header has no DimSize"),
        ({"NDims": "4"}, "has 4 dimensions (NDims), expected 3"),
        ({"ElementType": "MET_UCHAR"}, "scan.raw holds 630 bytes, expected 315"),
        ({"ElementType": "MET_FLOAT_ARRAY"}, "ElementType MET_FLOAT_ARRAY, expected one of"),
        ({"ElementSpacing": "0.01 0.01 nan"}, "expected 3 finite numbers"),
        ({"ElementSpacing": "0.01 0 0.01"}, "expected numbers above 0"),
        ({"ElementNumberOfChannels": "3"}, "has 3 numbers for each voxel, expected 1"),
        ({"TransformMatrix": "0 1 0 1 0 0 0 0 1"}, "is oblique, its axes are turned or mirrored"),
        ({"TransformMatrix": "1 0 0 0 1 0 0 0 -1"}, "is oblique, its axes are turned or mirrored"),
        ({"BinaryData": "False"}, "holds its voxels as text"),
        (
            {"CompressedData": "maybe"},
            "header has CompressedData = 'maybe', expected True or False",
        ),
        ({"HeaderSize": "-2"}, "header has HeaderSize = -2"),
        ({"ElementDataFile": "other.raw"}, "other.raw is missing"),
        ({"ElementDataFile": ""}, "header has no ElementDataFile"),
        ({"ElementDataFile": None}, "header has no ElementDataFile"),
        ({"ElementDataFile": "LIST"}, "its voxels are in several files"),
        ({"ElementDataFile": "s%03d.raw 1 9 1"}, "its voxels are in several files"),
        ({"ElementDataFile": "LOCAL"}, "holds"),
        ({"ElementDataFile": "."}, "is missing"),
    ],
)
def test_metaimage(folder, changes, words):
    ending = {"ElementDataFile": MHD["ElementDataFile"]} | changes
    first = {key: value for key, value in (MHD | changes).items() if key != "ElementDataFile"}
    (folder / "scan.mhd").write_text(
        changed(first, {"ElementDataFile": ending["ElementDataFile"]}, " = ")
    )
    assert words in refusal(folder / "scan.mhd")


@pytest.mark.parametrize(
    "data, words",
    [
        (b"what is this\n", "header line 'what is this' is not of the form key = value"),
        (b"NDims = 3\nNDims = 4\n", "header has NDims twice"),
        (b"NDims = 3\0\n", "its header is no text"),
        (b"Comment = " + b"x" * 70000, "has no end of its header"),
        (b"Comment = x\n" * 9000, "has no end of its header"),
    ],
)
def test_headers(folder, data, words):
    (folder / "scan.mhd").write_bytes(data)
    assert words in refusal(folder / "scan.mhd")


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"sizes": "7 5 10"}, "scan.raw holds 630 bytes, expected 700"),
        ({"sizes": "7 5 -9"}, "header has sizes = 7 5 -9, expected 1 or more"),
        ({"dimension": "4"}, "has 4 dimensions, expected 3"),
        ({"type": "block"}, "type 'block', expected whole or real numbers"),
        ({"encoding": "zip"}, "unknown encoding 'zip'"),
        ({"endian": None}, "header has endian none, expected little or big"),
        ({"spacings": "1 1"}, "expected 3 finite numbers"),
        ({"space directions": "(1,0,0) (0,1,0)"}, "expected three vectors"),
        ({"space directions": "none (1,0,0) (0,1,0)"}, "expected three vectors"),
        ({"space directions": "(1,0,0) (0,0.9,0.1) (0,-0.1,0.9)"}, "is oblique"),
        ({"space directions": "(0,1,0) (1,0,0) (0,0,1)"}, "is oblique"),
        ({"space directions": "(1,0,0) (0,1,0) (0,0,-1)"}, "runs backwards"),
        ({"space directions": "(1,0,0) (0,nan,0) (0,0,1)", "space": "LPS"}, None),
        ({"byte skip": "-2"}, "header skips 0 lines and -2 bytes"),
        ({"line skip": "2"}, "header skips 2 lines and 0 bytes"),
        ({"data file": "other.raw"}, "other.raw is missing"),
        ({"data file": "s%03d.raw 1 9 1"}, "its voxels are in several files"),
        ({"data file": "LIST"}, "its voxels are in several files"),
        ({"data file": None}, "bytes, expected"),
    ],
)
def test_nrrd(folder, changes, words):
    (folder / "scan.nhdr").write_text("NRRD0005\n" + changed(NRRD, changes, ": "))
    if words is None:
        assert open_scan([folder / "scan.nhdr"]).spacing is None
    else:
        assert words in refusal(folder / "scan.nhdr")


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"Size": "7 5 10"}, "scan.raw holds 630 bytes, expected 700"),
        ({"Size": None}, "header has no size"),
        ({"Name": None}, "header has no name"),
        ({"Name": "other.vol"}, "other.vol is missing"),
        ({"BitsPerElement": "12"}, "holds unsigned integer of 12 bits, expected"),
        ({"BitsPerElement": "sixteen"}, "expected 1 whole number"),
        ({"Datatype": "rgb"}, "holds rgb of 16 bits, expected"),
        ({"FileFormat": "jpeg"}, "fileformat jpeg, expected raw"),
        ({"Mirror": "0 0 1"}, "has mirrored axes (mirror = 0 0 1)"),
        ({"SkipHeader": "-4"}, "header has skipheader = -4"),
        ({"RegionOfInterestStart": "0 0 0", "RegionOfInterestEnd": "6 4 7"}, "is a part of"),
    ],
)
def test_volume_graphics(folder, changes, words):
    text = "{volume1}\n[file1]\n" + changed(VGI, changes, " = ")
    (folder / "scan.vgi").write_text(text)
    assert words in refusal(folder / "scan.vgi")


@pytest.mark.parametrize(
    "text, words",
    [
        ("{volume1}\n", "its volume has 0 files, expected one"),
        ("{scene}\n[file1]\na = b\n", "has 0 volumes, expected one"),
        ("{volume1}\n[file1]\n{volume2}\n[file1]\n", "has 2 volumes, expected one"),
        ("{volume1}\n[file1]\n[file2]\n", "its volume has 2 files, expected one"),
        ("{volume1}\na = b\n", "stands before the first [section]"),
        (
            "{volume1}\n[representation]\nsize = 7 5 8\n[file1]\n" + changed(VGI, {}, " = "),
            "header and file disagree on the size, 7 5 8 and 7 5 9",
        ),
        (
            "{volume1}\n[file1]\n"
            + changed(VGI, {}, "=")
            + "{volumeprimitive1}\n[geometry]\nresolution = 0 1 1\nunit = mm\n",
            "header has resolution = 0 1 1, expected above 0",
        ),
    ],
)
def test_sections_of_volume_graphics(folder, text, words):
    (folder / "scan.vgi").write_text(text)
    assert words in refusal(folder / "scan.vgi")


def _tiff(values, **options) -> Callable[[Path], None]:
    return lambda path: tifffile.imwrite(path, values, **options)


def _mixed(path: Path) -> None:
    with tifffile.TiffWriter(path) as tif:
        tif.write(VOXELS[0])
        tif.write(VOXELS[0, :3])


def _bytes(data: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(data)


STACK = np.ascontiguousarray(VOXELS.T)


@pytest.mark.parametrize(
    "write, words",
    [
        (_tiff(np.zeros((9, 5, 7, 3), np.uint8), photometric="rgb"), "is in colour (RGB)"),
        (_tiff(np.zeros((5, 7, 3), np.uint8), photometric="rgb"), "is in colour (RGB)"),
        (_tiff(STACK, imagej=True, metadata={"axes": "TYX"}), "has 9 time steps, expected one"),
        (_tiff(STACK, imagej=True, metadata={"axes": "CYX"}), "has 9 channels, expected one"),
        (
            _tiff(np.stack([STACK] * 2), imagej=True, metadata={"axes": "TZYX"}),
            "has 2 time steps, expected one",
        ),
        (_tiff(STACK, metadata={"axes": "CYX"}, ome=True), "has 9 channels, expected one"),
        (_tiff(np.stack([STACK] * 2)), "has the axes QQYX, expected slices in z"),
        (_tiff(STACK[0]), "is one slice, expected a stack or a folder of slices"),
        (_tiff(STACK, photometric="miniswhite"), "its 0 is white (MinIsWhite)"),
        (_tiff(STACK.astype(np.complex64)), "holds complex64, expected one real number"),
        (_mixed, "holds 2 stacks of images, expected one"),
        (_bytes(b"This is no image.\n" * 20), "cannot be read as a TIFF file: not a TIFF"),
        (_bytes(b"II*\0"), "cannot be read as a TIFF file"),
        (_bytes(b""), "is an empty file"),
        (Path.mkdir, "holds no slices, expected TIFF, PNG or BMP files"),
        (os.mkfifo, "is no regular file"),
    ],
)
def test_tiff(tmp_path, write, words):
    write(tmp_path / "scan.tif")
    assert words in refusal(tmp_path / "scan.tif")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"imagej": True, "metadata": {"axes": "ZYX"}},
        {"compression": "zlib"},
        {"bigtiff": True},
        {"metadata": None},
    ],
)
def test_truncated_tiff(tmp_path, options):
    """What tifffile itself reads as fewer slices; it may be read where a tag alone is lost."""
    whole, path = tmp_path / "whole.tif", tmp_path / "scan.tif"
    tifffile.imwrite(whole, STACK, **options)
    data = whole.read_bytes()
    for size in range(1, len(data), max(1, len(data) // 25)):
        path.write_bytes(data[:size])
        try:
            np.testing.assert_array_equal(open_scan([path]).values, VOXELS)
        except PorefailError as error:
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)


@pytest.mark.parametrize(
    "save, words",
    [
        (lambda path: np.save(path, np.array([VOXELS, None], object)), "holds pickled Python"),
        (lambda path: np.save(path, VOXELS.astype(complex)), "holds complex128, expected one real"),
        (lambda path: np.save(path, VOXELS.astype("U3")), "expected one real number"),
        (lambda path: np.save(path, np.zeros(SHAPE, [("a", "f4")])), "expected one real number"),
        (lambda path: np.save(path, VOXELS[0]), "has 2 dimensions (5 x 9), expected 3"),
        (lambda path: np.save(path, VOXELS[:0]), "has no voxels (0 x 5 x 9)"),
        (lambda path: np.save(path, VOXELS[:1]), "is one slice (1 x 5 x 9 voxels)"),
        (_bytes(b"This is no array."), "cannot be read as a NumPy array: the magic string"),
        (_bytes(b"\x93NUMPY\x01\0\xff\xff{"), "cannot be read as a NumPy array"),
        (_bytes(b"\x93NUMPY\x09\0\xff\xff{"), "cannot be read as a NumPy array"),
    ],
)
def test_numpy(tmp_path, save, words):
    save(tmp_path / "scan.npy")
    assert words in refusal(tmp_path / "scan.npy")


def test_numpy_of_another_length(tmp_path):
    path = tmp_path / "scan.npy"
    np.save(path, VOXELS)
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    assert "cannot be read as a NumPy array" in refusal(path)
    path.write_bytes(data + b"x")
    assert refusal(path) == "holds 759 bytes, expected 758"
    np.savez(tmp_path / "scan.npz", VOXELS)
    assert refusal(tmp_path / "scan.npz") == "holds several arrays, expected one (.npy)"


def _hdf5(**datasets) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with h5py.File(path, "w") as file:
            for name, values in datasets.items():
                file[name] = values

    return write


@pytest.mark.parametrize(
    "write, dataset, words",
    [
        (_hdf5(a=VOXELS, b=VOXELS), None, "found 2 (a, b), name one"),
        (_hdf5(a=VOXELS[0]), None, "expected one dataset of three dimensions, found none"),
        (_hdf5(a=VOXELS), "c", "no dataset c"),
        (_hdf5(a=VOXELS[0]), "a", "a is uint16 (5, 9), expected numbers in three dimensions"),
        (_hdf5(a=VOXELS * 1j), "a", "a is complex128 (7, 5, 9), expected numbers"),
        (_hdf5(a=VOXELS.astype("S3")), "a", "expected numbers in three dimensions"),
        (_hdf5(a=np.zeros(SHAPE, [("r", "f4")])), "a", "expected numbers in three dimensions"),
        (_hdf5(**{"g/a": VOXELS}), "g", "g is a group, expected numbers in three dimensions"),
        (_hdf5(a=VOXELS[:, :0]), None, "has no voxels"),
        (_bytes(b"This is no HDF5."), None, "not an HDF5 file, truncated or damaged"),
    ],
)
def test_hdf5(tmp_path, write, dataset, words):
    write(tmp_path / "scan.h5")
    assert words in refusal(tmp_path / "scan.h5", dataset=dataset)


def test_hdf5_needs_memory(tmp_path, monkeypatch):
    _hdf5(a=VOXELS)(tmp_path / "scan.h5")
    monkeypatch.setattr(memory, "available", lambda: 100)
    assert refusal(tmp_path / "scan.h5").startswith("dataset /a: needs about")
    with pytest.raises(PorefailError, match="missing file"):
        foreign.volume(tmp_path / "none.h5")


_TEXT = b"NRRD0004\n" + changed(NRRD, {"encoding": "txt", "data file": None}, ": ").encode()


def _nifti(dimensions: int, turned: bool) -> bytes:
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, dimensions, *SHAPE, 2 if dimensions == 4 else 1, 1, 1, 1)
    struct.pack_into("<2h", head, 70, 512, 16)
    struct.pack_into("<8f", head, 76, 1, *[0.01] * 3, 1, 0, 0, 0)
    struct.pack_into("<2f", head, 108, 352, 1)
    struct.pack_into("<B", head, 123, 2)
    struct.pack_into("<h", head, 252, 1)
    struct.pack_into("<f", head, 256, 0.5 if turned else 0)
    head[344:348] = b"n+1\0"
    return bytes(head) + DATA * (dimensions - 2)


@pytest.mark.parametrize(
    "name, data, words",
    [
        ("scan.nii", _nifti(4, False), "has 4 dimensions (7 x 5 x 9 x 2), expected 3"),
        ("scan.nii.gz", gzip.compress(_nifti(3, True)), "is oblique, its axes are turned"),
        ("scan.nii", _nifti(3, False)[:500], "is truncated, or not as long as its header says"),
        ("scan.nii.gz", gzip.compress(_nifti(3, False)[:982])[:-9], "is truncated, or not as long"),
        ("scan.nii", b"This is no NIfTI.", "cannot be read as a NIfTI file"),
        ("scan.dcm", b"This is no DICOM.", "cannot be read as a DICOM file"),
        ("scan", bytes(128) + b"DICM", "cannot be read as a DICOM file"),
        ("scan.nrrd", _TEXT + b"\n1 2 three", "cannot be read as encoded voxels"),
    ],
)
def test_what_simpleitk_refuses(tmp_path, name, data, words):
    pytest.importorskip("SimpleITK")
    (tmp_path / name).write_bytes(data)
    assert words in refusal(tmp_path / name)


@pytest.mark.parametrize("size", [7 * 5 * 9, 7 * 5 * 9 - 1, 7 * 5 * 9 + 1])
@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress])
def test_compressed(tmp_path, monkeypatch, size, compress):
    """In one piece or in many; every byte that is lost or another one is told."""
    monkeypatch.setattr(raw_voxels, "CHUNK", 50)
    data = compress((bytes(range(256)) * 2)[:size])
    head = b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 7 5 9\nencoding: gzip\n\n"
    path = tmp_path / "scan.nrrd"
    path.write_bytes(head + data)
    if size != 7 * 5 * 9:
        assert "truncated, or not the 315 bytes" in refusal(path)
        return
    found = open_scan([path]).values
    assert found.tobytes(order="F") == (bytes(range(256)) * 2)[:size] and found.shape == SHAPE
    for lost in (1, 5, 100, len(data)):
        path.write_bytes(head + data[:-lost])
        assert "truncated, or not the 315 bytes" in refusal(path)
    for place in (0, 40, len(data) - 9, len(data) - 1 - 4 * (compress is gzip.compress)):
        path.write_bytes(head + data[:place] + bytes([data[place] ^ 8]) + data[place + 1 :])
        assert "compressed voxels" in refusal(path)


def test_simpleitk_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    (tmp_path / "scan.nii").write_bytes(_nifti(3, False))
    assert refusal(tmp_path / "scan.nii") == 'needs SimpleITK: pip install "porefail[itk]"'


def test_paths(tmp_path):
    assert refusal(tmp_path / "none.tif") == "missing file"
    (tmp_path / "link.tif").symlink_to("none.tif")
    assert refusal(tmp_path / "link.tif") == "missing file"
    (tmp_path / "scan.xyz").write_text("x")
    assert refusal(tmp_path / "scan.xyz").startswith("unknown format .xyz, expected .mhd .mha")
    (tmp_path / "scan.png").write_text("x")
    assert refusal(tmp_path / "scan.png") == "is one image, expected a folder of slices"
    assert refusal(tmp_path, tmp_path / "scan.png") == "is a folder, expected it alone or slices"
    with pytest.raises(PorefailError, match="^no scan is given"):
        open_scan([])


def test_options_of_another_format(tmp_path):
    np.save(tmp_path / "scan.npy", VOXELS)
    raw = Raw(SHAPE, "uint16")
    message = "shape and type of raw voxels are given, which it is not"
    assert refusal(tmp_path / "scan.npy", raw=raw) == message
    assert refusal(tmp_path, raw=raw) == message
    message = "a dataset is given, but it is no HDF5 file"
    assert refusal(tmp_path / "scan.npy", dataset="a") == message
