"""How often a predictor finds the failure of a specimen, against what it costs."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from porefail.figures import style

GAP = 0.045  # of the axis, between the names of predictors
LINE = "#E5E5E5"
RANKS = {"top_1": (style.BLUE, "o", "first site"), "top_3": (style.ORANGE, "D", "one of three")}


def frontier(table: pd.DataFrame) -> Figure:
    """A column of marks for each predictor, at its seconds a specimen.

    table: columns model, seconds, and top_1, top_3 with _low and _high, of an interval of 95 %.
    Rows without seconds are left out.
    """
    shown = table[np.isfinite(table["seconds"])].sort_values("seconds", ignore_index=True)
    figure = style.new(7.5, 4.8)
    axes = figure.subplots()
    for key, (colour, marker, name) in RANKS.items():
        low, high = shown[key] - shown[f"{key}_low"], shown[f"{key}_high"] - shown[key]
        axes.errorbar(
            shown["seconds"],
            shown[key],
            yerr=[low, high],
            fmt=marker,
            color=colour,
            capsize=3,
            elinewidth=1.2,
            label=f"{name} (95 % interval)",
            zorder=3,
            clip_on=False,
        )
    axes.set_xscale("log")
    axes.set(
        ylim=(0, 1.0),
        xlabel="cost of a specimen (s, one core)",
        ylabel="share of specimens whose failure is found",
    )
    low, high = np.log10(axes.get_xlim())
    places = _apart((np.log10(shown["seconds"].to_numpy()) - low) / (high - low), GAP)
    for (_, each), place in zip(shown.iterrows(), places, strict=True):
        axes.axvline(each["seconds"], color=LINE, linewidth=0.8, zorder=0)
        axes.annotate(
            each["model"],
            (each["seconds"], 1.0),
            xytext=(place, 1.09),
            textcoords="axes fraction",
            rotation=50,
            rotation_mode="anchor",
            fontsize=9,
            arrowprops={"arrowstyle": "-", "color": "#AAAAAA", "linewidth": 0.8, "shrinkB": 0},
        )
    axes.legend(loc="lower right")
    return figure


def _apart(places: np.ndarray, gap: float) -> np.ndarray:
    """Rising places moved to be a gap apart, each group about where it was."""
    moved = places.copy()
    for _ in range(len(moved) ** 2):
        close = np.flatnonzero(np.diff(moved) < gap - 1e-9)
        if not close.size:
            break
        for n in close:
            missing = 0.5 * max(gap - (moved[n + 1] - moved[n]), 0.0)
            moved[n], moved[n + 1] = moved[n] - missing, moved[n + 1] + missing
    return moved
