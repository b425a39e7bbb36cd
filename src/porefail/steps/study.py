"""study: compare the cross-validated variants, in a table and figures (paper, sections 3 and 4)."""

import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np

import porefail.study.folds as cv
from porefail import files
from porefail.configuration import require_settings
from porefail.configuration.sections import EVALUATION
from porefail.errors import PorefailError
from porefail.learning import uncertain
from porefail.steps import write_figures
from porefail.study.figures import Name, figures
from porefail.study.folds import Fold

SETTINGS = {
    "folds": "$defs.study_folds",
    "dataset": "dataset",
    "evaluation": EVALUATION,
    "labels": {"*": "dataset"},
    "weightings": {"*": "training.weighting"},  # of the loss, of each model
    "kinds": {"*": "$defs.model_kind"},
    "comparisons": "study.comparisons",
    "transfer": "study.transfer",
}
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


def run(ensemble: str | Path, variants: str | Path, output: str | Path, settings: Mapping) -> None:
    """Write table.csv, summary.txt and the figures of the comparisons into the folder `output`.

    variants: folder of what `crossvalidate` wrote, <label>/<model>/fold-<k>/. settings: the keys of
    SETTINGS. The table has a row for each variant and set of specimens: mean and standard deviation
    over folds.
    """
    require_settings(settings, SETTINGS)
    folds = {
        (label, model): cv.read(
            [Path(variants, label, model, f"fold-{k}") for k in range(count)],
            settings["kinds"].get(model) in uncertain.KINDS,
        )
        for label, model, count in settings["folds"]
    }
    if not folds:
        raise PorefailError("settings: folds name no variant")
    for name, comparison in settings["comparisons"].items():
        for variant in itertools.product(comparison["labels"], comparison["models"]):
            if variant not in folds:
                raise PorefailError(
                    f"settings: comparisons.{name} has {' '.join(variant)}, which folds do not name"
                )
    table = _table(folds, settings["evaluation"])
    curves, text = _overlap(folds), _summary(table, settings)
    drawn = figures(ensemble, folds, settings)
    files.write_table(Path(output) / "table.csv", table)
    files.write_table(Path(output) / "curves.csv", curves)
    files.write_text(Path(output) / "summary.txt", text)
    write_figures(output, drawn)
    print(f"study: {len(folds)} variants")


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


def _table(folds: Mapping[Name, list[Fold]], wanted: Mapping) -> dict[str, list]:
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


def _overlap(folds: Mapping[Name, list[Fold]]) -> dict[str, np.ndarray]:
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


def _summary(table: Mapping[str, list], settings: Mapping) -> str:
    columns = {
        "voxel_recall": "voxel recall",
        "voxel_precision": "voxel precision",
        "same_cluster_recall": "cluster recall",
        "same_cluster_precision": "cluster precision",
        "site_recall": "site recall",
        "site_precision": "site precision",
        "top_1": "top 1",
        "top_3": "top 3",
    }
    wanted = settings["evaluation"]
    cut = wanted["site_threshold"]
    lines = [
        "Mean ± standard deviation over folds, test parts.",
        "voxel: truth and prediction at the same threshold, that of the highest F on the validation"
        f" part of those that at most {wanted['site_volume']:g} of the true voxels reach.",
        f"cluster: truth and prediction cut at {cut:g}.",
        f"site: truth cut at {cut:g}, prediction at the threshold chosen on the validation part",
        f"for a recall of {wanted['site_recall']:g}.",
        f"top k: a voxel that failed first is within {wanted['near_voxels']} voxel of one of the k"
        " highest maxima.",
        "Labels differ in their clusters: between rows of different labels only top k compares.",
        "MFLOP: of a network; ms each: without the elastic solve that stresses take.",
        "",
        f"{'label':8s} {'model':20s}{'folds':>6s}"
        + "".join(f"{name:>18s}" for name in columns.values())
        + f"{'numbers':>10s}{'MFLOP':>8s}{'fit s':>8s}{'ms each':>9s}",
    ]
    for i, (label, model, name) in enumerate(
        zip(table["label"], table["model"], table["set"], strict=True)
    ):
        if name != "test":
            continue
        cells = [f"{table[key][i]:.3f} ± {table[f'{key}_deviation'][i]:.3f}" for key in columns]
        lines.append(
            f"{label:8s} {model:20s}{table['folds'][i]:6d}"
            + "".join(f"{cell:>18s}" for cell in cells)
            + f"{table['parameters'][i]:10.0f}{_flop(table['products'][i]):>8s}"
            + f"{table['fit_seconds'][i]:8.1f}{1e3 * table['predict_seconds'][i]:9.2f}"
        )
    return "\n".join([*lines, *_uncertainty(table)]) + "\n"


def _uncertainty(table: Mapping[str, list]) -> list[str]:
    """Lines of the networks that say how sure they are, on the test parts and other ensembles."""
    columns = {
        "log_score": "NLL",
        "crps": "CRPS",
        "coverage": "coverage",
        "top_coverage": "of the top",
        "sharpness": "width",
        "interval_coverage": "conformal",
        "interval_top_coverage": "of the top",
        "interval_sharpness": "width",
        "epistemic": "1e4 epistemic",
        "noise": "1e4 noise",
        "larger_variance": "larger variance",
    }
    rows = [i for i, score in enumerate(table["log_score"]) if np.isfinite(score)]
    rows = [i for i in rows if table["set"][i] != "validation"]
    if not rows:
        return []
    lines = [
        "",
        "How sure they are: a voxel's negative log-likelihood, continuous ranked probability",
        "score, share of labels in the central 95 % interval, the same of labels of 0.9 and more,",
        "width of the interval; the same of conformal bounds calibrated on the validation part,",
        "by the predicted label; mean variance between draws, and of the noise; how often one",
        "has a larger variance between draws than one of the test part, which follows the number",
        "of pores: fewer than learnt from are not told. Widths are cut to [0, 1].",
        "",
        f"{'model':18s}{'specimens':>10s}" + "".join(f"{name:>18s}" for name in columns.values()),
    ]
    for i in rows:
        cells = []
        for key in columns:
            scale = 1e4 if key in ("epistemic", "noise") else 1
            mean, spread = scale * table[key][i], scale * table[f"{key}_deviation"][i]
            cells.append(f"{mean:.3f} ± {spread:.3f}")
        lines.append(
            f"{table['model'][i]:18s}{table['set'][i]:>10s}" + "".join(f"{c:>18s}" for c in cells)
        )
    return lines


def _flop(products: float) -> str:
    """Millions of operations, a multiplication and an addition for each product."""
    return f"{2e-6 * products:.1f}" if products else "-"
