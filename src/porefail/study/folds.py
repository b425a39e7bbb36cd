"""What a cross-validation wrote, fold by fold, and means over folds."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from porefail import files
from porefail.files import tables
from porefail.metrics.clusters import ClusterOverlap
from porefail.metrics.distributions import Distribution
from porefail.metrics.overlap import Overlap

OVERLAP = ("recall", "precision", "f", "jaccard", "dice")  # of voxels and of clusters


class Fold(NamedTuple):
    """Tables of a variant in one fold."""

    scores: pd.DataFrame
    curves: pd.DataFrame
    distribution: pd.DataFrame
    specimens: pd.DataFrame


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
        for number in in_set(fold.specimens, "test")["realization"]:
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
            set(table["set"]) == set(sets),
            f"rows for the sets of scores.csv, {', '.join(sets)}",
        )
        for column in {"threshold", "low"} & set(table):
            for one in sets:
                values = in_set(table, one)[column]
                rises = values.is_monotonic_increasing and values.is_unique
                files.require(path, rises, f"{column} to rise in the set {one}")
                same = values.equals(in_set(table, sets[0])[column])
                files.require(path, same, f"the same {column} in all sets")
    rows = fold.specimens["set"].value_counts()
    for one, count in zip(sets, fold.scores["specimens"], strict=True):
        files.require(
            folder / "specimens.csv",
            rows[one] == count,
            f"{count} rows for the set {one}, as scores.csv says",
        )
    return fold


def in_set(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows of a table that belong to one set of specimens."""
    return table[table["set"] == name].drop(columns="set").reset_index(drop=True)


def held_out(each: Sequence[Fold], name: str) -> list[pd.DataFrame]:
    """The test part of a table of each fold."""
    return [in_set(getattr(fold, name), "test") for fold in each]


def voxels(curves: pd.DataFrame, kind: str = "voxel") -> Overlap:
    """kind: "voxel" for truth and prediction cut at the same value, "failure" for one truth."""
    names = Overlap._fields[1:]
    return Overlap(*_arrays(curves, ["threshold", *(f"{kind}_{name}" for name in names)]))


def clusters(curves: pd.DataFrame, kind: str) -> ClusterOverlap:
    """kind: "cluster" for truth and prediction cut at the same value, "site" for a fixed truth."""
    names = ClusterOverlap._fields[1:]
    return ClusterOverlap(*_arrays(curves, ["threshold", *(f"{kind}_{name}" for name in names)]))


def distribution(table: pd.DataFrame) -> Distribution:
    low, *counts = _arrays(table, ["low", "true", "predicted", "squared_error"])
    return Distribution(np.append(low, 1.0), *counts)


def _arrays(table: pd.DataFrame, names: Sequence[str]) -> Iterator[np.ndarray]:
    return (table[name].to_numpy() for name in names)


def over_folds(values: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of a sample (m,) of what each fold has (m,); NaN is left out."""
    table = pd.DataFrame(values)
    return table.mean().to_numpy(), table.std().to_numpy()


def overlap(each: Sequence[Fold]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Mean and standard deviation over folds of the overlap on the test parts, a row a threshold.

    Columns: voxel_recall, ..., cluster_dice; truth and prediction cut at the same value.
    """
    rows = []
    for curves in held_out(each, "curves"):
        both = {"voxel": voxels(curves), "cluster": clusters(curves, "cluster")}
        rows.append(
            {f"{kind}_{score}": getattr(both[kind], score) for kind in both for score in OVERLAP}
        )
    found = {name: over_folds([table[name] for table in rows]) for name in rows[0]}
    return tuple(pd.DataFrame({name: both[i] for name, both in found.items()}) for i in range(2))


def test_scores(each: Sequence[Fold]) -> pd.DataFrame:
    """A row a fold."""
    names = ["site_recall", "site_precision", "top_1", "top_3"]
    return pd.concat(held_out(each, "scores"), ignore_index=True)[names]
