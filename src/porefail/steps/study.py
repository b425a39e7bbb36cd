"""study: compare the cross-validated variants, in a table and figures (paper, sections 3 and 4)."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from porefail import files, learning, store
from porefail.dataset.transforms import PIPELINES
from porefail.dataset.weighting import weights
from porefail.errors import PorefailError
from porefail.figures.cross_validation import cross_validation
from porefail.figures.damage_frequency import damage_frequency
from porefail.figures.label_parameters import label_parameters
from porefail.figures.label_transforms import label_transforms
from porefail.figures.loss_distribution import loss_distribution
from porefail.figures.loss_weightings import loss_weightings
from porefail.figures.operating_curves import operating_curves
from porefail.figures.transfer_skill import transfer_skill
from porefail.figures.variant_skill import variant_skill
from porefail.metrics import intervals
from porefail.metrics.clusters import ClusterOverlap
from porefail.metrics.distributions import Distribution, pool
from porefail.metrics.overlap import Overlap
from porefail.steps import require_settings, write_figures

SETTINGS = {
    "folds": list,  # label, model and number of folds of each variant
    "dataset": dict,
    "evaluation": dict,
    "labels": dict,
    "weightings": dict,  # of the loss, of each model
    "comparisons": dict,
    "transfer": dict,
}
GOAL = {"site_precision": 0.6, "top_1": 0.85, "top_3": 0.97}
RECALL = 0.9  # at which the goal for the precision holds
# Scores of the table that are not in scores.csv, from the curves: truth and prediction cut at the
# same value, for voxels the best one, for clusters that of the configuration.
CURVE_SCORES = (
    "voxel_recall",
    "voxel_precision",
    "same_cluster_recall",
    "same_cluster_precision",
)
SCORES = ("site_recall", "site_precision", "top_1", "top_3", "mean_squared_error")
COSTS = ("parameters", "products", "fit_seconds", "predict_seconds")

OWN = ("validation", "test")  # sets of specimens that are part of the ensemble learnt from
OVERLAP = ("recall", "precision", "f", "jaccard", "dice")  # of voxels and of clusters

Name = tuple[str, str]  # of a variant: label, model


class Fold(NamedTuple):
    """Tables of a variant in one fold, columns by name."""

    scores: dict[str, np.ndarray]
    curves: dict[str, np.ndarray]
    distribution: dict[str, np.ndarray]
    specimens: dict[str, np.ndarray]


def run(ensemble: str | Path, variants: str | Path, output: str | Path, settings: Mapping) -> None:
    """Write table.csv, summary.txt and the figures of the comparisons into the folder `output`.

    variants: folder of what `crossvalidate` wrote, <label>/<model>/fold-<k>/. settings: the keys of
    SETTINGS. The table has a row for each variant and set of specimens: mean and standard deviation
    over folds.
    """
    require_settings(settings, SETTINGS)
    folds = {
        (label, model): [_read(Path(variants, label, model, f"fold-{k}")) for k in range(count)]
        for label, model, count in settings["folds"]
    }
    if not folds:
        raise PorefailError("settings: folds name no variant")
    table = _table(folds, settings["evaluation"])
    files.write_table(Path(output) / "table.csv", table)
    files.write_table(Path(output) / "curves.csv", _overlap(folds))
    files.write_text(Path(output) / "summary.txt", _summary(table, settings))
    write_figures(output, _figures(ensemble, folds, settings))
    print(f"study: {len(folds)} variants")


def _read(folder: Path) -> Fold:
    return Fold(*(files.read_table(folder / f"{name}.csv") for name in Fold._fields))


def _of(table: Mapping[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """Rows of a table that belong to one set of specimens."""
    mask = table["set"] == name
    return {key: column[mask] for key, column in table.items() if key != "set"}


def _voxels(curves: Mapping[str, np.ndarray]) -> Overlap:
    return Overlap(curves["threshold"], *(curves[f"voxel_{name}"] for name in Overlap._fields[1:]))


def _clusters(curves: Mapping[str, np.ndarray], kind: str) -> ClusterOverlap:
    """kind: "cluster" for truth and prediction cut at the same value, "site" for a fixed truth."""
    columns = (curves[f"{kind}_{name}"] for name in ClusterOverlap._fields[1:])
    return ClusterOverlap(curves["threshold"], *columns)


def _distribution(table: Mapping[str, np.ndarray]) -> Distribution:
    return Distribution(
        np.append(table["low"], 1.0), table["true"], table["predicted"], table["squared_error"]
    )


def _row(fold: Fold, name: str, wanted: Mapping) -> dict[str, float]:
    """Scores of one fold on one set of specimens."""
    scores, curves = _of(fold.scores, name), _of(fold.curves, name)
    voxels, clusters = _voxels(curves), _clusters(curves, "cluster")
    best = _best_threshold(fold, wanted)
    same = np.argmin(np.abs(curves["threshold"] - wanted["site_threshold"]))
    of_curves = (
        voxels.recall[best],
        voxels.precision[best],
        clusters.recall[same],
        clusters.precision[same],
    )
    return {key: scores[key][0] for key in (*SCORES, *COSTS, "specimens")} | dict(
        zip(CURVE_SCORES, of_curves, strict=True)
    )


def _best_threshold(fold: Fold, wanted: Mapping) -> int:
    """Number of the threshold, the same for truth and prediction, of the highest F of voxels.

    On the validation part, and where high damage is rare: at low thresholds all is damaged, and F
    is 1 for any prediction.
    """
    voxels = _voxels(_of(fold.curves, "validation"))
    voxel_count = _of(fold.distribution, "validation")["true"].sum()
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
            for key in (*SCORES, *CURVE_SCORES):
                values = np.array([each[key] for each in rows])
                row |= {key: _mean(values), f"{key}_deviation": _deviation(values)}
            row |= {key: _mean(np.array([each[key] for each in rows])) for key in COSTS}
            for key, value in row.items():
                table.setdefault(key, []).append(value)
    return table


def _overlap(folds: Mapping[Name, list[Fold]]) -> dict[str, np.ndarray]:
    """Overlap of voxels and clusters on the test parts, over thresholds: a row a threshold."""
    columns: dict[str, list] = {}
    for (label, model), each in folds.items():
        curves = [_of(fold.curves, "test") for fold in each]
        threshold = curves[0]["threshold"]
        part = {"label": [label] * len(threshold), "model": [model] * len(threshold)}
        part["threshold"] = threshold
        for kind, counts in (
            ("voxel", [_voxels(curve) for curve in curves]),
            ("cluster", [_clusters(curve, "cluster") for curve in curves]),
        ):
            for score in OVERLAP:
                values = np.array([getattr(count, score) for count in counts])
                part[f"{kind}_{score}"] = np.apply_along_axis(_mean, 0, values)
                part[f"{kind}_{score}_deviation"] = np.apply_along_axis(_deviation, 0, values)
        for key, column in part.items():
            columns.setdefault(key, []).append(column)
    return {key: np.concatenate(parts) for key, parts in columns.items()}


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan


def _deviation(values: np.ndarray) -> float:
    """Standard deviation of a sample, NaN for less than two."""
    known = values[np.isfinite(values)]
    return float(known.std(ddof=1)) if known.size > 1 else np.nan


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
        f"{'label':8s} {'model':14s}{'folds':>6s}"
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
            f"{label:8s} {model:14s}{table['folds'][i]:6d}"
            + "".join(f"{cell:>18s}" for cell in cells)
            + f"{table['parameters'][i]:10.0f}{_flop(table['products'][i]):>8s}"
            + f"{table['fit_seconds'][i]:8.1f}{1e3 * table['predict_seconds'][i]:9.2f}"
        )
    return "\n".join(lines) + "\n"


def _flop(products: float) -> str:
    """Millions of operations, a multiplication and an addition for each product."""
    return f"{2e-6 * products:.1f}" if products else "-"


def _figures(ensemble: str | Path, folds: Mapping[Name, list[Fold]], settings: Mapping) -> dict:
    """The figures that the comparisons have something for; workflow/study.smk lists the same."""
    comparisons = settings["comparisons"]
    drawn = {
        "paper": _paper,
        "weightings": _weightings,
        "parameters": _parameters,
        "ablation": _ablation,
    }
    figures: dict = {}
    for name, draw in drawn.items():
        variants = [
            (label, model)
            for label in comparisons.get(name, {}).get("labels", [])
            for model in comparisons[name]["models"]
        ]
        if variants:
            figures |= draw(ensemble, folds, variants, settings)
    if any(settings["transfer"].values()):
        figures["transfer_skill"] = _transfer(folds, settings)
    return figures


def _kind(settings: Mapping, variant: Name) -> tuple[str, str]:
    """Transform and weighting of a variant."""
    label, model = variant
    return settings["labels"][label]["transform"], settings["weightings"][model]["kind"]


def _stacked(each: list[Fold], scores: Mapping) -> dict[str, np.ndarray]:
    """Arrays (folds, ...) of what functions of a fold return."""
    return {key: np.array([score(fold) for fold in each]) for key, score in scores.items()}


def _paper(ensemble, folds, variants: list[Name], settings: Mapping) -> dict:
    """Figs 5, 10 and 11."""
    scores = {
        "voxel_recall": lambda f: _voxels(_of(f.curves, "test")).recall,
        "voxel_precision": lambda f: _voxels(_of(f.curves, "test")).precision,
        "cluster_recall": lambda f: _clusters(_of(f.curves, "test"), "cluster").recall,
        "cluster_precision": lambda f: _clusters(_of(f.curves, "test"), "cluster").precision,
    }
    mean, deviation = {}, {}
    for variant in variants:
        values = _stacked(folds[variant], scores)
        kind = _kind(settings, variant)
        mean[kind] = {key: np.apply_along_axis(_mean, 0, each) for key, each in values.items()}
        deviation[kind] = {
            key: np.apply_along_axis(_deviation, 0, each) for key, each in values.items()
        }
    threshold = _of(folds[variants[0]][0].curves, "test")["threshold"]
    true, predicted = {}, {}
    for variant in variants:
        transform, weighting = _kind(settings, variant)
        if weighting == "uniform":
            counts = [_distribution(_of(fold.distribution, "test")) for fold in folds[variant]]
            true[transform] = np.array([each.true / each.true.sum() for each in counts])
            predicted[transform] = np.array([each.predicted / each.true.sum() for each in counts])
    banded = ("t", "inverse_histogram_per_realization")
    return {
        "label_transforms": _label_transforms(ensemble, settings),
        "cross_validation": cross_validation(
            threshold, mean, deviation, banded if banded in mean else None
        ),
        "damage_frequency": damage_frequency(counts[0].edges, true, predicted),
    }


def _label_transforms(ensemble: str | Path, settings: Mapping):
    """Fig. 5, of the first specimen."""
    first, source = store.read(ensemble, ["damage", "porosity", "failed"], slice(0, 1))
    labels = {
        name: learning.specimens(
            ensemble, settings["dataset"] | {"transform": name}, rows=slice(0, 1)
        )[0].label[0]
        for name in PIPELINES
        if name != "site"
    }
    damage = first["damage"][0] / source["simulation"]["material"]["maximum_damage"]
    failed = first["failed"][0] == 1
    return label_transforms(first["porosity"][0], damage, labels, failed, source["spacing"])


def _weightings(ensemble, folds, variants: list[Name], settings: Mapping) -> dict:
    """Figs 6 and 7."""
    label = variants[0][0]
    known, _ = learning.specimens(ensemble, settings["labels"][label])
    weight, error, deviation = {}, {}, {}
    figures = {}
    for variant in variants:
        weighting = settings["weightings"][variant[1]]
        kind = weighting["kind"]
        counts = [_distribution(_of(fold.distribution, "test")) for fold in folds[variant]]
        errors = np.array([each.mean_squared_error for each in counts])
        weight[kind] = weights(label=known.label, **weighting)
        error[kind] = np.apply_along_axis(_mean, 0, errors)
        deviation[kind] = np.apply_along_axis(_deviation, 0, errors)
        if kind == "uniform":
            all_voxels = pool(counts)
            figures["loss_distribution"] = loss_distribution(
                all_voxels.edges,
                all_voxels.true / all_voxels.true.sum(),
                all_voxels.component,
                error[kind],
                deviation[kind],
            )
    edges = _distribution(_of(folds[variants[0]][0].distribution, "test")).edges
    return figures | {"loss_weightings": loss_weightings(weight, edges, error, deviation)}


def _test_scores(each: list[Fold]) -> dict[str, np.ndarray]:
    names = ("site_recall", "site_precision", "top_1", "top_3")
    return _stacked(each, {k: lambda f, k=k: _of(f.scores, "test")[k][0] for k in names})


def _parameters(ensemble, folds, variants: list[Name], settings: Mapping) -> dict:
    """Effect of the filter's width k0 and of the contrast c0."""
    used = settings["dataset"]["filter_width"], settings["dataset"]["contrast"]
    sides = []
    for key, other, value in (
        ("filter_width", "contrast", used[1]),
        ("contrast", "filter_width", used[0]),
    ):
        labels = settings["labels"]
        line = sorted((labels[v[0]][key], v) for v in variants if labels[v[0]][other] == value)
        # Of the folds that all have: the same specimens.
        count = min(len(folds[variant]) for _, variant in line)
        each = [_test_scores(folds[variant][:count]) for _, variant in line]
        scores = {score: np.array([one[score] for one in each]) for score in each[0]}
        sides += [np.array([x for x, _ in line]), scores]
    return {"label_parameters": label_parameters(*sides, used=used)}


def _ablation(ensemble, folds, variants: list[Name], settings: Mapping) -> dict:
    """Baselines, the paper's network and each change to it, by the sites that they find."""
    label = variants[0][0]
    groups = {
        name: [
            (each, model)
            for each in settings["comparisons"].get(name, {}).get("labels", [])
            for model in settings["comparisons"][name]["models"]
        ]
        for name in ("baselines", "sites")
    }
    reference = [(label, "uniform")] if (label, "uniform") in folds else []
    shown = dict.fromkeys([*groups["baselines"], *reference, *variants, *groups["sites"]])
    # Of the folds that all have: the same specimens.
    count = min(len(folds[variant]) for variant in shown)
    folds = {variant: folds[variant][:count] for variant in shown}
    scores = {variant: _test_scores(each) for variant, each in folds.items()}
    for variant, each in scores.items():
        if variant[0] != label:  # other clusters are true there
            each["site_precision"] = np.full(count, np.nan)

    def best(group: list[Name]) -> list[Name]:
        """Of those that learn the same label, the variant of the most precise sites."""
        same = [v for v in group if v[0] == label]
        return sorted(same, key=lambda v: -np.nan_to_num(_mean(scores[v]["site_precision"])))[:1]

    compared = [*best(groups["baselines"]), *reference, *best(variants)]
    curve = {_title(variant): _operating(folds[variant], settings) for variant in compared}
    point = {_title(v): (scores[v]["site_recall"], scores[v]["site_precision"]) for v in compared}
    return {
        "variant_skill": variant_skill(
            {_title(v): {key: each[key] for key in GOAL} for v, each in scores.items()},
            GOAL,
            _title(reference[0]) if reference else None,
            settings["evaluation"]["site_recall"],
        ),
        "operating_curves": operating_curves(
            curve,
            point,
            settings["evaluation"]["site_threshold"],
            (RECALL, GOAL["site_precision"]),
        ),
    }


def _title(variant: Name) -> str:
    return "{1}, {0}".format(*variant)


def _operating(each: list[Fold], settings: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """Recall and precision of clusters over thresholds, NaN where they are not distinct yet."""
    curves = [_of(fold.curves, "test") for fold in each]
    volume = np.mean([curve["predicted_volume"] for curve in curves], axis=0)
    scores = np.array(
        [[counts.recall, counts.precision] for counts in (_clusters(c, "site") for c in curves)]
    )
    mean = np.apply_along_axis(_mean, 0, scores)
    return tuple(np.where(volume <= settings["evaluation"]["site_volume"], mean, np.nan))


def _transfer(folds: Mapping[Name, list[Fold]], settings: Mapping):
    """Hit rates on other specimens than those learnt from."""
    groups = ["test", *settings["transfer"]]
    tested = [
        name for name, each in folds.items() if set(groups) <= set(each[0].scores["set"].tolist())
    ]
    count = min(len(folds[name]) for name in tested)
    share = np.empty((len(groups), len(tested)))
    specimens = np.empty(len(groups), int)
    for i, group in enumerate(groups):
        for j, name in enumerate(tested):
            hits = [_of(fold.specimens, group)["top_1"] for fold in folds[name][:count]]
            share[i, j] = np.mean(np.concatenate(hits))
            # Every fold has its own test part, but the same specimens of another ensemble.
            specimens[i] = sum(map(len, hits)) if group == "test" else len(hits[0])
    rows = zip(share, specimens.tolist(), strict=True)
    low, high = np.array([intervals.wilson(rate * count, count) for rate, count in rows]).swapaxes(
        0, 1
    )
    named = ["as trained", *settings["transfer"]]
    return transfer_skill(named, specimens, [_title(v) for v in tested], share, low, high)
