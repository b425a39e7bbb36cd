"""The table of a study, and its curves: means and deviations over folds."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

import porefail.study.folds as cv
from porefail.files import tables
from porefail.study.figures import Name
from porefail.study.folds import Fold

# Scores of the table that are not in scores.csv, from the curves: truth and prediction cut at the
# same value, for voxels the best one, for clusters that of the configuration.
CURVE_SCORES = ("voxel_recall", "voxel_precision", "same_cluster_recall", "same_cluster_precision")
SCORES = ("site_recall", "site_precision", "top_1", "top_3", "mean_squared_error")
# Of the networks that say how sure they are, NaN for others.
UNCERTAINTY = (*tables.SURE["scores"], "larger_variance")
COSTS = ("parameters", "products", "fit_seconds", "predict_seconds")
OWN = ("validation", "test")  # sets of specimens that are part of the ensemble learnt from


def _row(fold: Fold, name: str, wanted: Mapping) -> dict[str, float]:
    """Scores of one fold on one set of specimens."""
    scores, curves = cv.in_set(fold.scores, name), cv.in_set(fold.curves, name)
    voxels, clusters = cv.voxels(curves), cv.clusters(curves, "cluster")
    best = _best_threshold(fold, wanted)
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


def _best_threshold(fold: Fold, wanted: Mapping) -> int:
    """Number of the threshold, the same for truth and prediction, of the highest F of voxels.

    On the validation part, and where high damage is rare: at low thresholds all is damaged, and F
    is 1 for any prediction.
    """
    voxels = cv.voxels(cv.in_set(fold.curves, "validation"))
    voxel_count = cv.in_set(fold.distribution, "validation")["true"].sum()
    volume = (voxels.true_positive + voxels.false_negative) / voxel_count
    rare = volume <= max(wanted["site_volume"], volume.min())
    return int(np.argmax(np.where(rare, np.nan_to_num(voxels.f), -1.0)))


def variant_table(folds: Mapping[Name, list[Fold]], wanted: Mapping) -> pd.DataFrame:
    """A row for each variant and set of specimens."""
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
