"""Skill against cost: how often a specimen's failure is found, and in how many seconds."""

from collections.abc import Mapping
from pathlib import Path, PurePath

import numpy as np
import pandas as pd

from porefail import store
from porefail.baselines.site_regression import KIND
from porefail.configuration.study import compared
from porefail.configuration.variants import CHANNELS
from porefail.study import folds as cv
from porefail.study import hits as sites
from porefail.study.scores import RANKS

SIMULATION = "whole simulation"
SECONDS = ("elastic/seconds", "presolve/seconds", "submodels/seconds")


def frontier_table(ensemble: str | Path, folds: Mapping, settings: Mapping) -> pd.DataFrame:
    """A row for each variant of the comparison `frontier`, and one of the simulation itself.

    Of the test specimens of the folds that all have: how often one of the k highest maxima is at
    the failure, with a Wilson interval of 95 %. gain: of top_1 over the first regression of the
    comparison, the bar for all that learns, on the specimens that both met, with a bootstrap
    interval of 95 %. seconds: of a specimen, of prediction and of what it is made from (median);
    share: of a simulation. NaN where there is no regression, and where an ensemble tells no
    seconds.
    """
    cost = _seconds(ensemble)
    whole = cost.get("provenance/seconds", np.nan)
    variants = compared(settings["comparisons"]["frontier"])
    # The same specimens for all of them.
    count = min(len(folds[variant]) for variant in variants)
    found_by = {variant: sites.hits(folds[variant][:count], "test") for variant in variants}
    bars = [variant for variant in variants if settings["kinds"][variant[1]] == KIND]
    rows = []
    for variant in variants:
        each, hits = folds[variant][:count], found_by[variant]
        scores = pd.concat(cv.held_out(each, "scores"), ignore_index=True)
        channels = settings["channels"][variant[1]]
        made_from = {f"{PurePath(each).parent}/seconds" for c in channels for each in CHANNELS[c]}
        seconds = scores["predict_seconds"].mean() + sum(
            cost.get(name, np.nan) for name in made_from.intersection(SECONDS)
        )
        row = {"model": variant[1], "label": variant[0], "specimens": len(hits)}
        for rank in RANKS:
            row |= sites.rate(hits[f"top_{rank}"], f"top_{rank}")
        gain = sites.gain(hits["top_1"], found_by[bars[0]]["top_1"] if bars else None, "gain")
        rows.append(row | gain | {"seconds": seconds, "share": seconds / whole})
    known = {"specimens": max(row["specimens"] for row in rows), "seconds": whole, "share": 1.0}
    perfect = {f"top_{rank}{end}": 1.0 for rank in RANKS for end in ("", "_low", "_high")}
    rows.append({"model": SIMULATION, "label": ""} | perfect | known)
    return pd.DataFrame(rows)


def _seconds(ensemble: str | Path) -> dict[str, float]:
    """Median seconds of a specimen by dataset, of those that the ensemble has."""
    there = store.shapes(ensemble)
    names = [name for name in (*SECONDS, "provenance/seconds") if name in there]
    found, _ = store.read(ensemble, names)
    return {name: float(np.nanmedian(values)) for name, values in found.items()}
