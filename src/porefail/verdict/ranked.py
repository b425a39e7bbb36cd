"""The ranking of held-out specimens by a locator: tables, scores, words, a figure."""

from pathlib import Path

import numpy as np
import pandas as pd

from porefail import learning, store
from porefail.dataset.split import Part
from porefail.figures.reliability import reliability
from porefail.learning.candidates import failed_at
from porefail.metrics.intervals import wilson
from porefail.metrics.uncertainty import probability_bins
from porefail.ranking.results import Ranked
from porefail.ranking.table import pore_distances
from porefail.verdict.held_out import held_out
from porefail.verdict.locator import Locator

BINS = 10  # of the probability
RATES = {"first": "at the first site", "first_3": "at one of three", "in_set": "at one of the set"}


def ranked(locator: Locator, dataset: str | Path, ensemble: str | Path) -> Ranked:
    """The sites of the test part of a data set, and which of them failed in its ensemble."""
    found = held_out(locator, dataset)
    simulated, _ = store.read_where(ensemble, ["failed"], learning.part(dataset, Part.TEST))
    site = np.zeros(found.likelihood.shape, np.uint16)
    tables, rows = [], []
    for n, (sites, each) in enumerate(zip(found.sites, found.rankings, strict=True)):
        place = sites.place[each.order]
        hit = failed_at(place, simulated["failed"][n] == 1)
        site[n][tuple(place.T)] = np.arange(1, 1 + len(place))
        mm = locator.voxel * (place + 0.5)
        member = each.member[each.order]
        tables.append(
            pd.DataFrame(
                {
                    "realization": found.realization[n],
                    "rank": np.arange(1, 1 + len(place)),
                    "probability": each.probability[each.order],
                    "in_set": member.astype(int),
                    **dict(zip(("x_mm", "y_mm", "z_mm"), mm.T, strict=True)),
                    "pore_mm": pore_distances(mm, found.porosity[n], locator.voxel),
                    "failed": hit.astype(int),
                }
            )
        )
        rows.append([hit[:1].any(), hit[:3].any(), hit[member].any(), member.sum(), len(place)])
    table = pd.concat(tables, ignore_index=True)
    names = ("first", "first_3", "in_set", "set_size", "sites")
    scores = {"specimens": float(len(rows))} | dict(
        zip(names, np.mean(rows, axis=0).tolist(), strict=True)
    )
    first = table[table["rank"] == 1]
    bins = probability_bins(first["probability"].to_numpy(), first["failed"].to_numpy(), BINS)
    scores["calibration_error"] = float(bins.error)
    return Ranked(
        {
            "mean": found.likelihood,
            "epistemic": np.full(site.shape, np.nan, np.float32),  # it draws nothing
            "noise": np.full(site.shape, np.nan, np.float32),
            "site": site,
            "realization": found.realization,
        },
        table,
        scores,
        _words(scores, locator),
        {"reliability": reliability(*bins, "first sites")},
    )


def _words(scores: dict[str, float], locator: Locator) -> str:
    count = int(scores["specimens"])
    lines = [f"{count} held-out specimens, ranked by a locator of {locator.source}."]
    for name, words in RATES.items():
        low, high = wilson(round(scores[name] * count), count)
        lines.append(f"They fail {words} in {scores[name]:.3f} ({low:.3f} to {high:.3f}).")
    lines.append(
        f"Sets that are asked to hold the site in {locator.coverage:g} have"
        f" {scores['set_size']:.2f} sites; probabilities of first sites differ from shares by"
        f" {scores['calibration_error']:.3f}."
    )
    return "\n".join(lines) + "\n"
