"""Figures of a report, from the tables of evaluate and the files that they are made of."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from porefail import learning, store
from porefail.dataset.split import Part
from porefail.figures.damage_history import damage_history
from porefail.figures.learning_curves import learning_curves
from porefail.figures.metric_curves import metric_curves
from porefail.figures.site_hits import site_hits
from porefail.figures.specimens import specimens
from porefail.metrics.sites import hot_cluster


def first_specimens(
    ensemble: str | Path, dataset: str | Path, prediction: str | Path, settings: Mapping
):
    test = learning.part(dataset, Part.TEST)
    shown = test & (np.cumsum(test) <= settings["specimens"])
    learnt, source = store.read_where(dataset, ["porosity", "label", "realization"], shown)
    failed = store.read_where(ensemble, ["failed"], shown)[0]["failed"] == 1
    mean = store.read(prediction, ["mean"], slice(0, np.count_nonzero(shown)))[0]["mean"]
    sites = [
        hot_cluster(field, voids == 0, settings["site_threshold"]).any(axis=0)
        for field, voids in zip(mean, learnt["porosity"], strict=True)
    ]
    return specimens(
        learnt["porosity"],
        learnt["label"],
        mean,
        failed,
        np.stack(sites),
        learnt["realization"],
        source["spacing"],
    )


def hit_rates(hits: Mapping, criteria: Mapping[str, str]):
    count = int(hits["specimens"][0])
    return site_hits(
        hits["predictor"].tolist(),
        np.stack([hits[name] / count for name in criteria], axis=1),
        np.stack([hits[f"{name}_low"] for name in criteria], axis=1),
        np.stack([hits[f"{name}_high"] for name in criteria], axis=1),
        hits["mean_voxels"],
        count,
        list(criteria.values()),
    )


def scores_over_thresholds(curves: Mapping):
    voxel, cluster = (
        {name: curves[f"{kind}_{name}"] for name in ("recall", "precision", "f", "jaccard")}
        for kind in ("voxel", "cluster")
    )
    return metric_curves(curves["threshold"], voxel, cluster)


def losses(history: Mapping, loss: str):
    return learning_curves(history["epoch"], history["loss"], history["validation_loss"], loss)


def damage_over_strain(ensemble: str | Path):
    names = [f"history/{name}" for name in ("strain", "max_damage", "stress")]
    found, source = store.read(ensemble, names)
    limit = source["simulation"]["material"]["maximum_damage"]
    return damage_history(*(found[name] for name in names), limit)
