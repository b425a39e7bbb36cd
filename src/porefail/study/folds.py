"""What a cross-validation wrote, fold by fold, and means over folds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from porefail import files
from porefail.files import tables
from porefail.metrics.clusters import ClusterOverlap
from porefail.metrics.distributions import Distribution
from porefail.metrics.overlap import Overlap


class Fold(NamedTuple):
    """Tables of a variant in one fold, columns by name."""

    scores: dict[str, np.ndarray]
    curves: dict[str, np.ndarray]
    distribution: dict[str, np.ndarray]
    specimens: dict[str, np.ndarray]


def read(folders: Sequence[Path], sure: bool) -> list[Fold]:
    """Folds of a variant. sure: of networks that say how sure they are.

    Raises StoreError where a table is none of a fold, where tables of a fold are of other sets of
    specimens, where folds have other sets, thresholds or bins, or share specimens of their test
    parts.
    """
    each = [_read(folder, sure) for folder in folders]
    for folder, fold in zip(folders[1:], each[1:], strict=True):
        for name, column in (("scores", "set"), ("curves", "threshold"), ("distribution", "low")):
            ours, first = (getattr(one, name)[column] for one in (fold, each[0]))
            files.require(
                folder / f"{name}.csv",
                np.array_equal(ours, first),
                f"column {column} as in {folders[0] / f'{name}.csv'}",
            )
    seen: dict[int, Path] = {}
    for folder, fold in zip(folders, each, strict=True):
        path = folder / "specimens.csv"
        for number in of(fold.specimens, "test")["realization"].tolist():
            if number in seen:
                raise files.StoreError(f"{path}: {number} is in the test part of {seen[number]}")
            seen[number] = path
    return each


def _read(folder: Path, sure: bool) -> Fold:
    fold = Fold(
        *(
            files.read_table(
                folder / f"{name}.csv", tables.FOLD[name] | (tables.SURE[name] if sure else {})
            )
            for name in Fold._fields
        )
    )
    sets = fold.scores["set"].tolist()
    files.require(
        folder / "scores.csv",
        {"validation", "test"} <= set(sets) and len(set(sets)) == len(sets),
        f"a row each for validation, test and other sets, not {', '.join(sets)}",
    )
    for name in Fold._fields[1:]:
        path, table = folder / f"{name}.csv", getattr(fold, name)
        files.require(
            path,
            set(table["set"].tolist()) == set(sets),
            f"rows for the sets of scores.csv, {', '.join(sets)}",
        )
        for column in {"threshold", "low"} & table.keys():
            for one in sets:
                steps = np.diff(of(table, one)[column])
                files.require(path, bool((steps > 0).all()), f"{column} to rise in the set {one}")
                same = np.array_equal(of(table, one)[column], of(table, sets[0])[column])
                files.require(path, same, f"the same {column} in all sets")
    for one in sets:
        count = int(of(fold.scores, one)["specimens"][0])
        files.require(
            folder / "specimens.csv",
            len(of(fold.specimens, one)["realization"]) == count,
            f"{count} rows for the set {one}, as scores.csv says",
        )
    return fold


def of(table: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """Rows of a table that belong to one set of specimens."""
    mask = table["set"] == name
    return {key: column[mask] for key, column in table.items() if key != "set"}


def voxels(curves: Mapping[str, np.ndarray]) -> Overlap:
    return Overlap(curves["threshold"], *(curves[f"voxel_{name}"] for name in Overlap._fields[1:]))


def clusters(curves: Mapping[str, np.ndarray], kind: str) -> ClusterOverlap:
    """kind: "cluster" for truth and prediction cut at the same value, "site" for a fixed truth."""
    columns = (curves[f"{kind}_{name}"] for name in ClusterOverlap._fields[1:])
    return ClusterOverlap(curves["threshold"], *columns)


def distribution(table: Mapping[str, np.ndarray]) -> Distribution:
    return Distribution(
        np.append(table["low"], 1.0), table["true"], table["predicted"], table["squared_error"]
    )


def mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan


def deviation(values: np.ndarray) -> float:
    """Standard deviation of a sample, NaN for less than two."""
    known = values[np.isfinite(values)]
    return float(known.std(ddof=1)) if known.size > 1 else np.nan


def stacked(each: list[Fold], scores: Mapping) -> dict[str, np.ndarray]:
    """Arrays (folds, ...) of what functions of a fold return."""
    return {key: np.array([score(fold) for fold in each]) for key, score in scores.items()}


def spread(each: list[Fold], scores: Mapping) -> tuple[dict, dict]:
    """Means and standard deviations over folds of what functions of a fold return."""
    values = stacked(each, scores)
    return tuple(
        {key: np.apply_along_axis(over, 0, array) for key, array in values.items()}
        for over in (mean, deviation)
    )


def test_scores(each: list[Fold]) -> dict[str, np.ndarray]:
    names = ("site_recall", "site_precision", "top_1", "top_3")
    return stacked(each, {k: lambda f, k=k: of(f.scores, "test")[k][0] for k in names})
