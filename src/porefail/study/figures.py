"""Figures of the study's comparisons (paper, sections 3 to 5, and beyond)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

import porefail.study.folds as cv
from porefail import learning, store
from porefail.configuration.study import compared
from porefail.dataset.transforms import PIPELINES
from porefail.dataset.weighting import weights
from porefail.figures.bayesian_overlap import bayesian_overlap
from porefail.figures.coverage_by_damage import coverage_by_damage
from porefail.figures.cross_validation import cross_validation
from porefail.figures.damage_frequency import damage_frequency
from porefail.figures.frontier import frontier
from porefail.figures.label_parameters import label_parameters
from porefail.figures.label_transforms import label_transforms
from porefail.figures.loss_distribution import loss_distribution
from porefail.figures.loss_weightings import loss_weightings
from porefail.figures.operating_curves import operating_curves
from porefail.figures.transfer_skill import transfer_skill
from porefail.figures.variant_skill import variant_skill
from porefail.metrics import intervals
from porefail.metrics.distributions import Distribution, pool
from porefail.study.folds import Fold
from porefail.study.hits import Name
from porefail.voxels.rounding import bin_of

GOAL = {"site_precision": 0.6, "top_1": 0.85, "top_3": 0.97}
RECALL = 0.9  # at which the goal for the precision holds

DAMAGE_BINS = 10


def figures(
    ensemble: str | Path,
    folds: Mapping[Name, list[Fold]],
    settings: Mapping,
    costs: pd.DataFrame | None = None,
) -> dict:
    """The figures that the comparisons have something for, named as configuration.study does.

    costs: the table of the comparison `frontier`, where there is one.
    """
    comparisons = settings["comparisons"]
    drawn = {
        "paper": _paper,
        "weightings": _weightings,
        "parameters": _parameters,
        "ablation": _ablation,
        "uncertainty": _uncertainty,
    }
    found: dict = {}
    for name, draw in drawn.items():
        if variants := compared(comparisons.get(name)):
            found |= draw(ensemble, folds, variants, settings)
    if costs is not None:
        found["frontier"] = frontier(costs)
    others = set(settings["transfer"])
    tested = [v for v, each in folds.items() if others & set(each[0].scores["set"])]
    if tested:
        found["transfer_skill"] = _transfer({v: folds[v] for v in tested}, settings)
    return found


def _kind(settings: Mapping, variant: Name) -> tuple[str, str]:
    """Transform and weighting of a variant."""
    label, model = variant
    return settings["labels"][label]["transform"], settings["weightings"][model]["kind"]


def _paper(ensemble, folds, variants: list[Name], settings: Mapping) -> dict:
    """Figs 5, 10 and 11."""
    mean, deviation = {}, {}
    for variant in variants:
        kind = _kind(settings, variant)
        mean[kind], deviation[kind] = cv.overlap(folds[variant])
    threshold = cv.held_out(folds[variants[0]], "curves")[0]["threshold"]
    true, predicted = {}, {}
    for variant in variants:
        transform, weighting = _kind(settings, variant)
        if weighting == "uniform":
            counts = _distributions(folds[variant])
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


def _distributions(each: list[Fold]) -> list[Distribution]:
    return [cv.distribution(table) for table in cv.held_out(each, "distribution")]


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
    drawn = {}
    for variant in variants:
        weighting = settings["weightings"][variant[1]]
        kind = weighting["kind"]
        counts = _distributions(folds[variant])
        errors = [each.mean_squared_error for each in counts]
        weight[kind] = weights(label=known.label, **weighting)
        error[kind], deviation[kind] = cv.over_folds(errors)
        if kind == "uniform":
            all_voxels = pool(counts)
            drawn["loss_distribution"] = loss_distribution(
                all_voxels.edges,
                all_voxels.true / all_voxels.true.sum(),
                all_voxels.component,
                error[kind],
                deviation[kind],
            )
    drawn["loss_weightings"] = loss_weightings(weight, counts[0].edges, error, deviation)
    return drawn


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
        count = min((len(folds[variant]) for _, variant in line), default=0)
        each = [cv.test_scores(folds[variant][:count]) for _, variant in line]
        scores = {score: np.array([one[score] for one in each]) for score in (each or [{}])[0]}
        sides += [np.array([x for x, _ in line]), scores]
    return {"label_parameters": label_parameters(*sides, used=used)}


def _ablation(ensemble, folds, variants: list[Name], settings: Mapping) -> dict:
    """Baselines, the paper's network and each change to it, by the sites that they find."""
    label = variants[0][0]
    groups = {name: compared(settings["comparisons"].get(name)) for name in ("baselines", "sites")}
    reference = [(label, "uniform")] if (label, "uniform") in folds else []
    shown = dict.fromkeys([*groups["baselines"], *reference, *variants, *groups["sites"]])
    # Of the folds that all have: the same specimens.
    count = min(len(folds[variant]) for variant in shown)
    folds = {variant: folds[variant][:count] for variant in shown}
    scores = {variant: cv.test_scores(each) for variant, each in folds.items()}
    for variant, each in scores.items():
        if variant[0] != label:  # other clusters are true there
            each["site_precision"] = np.nan

    def best(group: list[Name]) -> list[Name]:
        """Of those that learn the same label, the variant of the most precise sites."""
        same = [v for v in group if v[0] == label]
        return sorted(same, key=lambda v: -np.nan_to_num(scores[v]["site_precision"].mean()))[:1]

    operated = [*best(groups["baselines"]), *reference, *best(variants)]
    curve = {_title(variant): _operating(folds[variant], settings) for variant in operated}
    point = {_title(v): scores[v][["site_recall", "site_precision"]].to_numpy().T for v in operated}
    return {
        "variant_skill": variant_skill(
            {_title(v): each[list(GOAL)] for v, each in scores.items()},
            GOAL,
            _title(reference[0]) if reference else None,
            settings["evaluation"]["site_recall"],
        ),
        "operating_curves": operating_curves(
            curve, point, settings["evaluation"]["site_threshold"], (RECALL, GOAL["site_precision"])
        ),
    }


def _title(variant: Name) -> str:
    return "{1}, {0}".format(*variant)


def _operating(each: list[Fold], settings: Mapping) -> tuple[np.ndarray, np.ndarray]:
    """Recall and precision of clusters over thresholds, NaN where they are not distinct yet."""
    curves = cv.held_out(each, "curves")
    volume = np.mean([curve["predicted_volume"] for curve in curves], axis=0)
    distinct = volume <= settings["evaluation"]["site_volume"]
    counts = [cv.clusters(curve, "site") for curve in curves]
    scores = [[each.recall for each in counts], [each.precision for each in counts]]
    return tuple(np.where(distinct, cv.over_folds(score)[0], np.nan) for score in scores)


def _uncertainty(ensemble, folds, variants: list[Name], settings: Mapping) -> dict:
    """Fig 13, beside plain networks; coverage by true and by predicted label."""
    label = variants[0][0]
    plain = [(label, model) for model in ("uniform", "IH") if (label, model) in folds]
    count = min(len(folds[variant]) for variant in (*plain, *variants))
    twins = [v for v in variants if settings["kinds"][v[1]] == "bayesian"]
    mean, deviation = {}, {}
    for variant in (*plain, *twins):
        name = variant[1]
        mean[name], deviation[name] = cv.overlap(folds[variant][:count])
    threshold = cv.held_out(folds[variants[0]], "curves")[0]["threshold"]
    true, predicted = {}, {}
    for variant in variants:
        name = variant[1]
        true[name] = _covered(folds[variant], "coverage", "true")
        predicted[name] = _covered(folds[variant], "predicted_coverage", "predicted")
    # The bounds of the one that is most precise.
    scores = {v: pd.concat(cv.held_out(folds[v], "scores"))["log_score"].mean() for v in variants}
    best = min(variants, key=scores.__getitem__)
    name = f"{best[1]}, conformal"
    true[name] = _covered(folds[best], "interval_coverage", "true")
    predicted[name] = _covered(folds[best], "predicted_interval_coverage", "predicted")
    edges = np.linspace(0, 1, DAMAGE_BINS + 1)
    return {
        "bayesian_overlap": bayesian_overlap(threshold, mean, deviation, [v[1] for v in twins]),
        "coverage_by_damage": coverage_by_damage(edges, true, predicted),
    }


def _covered(each: list[Fold], column: str, counted: str) -> np.ndarray:
    """Coverage in DAMAGE_BINS bins of the test parts of all folds, NaN where there is no voxel."""
    table = pd.concat(cv.held_out(each, "distribution"))
    table = table[np.isfinite(table[column])]
    place, voxels = bin_of(table["low"], DAMAGE_BINS), table[counted]
    with np.errstate(invalid="ignore"):
        inside = np.bincount(place, voxels * table[column], DAMAGE_BINS)
        return inside / np.bincount(place, voxels, DAMAGE_BINS)


def _transfer(folds: Mapping[Name, list[Fold]], settings: Mapping):
    """Hit rates on other specimens than those learnt from, of variants that are tested on some."""
    sets = {variant: set(each[0].scores["set"]) for variant, each in folds.items()}
    others = [name for name in settings["transfer"] if name in set.union(*sets.values())]
    groups = ["test", *others]
    count = min(map(len, folds.values()))
    share = np.full((len(groups), len(folds)), np.nan)
    specimens = np.empty(len(groups), int)
    for i, group in enumerate(groups):
        for j, variant in enumerate(folds):
            if group not in sets[variant]:
                continue
            hits = [cv.in_set(fold.specimens, group)["top_1"] for fold in folds[variant][:count]]
            share[i, j] = np.mean(np.concatenate(hits))
            # Every fold has its own test part, but the same specimens of another ensemble.
            specimens[i] = sum(map(len, hits)) if group == "test" else len(hits[0])
    rows = zip(share, specimens.tolist(), strict=True)
    low, high = np.array([intervals.wilson(rate * count, count) for rate, count in rows]).swapaxes(
        0, 1
    )
    named = ["as trained", *others]
    return transfer_skill(named, specimens, [_title(v) for v in folds], share, low, high)
