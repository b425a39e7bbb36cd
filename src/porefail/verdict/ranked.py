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
from porefail.verdict.skill import BINS, RATES, hits, site_rows

NAMES = {"top_1": "first", "top_3": "first_3"}  # as those of a ranking by a network


def ranked(locator: Locator, dataset: str | Path, ensemble: str | Path) -> Ranked:
    """The sites of the test part of a data set, and which of them failed in its ensemble."""
    found = held_out(locator, dataset)
    simulated, _ = store.read_where(ensemble, ["failed"], learning.part(dataset, Part.TEST))
    site = np.zeros(found.likelihood.shape, np.uint16)
    tables, rows = [], []
    for n, (sites, each) in enumerate(zip(found.sites, found.rankings, strict=True)):
        place = sites.place[each.order]
        failed = failed_at(sites.place, simulated["failed"][n] == 1)
        site[n][tuple(place.T)] = np.arange(1, 1 + len(place))
        mm = locator.voxel * (place + 0.5)
        table = site_rows(found.realization[n], each, failed)
        where = dict(zip(("x_mm", "y_mm", "z_mm"), mm.T, strict=True))
        where["pore_mm"] = pore_distances(mm, found.porosity[n], locator.voxel)
        tables.append(table.assign(**where, failed=table.pop("failed")))
        rows.append(hits(each, failed) | {"sites": len(place)})
    table = pd.concat(tables, ignore_index=True)
    means = pd.DataFrame(rows).mean()
    scores = {"specimens": float(len(rows))} | {
        NAMES.get(name, name): float(value) for name, value in means.items()
    }
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
    for name in ("top_1", "top_3", "in_set"):
        share = scores[NAMES.get(name, name)]
        low, high = wilson(round(share * count), count)
        lines.append(f"They fail at {RATES[name]} in {share:.3f} ({low:.3f} to {high:.3f}).")
    lines.append(
        f"Sets that are asked to hold the site in {locator.coverage:g} have"
        f" {scores['set_size']:.2f} sites; probabilities of first sites differ from shares by"
        f" {scores['calibration_error']:.3f}."
    )
    if locator.blocks is not None:
        lines.append("No blocks are pulled here, by which `scan` ranks its sites anew.")
    return "\n".join(lines) + "\n"
