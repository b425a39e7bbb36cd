"""How often a predictor finds the failure of a specimen, against what it costs."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from porefail.figures import style

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
    for _, each in shown.iterrows():
        axes.annotate(
            each["model"],
            (each["seconds"], 1.0),
            xytext=(0, 8),
            textcoords="offset points",
            rotation=40,
            fontsize=9,
        )
        axes.axvline(each["seconds"], color="#E5E5E5", linewidth=0.8, zorder=0)
    axes.set_xscale("log")
    axes.set(
        ylim=(0, 1.0),
        xlabel="cost of a specimen (s, one core)",
        ylabel="share of specimens whose failure is found",
    )
    axes.legend(loc="lower right")
    return figure
