"""The table of a study, and its curves: means and deviations over folds."""

from collections.abc import Mapping

import numpy as np

import porefail.study.folds as cv
from porefail.study.figures import Name
from porefail.study.folds import Fold

# Scores of the table that are not in scores.csv, from the curves: truth and prediction cut at the
# same value, for voxels the best one, for clusters that of the configuration.
CURVE_SCORES = (
    "voxel_recall",
    "voxel_precision",
    "same_cluster_recall",
    "same_cluster_precision",
)
SCORES = ("site_recall", "site_precision", "top_1", "top_3", "mean_squared_error")
# Of the networks that say how sure they are, NaN for others.
UNCERTAINTY = (
    "log_score",
    "crps",
    "coverage",
    "top_coverage",
    "sharpness",
    "interval_coverage",
    "interval_top_coverage",
    "interval_sharpness",
    "epistemic",
    "noise",
    "larger_variance",
)
COSTS = ("parameters", "products", "fit_seconds", "predict_seconds")
OWN = ("validation", "test")  # sets of specimens that are part of the ensemble learnt from
OVERLAP = ("recall", "precision", "f", "jaccard", "dice")  # of voxels and of clusters


def _row(fold: Fold, name: str, wanted: Mapping) -> dict[str, float]:
    """Scores of one fold on one set of specimens."""
    scores, curves = cv.of(fold.scores, name), cv.of(fold.curves, name)
    voxels, clusters = cv.voxels(curves), cv.clusters(curves, "cluster")
    best = _best_threshold(fold, wanted)
    same = np.argmin(np.abs(curves["threshold"] - wanted["site_threshold"]))
    of_curves = (
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
        | dict(zip(CURVE_SCORES, of_curves, strict=True))
    )


def _larger_variance(fold: Fold, name: str) -> float:
    """How well the variance between draws tells a set from the test part, 0.5 if not at all.

    Share of pairs in which the specimen of the set has the larger mean (the area under the ROC
    curve).
    """
    ours, test = (cv.of(fold.specimens, each)["epistemic"] for each in (name, "test"))
    return float(np.mean((ours[:, None] > test) + 0.5 * (ours[:, None] == test)))


def _best_threshold(fold: Fold, wanted: Mapping) -> int:
    """Number of the threshold, the same for truth and prediction, of the highest F of voxels.

    On the validation part, and where high damage is rare: at low thresholds all is damaged, and F
    is 1 for any prediction.
    """
    voxels = cv.voxels(cv.of(fold.curves, "validation"))
    voxel_count = cv.of(fold.distribution, "validation")["true"].sum()
    volume = (voxels.true_positive + voxels.false_negative) / voxel_count
    rare = volume <= max(wanted["site_volume"], volume.min())
    return int(np.argmax(np.where(rare, np.nan_to_num(voxels.f), -1.0)))


def variant_table(folds: Mapping[Name, list[Fold]], wanted: Mapping) -> dict[str, list]:
    table: dict[str, list] = {}
    for (label, model), each in folds.items():
        for name in dict.fromkeys(each[0].scores["set"].tolist()):
            rows = [_row(fold, name, wanted) for fold in each]
            row: dict = {"label": label, "model": model, "set": name, "folds": len(rows)}
            # Each fold holds out its own specimens; those of another ensemble are always the same.
            held_out = [each["specimens"] for each in rows]
            row["specimens"] = sum(held_out) if name in OWN else held_out[0]
            for key in (*SCORES, *CURVE_SCORES, *UNCERTAINTY):
                values = np.array([each[key] for each in rows])
                row |= {key: cv.mean(values), f"{key}_deviation": cv.deviation(values)}
            row |= {key: cv.mean(np.array([each[key] for each in rows])) for key in COSTS}
            for key, value in row.items():
                table.setdefault(key, []).append(value)
    return table


def overlap_curves(folds: Mapping[Name, list[Fold]]) -> dict[str, np.ndarray]:
    """Overlap of voxels and clusters on the test parts, over thresholds: a row a threshold."""
    columns: dict[str, list] = {}
    for (label, model), each in folds.items():
        curves = [cv.of(fold.curves, "test") for fold in each]
        threshold = curves[0]["threshold"]
        part = {"label": [label] * len(threshold), "model": [model] * len(threshold)}
        part["threshold"] = threshold
        for kind, counts in (
            ("voxel", [cv.voxels(curve) for curve in curves]),
            ("cluster", [cv.clusters(curve, "cluster") for curve in curves]),
        ):
            for score in OVERLAP:
                values = np.array([getattr(count, score) for count in counts])
                part[f"{kind}_{score}"] = np.apply_along_axis(cv.mean, 0, values)
                part[f"{kind}_{score}_deviation"] = np.apply_along_axis(cv.deviation, 0, values)
        for key, column in part.items():
            columns.setdefault(key, []).append(column)
    return {key: np.concatenate(parts) for key, parts in columns.items()}
