"""phantom: a TIFF of a realization, and one line for each mistake."""

import re

import numpy as np
import pytest
import tifffile

from porefail import store
from porefail.__main__ import main
from porefail.scans.phantom import AIR, METAL, Scanner, scan
from porefail.steps import phantom

SHAPE, SPACING = (6, 6, 10), 0.05


@pytest.fixture(scope="module")
def voxels():
    return (np.random.default_rng(1).random((2, *SHAPE)) < 0.1).astype(np.uint8)


@pytest.fixture(scope="module")
def shard(voxels, tmp_path_factory):
    """Realizations 3 and 5."""
    path = tmp_path_factory.mktemp("shard") / "porosity.h5"
    datasets = {"porosity": voxels, "realization": np.array([3, 5])}
    store.write_atomically(path, datasets, {"porosity": {"seed": 1}, "spacing": SPACING})
    return path


def test_pages_are_along_z_and_edges_in_the_file(shard, voxels, tmp_path, capsys):
    """x runs along the columns, y along the rows of a page."""
    path = tmp_path / "scan.tif"
    phantom.run(shard, 5, path, "50um", blur=0.0, noise=0.0)
    line = f"phantom: realization 00005: 10 x 10 x 10 voxels of 50 µm -> {path}\n"
    assert capsys.readouterr().out == line
    with tifffile.TiffFile(path) as file:
        pages, told = file.asarray(), file.imagej_metadata
        tags = file.pages[0].tags
        edges = [np.divide(*tags[name].value[::-1]) for name in ("XResolution", "YResolution")]
    assert told["spacing"] == 50.0 and told["unit"] == "micron" and told["images"] == 10
    np.testing.assert_allclose(edges, 50.0, rtol=1e-6)
    assert pages.dtype == np.uint16
    inner = pages[:, 2:-2, 2:-2].transpose(2, 1, 0)
    np.testing.assert_array_equal(inner, np.where(voxels[1], AIR, METAL))


def test_every_option_reaches_the_scanner(shard, voxels, tmp_path):
    asked = {"blur": 1.1, "noise": 0.02, "rings": 0.03, "cupping": 0.04, "tilt": 5.0}
    words = [f"--{name}={value}" for name, value in asked.items()]
    words += ["--section=round", "--seed=7", "--voxel-size=0.02mm", "--realization=3"]
    path = tmp_path / "new" / "scan.tiff"
    assert main(["phantom", f"--porosity={shard}", f"--output={path}", *words]) == 0
    expected = scan(voxels[0], SPACING, Scanner(0.02, section="round", **asked), 7)
    np.testing.assert_array_equal(tifffile.imread(path), expected.T)


def test_the_default_is_the_scanner_s(shard, voxels, tmp_path):
    phantom.run(shard, 3, tmp_path / "scan.tif", "20um")
    expected = scan(voxels[0], SPACING, Scanner(0.02))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "scan.tif"), expected.T)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"porosity": "none.h5"}, "none.h5: missing file"),
        ({"realization": 4}, "porosity.h5: no realization 4, it holds 2 from 3 to 5$"),
        ({"output": "scan.png"}, "scan.png: expected a name that ends in .tif or .tiff$"),
        ({"voxel-size": "-3um"}, "voxel-size"),
        ({"voxel-size": "12"}, "voxel-size"),
        ({"voxel-size": "far"}, "voxel-size"),
        ({"voxel-size": "2mm"}, "voxel is 2 mm, expected above 0 and at most the specimen's"),
        ({"voxel-size": "0.1um"}, "voxel-size 0.1um: a scan of .* voxels, a TIFF holds 2.1e"),
        ({"section": "oval"}, "section is 'oval', expected one of square, round"),
        ({"blur": "nan"}, "blur is nan, expected a number from 0 to 10"),
        ({"noise": "-1"}, "noise is -1, expected a number from 0 to 1"),
        ({"rings": "1e308"}, r"rings is 1e\+308, expected a number from 0 to 1"),
        ({"cupping": "2"}, "cupping is 2, expected a number from 0 to 1"),
        ({"tilt": "-2"}, "tilt is -2, expected a number from 0 to 30"),
        ({"seed": -1}, "seed is -1, expected a whole number from 0"),
    ],
)
def test_mistakes(shard, tmp_path, monkeypatch, capsys, changes, message):
    monkeypatch.chdir(tmp_path)
    given = {"porosity": shard, "realization": 3, "output": "scan.tif", "voxel-size": "20um"}
    arguments = [f"--{name}={value}" for name, value in (given | changes).items()]
    assert main(["phantom", *arguments]) == 1
    line = capsys.readouterr().err
    assert line.startswith("porefail phantom: error: ") and line.count("\n") == 1
    assert re.search(message, line), line
    assert not list(tmp_path.iterdir())


def test_a_file_without_realizations(tmp_path, capsys):
    path = tmp_path / "porosity.h5"
    datasets = {"porosity": np.zeros((0, *SHAPE), np.uint8), "realization": np.zeros(0, int)}
    store.write_atomically(path, datasets, {"porosity": {"seed": 1}, "spacing": SPACING})
    words = [f"--porosity={path}", "--realization=0", "--output=s.tif", "--voxel-size=20um"]
    assert main(["phantom", *words]) == 1
    assert f"{path}: no realization 0, it holds 0\n" in capsys.readouterr().err
