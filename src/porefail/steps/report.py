"""report: draw the figures and sum up the result."""

import html
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np

from porefail import files, learning, store
from porefail.command_line.kinds import File, NewFolder, Settings
from porefail.configuration import require_settings, section
from porefail.dataset.split import Part
from porefail.figures.damage_history import damage_history
from porefail.figures.learning_curves import learning_curves
from porefail.figures.metric_curves import metric_curves
from porefail.figures.site_hits import site_hits
from porefail.figures.specimens import specimens as specimen_views
from porefail.files import tables
from porefail.metrics.sites import hot_cluster
from porefail.nn.checkpoint import Epoch
from porefail.steps import same_origin, write_figures
from porefail.steps.evaluate import PREDICTORS

SETTINGS = (
    section("report") | section("evaluation", without=("thresholds",)) | {"loss": "training.loss"}
)
PAGE = '<!doctype html><meta charset="utf-8"><title>Summary</title><pre>{}</pre>\n'

Table = tuple[str | Path, Mapping[str, np.ndarray]]  # its file, and columns by name


def run(
    ensemble: Annotated[File, "ensemble"],
    dataset: Annotated[File, "data set"],
    prediction: Annotated[File, "prediction"],
    history: Annotated[File, "learning curves"],
    curves: Annotated[File, "metrics over thresholds"],
    sites: Annotated[File, "hit rates of all predictors"],
    specimens: Annotated[File, "failure site of each specimen"],
    output: Annotated[NewFolder, "folder of the figures and of summary.txt, to write"],
    settings: Settings,
) -> None:
    """Write figures (PNG) and the summary (text, HTML) to the folder `output`; print the summary.

    settings: the keys of SETTINGS. The specimens drawn are the first of the held-out ones.
    """
    require_settings(settings, SETTINGS)
    same_origin(dataset, prediction, ensemble)
    learnt = files.read_table(history, Epoch.__annotations__)
    over = files.read_table(curves, tables.CURVES)
    hits = files.read_table(sites, tables.PREDICTORS)
    each = files.read_table(specimens, tables.SPECIMENS)
    _check(dataset, prediction, (history, learnt), (curves, over), (sites, hits), (specimens, each))
    criteria = {
        "holds": "holds the first failure",
        "near": f"is within {settings['near_voxels']} voxel of it",
        "near_z": f"is within {settings['near_z']:g} mm of it along z",
    }
    figures = {
        "specimens": _specimens(ensemble, dataset, prediction, settings),
        "site_hits": _site_hits(hits, criteria),
        "metric_curves": _metric_curves(over),
        "learning_curves": _learning_curves(learnt, settings["loss"]),
        "damage_history": _damage_history(ensemble),
    }
    text = summary(each, hits, criteria)
    write_figures(output, figures)
    files.write_text(Path(output) / "summary.txt", text)
    files.write_text(Path(output) / "summary.html", PAGE.format(html.escape(text)))
    print(text, end="")


def _check(
    dataset: str | Path,
    prediction: str | Path,
    history: Table,
    curves: Table,
    sites: Table,
    specimens: Table,
) -> None:
    """Refuse tables that are whole, but of another evaluation or training."""
    held_out = store.read_where(dataset, ["realization"], learning.part(dataset, Part.TEST))[0]
    numbers = held_out["realization"]
    predicted = store.read(prediction, ["realization"])[0]["realization"]
    count = len(numbers)
    whose = f"the {count} realizations of the test part of {dataset}, in its order"
    files.require(prediction, np.array_equal(predicted, numbers), whose)
    path, table = specimens
    files.require(path, np.array_equal(table["realization"], numbers), whose)
    path, table = sites
    names = table["predictor"].tolist()
    files.require(path, names == list(PREDICTORS), f"the predictors {'; '.join(PREDICTORS)}")
    known = f"hits of {count} specimens, those held out"
    files.require(path, bool((table["specimens"] == count).all()), known)
    for name in ("holds", "near", "near_z"):
        fits = (table[name] >= 0) & (table[name] <= count)
        files.require(path, bool(fits.all()), f"column {name} to be 0 to {count}")
    path, table = curves
    files.require(path, bool((np.diff(table["threshold"]) > 0).all()), "threshold to rise")
    path, table = history
    every = np.arange(1, 1 + len(table["epoch"]))
    files.require(path, np.array_equal(table["epoch"], every), f"epochs 1 to {len(every)}")


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
    test = learning.part(dataset, Part.TEST)
    shown = test & (np.cumsum(test) <= settings["specimens"])
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
    return learning_curves(history["epoch"], history["loss"], history["validation_loss"], loss)


def _damage_history(ensemble: str | Path):
    names = [f"history/{name}" for name in ("strain", "max_damage", "stress")]
    found, source = store.read(ensemble, names)
    limit = source["simulation"]["material"]["maximum_damage"]
    return damage_history(*(found[name] for name in names), limit)
