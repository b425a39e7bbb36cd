"""report: figures, and in a few lines what came out."""

import html
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from porefail import files, store
from porefail.dataset.split import Part
from porefail.figures.damage_history import damage_history
from porefail.figures.learning_curves import learning_curves
from porefail.figures.metric_curves import metric_curves
from porefail.figures.site_hits import site_hits
from porefail.figures.specimens import specimens as specimen_views
from porefail.metrics.sites import hot_cluster
from porefail.steps import require_settings, same_origin, write_figures

SETTINGS = {
    "specimens": int,
    "loss": str,
    "site_threshold": float,
    "near_voxels": int,
    "near_z": float,
}
PAGE = '<!doctype html><meta charset="utf-8"><title>Summary</title><pre>{}</pre>\n'


def run(
    ensemble: str | Path,
    dataset: str | Path,
    prediction: str | Path,
    history: str | Path,
    curves: str | Path,
    sites: str | Path,
    specimens: str | Path,
    output: str | Path,
    settings: Mapping,
) -> None:
    """Write figures (PNG) and the summary (text, HTML) to the folder `output`; print the summary.

    settings: the keys of SETTINGS. The specimens drawn are the first of the held-out ones.
    """
    require_settings(settings, SETTINGS)
    same_origin(dataset, prediction, ensemble)
    hits = files.read_table(sites)
    criteria = {
        "holds": "holds the first failure",
        "near": f"is within {settings['near_voxels']} voxel of it",
        "near_z": f"is within {settings['near_z']:g} mm of it along z",
    }
    figures = {
        "specimens": _specimens(ensemble, dataset, prediction, settings),
        "site_hits": _site_hits(hits, criteria),
        "metric_curves": _metric_curves(files.read_table(curves)),
        "learning_curves": _learning_curves(files.read_table(history), settings["loss"]),
        "damage_history": _damage_history(ensemble),
    }
    write_figures(output, figures)
    text = summary(files.read_table(specimens), hits, criteria)
    files.write_text(Path(output) / "summary.txt", text)
    files.write_text(Path(output) / "summary.html", PAGE.format(html.escape(text)))
    print(text, end="")


def summary(specimens: Mapping, hits: Mapping, criteria: Mapping[str, str]) -> str:
    """What came out, in a few lines, from the tables of evaluate."""
    predicted, failed = (
        np.array([specimens[f"{name}_{axis}"][0] for axis in "xyz"])
        for name in ("predicted", "failed")
    )
    places = [
        "x = {:.3f}, y = {:.3f}, z = {:.3f} mm".format(*place) for place in (predicted, failed)
    ]
    count = len(specimens["realization"])
    lines = [
        f"Specimen {specimens['realization'][0]:.0f}, the first of {count} held out of training,",
        f"  is predicted to fail at {places[0]},",
        f"  failed first at         {places[1]}:",
        f"  {np.linalg.norm(predicted - failed):.3f} mm away, "
        f"{abs(predicted[2] - failed[2]):.3f} mm along the tensile axis z.",
        "",
        f"In how many of the {count} held-out specimens the predicted site (a tie counts in part)",
        *(f"  ({letter}) {text}" for letter, text in zip("abc", criteria.values(), strict=True)),
        "",
        f"{'predictor':28s} {'(a)':>7s} {'(b)':>7s} {'(c)':>7s}   size of the site",
    ]
    for row, predictor in enumerate(hits["predictor"]):
        counts = " ".join(f"{round(hits[name][row], 1):7g}" for name in criteria)
        lines.append(f"{predictor:28s} {counts}   {hits['mean_voxels'][row]:.1f} voxels")
    return "\n".join(lines) + "\n"


def _specimens(
    ensemble: str | Path, dataset: str | Path, prediction: str | Path, settings: Mapping
):
    part = store.read(dataset, ["part"])[0]["part"]
    shown = np.zeros(len(part), bool)
    shown[np.flatnonzero(part == Part.TEST)[: settings["specimens"]]] = True
    learnt, source = store.read_where(dataset, ["porosity", "label", "realization"], shown)
    failed = store.read_where(ensemble, ["failed"], shown)[0]["failed"] == 1
    mean = store.read(prediction, ["mean"], slice(0, np.count_nonzero(shown)))[0]["mean"]
    sites = [
        hot_cluster(field, voids == 0, settings["site_threshold"]).any(axis=0)
        for field, voids in zip(mean, learnt["porosity"], strict=True)
    ]
    return specimen_views(
        learnt["porosity"],
        learnt["label"],
        mean,
        failed,
        np.stack(sites),
        learnt["realization"],
        source["spacing"],
    )


def _site_hits(hits: Mapping, criteria: Mapping[str, str]):
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


def _metric_curves(curves: Mapping):
    voxel, cluster = (
        {name: curves[f"{kind}_{name}"] for name in ("recall", "precision", "f", "jaccard")}
        for kind in ("voxel", "cluster")
    )
    return metric_curves(curves["threshold"], voxel, cluster)


def _learning_curves(history: Mapping, loss: str):
    return learning_curves(
        history["epoch"].astype(int), history["loss"], history["validation_loss"], loss
    )


def _damage_history(ensemble: str | Path):
    names = [f"history/{name}" for name in ("strain", "max_damage", "stress")]
    found, source = store.read(ensemble, names)
    limit = source["simulation"]["material"]["maximum_damage"]
    return damage_history(*(found[name] for name in names), limit)
