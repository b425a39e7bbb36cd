"""Slices in files of their own: their order, and that none is missing or another."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from porefail.errors import PorefailError
from porefail.scans.formats.slices import KINDS
from porefail.scans.opening import open_scan
from porefail.store import memory

SHAPE = (7, 5, 9)


@pytest.fixture
def grey():
    return np.random.default_rng(5).integers(0, 60000, SHAPE, np.uint16)


def write(folder, values, name="slice_{}.tif", first=7):
    """Slices by Pillow, numbers without zeros before them: by letters 9 comes after 10."""
    folder.mkdir(exist_ok=True)
    for k, each in enumerate(values.T):
        Image.fromarray(np.ascontiguousarray(each)).save(folder / name.format(first + k))
    return folder


def refusal(*paths) -> str:
    with pytest.raises(PorefailError) as raised:
        open_scan(paths)
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("suffix", ["tif", "TIFF", "png", "bmp"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_order_of_numbers(tmp_path, grey, suffix, dtype):
    if (suffix, dtype) == ("bmp", "uint16"):
        pytest.skip("BMP has 8 bits")
    values = grey.astype(dtype)
    folder = write(tmp_path / "scan", values, f"2024_slice{{}}_of_9.{suffix}")
    (folder / "notes 3.txt").write_text("9.8 um")
    (folder / f".hidden.{suffix}").write_text("")
    (folder / "logs").mkdir()
    scan = open_scan([folder])
    assert scan.values.dtype == dtype and scan.spacing is None and "z" in scan.source
    np.testing.assert_array_equal(scan.values, values)
    assert (scan.path, scan.format) == (str(folder), f"{KINDS['.' + suffix.lower()]} slices")
    files = sorted(folder.glob(f"2024*.{suffix}"))
    assert files[0].name.startswith("2024_slice10")
    np.testing.assert_array_equal(open_scan(files).values, values)
    np.testing.assert_array_equal(open_scan(files[::-1]).values, values)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "uint32", "float32"])
@pytest.mark.parametrize(
    "options", [{}, {"compression": "zlib"}, {"byteorder": ">"}, {"imagej": 1}]
)
def test_slices_of_tifffile(tmp_path, grey, dtype, options):
    if "imagej" in options and dtype in ("int16", "uint32"):
        pytest.skip("ImageJ has no such type")
    values = (grey - 3e4).astype(dtype) if dtype == "int16" else grey.astype(dtype)
    for k, each in enumerate(values.T):
        tifffile.imwrite(tmp_path / f"{k:04}.tif", np.ascontiguousarray(each), **options)
    scan = open_scan([tmp_path])
    assert scan.values.dtype == dtype and scan.values.dtype.isnative
    np.testing.assert_array_equal(scan.values, values)


@pytest.mark.parametrize("suffix", ["tif", "png"])
def test_slices_of_itk(tmp_path, grey, suffix):
    sitk = pytest.importorskip("SimpleITK")
    image = sitk.GetImageFromArray(np.ascontiguousarray(grey.T))
    sitk.WriteImage(image, [str(tmp_path / f"{k}.{suffix}") for k in range(SHAPE[2])])
    np.testing.assert_array_equal(open_scan([tmp_path]).values, grey)


@pytest.mark.parametrize("kind", ["TIFF", "PNG"])
def test_slices_of_vtk(tmp_path, grey, kind):
    from vtkmodules import vtkIOImage
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonDataModel import vtkImageData

    for k in range(SHAPE[2]):
        image = vtkImageData()
        image.SetDimensions(*SHAPE[:2], 1)
        scalars = numpy_to_vtk(grey[:, :, k].ravel(order="F"), deep=True)
        image.GetPointData().SetScalars(scalars)
        writer = getattr(vtkIOImage, f"vtk{kind}Writer")()
        writer.SetInputData(image)
        writer.SetFileName(f"{tmp_path}/{k + 5}.{kind.lower()}")
        writer.Write()
    # The y of VTK runs upwards, rows of images downwards.
    np.testing.assert_array_equal(open_scan([tmp_path]).values, grey[:, ::-1])


@pytest.mark.parametrize("suffix", ["tif", "png", "bmp"])
def test_masks(tmp_path, grey, suffix):
    """Pillow writes one bit for each pixel."""
    for k, each in enumerate((grey > 20000).T):
        Image.fromarray(each).save(tmp_path / f"{k}.{suffix}")
    scan = open_scan([tmp_path])
    np.testing.assert_array_equal(scan.values, (grey > 20000).astype(np.uint8))
    assert scan.values.dtype == np.uint8


def test_a_slice_that_is_missing(tmp_path, grey):
    folder = write(tmp_path / "scan", grey)
    (folder / "slice_11.tif").unlink()
    assert refusal(folder) == (
        f"{folder}: slice 11 is missing, after slice_10.tif comes slice_12.tif"
    )


def test_slices_that_differ(tmp_path, grey):
    folder = write(tmp_path / "scan", grey)
    Image.fromarray(grey[:, :4, 0]).save(folder / "slice_9.tif")
    assert refusal(folder) == (
        f"{folder}/slice_9.tif: is a slice of 4 x 7 uint16, expected 7 x 5 uint16 as in"
        f" {folder}/slice_7.tif"
    )
    Image.fromarray(grey[:, :, 0].T.astype(np.uint8)).save(folder / "slice_9.tif")
    assert f"{folder}/slice_9.tif: is a slice of 7 x 5 uint8, expected" in refusal(folder)
    Image.new("RGB", (7, 5)).save(folder / "slice_9.tif")
    assert refusal(folder) == f"{folder}/slice_9.tif: is in colour (RGB), expected grey values"
    (folder / "slice_9.tif").write_text("no image")
    assert refusal(folder).startswith(f"{folder}/slice_9.tif: cannot be read as a TIFF file")
    tifffile.imwrite(folder / "slice_9.tif", np.ascontiguousarray(grey.T))
    assert refusal(folder).endswith("slice_9.tif: holds 7 x 5 x 9 numbers, expected one grey slice")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA"])
def test_colours(tmp_path, mode):
    for k in range(3):
        Image.new(mode, (7, 5)).save(tmp_path / f"{k}.png")
    assert refusal(tmp_path) == f"{tmp_path}/0.png: is in colour ({mode}), expected grey values"


@pytest.mark.parametrize(
    "names, words",
    [
        ([], "holds no slices, expected TIFF, PNG or BMP files"),
        (["notes.txt", ".a1.tif"], "holds no slices, expected TIFF, PNG or BMP files"),
        (["1.tif"], "holds one slice, expected two or more"),
        (["1.tif", "2.png"], "holds slices .png and .tif, expected one of them"),
        (["1.tif", "2.tif", "preview.jpg"], "holds slices .jpg and .tif, expected one of them"),
        (["a1.tif", "b2.tif"], "holds slices a1.tif and b2.tif, expected names that differ in one"),
        (
            ["a1.tif", "a2.tif", "a.tif"],
            "holds slices a.tif and a1.tif, expected names that differ",
        ),
        (["a1.tif", "a01.tif"], "slices whose numbers are all the same"),
        (["1_1.tif", "2_2.tif"], "slices whose names differ in 2 numbers"),
        (["1.tif", "2.tif", "02.tif"], "02.tif and"),
        (["8.tif", "10.tif"], "slice 9 is missing, after 8.tif comes 10.tif"),
    ],
)
def test_folders_that_are_no_stack(tmp_path, names, words):
    for name in names:
        (tmp_path / name).write_text("x")
    assert words in refusal(tmp_path)
    assert refusal(tmp_path).startswith(f"{tmp_path}: ")


def test_lossy_slices(tmp_path):
    for name in ("1.jpg", "2.jpg"):
        Image.new("L", (7, 5)).save(tmp_path / name)
    assert refusal(tmp_path) == (
        f"{tmp_path}/1.jpg: expected slices that are TIFF, PNG or BMP files"
    )


def test_memory_is_asked_for_before_slices_are_read(tmp_path, grey, monkeypatch):
    folder = write(tmp_path / "scan", grey)
    monkeypatch.setattr(memory, "available", lambda: 100)
    assert f"{folder}" in refusal(folder) and "GB of memory" in refusal(folder)
