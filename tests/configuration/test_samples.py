"""The table of samples: read, checked, made words of the command line of `scan`."""

import pytest

from porefail import configuration
from porefail.command_line.parser import described, parser
from porefail.configuration.samples import COLUMNS, TYPES, read_samples, samples_of
from porefail.errors import PorefailError
from porefail.scans.formats import raw

GOOD = "name,file,axis\nbar,a.tif,z\n"


@pytest.fixture
def table(tmp_path):
    """Writes a table beside scans a.tif, b.tif, "user's 1.raw" and mask.tif."""
    for name in ("a.tif", "b.tif", "user's 1.raw", "mask.tif"):
        (tmp_path / name).touch()

    def write(text: str | bytes):
        path = tmp_path / "samples.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        "\n" + GOOD + "\n,,\n",
        " name , file , axis \n bar , ./a.tif , z ",
        'axis,"name",file\nz,"bar","a.tif"\n',
        "name,file,axis,crop,bin,big_endian,shape\nbar,a.tif,z,,,false,\n",
    ],
)
def test_a_plain_table(table, tmp_path, text):
    assert read_samples(table(text)) == {"bar": ([str(tmp_path / "a.tif")], [], ["--axis=z"])}


def test_all_columns(table, tmp_path):
    path = table(
        f"{','.join(COLUMNS)}\n"
        'r-1,user\'s 1.raw,x,"9um, 9um,0.012 mm",":,:,20:380",2,-1e3,200,0.5,mask.tif,'
        "64 65 66,uint16,TRUE,512,entry/data\n"
        f"s.2,a.tif; {tmp_path}/b.tif,y,9.8 µm,,,,,,,,,,,\n"
    )
    found = read_samples(path)
    assert list(found) == ["r-1", "s.2"]
    assert found["s.2"].files == [str(tmp_path / "a.tif"), str(tmp_path / "b.tif")]
    assert found["s.2"].options == ["--axis=y", "--voxel-size=9.8 µm"]
    sample = found["r-1"]
    assert sample.files == [str(tmp_path / "user's 1.raw")]
    assert sample.masks == [str(tmp_path / "mask.tif")]
    given = vars(parser().parse_args(["scan", *sample.options, "--output=o", "--", *sample.files]))
    assert {name: given[name] for name in COLUMNS if name in given} == {
        "axis": "x",
        "voxel_size": "9um, 9um,0.012 mm",
        "crop": ":,:,20:380",
        "bin": 2,
        "threshold": -1000.0,
        "metal_value": 200.0,
        "void_value": 0.5,
        "part_mask": str(tmp_path / "mask.tif"),
        "shape": [64, 65, 66],
        "dtype": "uint16",
        "big_endian": True,
        "skip": 512,
        "dataset": "entry/data",
    }
    assert given["scan"] == sample.files


def test_columns_are_options_of_the_verb():
    options = {option.name.replace("-", "_") for option in described("scan")[1]}
    assert set(COLUMNS) - {"name", "file"} == options - {
        *("scan", "output", "locator", "submodels", "simulate", "inspect")
    }
    assert set(TYPES) == set(raw.TYPES)


def test_paths_are_relative_to_the_folder_of_the_table(table, tmp_path, monkeypatch):
    table(GOOD)
    monkeypatch.chdir(tmp_path.parent)
    assert read_samples(f"{tmp_path.name}/samples.csv")["bar"].files == [f"{tmp_path.name}/a.tif"]
    monkeypatch.chdir(tmp_path)
    assert read_samples("samples.csv")["bar"].files == ["a.tif"]


def changed(**cells: str) -> str:
    cells = {"name": "bar", "file": "a.tif", "axis": "z", **cells}
    return ",".join(cells) + "\n" + ",".join(f'"{cell}"' for cell in cells.values()) + "\n"


@pytest.mark.parametrize(
    "text, message",
    [
        ("", ": is empty, expected a table with a header"),
        ("\n , \n", ": is empty, expected a table with a header"),
        ("name,file,axis\n", ": 0 samples, expected 1 or more below the header"),
        (
            "name;file;axis\nbar;a.tif;z\n",
            ": unknown column 'name;file;axis', expected columns with commas between them: name, ",
        ),
        ("name,file,axis,colour\n", ": unknown column 'colour', expected columns"),
        ("name,file,axis,axis\n", ": column axis appears twice"),
        ("name,file\nbar,a.tif\n", ": missing column axis, expected x, y or z"),
        (GOOD + "rod,b.tif\n", ", line 3: 2 cells, expected 3"),
        (GOOD + "\nrod,b.tif,y,\n", ", line 4: 4 cells, expected 3"),
        (GOOD + "bar,b.tif,z\n", ", line 3, column name: bar is also in line 2, expected another"),
        (changed(name=""), ", line 2, column name: is empty, expected text of letters"),
        (changed(file=" "), ", line 2, column file: is empty, expected paths"),
        (changed(axis=""), ", line 2, column axis: is empty, expected x, y or z"),
        (changed(axis="w"), ", line 2, column axis: is 'w', expected x, y or z"),
        (changed(axis="Z"), ", line 2, column axis: is 'Z', expected x, y or z"),
        *(
            (changed(name=name), f", line 2, column name: is {name!r}, expected text of letters")
            for name in ("my bar", "-bar", ".bar", "..", "a/b", "é", "a;b", "$HOME")
        ),
        (changed(name=101 * "a"), ", line 2, column name: is 'aaaaaaa"),
        (changed(file="no.tif"), "/no.tif: missing file"),
        (changed(file="a.tif;no.tif"), "/no.tif: missing file"),
        (changed(file="a.tif;;b.tif"), ", column file: is 'a.tif;;b.tif', expected paths with ;"),
        (changed(file="{sample}.tif"), ", column file: is '{sample}.tif', expected paths with ;"),
        (changed(file="a\nb.tif"), ", column file: is 'a\\nb.tif', expected text on one line"),
        (changed(part_mask="no.tif"), ", line 2, column part_mask: "),
        (changed(voxel_size="9.8"), ", column voxel_size: is '9.8', expected 9.8um, or three as"),
        (changed(voxel_size="9,8um"), ", column voxel_size: is '9,8um', expected 9.8um"),
        (changed(crop="0:10"), ", column crop: is '0:10', expected x0:x1,y0:y1,z0:z1 in voxels"),
        (changed(bin="0"), ", column bin: is '0', expected a whole number, at least 1"),
        (changed(threshold="nan"), ", column threshold: is 'nan', expected a number"),
        (changed(metal_value="1e999"), ", column metal_value: is '1e999', expected a number"),
        (changed(void_value="0,5"), ", column void_value: is '0,5', expected a number"),
        (changed(shape="8 8", dtype="uint8"), ", column shape: is '8 8', expected three whole"),
        (changed(shape="8 8 8"), ", column dtype: is empty beside shape, expected one of uint8"),
        (changed(dtype="int8"), ", column shape: is empty beside dtype, expected three whole"),
        (
            changed(shape="8 8 8", dtype="float"),
            ", column dtype: is 'float', expected one of",
        ),
        (changed(big_endian="1"), ", column big_endian: is '1', expected true or false"),
        (changed(skip="-1"), ", column skip: is '-1', expected a whole number, at least 0"),
        (changed(skip="٣"), ", column skip: is '٣', expected a whole number, at least 0"),
        (changed(dataset="a\0b"), ", column dataset: is 'a\\x00b', expected text on one line"),
        (GOOD.encode() + b"\xff,a.tif,z\n", ", line 3: not UTF-8, expected a table in UTF-8"),
        (GOOD.encode("utf-16"), ", line 1: not UTF-8, expected a table in UTF-8"),
        (GOOD + '"rod"s,b.tif,z\n', ", line 3: no table in CSV: "),
        (GOOD + '"rod,b.tif,z\n', ", line 3: no table in CSV: "),
        (f"name,file,axis\nbar,{200_000 * 'a'},z\n", ", line 2: no table in CSV: "),
    ],
)
def test_a_mistake_is_named_in_one_line(table, text, message):
    path = table(text)
    with pytest.raises(PorefailError) as raised:
        read_samples(path)
    line = str(raised.value)
    assert line.startswith(str(path)) and message in line and "\n" not in line
    assert len(line) < len(str(path)) + 400


def test_a_table_that_cannot_be_read(tmp_path):
    for path, reason in (
        (tmp_path / "no.csv", "missing file, expected a table of samples"),
        (tmp_path, "cannot be read: Is a directory"),
    ):
        with pytest.raises(PorefailError, match=f"^{path}: {reason}$"):
            read_samples(path)


def test_samples_of_a_configuration(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole = configuration.resolve()
    assert samples_of(whole) == {}
    asked = {"samples": str(table(GOOD)), "locator": None, "simulate": False}
    assert list(samples_of(whole | {"scan": asked})) == ["bar"]
    with pytest.raises(PorefailError, match="^configuration: scan.locator: no.json: neither "):
        samples_of(whole | {"scan": asked | {"locator": "no.json"}})


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "samples: ''",
            "scan.samples is '', expected path of a CSV file, without { and }",
        ),
        ("samples: '{name}.csv'", "scan.samples is '{name}.csv', expected path"),
        ("samples: [a.csv]", "scan.samples is ['a.csv'], expected path"),
        ("locator: 1", "scan.locator is 1, expected name, or path of a file"),
        ("simulate: 1", "scan.simulate is 1, expected true or false"),
        ("sample: a.csv", "scan.sample is not a known key; did you mean samples?"),
    ],
)
def test_a_bad_key(tmp_path, text, message):
    (tmp_path / "my.yaml").write_text(f"scan: {{{text}}}\n")
    with pytest.raises(PorefailError) as raised:
        configuration.resolve([tmp_path / "my.yaml"])
    assert message in str(raised.value)


def test_a_scan_that_is_simulated_gets_more_time():
    whole = configuration.resolve()
    plain = configuration.costs_of(whole)["scan"]
    longer = configuration.costs_of(whole | {"scan": whole["scan"] | {"simulate": True}})["scan"]
    assert plain == (8000, 60) and longer.minutes > plain.minutes
