"""scan: a scan in, a verdict out; one line for each mistake, and nothing is written then."""

import re
import subprocess
import sys

import h5py
import numpy as np
import pandas as pd
import pytest
import tifffile

from porefail.__main__ import main
from porefail.scans.phantom import Scanner, scan
from porefail.verdict.locator import write_locator

FILES = {"report.html", "sites.csv", "pores.csv", "part.vtkhdf", "summary.txt"}
FILES |= {"sites.png", "sections.png", "grey_values.png"}
EDGE = 0.025  # mm


@pytest.fixture(scope="module")
def grey():
    """A scan (nx, ny, nz) of a specimen with a large pore and a small one."""
    porosity = np.zeros((6, 6, 12), np.uint8)
    porosity[2:4, 3:5, 5:7] = porosity[4, 1, 2:4] = 1
    return scan(porosity, 0.05, Scanner(EDGE), 3)


@pytest.fixture(scope="module")
def locator_file(locator, tmp_path_factory):
    path = tmp_path_factory.mktemp("locator") / "locator.json"
    write_locator(path, locator)
    return path


@pytest.fixture
def undrawn(monkeypatch):
    """Figures are not drawn, which takes longest."""
    for place in ("porefail.files.png", "porefail.files.pictures.png"):
        monkeypatch.setattr(place, lambda figure: b"picture")


def write_mha(path, values) -> None:
    """MetaImage by its printed definition: x runs fastest."""
    sides = " ".join(map(str, values.shape))
    header = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
        f"DimSize = {sides}\nElementSpacing = {EDGE} {EDGE} {EDGE}\nElementType = MET_USHORT\n"
        "ElementDataFile = LOCAL\n"
    )
    path.write_bytes(header.encode() + values.astype("<u2").tobytes(order="F"))


def write_hdf5(path, values) -> None:
    with h5py.File(path, "w") as file:
        file["scan"] = values


@pytest.fixture(scope="module")
def whole(grey, locator_file, tmp_path_factory):
    """A run by the command line on a TIFF; its folder and what it printed."""
    folder = tmp_path_factory.mktemp("whole")
    tifffile.imwrite(folder / "scan.tif", grey.T)
    command = [sys.executable, "-m", "porefail", "scan", "scan.tif", "--axis", "z"]
    command += ["--voxel-size", "25um", "--output", "out", "--locator", str(locator_file)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "out", done


def test_every_file_is_there(whole):
    folder, done = whole
    assert {path.name for path in folder.iterdir()} == FILES
    assert all(path.stat().st_size > 100 for path in folder.iterdir())
    assert not done.stderr
    assert "The likeliest failure site is at x = " in done.stdout
    assert "the report: out/report.html" in done.stdout
    assert (folder / "summary.txt").read_text() in done.stdout


def test_sites_are_beside_the_pores(whole):
    """Pores are where the specimen has them, in air of 0.1 mm; sites not far from them."""
    folder, _ = whole
    sites, pores = (pd.read_csv(folder / f"{name}.csv") for name in ("sites", "pores"))
    middle = pores[["x_mm", "y_mm", "z_mm"]].to_numpy()
    np.testing.assert_allclose(middle, [[0.25, 0.3, 0.3], [0.325, 0.175, 0.15]], atol=0.005)
    places = sites[["x_mm", "y_mm", "z_mm"]].to_numpy()
    assert abs(places - middle[sites["pore"] - 1])[0].max() < 0.15
    assert sites["pore_distance_mm"][0] < 0.1


def test_a_second_run_replaces_the_first_one(whole, grey, locator_file, tmp_path, undrawn):
    np.save(tmp_path / "scan.npy", grey)
    words = [tmp_path / "scan.npy", "--axis=z", "--voxel-size=25um", f"--locator={locator_file}"]
    for _ in range(2):
        assert main(["scan", *map(str, words), f"--output={tmp_path / 'out'}"]) == 0
    first = (whole[0] / "sites.csv").read_bytes()
    assert (tmp_path / "out" / "sites.csv").read_bytes() == first


@pytest.mark.parametrize(
    "name, write, more",
    [
        ("scan.mha", write_mha, []),
        ("scan.npy", np.save, ["--voxel-size=0.025mm"]),
        ("scan.h5", write_hdf5, ["--voxel-size=25um,25um,25um", "--dataset=scan"]),
        (
            "scan.raw",
            lambda path, values: path.write_bytes(values.astype(">u2").tobytes(order="F")),
            ["--voxel-size=25um", "--dtype=uint16", "--big-endian", "--shape"],
        ),
    ],
)
def test_the_same_scan_in_other_formats(
    whole, grey, locator_file, tmp_path, undrawn, name, write, more
):
    path, output = tmp_path / name, tmp_path / "out"
    write(path, grey)
    if more and more[-1] == "--shape":
        more = [*more, *map(str, grey.shape)]
    words = [str(path), "--axis=z", f"--output={output}", f"--locator={locator_file}", *more]
    assert main(["scan", *words]) == 0
    for table in ("sites.csv", "pores.csv"):
        assert (output / table).read_bytes() == (whole[0] / table).read_bytes(), table


def test_a_folder_of_slices_is_the_same_scan(whole, grey, locator_file, tmp_path, undrawn):
    for k in range(grey.shape[2]):
        (tmp_path / "slices").mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / "slices" / f"slice_{k:03}.tif", grey[:, :, k].T)
    words = [str(tmp_path / "slices"), "--axis=z", "--voxel-size=25um"]
    words += [f"--output={tmp_path / 'out'}", f"--locator={locator_file}"]
    assert main(["scan", *words]) == 0
    found = (tmp_path / "out" / "sites.csv").read_bytes()
    assert found == (whole[0] / "sites.csv").read_bytes()


def test_inspect_computes_nothing(grey, tmp_path, monkeypatch, capsys):
    def never(*arguments, **more):
        raise AssertionError("computed")

    monkeypatch.setattr("porefail.steps.scan.judge", never)
    monkeypatch.setattr("porefail.steps.scan.read_locator", never)
    path = tmp_path / "scan.npy"
    np.save(path, grey)
    assert main(["scan", str(path), "--inspect"]) == 0
    told = capsys.readouterr().out
    assert f"voxels:  {' x '.join(map(str, grey.shape))}" in told and "uint16" in told
    assert "not known" in told and "--voxel-size" in told and "Otsu:" in told
    assert list(tmp_path.iterdir()) == [path]
    assert main(["scan", str(path), "--inspect", "--voxel-size=25um"]) == 0
    told = capsys.readouterr().out
    assert "25 um x 25 um x 25 um" in told and "500 um x 500 um x 600 um" in told


def test_inspect_draws_where_there_is_an_output(grey, tmp_path, capsys):
    np.save(tmp_path / "scan.npy", grey)
    output = tmp_path / "out"
    assert main(["scan", str(tmp_path / "scan.npy"), "--inspect", f"--output={output}"]) == 0
    assert {path.name for path in output.iterdir()} == {"sections.png", "grey_values.png"}


def test_simulate(grey, locator_file, tmp_path, undrawn, capsys):
    """A block of a specimen this small is all of it: the sub-model fails as the specimen does."""
    np.save(tmp_path / "scan.npy", grey)
    words = [str(tmp_path / "scan.npy"), "--axis=z", "--voxel-size=25um", "--simulate"]
    words += ["--submodels=2"]
    words += [f"--output={tmp_path / 'out'}", f"--locator={locator_file}"]
    assert main(["scan", *words]) == 0
    told = capsys.readouterr().out
    at = r"at (site \d+|a place that is none of these sites), at a nominal strain of ([\d.]+%)"
    block = re.search(r"Of one block, .* the first to fail does so " + at, told)
    whole = re.search(r"whole simulation fails first .* at a nominal strain of ([\d.]+%)", told)
    assert block and whole and block[2] == whole[1]
    sites = pd.read_csv(tmp_path / "out" / "sites.csv")
    known = sites["submodel_strain"].notna()
    assert (known == (sites["simulated_failure"] == 1)).all()
    least = sites["submodel_strain"].min()
    assert np.isnan(least) if "none of these" in block[1] else f"{least:.2%}" == block[2]
    assert sites["simulated_failure"].isin([0, 1]).all()
    with h5py.File(tmp_path / "out" / "part.vtkhdf") as file:
        damage = file["VTKHDF/CellData/simulated_damage"][()]
        pores = file["VTKHDF/CellData/pores"][()]
    assert np.isnan(damage[pores == 1]).all() and np.nanmax(damage) > 0.1


def metal(shape=(20, 20, 24), air=4) -> np.ndarray:
    values = np.full(shape, 10_000, np.uint16)
    values[air:-air, air:-air] = 40_000
    return values


def two_parts() -> np.ndarray:
    return np.concatenate([metal(), metal()])


def with_nan(grey) -> np.ndarray:
    values = grey.astype(np.float32)
    values[5, 5, 5:9] = np.nan
    return values


# What is done to the words of a good command line (None: left out), or to the scan.
MISTAKES = {
    "no unit": ({"voxel-size": "25"}, "--voxel-size: '25' is no length"),
    "unknown unit": ({"voxel-size": "25px"}, "--voxel-size: '25px' has an unknown unit"),
    "size in metres": ({"voxel-size": "25m"}, "--voxel-size: voxels of 25 m .* is the unit right"),
    "two sizes": ({"voxel-size": "25um,25um"}, "--voxel-size: .* 2 parts between commas"),
    "negative size": ({"voxel-size": "-25um"}, "--voxel-size: .* above 0"),
    "no size": ({"voxel-size": None}, "scan.npy: .*: --voxel-size is needed, with its unit"),
    "wrong axis": ({"axis": "w"}, "--axis 'w': expected x, y or z"),
    "empty axis": ({"axis": ""}, "--axis '': expected x, y or z"),
    "two axes": ({"axis": "xy"}, "--axis 'xy': expected x, y or z"),
    "no axis": ({"axis": None}, "--axis is missing"),
    "no output": ({"output": None}, "--output is missing"),
    "crop outside": ({"crop": ":,:,:99"}, "--crop: z ends at 99, the scan has 24 voxels"),
    "crop of nothing": ({"crop": "19:,:,:"}, "scan.npy: 1 x 20 x 24 voxels, expected at least 4"),
    "crop beyond": ({"crop": ":,50:,:"}, "scan.npy: 20 x 0 x 24 voxels, expected at least 4"),
    "crop reversed": ({"crop": ":,9:3,:"}, "--crop: y ends at 3, before it begins"),
    "crop empty": ({"crop": "5:5,:,:"}, "--crop: x ends at 5, before it begins"),
    "crop nonsense": ({"crop": "all"}, "--crop 'all': expected x0:x1,y0:y1,z0:z1"),
    "crop negative": ({"crop": "-5:,:,:"}, "--crop '-5:,:,:': expected x0:x1,y0:y1,z0:z1"),
    "bin 0": ({"bin": "0"}, "--bin 0"),
    "bin negative": ({"bin": "-2"}, "--bin -2"),
    "submodels": ({"submodels": "13"}, "--submodels 13: expected a whole number from 0 to 12"),
    "bin no number": ({"bin": "two"}, "--bin: 'two' is not a whole number"),
    "bin too large": ({"bin": "9"}, "--bin 9: leaves 2 x 2 x 2 voxels"),
    "threshold nan": ({"threshold": "nan"}, "--threshold nan: expected a finite number"),
    "threshold infinite": ({"threshold": "inf"}, "--threshold inf: expected a finite number"),
    "threshold outside": ({"threshold": "1e6"}, "scan.npy: with the threshold 1e.06 all is air"),
    "threshold below": ({"threshold": "-5"}, "scan.npy: with the threshold -5 all is metal"),
    "metal value": ({"metal-value": "3"}, "scan.npy: --metal-value 3 is not in it"),
    "void value": ({"void-value": "3"}, "scan.npy: --void-value 3 is not in it"),
    "metal value nan": ({"metal-value": "nan"}, "--metal-value nan: expected a finite number"),
    "locator missing": ({"locator": "none.json"}, "none.json: cannot be read"),
    "locator a scan": ({"locator": "scan.npy"}, "scan.npy: not a locator"),
    "locator damaged": ({"locator": "damaged.json"}, "damaged.json: a damaged locator: KeyError"),
    "mask of other shape": ({"part-mask": "mask.npy"}, "--part-mask is .4, 4, 4."),
    "mask missing": ({"part-mask": "none.npy"}, "none.npy: missing file"),
    "output a file": ({"output": "scan.npy"}, "scan.npy"),
    "output below a file": ({"output": "scan.npy/out"}, "scan.npy"),
    "scan missing": ({"scan": "none.tif"}, "none.tif: missing file"),
    "empty folder": ({"scan": "nothing"}, "nothing: "),
    "one slice": ({"scan": "slice.tif"}, "slice.tif: .*one "),
    "truncated raw": (
        {"scan": "cut.raw", "shape": "20 20 24", "dtype": "uint16"},
        "cut.raw: .*bytes",
    ),
    "raw without dtype": ({"scan": "cut.raw", "shape": "20 20 24"}, "raw data needs --shape"),
    "raw without shape": ({"scan": "cut.raw", "dtype": "uint16"}, "raw data needs --shape"),
    "raw without both": ({"scan": "cut.raw"}, "cut.raw: "),
    "shape of a tiff": ({"scan": "slice.tif", "shape": "2 2 2", "dtype": "int8"}, "slice.tif: "),
    "dataset of no HDF5": ({"dataset": "a"}, "scan.npy: a dataset is given, but it is no HDF5"),
    "colours": ({"scan": "colours.tif"}, "colours.tif: .*(RGB|colour|samples)"),
    "time series": ({"scan": "series.npy"}, "series.npy: has 4 dimensions .*, expected 3"),
    "complex": ({"scan": "complex.npy"}, "complex.npy: holds complex128"),
    "text": ({"scan": "damaged.json"}, "damaged.json: unknown format .json"),
    "all metal": (lambda grey: metal() * 0 + 40_000, "all voxels have the value 40000"),
    "all air": (lambda grey: metal() * 0, "all voxels have the value 0"),
    "noise": (lambda grey: metal(), "no void in the part"),
    "two parts": (
        lambda grey: two_parts() + np.arange(24, dtype=np.uint16),
        "two pieces of metal, .*--crop",
    ),
    "few voxels": ({"voxel-size": "6um"}, "the part is 2 x 2 x 2 voxels of 0.05 mm, .* least 4"),
    "NaN": (with_nan, r"holds values that are no numbers \(NaN"),
    "infinite": (
        lambda grey: np.where(grey > 30_000, np.inf, grey),
        r"holds values that are no numbers \(NaN",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(grey, locator_file, tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    changes, message = MISTAKES[name]
    values = changes(grey) if callable(changes) else grey
    np.save("scan.npy", values)
    np.save("mask.npy", np.ones((4, 4, 4), np.uint8))
    np.save("series.npy", np.stack([grey, grey]))
    np.save("complex.npy", grey + 0j)
    (tmp_path / "nothing").mkdir()
    tifffile.imwrite("slice.tif", grey[:, :, 3])
    tifffile.imwrite("colours.tif", np.zeros((9, 8, 7, 3), np.uint8), photometric="rgb")
    (tmp_path / "cut.raw").write_bytes(grey.tobytes(order="F")[:-2])
    text = locator_file.read_text().replace('"coverage"', '"covered"')
    (tmp_path / "damaged.json").write_text(text)
    before = sorted(tmp_path.rglob("*"))
    given = {"axis": "z", "voxel-size": "25um", "output": "out", "locator": locator_file}
    given |= {} if callable(changes) else changes
    words = [given.pop("scan", "scan.npy")]
    for option, value in given.items():
        if value is not None and option == "shape":
            words += [f"--{option}", *value.split()]
        elif value is not None:
            words.append(f"--{option}={value}")
    try:
        status = main(["scan", *words])
    except SystemExit as stop:
        status = stop.code
    line = capsys.readouterr().err
    assert status in (1, 2), line
    assert line.startswith("porefail scan: error: ") and line.count("\n") == 1, line
    assert re.search(message, line), line
    assert sorted(tmp_path.rglob("*")) == before


def test_no_pore(locator_file, tmp_path, capsys):
    """Only noise is in the metal."""
    solid = scan(np.zeros((6, 6, 12), np.uint8), 0.05, Scanner(EDGE), 3)
    np.save(tmp_path / "scan.npy", solid)
    words = [str(tmp_path / "scan.npy"), "--axis=z", "--voxel-size=25um"]
    words += [f"--output={tmp_path / 'out'}", f"--locator={locator_file}"]
    assert main(["scan", *words]) == 1
    line = capsys.readouterr().err
    assert re.search("scan.npy: no (void|pore)", line) and line.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_no_scan_at_all(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["scan"])
    assert stop.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
