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
from porefail.evaluation.figures import (
    damage_over_strain,
    first_specimens,
    hit_rates,
    losses,
    scores_over_thresholds,
)
from porefail.evaluation.predictors import PREDICTORS
from porefail.evaluation.summary import summary
from porefail.files import tables
from porefail.nn.checkpoint import Epoch
from porefail.steps import same_origin

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
        "specimens": first_specimens(ensemble, dataset, prediction, settings),
        "site_hits": hit_rates(hits, criteria),
        "metric_curves": scores_over_thresholds(over),
        "learning_curves": losses(learnt, settings["loss"]),
        "damage_history": damage_over_strain(ensemble),
    }
    text = summary(each, hits, criteria)
    files.write_figures(output, figures)
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
