"""What is read of the folds of a variant: tables that fit together, else one line."""

import numpy as np
import pytest

import porefail.study.folds as cv
from porefail import files
from porefail.errors import PorefailError
from porefail.files import tables

SETS = {"validation": 1, "test": 2, "others": 3}  # specimens
THRESHOLDS = [0.25, 0.5, 0.75]


def table(name: str, rows: int, **known) -> dict[str, np.ndarray]:
    """Made-up columns of a table: ones, but for those known."""
    columns = tables.FOLD[name] | tables.SURE[name]
    return {key: known.get(key, np.ones(rows, int)) for key in columns}


@pytest.fixture
def folds(tmp_path):
    """Folders of two folds of a network that says how sure it is."""
    folders = [tmp_path / f"fold-{k}" for k in range(2)]
    for k, folder in enumerate(folders):
        numbers = np.concatenate(
            [
                np.arange(count) + (10 * k if name != "others" else 50)
                for name, count in SETS.items()
            ]
        )
        names = {count: np.repeat(list(SETS), count) for count in (1, 3)}
        made = {
            "scores": table("scores", 3, set=names[1], specimens=list(SETS.values())),
            "curves": table("curves", 9, set=names[3], threshold=3 * THRESHOLDS),
            "distribution": table("distribution", 9, set=names[3], low=3 * [0, 0.4, 0.8]),
            "specimens": table(
                "specimens", 6, set=np.repeat(*zip(*SETS.items(), strict=True)), realization=numbers
            ),
        }
        for name, columns in made.items():
            files.write_table(folder / f"{name}.csv", columns)
    return folders


def test_folds(folds):
    for sure in (True, False):
        each = cv.read(folds, sure)
        assert len(each) == 2
        for fold in each:
            assert ("log_score" in fold.scores) == ("epistemic" in fold.specimens) == sure
            for name, count in SETS.items():
                assert len(cv.in_set(fold.specimens, name)["realization"]) == count
                assert cv.in_set(fold.curves, name)["threshold"].tolist() == THRESHOLDS


def without(name: str):
    """Leaves out the rows of a set."""
    return lambda table: table[table["set"] != name]


@pytest.mark.parametrize(
    "name, change, message",
    [
        (
            "scores",
            without("test"),
            "expected a row each for validation, test and other sets, not ",
        ),
        ("scores", without("validation"), "expected a row each for validation, test and other"),
        (
            "scores",
            without("others"),
            "curves.csv: expected rows for the sets of scores.csv, valid",
        ),
        ("curves", without("test"), "expected rows for the sets of scores.csv, validation, test, "),
        ("scores", lambda c: c.iloc[[0, 1, 1]], "not validation, test, test"),
        (
            "scores",
            lambda c: c.assign(specimens=c["specimens"] + 1),
            "expected 2 rows for the set va",
        ),
        (
            "scores",
            lambda c: c.assign(crps=np.array(["-"] * 3)),
            "line 2, column crps: '-' is not a",
        ),
        ("scores", lambda c: c.drop(columns="crps"), "missing column crps"),
        ("scores", lambda c: c[:0], "0 rows, expected 1 or more below"),
        (
            "scores",
            lambda c: c.replace({"set": {"others": "more"}}),
            "curves.csv: expected rows for the sets of scores.csv, validation, test, more",
        ),
        (
            "curves",
            lambda c: c.assign(threshold=list(c["threshold"][::-1])),
            "expected threshold to rise",
        ),
        (
            "curves",
            lambda c: c.assign(threshold=c["threshold"] + (c["set"] == "test")),
            "expected the same threshold in all sets",
        ),
        (
            "curves",
            lambda c: c.assign(threshold=c["threshold"] / 2),
            "fold-1/curves.csv: expected column threshold as in ",
        ),
        (
            "distribution",
            lambda c: c.assign(low=c["low"] / 2),
            "fold-1/distribution.csv: expected column low as in ",
        ),
        (
            "specimens",
            lambda c: c.assign(realization=c["realization"] - 10),
            "fold-1/specimens.csv: 0 is in the test part of ",
        ),
    ],
)
def test_tables_that_do_not_fit(folds, name, change, message):
    path = folds[1] / f"{name}.csv"
    files.write_table(path, change(files.read_table(path)))
    with pytest.raises(PorefailError) as raised:
        cv.read(folds, sure=True)
    text = str(raised.value)
    assert text.startswith(str(folds[1])) and message in text and "\n" not in text


def test_folds_of_other_sets(folds):
    for name in tables.FOLD:
        path = folds[1] / f"{name}.csv"
        changed = files.read_table(path).replace({"set": {"others": "more"}})
        files.write_table(path, changed)
    with pytest.raises(PorefailError, match=r"fold-1/scores\.csv: expected column set as in .*-0/"):
        cv.read(folds, sure=False)
