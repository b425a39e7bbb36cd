"""Response of an ensemble (paper, Fig. 3a)."""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from porefail.figures import style


def damage_history(
    strain: np.ndarray, max_damage: np.ndarray, stress: np.ndarray, maximum_damage: float
) -> Figure:
    """Largest damage φ/φ_max of each specimen and its nominal stress against nominal strain.

    strain, max_damage (φ), stress (MPa): (n, steps), NaN-padded; maximum_damage: φ_max. A dot
    ends each curve.
    """
    figure = style.new(8.4, 3.9)
    left, right = figure.subplots(1, 2, sharex=True)
    opacity = float(np.clip(6 / np.sqrt(len(strain)) / 3, 0.15, 0.9))
    for axes, values in ((left, max_damage / maximum_damage), (right, stress)):
        curves, ends = [], []
        for x, y in zip(100 * strain, values, strict=True):
            known = np.isfinite(x) & np.isfinite(y)
            if known.any():
                curves.append(np.column_stack([x[known], y[known]]))
                ends.append(curves[-1][-1])
        lines = LineCollection(curves, colors=style.BLUE, alpha=opacity, linewidths=1.0)
        axes.add_collection(lines)
        if ends:
            axes.plot(*np.transpose(ends), ".", markersize=4, color=style.VERMILLION)
        axes.autoscale_view()
        axes.set_xlabel("nominal strain (%)")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
    left.axhline(1.0, color=style.GREY, linestyle="--", linewidth=1.0)
    left.set_ylabel("largest damage in the specimen, φ/φ$_{max}$")
    right.set_ylabel("nominal stress (MPa)")
    return figure
