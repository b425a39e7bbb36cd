"""The table of a study, and its curves: means and deviations over folds."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

import porefail.study.folds as cv
from porefail.files import tables
from porefail.study.folds import Fold
from porefail.study.hits import Name, found_sites

# Scores of the table that are not in scores.csv, from the curves: voxels near the failure against
# the prediction cut at its best value; clusters of truth and prediction, both cut at the value of
# the configuration.
CURVE_SCORES = (
    "failure_recall",
    "failure_precision",
    "same_cluster_recall",
    "same_cluster_precision",
)
SCORES = ("site_recall", "site_precision", "mean_squared_error")
# Of the networks that say how sure they are, NaN for others.
UNCERTAINTY = (*tables.SURE["scores"], "larger_variance")
COSTS = ("parameters", "products", "fit_seconds", "predict_seconds")
OWN = ("validation", "test")  # sets of specimens that are part of the ensemble learnt from


def _row(fold: Fold, name: str, wanted: Mapping) -> dict[str, float]:
    """Scores of one fold on one set of specimens."""
    scores, curves = cv.in_set(fold.scores, name), cv.in_set(fold.curves, name)
    voxels, clusters = cv.voxels(curves, "failure"), cv.clusters(curves, "cluster")
    best = _best_threshold(fold)
    same = np.argmin(np.abs(curves["threshold"] - wanted["site_threshold"]))
    from_curves = (
        voxels.recall[best],
        voxels.precision[best],
        clusters.recall[same],
        clusters.precision[same],
    )
    known = {key: scores[key][0] if key in scores else np.nan for key in UNCERTAINTY}
    if "epistemic" in fold.specimens:
        known["larger_variance"] = _larger_variance(fold, name)
    return (
        {key: scores[key][0] for key in (*SCORES, *COSTS, "specimens")}
        | known
        | dict(zip(CURVE_SCORES, from_curves, strict=True))
    )


def _larger_variance(fold: Fold, name: str) -> float:
    """How well the variance between draws tells a set from the test part, 0.5 if not at all.

    Share of pairs in which the specimen of the set has the larger mean (the area under the ROC
    curve).
    """
    ours, test = (
        cv.in_set(fold.specimens, each)["epistemic"].to_numpy() for each in (name, "test")
    )
    return float(np.mean((ours[:, None] > test) + 0.5 * (ours[:, None] == test)))


def _best_threshold(fold: Fold) -> int:
    """Number of the threshold of the highest F of voxels near the failure, on validation."""
    voxels = cv.voxels(cv.in_set(fold.curves, "validation"), "failure")
    return int(np.argmax(np.nan_to_num(voxels.f)))


def variant_table(
    folds: Mapping[Name, list[Fold]], wanted: Mapping, against: Name | None
) -> pd.DataFrame:
    """A row for each variant and set of specimens.

    Mean and deviation over folds of SCORES, CURVE_SCORES and UNCERTAINTY; of sites found see
    hits.found_sites; gains are over the variant `against`, where it met the set.
    """
    table = []
    for (label, model), each in folds.items():
        for name in each[0].scores["set"]:
            rows = pd.DataFrame([_row(fold, name, wanted) for fold in each])
            mean, deviation = rows.mean(), rows.std()
            # Each fold holds out its own specimens; those of another ensemble are always the same.
            held_out = rows["specimens"].sum() if name in OWN else rows["specimens"][0]
            row = {"label": label, "model": model, "set": name, "folds": len(rows)}
            row["specimens"] = held_out
            for key in (*SCORES, *CURVE_SCORES, *UNCERTAINTY):
                row |= {key: mean[key], f"{key}_deviation": deviation[key]}
            row |= found_sites(folds, (label, model), name, against)
            table.append(row | {key: mean[key] for key in COSTS})
    return pd.DataFrame(table)


def overlap_curves(folds: Mapping[Name, list[Fold]]) -> pd.DataFrame:
    """Overlap of voxels and clusters on the test parts, over thresholds: a row a threshold."""
    parts = []
    for (label, model), each in folds.items():
        threshold = cv.held_out(each[:1], "curves")[0]["threshold"]
        part = {"label": label, "model": model, "threshold": threshold}
        mean, deviation = cv.overlap(each)
        for name in mean:
            part |= {name: mean[name], f"{name}_deviation": deviation[name]}
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)
