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
                assert len(cv.of(fold.specimens, name)["realization"]) == count
                assert cv.of(fold.curves, name)["threshold"].tolist() == THRESHOLDS


def renamed(old: str, new: str):
    return lambda column: np.where(column == old, new, column)


def without(name: str):
    """Leaves out the rows of a set."""
    return lambda columns: {k: v[columns["set"] != name] for k, v in columns.items()}


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
        ("scores", lambda c: c | {"set": c["set"][[0, 1, 1]]}, "not validation, test, test"),
        (
            "scores",
            lambda c: c | {"specimens": c["specimens"] + 1},
            "expected 2 rows for the set va",
        ),
        (
            "scores",
            lambda c: c | {"crps": np.array(["-"] * 3)},
            "line 2, column crps: '-' is not a",
        ),
        ("scores", lambda c: {k: v for k, v in c.items() if k != "crps"}, "missing column crps"),
        ("scores", lambda c: {k: v[:0] for k, v in c.items()}, "0 rows, expected 1 or more below"),
        (
            "scores",
            lambda c: c | {"set": renamed("others", "more")(c["set"])},
            "curves.csv: expected rows for the sets of scores.csv, validation, test, more",
        ),
        ("curves", lambda c: c | {"threshold": c["threshold"][::-1]}, "expected threshold to rise"),
        (
            "curves",
            lambda c: c | {"threshold": c["threshold"] + (c["set"] == "test")},
            "expected the same threshold in all sets",
        ),
        (
            "curves",
            lambda c: c | {"threshold": c["threshold"] / 2},
            "fold-1/curves.csv: expected column threshold as in ",
        ),
        (
            "distribution",
            lambda c: c | {"low": c["low"] / 2},
            "fold-1/distribution.csv: expected column low as in ",
        ),
        (
            "specimens",
            lambda c: c | {"realization": c["realization"] - 10},
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
        columns = files.read_table(path)
        files.write_table(path, columns | {"set": renamed("others", "more")(columns["set"])})
    with pytest.raises(PorefailError, match=r"fold-1/scores\.csv: expected column set as in .*-0/"):
        cv.read(folds, sure=False)
