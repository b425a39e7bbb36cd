"""Skill against cost: how often a specimen's failure is found, and in how many seconds."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from porefail import store
from porefail.configuration.study import compared
from porefail.metrics.intervals import wilson
from porefail.study import folds as cv
from porefail.study.scores import RANKS

SIMULATION = "whole simulation"
# Datasets with the seconds of what channels are made from; all others are made from pores.
SECONDS = {
    "elastic/seconds": (
        *("von_mises", "pressure", "log_von_mises", "log_pressure", "triaxiality"),
        *("log_largest_von_mises", "lode"),
    ),
    "presolve/seconds": ("log_coarse_damage",),
}


def frontier_table(ensemble: str | Path, folds: Mapping, settings: Mapping) -> pd.DataFrame:
    """A row for each variant of the comparison `frontier`, and one of the simulation itself.

    Of the test specimens of all its folds: how often one of the k highest maxima is at the failure,
    with a Wilson interval of 95 %. seconds: of a specimen, of prediction and of what it is made
    from (median); share: of a simulation. NaN where an ensemble does not tell them.
    """
    cost = _seconds(ensemble)
    whole = cost.get("provenance/seconds", np.nan)
    rows = []
    for variant in compared(settings["comparisons"]["frontier"]):
        each = folds[variant]
        hits = pd.concat(cv.held_out(each, "specimens"), ignore_index=True)
        scores = pd.concat(cv.held_out(each, "scores"), ignore_index=True)
        channels = settings["channels"][variant[1]]
        seconds = scores["predict_seconds"].mean() + sum(
            cost.get(dataset, np.nan)
            for dataset, made in SECONDS.items()
            if not set(made).isdisjoint(channels)
        )
        row = {"model": variant[1], "label": variant[0], "specimens": len(hits)}
        for rank in RANKS:
            name, found = f"top_{rank}", hits[f"top_{rank}"]
            low, high = wilson(found.sum(), len(found))
            row |= {name: found.mean(), f"{name}_low": float(low), f"{name}_high": float(high)}
        rows.append(row | {"seconds": seconds, "share": seconds / whole})
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
