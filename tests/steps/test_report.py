"""report: pictures that open, and a summary that says what the tables say."""

import itertools

import numpy as np
import pytest

from porefail import files, store
from porefail.errors import PorefailError
from porefail.steps import report

FIGURES = ["damage_history", "learning_curves", "metric_curves", "site_hits", "specimens"]
TABLES = ["history", "curves", "sites", "specimens"]
INPUTS = ["ensemble", "dataset", "prediction", *TABLES]


@pytest.fixture
def run(made, settings, tmp_path):
    def run(folder: str = "report", **changes):
        inputs = {name: made[name] for name in INPUTS} | changes
        report.run(**inputs, output=tmp_path / folder, settings=settings["report"])
        return tmp_path / folder

    return run


def test_contract(run, capsys):
    folder = run()
    names = [f"{name}.png" for name in FIGURES] + ["summary.html", "summary.txt"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    for path in folder.glob("*.png"):
        assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and path.stat().st_size > 5000
    text = (folder / "summary.txt").read_text()
    assert capsys.readouterr().out == text
    assert f"<pre>{text}</pre>" in (folder / "summary.html").read_text()


@pytest.mark.slow
def test_the_same_twice(run):
    one, other = run("one"), run("other")
    for path in one.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes()


def test_summary_says_what_the_tables_say(run, made):
    text = (run() / "summary.txt").read_text()
    specimens, sites = (files.read_table(made[name]) for name in ("specimens", "sites"))
    assert text.startswith(f"Specimen {specimens['realization'][0]:.0f}, the first of 4 held out")
    for name in ("predicted", "failed"):
        x, y, z = (specimens[f"{name}_{axis}"][0] for axis in "xyz")
        assert f"x = {x:.3f}, y = {y:.3f}, z = {z:.3f} mm" in text
    for predictor, holds in zip(sites["predictor"], sites["holds"], strict=True):
        assert f"{predictor:28s} {round(holds, 1):7g} " in text
    assert max(map(len, text.splitlines())) <= 100


def test_missing_input(run, tmp_path):
    with pytest.raises(PorefailError, match="none.csv: missing file"):
        run(sites=tmp_path / "none.csv")
    assert not (tmp_path / "report").exists()


@pytest.fixture
def changed(made, tmp_path):
    """Writes a table of `made` with some columns changed; returns its path."""

    def change(name: str, **columns):
        table = files.read_table(made[name])
        for key, function in columns.items():
            table[key] = function(table[key])
        files.write_table(tmp_path / f"{name}.csv", table)
        return tmp_path / f"{name}.csv"

    return change


def first(value):
    """Changes the first cell of a column."""
    return lambda column: [value, *column[1:]]


@pytest.mark.parametrize(
    "name, change, message",
    [
        ("history", {"loss": first(np.nan)}, "line 2, column loss: 'nan' is not a number"),
        ("history", {"epoch": first(2)}, "expected epochs 1 to 2"),
        ("curves", {"threshold": first(0.5)}, "expected threshold to rise"),
        ("curves", {"voxel_f": first("high")}, "line 2, column voxel_f: 'high' is not a number"),
        ("sites", {"predictor": first("oracle")}, "expected the predictors network; network, one"),
        ("sites", {"specimens": first(5)}, "expected hits of 4 specimens, those held out"),
        ("sites", {"near": first(4.5)}, "expected column near to be 0 to 4"),
        ("specimens", {"realization": first(99)}, "expected the 4 realizations of the test part"),
    ],
)
def test_tables_of_something_else(run, changed, tmp_path, name, change, message):
    path = changed(name, **change)
    with pytest.raises(PorefailError) as raised:
        run(**{name: path})
    text = str(raised.value)
    assert text.startswith(str(path)) and message in text and "\n" not in text
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("name, other", [*itertools.pairwise(TABLES), ("specimens", "history")])
def test_the_wrong_table(run, made, tmp_path, name, other):
    with pytest.raises(PorefailError, match=rf"{other}\.csv: missing column "):
        run(**{name: made[other]})
    empty = tmp_path / "empty.csv"
    empty.write_text(made[name].read_text().split("\n")[0] + "\n")
    with pytest.raises(PorefailError, match=r"empty\.csv: 0 rows, expected 1 or more"):
        run(**{name: empty})
    assert not (tmp_path / "report").exists()


def test_a_prediction_of_other_specimens(run, made, tmp_path):
    fields, attributes = store.read(made["prediction"])
    fields["realization"] = fields["realization"][::-1]
    store.write_atomically(tmp_path / "p.h5", fields, attributes)
    with pytest.raises(PorefailError, match=r"p\.h5: expected the 4 realizations of the test part"):
        run(prediction=tmp_path / "p.h5")
    assert not (tmp_path / "report").exists()


def test_files_that_do_not_belong_together(run, made, settings, tmp_path):
    fields, attributes = store.read(made["prediction"])
    other = attributes | {"dataset": settings["dataset"] | {"seed": 8}}
    store.write_atomically(tmp_path / "p.h5", fields, other)
    with pytest.raises(PorefailError, match="p.h5: made with other settings: dataset.seed is 8"):
        run(prediction=tmp_path / "p.h5")
    with pytest.raises(PorefailError, match="no attribute dataset, which every data set has"):
        run(dataset=made["ensemble"])
    assert not (tmp_path / "report").exists()
