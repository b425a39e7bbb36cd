"""What a cross-validation wrote, fold by fold, and means over folds."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from porefail import files
from porefail.metrics.clusters import ClusterOverlap
from porefail.metrics.distributions import Distribution
from porefail.metrics.overlap import Overlap


class Fold(NamedTuple):
    """Tables of a variant in one fold, columns by name."""

    scores: dict[str, np.ndarray]
    curves: dict[str, np.ndarray]
    distribution: dict[str, np.ndarray]
    specimens: dict[str, np.ndarray]


def read(folder: Path) -> Fold:
    return Fold(*(files.read_table(folder / f"{name}.csv") for name in Fold._fields))


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
