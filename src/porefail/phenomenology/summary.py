"""The comparison with the paper, for a terminal."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from porefail.phenomenology.comparison import Row
from porefail.store import Collapse, Status


def _written(value: float) -> str:
    """Three digits, whole numbers from 1000 on, nothing for NaN."""
    if np.isnan(value):
        return ""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def summary(
    rows: Sequence[Row],
    source: Mapping,
    excluded: Sequence[str],
    ended: np.ndarray,
    snapshots: bool,
) -> str:
    """The table and what one must know to read it.

    excluded: statuses of the realizations left out by gather; ended: (n,), of Collapse.
    """
    simulation = source["simulation"]
    left_out = Counter(excluded)
    lines = [
        f"{len(ended)} specimens of {len(ended) + len(excluded)} realizations, material "
        f"{simulation['material'].get('name', 'unnamed')}, "
        f"{simulation.get('kinematics', 'small')} strain",
        f"  element {simulation.get('element', 'b_bar')}, stress feels the damage of the "
        + simulation.get("damage_in_stress", "end_of_step").replace("_", " "),
    ]
    if left_out:
        listed = ", ".join(f"{count} {name}" for name, count in left_out.items())
        lines.append(f"  left out, no first failure: {listed}")
    if left_out[Status.NO_FAILURE.name]:
        lines.append(
            f"  NO_FAILURE: still whole at {100 * simulation['max_strain']:g} % strain, so that "
            "strains and shares below are without them"
        )
    asked = ended[ended != Collapse.NOT_RUN]
    if asked.size:
        ways = [(status.name, np.count_nonzero(asked == status)) for status in Collapse]
        listed = ", ".join(f"{count} {name}" for name, count in ways if count)
        lines.append(f"  runs to structural failure: {listed}; only REACHED counts for it below")
    form = "{:43s} {:>14s} {:>8s} {:>8s} {:>8s}  {:19s} {:>5s}"
    lines += ["", form.format("", "paper", "mean", "sd", "median", "quartiles", "n")]
    for row in rows:
        if row.found.n:
            mean, sd, median, *quartiles = map(_written, row.found[:5])
            name = row.quantity + ("" if row.unit == "1" else f" ({row.unit})")
            between = " - ".join(filter(None, quartiles))
            lines.append(form.format(name, row.paper, mean, sd, median, between, str(row.found.n)))
    lines += [
        "",
        "The largest damage at a strain is of the specimens that have not failed by then.",
    ]
    if asked.size:
        lines.append("z of first and of final failure: mean over all voxels failed by then.")
    else:
        lines.append(
            "Left out: structural failure, where it is, stress after first failure; they need "
            "simulation.until: structural_failure."
        )
    if not next(row.found.n for row in rows if row.quantity.startswith("saturated")):
        lines.append("Left out: saturated points, which older simulations did not note.")
    if not snapshots:
        lines.append(
            "Left out: damage fields before and after first failure; they need "
            "simulation.snapshot_strains."
        )
    return "\n".join(lines) + "\n"
