"""Files: tables are read as written, what a killed writer left is removed and nothing else."""

import os
import socket

import numpy as np
import pytest

from porefail import files
from porefail.files import StoreError

COLUMNS = {"name": str, "n": int, "x": float, "y": float | None}
ROWS = "name,n,x,y,more\na,1,0.5,nan,?\nb,2,-1e3,4,?\n"


@pytest.fixture
def table(tmp_path):
    """Writes bytes or text to a table; returns its path."""

    def write(text):
        path = tmp_path / "t.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_what_is_written_is_read(tmp_path):
    columns = {"predictor": ["a, b", "c"], "holds": np.array([1 / 3, np.nan]), "n": [1, 2]}
    files.write_table(tmp_path / "t.csv", columns)
    read = files.read_table(tmp_path / "t.csv")
    assert read["predictor"].tolist() == ["a, b", "c"]
    np.testing.assert_allclose(read["holds"], columns["holds"], rtol=1e-8)
    np.testing.assert_array_equal(read["n"], [1, 2])


@pytest.mark.parametrize(
    "text",
    [
        ROWS,
        b"\xef\xbb\xbf" + ROWS.encode(),
        ROWS.replace("\n", "\r\n"),
        ROWS.replace("\nb", "\n\n,,,,\nb"),
        ROWS.replace("name,n", "name, n "),
        ROWS.replace("2,-1e3", "2.0,-1000"),
    ],
    ids=["plain", "byte order mark", "CRLF", "blank lines", "spaces", "2.0"],
)
def test_columns_that_are_asked_for(table, text):
    read = files.read_table(table(text), COLUMNS)
    assert list(read) == list(COLUMNS)
    assert read["name"].tolist() == ["a", "b"]
    assert read["n"].dtype == np.int64 and read["n"].tolist() == [1, 2]
    assert read["x"].tolist() == [0.5, -1000]
    np.testing.assert_array_equal(read["y"], [np.nan, 4])


@pytest.mark.parametrize(
    "text, message",
    [
        ("", ": is empty, expected a table with a header"),
        ("\n\n", ": is empty, expected a table with a header"),
        ("name,n,x,y\n", ": 0 rows, expected 1 or more below the header"),
        ("label,model\nt,IH\n", ": missing column name"),
        (ROWS.replace("more", "x"), ": column x appears twice"),
        (ROWS.replace(",4,?", ",4"), ", line 3: 4 cells, expected 5"),
        (ROWS.replace(",4,?", ",4,?,"), ", line 3: 6 cells, expected 5"),
        (ROWS.replace("a,1", "a,one"), ", line 2, column n: 'one' is not a whole number"),
        (ROWS.replace("a,1", "a,1.5"), ", line 2, column n: '1.5' is not a whole number"),
        (ROWS.replace("a,1", "a,nan"), ", line 2, column n: 'nan' is not a whole number"),
        (ROWS.replace("a,1", "a,1e30"), ", line 2, column n: '1e30' is not a whole number"),
        (ROWS.replace("0.5", "nan"), ", line 2, column x: 'nan' is not a number"),
        (ROWS.replace("-1e3", "1e999"), ", line 3, column x: '1e999' is not a number"),
        (ROWS.replace("-1e3", ""), ", line 3, column x: '' is not a number"),
        (ROWS.replace("\nb", "\n\nb").replace("-1e3", "z"), ", line 4, column x: 'z' is not a"),
        (ROWS.replace("4", "-inf"), ", line 3, column y: '-inf' is not a number or nan"),
        (ROWS.replace("b,", "b\0,"), ": cannot be read as a table: it holds a NUL byte"),
        (ROWS.encode().replace(b"b,", b"\xff,"), ", line 3: cannot be read: not UTF-8"),
        (ROWS.replace("b,", '"' + "b" * 200_000), ": cannot be read as a table: field larger than"),
        (b"\x89HDF\r\n\x1a\n" * 20, ", line 1: cannot be read: not UTF-8"),
    ],
)
def test_bad_tables(table, text, message):
    path = table(text)
    with pytest.raises(StoreError) as raised:
        files.read_table(path, COLUMNS)
    assert str(raised.value).startswith(f"{path}{message}") and "\n" not in str(raised.value)


def test_no_file(tmp_path):
    for path in (tmp_path, tmp_path / "t.csv"):
        with pytest.raises(StoreError, match="missing file"):
            files.read_table(path, COLUMNS)


DEAD = 4_194_305  # above the largest process number of Linux


@pytest.mark.parametrize("name", ["a.h5", "t[1].csv", "t*.csv", "gpu-1.csv"])
def test_leftovers_of_this_host_and_name_alone_are_removed(name, tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "gpu")
    (tmp_path / f".{name}.gpu-{DEAD}.tmp").touch()
    kept = {
        f".{name}.gpu-1-{DEAD}.tmp",  # of the host gpu-1
        f".{name}.gpu-{DEAD}.tmpx",
        f".{name}.gpu-.tmp",
        f".{name}.gpu-{os.getppid()}.tmp",  # its writer is at work
        f".t1.csv.gpu-{DEAD}.tmp",  # what the names above match as globs
        f".tx.csv.gpu-{DEAD}.tmp",
    }
    for other in kept:
        (tmp_path / other).touch()
    files.write_text(tmp_path / name, "text")
    assert set(os.listdir(tmp_path)) == kept | {name}
