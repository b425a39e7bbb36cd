"""How skill grows with the number of specimens that were simulated, by how they were chosen."""

import pandas as pd
from matplotlib.figure import Figure

from porefail.figures import style

LOOKS = ((style.BLUE, "o"), (style.ORANGE, "D"))


def skill_curves(table: pd.DataFrame, specimens: int) -> Figure:
    """Share of test specimens whose failure is found first, with intervals of 95 % as bands.

    table: columns choice (one or two of them), specimens, and top_1 with _low and _high;
    specimens: that judge.
    """
    figure = style.new(6.2, 4.4)
    axes = figure.subplots()
    for (choice, rows), (colour, marker) in zip(
        table.groupby("choice", sort=False), LOOKS, strict=False
    ):
        rows = rows.sort_values("specimens")
        axes.fill_between(
            rows["specimens"], rows["top_1_low"], rows["top_1_high"], color=colour, alpha=0.15
        )
        axes.plot(rows["specimens"], rows["top_1"], marker=marker, color=colour, label=choice)
    axes.set_xscale("log")
    axes.set_xticks(sorted(set(table["specimens"])), minor=False)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
    axes.xaxis.set_minor_formatter("")
    axes.set(
        xlabel="specimens simulated",
        ylabel=f"share of {specimens} others whose failure is found first",
    )
    figure.legend(loc="outside lower center", ncols=2, title="how they are chosen")
    return figure
