"""Variance of predictions by the predicted damage, and how frequent that is (paper, Fig. 14)."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from porefail.figures import style


def damage_variance(
    edges: np.ndarray,
    epistemic: Mapping[str, np.ndarray],
    noise: Mapping[str, np.ndarray],
    frequency: Mapping[str, np.ndarray],
) -> Figure:
    """Left: mean variance of the voxels; right: share of the voxels; by predicted damage.

    edges: (b + 1,); by the name of a specimen, (b,): epistemic, variance between draws of the
    network; noise, variance of the label about a draw; frequency. Empty bins are left out.
    """
    figure = style.new(8.4, 4.8)
    left, right = figure.subplots(1, 2, sharex=True)
    middle = (edges[:-1] + edges[1:]) / 2
    for k, name in enumerate(frequency):
        colour, marker = style.CYCLE[k % len(style.CYCLE)]
        look = {"color": colour, "marker": marker, "markersize": 4, "linewidth": 1.4}
        for axes, values, line in (
            (left, epistemic[name], "-"),
            (left, noise[name], ":"),
            (right, frequency[name], "-"),
        ):
            there = np.nan_to_num(values) > 0
            axes.plot(middle[there], values[there], line, **look)
        right.plot([], [], label=name, **look)
    for axes in (left, right):
        axes.set_yscale("log")
        axes.set_xlabel("predicted damage (normalised)")
    left.set(xlim=(0, 1), ylabel="variance, mean of the voxels")
    right.set_ylabel("share of the voxels")
    lines = {"-": "between draws (more data would lower it)", ":": "noise about a draw"}
    handles = [Line2D([], [], color="black", linestyle=k, label=v) for k, v in lines.items()]
    figure.legend(handles=handles, loc="outside lower left")
    named = right.get_legend_handles_labels()[0]
    figure.legend(handles=named, loc="outside lower right", ncols=2)
    return figure
