"""Measures of all specimens of an ensemble, block by block."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from porefail import store
from porefail.phenomenology import measures as ph
from porefail.phenomenology.comparison import Measures
from porefail.store import Collapse

ROWS = 256  # specimens in memory at a time


def measured(
    ensemble: str | Path, source: Mapping, levels: Sequence[float]
) -> tuple[Measures, np.ndarray]:
    """Measures of all specimens, and how their runs to structural failure ended, (n,)."""
    limit, spacing = source["simulation"]["material"]["maximum_damage"], source["spacing"]
    there = store.shapes(ensemble)
    histories = [name for name in store.HISTORY if name in there]
    whole, _ = store.read(ensemble, [*histories, "first_failure_strain"])
    count = len(whole["first_failure_strain"])
    ended = np.full(count, Collapse.NOT_RUN, np.uint8)
    final_strain = np.full(count, np.nan)
    names = ["porosity", "damage", "failed"]
    if "structural_status" in there:
        names.append("final_failed")
        more, _ = store.read(ensemble, ["structural_status", "structural_failure_strain"])
        ended, final_strain = more["structural_status"], more["structural_failure_strain"]
    blocks = []
    for first in range(0, count, ROWS):
        block, _ = store.read(ensemble, names, slice(first, first + ROWS))
        porosity, failed = block["porosity"], block["failed"]
        final = block.get("final_failed", np.zeros_like(failed))
        above = [ph.count_above(block["damage"], level * limit) for level in levels]
        blocks.append(  # in the order of Measures
            [
                ph.count_above(failed, 1),
                ph.failed_fraction(failed, porosity),
                ph.failed_fraction(final, porosity),
                ph.height(failed, spacing),
                ph.height(final, spacing),
                ph.densest_layer(final, spacing),
                ph.thickness(final, spacing),
                np.reshape(above, (len(levels), len(failed))).T,
            ]
        )
    measures = Measures(
        whole["history/strain"],
        whole["history/max_damage"] / limit,
        whole["history/failed_fraction"],
        whole["history/stress"],
        whole.get("history/saturated_points", np.full_like(whole["history/strain"], np.nan)),
        whole["first_failure_strain"],
        final_strain,
        *map(np.concatenate, zip(*blocks, strict=True)),
    )
    return measures, ended
