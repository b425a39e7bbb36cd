"""Every format, written by programs that are not ours, comes back voxel for voxel."""

import gzip
import locale
import struct

import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image

from porefail.errors import PorefailError
from porefail.scans.opening import open_scan
from porefail.scans.volume import Raw

SHAPE = (7, 5, 9)  # no two sides the same: a wrong axis is seen
SPACING = (0.0098, 0.011, 0.012)
TYPES = ["uint8", "uint16", "int16", "float32"]


def volume(dtype) -> np.ndarray:
    """Random voxels (nx, ny, nz) that use the whole range of a type, or both signs."""
    random, dtype = np.random.default_rng(3), np.dtype(dtype)
    if dtype.kind == "f":
        return random.normal(size=SHAPE).astype(dtype)
    about = np.iinfo(dtype)
    return random.integers(about.min, about.max, SHAPE, dtype, endpoint=True)


def check(scan, expected, spacing=None):
    assert scan.values.shape == expected.shape and scan.values.dtype.kind == expected.dtype.kind
    assert scan.values.dtype.itemsize == expected.dtype.itemsize
    np.testing.assert_array_equal(scan.values, expected)
    if spacing is None:
        assert scan.spacing is None and scan.source
    else:
        np.testing.assert_allclose(scan.spacing, spacing, rtol=1e-6)


@pytest.fixture
def itk():
    """Writes (nx, ny, nz) by SimpleITK."""
    sitk = pytest.importorskip("SimpleITK")

    def write(path, values, compress=False, compressor=""):
        image = sitk.GetImageFromArray(np.ascontiguousarray(values.T))
        image.SetSpacing(SPACING)
        sitk.WriteImage(image, str(path), useCompression=compress, compressor=compressor)
        return path

    return write


@pytest.fixture
def vtk():
    """Writes (nx, ny, nz) by a writer of VTK."""
    from vtkmodules import vtkIOImage
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData

    def write(path, values, writer, **options):
        image = vtkImageData()
        image.SetDimensions(values.shape)
        image.SetSpacing(SPACING)
        image.GetPointData().SetScalars(numpy_to_vtk(values.ravel(order="F"), deep=True))
        writer = getattr(vtkIOImage, writer)()
        writer.SetInputData(image)
        writer.SetFileName(str(path))
        for name, value in options.items():
            getattr(writer, name)(value)
        writer.Write()
        return path

    return write


@pytest.mark.parametrize("dtype", [*TYPES, "int8", "uint32", "int32", "float64"])
@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("skip", [0, 13])
def test_raw(tmp_path, dtype, big_endian, skip):
    expected, path = volume(dtype), tmp_path / "scan.raw"
    swapped = expected.astype(expected.dtype.newbyteorder(">" if big_endian else "<"))
    path.write_bytes(b"x" * skip + swapped.tobytes(order="F"))
    scan = open_scan([path], Raw(SHAPE, dtype, big_endian, skip))
    check(scan, expected)
    assert isinstance(scan.values, np.memmap) and not scan.values.flags.writeable


def test_raw_of_any_name(tmp_path):
    for name in ("scan.vol", "scan.bin", "scan.uint16", "scan"):
        (tmp_path / name).write_bytes(volume("uint16").tobytes(order="F"))
        check(open_scan([tmp_path / name], Raw(SHAPE, "uint16")), volume("uint16"))


@pytest.mark.parametrize("dtype", [*TYPES, "int64", "uint64"])
@pytest.mark.parametrize("name", ["scan.mha", "scan.mhd", "scan.nrrd", "scan.nhdr"])
@pytest.mark.parametrize("compress", [False, True])
def test_metaimage_and_nrrd_of_itk(tmp_path, itk, dtype, name, compress):
    scan = open_scan([itk(tmp_path / name, volume(dtype), compress)])
    check(scan, volume(dtype), SPACING)
    assert isinstance(scan.values, np.memmap) != compress
    assert scan.format == ("MetaImage" if "m" in name else "NRRD")


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", ["scan.mha", "scan.mhd"])
@pytest.mark.parametrize("compress", [False, True])
def test_metaimage_of_vtk(tmp_path, vtk, dtype, name, compress):
    path = vtk(tmp_path / name, volume(dtype), "vtkMetaImageWriter", SetCompression=compress)
    check(open_scan([path]), volume(dtype), SPACING)


MHD = "NDims = 3\nDimSize = 7 5 9\nElementSpacing = 0.0098 0.011 0.012\nElementType = MET_SHORT\n"


@pytest.mark.parametrize("header, skip", [("HeaderSize = 13\n", 13), ("HeaderSize = -1\n", 40)])
def test_metaimage_by_hand(tmp_path, header, skip):
    big = volume("int16").astype(">i2").tobytes(order="F")
    (tmp_path / "some data.raw").write_bytes(b"x" * skip + big)
    path = tmp_path / "scan.mhd"
    text = f"{MHD}{header}ElementByteOrderMSB = True\nElementDataFile = some data.raw\n"
    path.write_text(text.replace("\n", "\r\n"))
    check(open_scan([path]), volume("int16"), SPACING)
    absolute = tmp_path / "other" / "scan.mhd"
    absolute.parent.mkdir()
    absolute.write_text(text.replace("some data", f"{tmp_path}/some data"))
    check(open_scan([absolute]), volume("int16"), SPACING)
    path.write_text(text.replace("ElementSpacing = 0.0098 0.011 0.012\n", ""))
    check(open_scan([path]), volume("int16"))


NRRD = "NRRD0004\n# by hand\ntype: short\ndimension: 3\nsizes: 7 5 9\nencoding: raw\n"


@pytest.mark.parametrize(
    "fields, known",
    [
        ('spacings: 9.8 11 12\nunits: "um" "um" "um"\n', True),
        ('spacings: 9.8 0.011 12\nunits: "um" "mm" "\u00b5m"\n', True),
        ("spacings: 9.8 11 12\n", False),
        ("spacings: nan nan nan\n", False),
        ("", False),
        ("space: LPS\nspace directions: (0.0098,0,0) (0,0.011,0) (0,0,0.012)\n", True),
        ("space dimension: 3\nspace directions: (0.0098,0,0) (0,0.011,0) (0,0,0.012)\n", False),
        (
            'space: scanner-xyz\nspace units: "um" "um" "um"\nmine:=yes\n'
            "space directions: (9.8,0,0) (0,11,0) (0,0,12)\n",
            True,
        ),
    ],
)
@pytest.mark.parametrize("endian", ["little", "big"])
def test_units_of_nrrd(tmp_path, fields, known, endian):
    data = volume("int16").astype(f"{'>' if endian == 'big' else '<'}i2").tobytes(order="F")
    header = f"{NRRD}endian: {endian}\n{fields}"
    (tmp_path / "scan.nrrd").write_bytes(header.encode() + b"\n" + data)
    check(open_scan([tmp_path / "scan.nrrd"]), volume("int16"), SPACING if known else None)
    (tmp_path / "data").write_bytes(b"x" * 13 + data)
    for skip in ("13", "-1"):
        (tmp_path / "scan.nhdr").write_text(f"{header}byte skip: {skip}\ndata file: data\n")
        check(open_scan([tmp_path / "scan.nhdr"]), volume("int16"), SPACING if known else None)


def test_nrrd_as_text(tmp_path):
    pytest.importorskip("SimpleITK")
    path = tmp_path / "scan.nrrd"
    words = " ".join(map(str, volume("int16").ravel(order="F")))
    path.write_text(NRRD.replace("raw", "txt") + "\n" + words + "\n")
    check(open_scan([path]), volume("int16"))


VGI = """{volume1}
[representation]
size = 7 5 9
mirror = 0 0 0 0
datatype = unsigned integer
bitsperelement = 16
[file1]
SkipHeader = 4
RegionOfInterestStart = 0 0 0
RegionOfInterestEnd = 6 4 8
FileFormat = raw
Size = 7 5 9
Name = scan.vol
Datatype = unsigned integer
datarange = 0 -1
BitsPerElement = 16
{volumeprimitive12}
[geometry]
resolution = 0.0098 0.011 0.012
unit = mm
[volume]
volume = volume1
[description]
text = part
{scene}
[light0]
position = 0 0 1
"""


def test_volume_graphics(tmp_path):
    path = tmp_path / "scan.vgi"
    (tmp_path / "scan.vol").write_bytes(b"abcd" + volume("uint16").tobytes(order="F"))
    path.write_text(VGI)
    check(open_scan([path]), volume("uint16"), SPACING)
    path.write_bytes(VGI.replace("= scan.vol", "= D:\\M\u00fcller\\scan.vol").encode("cp1252"))
    check(open_scan([path]), volume("uint16"), SPACING)
    path.write_text(VGI.replace("unit = mm\n", ""))
    check(open_scan([path]), volume("uint16"))
    (tmp_path / "scan.vol").write_bytes(volume("float32").tobytes(order="F"))
    real = VGI.replace("unsigned integer", "float").replace("= 16", "= 32")
    path.write_text(real.replace("SkipHeader = 4\n", ""))
    check(open_scan([path]), volume("float32"), SPACING)


@pytest.mark.parametrize("dtype", [*TYPES, "float64", "bool", ">u2"])
@pytest.mark.parametrize("order", "CF")
def test_numpy(tmp_path, dtype, order):
    values = volume("uint8") > 99 if dtype == "bool" else volume(dtype.strip(">")).astype(dtype)
    np.save(tmp_path / "scan.npy", np.asarray(values, order=order))
    scan = open_scan([tmp_path / "scan.npy"])
    check(scan, values.astype("uint8") if dtype == "bool" else values)
    assert isinstance(scan.values, np.memmap)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    "options, mapped",
    [
        ({}, True),
        ({"metadata": None}, True),
        ({"bigtiff": True}, True),
        ({"bigtiff": True, "byteorder": ">"}, True),
        ({"byteorder": ">"}, True),
        ({"resolution": (72, 72), "resolutionunit": "INCH"}, True),
        ({"compression": "zlib"}, False),
        ({"compression": "zlib", "predictor": True}, False),
        ({"compression": "zlib", "byteorder": ">", "rowsperstrip": 2}, False),
        ({"tile": (16, 16)}, False),
    ],
)
def test_tiff_of_tifffile(tmp_path, dtype, options, mapped):
    expected = volume(dtype)
    if dtype == "float32" and "predictor" in options:
        pytest.skip("tifffile needs imagecodecs to write it")
    options = {"photometric": "minisblack"} | options
    tifffile.imwrite(tmp_path / "scan.tif", np.ascontiguousarray(expected.T), **options)
    scan = open_scan([tmp_path / "scan.tif"])
    check(scan, expected)
    assert isinstance(scan.values, np.memmap) == mapped


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize(
    "unit, side", [("um", 1e3), ("micron", 1e3), ("\\u00B5m", 1e3), ("mm", 1), ("inch", 1 / 25.4)]
)
def test_tiff_of_imagej(tmp_path, dtype, unit, side):
    expected = volume(dtype)
    tifffile.imwrite(
        tmp_path / "scan.tif",
        np.ascontiguousarray(expected.T),
        imagej=True,
        byteorder=">",  # as ImageJ does
        resolution=(1 / (SPACING[0] * side), 1 / (SPACING[1] * side)),
        metadata={"axes": "ZYX", "spacing": SPACING[2] * side, "unit": unit},
    )
    scan = open_scan([tmp_path / "scan.tif"])
    check(scan, expected, SPACING)
    assert scan.format == "ImageJ TIFF" and isinstance(scan.values, np.memmap)


@pytest.mark.parametrize(
    "metadata", [{"unit": "um"}, {"spacing": 12}, {"spacing": 12, "unit": "pixel"}]
)
def test_imagej_without_a_spacing(tmp_path, metadata):
    values = np.ascontiguousarray(volume("uint16").T)
    more = {"imagej": True, "resolution": (0.1, 0.1), "metadata": {"axes": "ZYX"} | metadata}
    tifffile.imwrite(tmp_path / "scan.tif", values, **more)
    check(open_scan([tmp_path / "scan.tif"]), volume("uint16"))


def test_a_large_stack_of_imagej_has_one_page(tmp_path):
    """Above 4 GB ImageJ writes one directory, and after it all slices."""
    told = b"ImageJ=1.54f\nimages=9\nslices=9\nunit=mm\nspacing=0.012\n\0"
    entries = [(256, 4, 1, 7), (257, 4, 1, 5), (258, 3, 1, 16 << 16), (262, 3, 1, 1 << 16)]
    entries += [(270, 2, len(told), 200), (273, 4, 1, 400), (277, 3, 1, 1 << 16)]
    entries += [(278, 4, 1, 5), (279, 4, 1, 70), (282, 5, 1, 300), (283, 5, 1, 308)]
    head = struct.pack(">2sHIH", b"MM", 42, 8, len(entries))
    head += b"".join(struct.pack(">HHII", *entry) for entry in entries) + bytes(4)
    head = head.ljust(200, b"\0") + told
    head = head.ljust(300, b"\0") + struct.pack(">4I", 1000000, 9800, 1000000, 11000)
    data = volume("uint16").astype(">u2").tobytes(order="F")
    path = tmp_path / "scan.tif"
    path.write_bytes(head.ljust(400, b"\0") + data)
    check(open_scan([path]), volume("uint16"), SPACING)
    path.write_bytes(head.ljust(400, b"\0") + data[:-1])
    with pytest.raises(PorefailError, match="scan.tif: is "):
        open_scan([path])


@pytest.mark.parametrize("unit, side", [(None, 1e3), ("mm", 1), ("nm", 1e6)])
def test_tiff_of_ome(tmp_path, unit, side):
    metadata = {"axes": "ZYX"}
    for axis, spacing in zip("XYZ", SPACING, strict=True):
        metadata[f"PhysicalSize{axis}"] = spacing * side
        metadata |= {f"PhysicalSize{axis}Unit": unit} if unit else {}
    values = np.ascontiguousarray(volume("int16").T)
    tifffile.imwrite(tmp_path / "scan.ome.tif", values, metadata=metadata)
    check(open_scan([tmp_path / "scan.ome.tif"]), volume("int16"), SPACING)
    del metadata["PhysicalSizeZ"]
    tifffile.imwrite(tmp_path / "scan.ome.tif", values, metadata=metadata)
    check(open_scan([tmp_path / "scan.ome.tif"]), volume("int16"))


@pytest.mark.parametrize("dtype, predictor", [("uint8", 2), ("uint16", 2), ("float32", 3)])
@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("predicted", [False, True])
def test_tiff_of_pillow(tmp_path, dtype, predictor, compression, big, predicted):
    expected = volume(dtype)
    images = [Image.fromarray(values) for values in expected.T]
    options = {"compression": compression, "big_tiff": big}
    if predicted and compression not in (None, "packbits"):
        options["tiffinfo"] = {317: predictor}
    images[0].save(tmp_path / "scan.tif", save_all=True, append_images=images[1:], **options)
    check(open_scan([tmp_path / "scan.tif"]), expected)


@pytest.mark.parametrize("group4", [False, True])
def test_tiff_of_bits(tmp_path, group4):
    expected = volume("uint8") > 99
    images = [Image.fromarray(values) for values in expected.T]
    options = {"compression": "group4"} if group4 else {}
    images[0].save(tmp_path / "scan.tif", save_all=True, append_images=images[1:], **options)
    check(open_scan([tmp_path / "scan.tif"]), expected.astype("uint8"))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("compression", ["", "LZW", "Deflate", "PackBits"])
def test_tiff_of_itk(tmp_path, itk, dtype, compression):
    path = itk(tmp_path / "scan.tif", volume(dtype), bool(compression), compressor=compression)
    check(open_scan([path]), volume(dtype))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("compression", [0, 1, 3])  # none, PackBits, deflate
def test_tiff_of_vtk(tmp_path, vtk, dtype, compression):
    path = tmp_path / "scan.tif"
    vtk(path, volume(dtype), "vtkTIFFWriter", SetCompression=compression)
    check(open_scan([path]), volume(dtype))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
def test_nifti_of_itk(tmp_path, itk, dtype, name):
    scan = open_scan([itk(tmp_path / name, volume(dtype))])
    check(scan, volume(dtype), SPACING)
    assert "in mm" in scan.source


def nifti(values, code) -> bytes:
    """A NIfTI file by hand, of its specification: spacing in the unit of the code, no rotation."""
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, *values.shape, 1, 1, 1, 1)
    struct.pack_into("<2h", head, 70, 512, 16)  # uint16
    factor = {1: 1e-3, 2: 1.0, 3: 1e3}.get(code, 1.0)
    struct.pack_into("<8f", head, 76, 1, *(side * factor for side in SPACING), 0, 0, 0, 0)
    struct.pack_into("<2f", head, 108, 352, 1)
    struct.pack_into("<B", head, 123, code)
    struct.pack_into("<h", head, 252, 1)  # qform, of no rotation
    head[344:348] = b"n+1\0"
    return bytes(head) + values.astype("<u2").tobytes(order="F")


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_units_of_nifti(tmp_path, code):
    pytest.importorskip("SimpleITK")
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(gzip.compress(nifti(volume("uint16"), code)))
    check(open_scan([path]), volume("uint16"), SPACING if code else None)


@pytest.fixture
def dicom(tmp_path):
    """Writes a DICOM series by SimpleITK, one file for each slice; returns its folder."""
    sitk = pytest.importorskip("SimpleITK")
    folder = tmp_path / "dicom"
    folder.mkdir()

    def write(values, series="1.2.3", suffix=".dcm", z=lambda k: k * SPACING[2]):
        before = locale.setlocale(locale.LC_ALL)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        for k in range(values.shape[2]):
            image = sitk.GetImageFromArray(np.ascontiguousarray(values[:, :, k : k + 1].T))
            image.SetSpacing(SPACING)
            tags = {"0008|0060": "CT", "0020|000e": series, "0020|000d": "1.2.9"}
            tags |= {"0020|0037": "1\\0\\0\\0\\1\\0", "0020|0032": f"0\\0\\{z(k):.6f}"}
            tags |= {"0020|0013": str(k), "0008|0018": f"{series}.{k + 1}"}
            for key, value in tags.items():
                image.SetMetaData(key, value)
            # Names against the order of the slices: positions tell it.
            writer.SetFileName(str(folder / f"{series}-{99 - k}.dcm"))
            writer.Execute(image)
            path = folder / f"{series}-{99 - k}.dcm"
            path.rename(path.with_suffix(suffix))
        locale.setlocale(locale.LC_ALL, before)  # the writer leaves C behind
        return folder

    return write


@pytest.mark.parametrize("suffix", [".dcm", ""])
@pytest.mark.parametrize("dtype", ["uint16", "int16"])
def test_dicom(dicom, suffix, dtype):
    folder = dicom(volume(dtype), suffix=suffix)
    (folder / "notes.txt").write_text("a good scan")
    before = locale.setlocale(locale.LC_ALL)
    check(open_scan([folder]), volume(dtype), SPACING)
    assert locale.setlocale(locale.LC_ALL) == before


def test_a_truncated_dicom_slice(dicom):
    folder = dicom(volume("uint16"))
    path = folder / "1.2.3-95.dcm"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(PorefailError, match="^[^\n]*dicom: [^\n]*$"):
        open_scan([folder])


def test_dicom_that_is_no_volume(dicom):
    folder = dicom(volume("uint16"))
    with pytest.raises(PorefailError, match="^[^\n]*: is one slice [^\n]*$"):
        open_scan([folder / "1.2.3-95.dcm"])
    (folder / "1.2.3-95.dcm").unlink()
    with pytest.raises(PorefailError, match="^[^\n]*dicom: its slices are not [^\n]* missing\\?$"):
        open_scan([folder])
    dicom(volume("uint16"), "1.2.4")
    with pytest.raises(PorefailError, match="^[^\n]*dicom: holds 2 DICOM series, expected one$"):
        open_scan([folder])


@pytest.mark.parametrize("dtype", [*TYPES, "float64", "bool"])
def test_hdf5(tmp_path, dtype):
    values = volume("uint8") > 99 if dtype == "bool" else volume(dtype)
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["a/grey"] = values
        file["a/profile"], file["words"] = np.arange(3.0), np.full((2, 2, 2), b"x")
    expected = values.astype("uint8") if dtype == "bool" else values
    scan = open_scan([tmp_path / "scan.h5"])
    check(scan, expected)
    assert "/a/grey" in scan.source and "(x, y, z)" in scan.source
    check(open_scan([tmp_path / "scan.h5"], dataset="a/grey"), expected)
