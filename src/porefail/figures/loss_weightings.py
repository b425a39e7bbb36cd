"""Weightings of the loss, and how the error is distributed after training (paper, Fig. 7)."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from porefail.figures import style
from porefail.figures.loss_distribution import BAND, ERROR, TRUTH, draw_error
from porefail.figures.variants import WEIGHTINGS


def loss_weightings(
    weight: Mapping[str, np.ndarray],
    edges: np.ndarray,
    error: Mapping[str, np.ndarray],
    deviation: Mapping[str, np.ndarray] | None = None,
) -> Figure:
    """A column a weighting: above the weight of a voxel, below the mean squared error by label.

    weight: weighting → table (rows, k) over k equal bins of the label in [0, 1]; one row for all
    realizations, or one for each, drawn as median and 10-90 % band; each may have its own k, and a
    mean over the voxels of 1. error, deviation: weighting → (b,) in the bins edges (b + 1,), mean
    and standard deviation over folds, NaN where a bin is empty; a weighting that error does not
    hold was not trained.
    """
    columns = len(weight)
    figure = style.new(0.9 + 2.5 * columns, 5.4)
    panels = figure.subplots(2, columns, sharex=True, sharey="row", squeeze=False)
    for axes, (name, table) in zip(panels[0], weight.items(), strict=True):
        _draw_weight(axes, table)
        axes.set_title(WEIGHTINGS[name][2].replace(" per ", "\nper "))
    for axes, name in zip(panels[1], weight, strict=True):
        if name in error:
            draw_error(axes, edges, error[name], deviation[name] if deviation else None)
        else:
            axes.text(0.5, 0.5, "not trained", ha="center", transform=axes.transAxes)
    panels[0, 0].set(
        xlim=(0, 1), xticks=[0, 0.5, 1], ylabel="weight of a voxel\n(mean over voxels: 1)"
    )
    panels[1, 0].set(ylabel=ERROR.replace(", ", ",\n"))
    for axes in panels[1]:
        axes.set_xlabel(TRUTH)
    line = Line2D(
        [], [], color=style.BLUE, label="median of realizations (above), mean of folds (below)"
    )
    band = Patch(
        label="10–90 % of realizations (above), ± standard deviation of folds (below)", **BAND
    )
    figure.legend(handles=[line, band], loc="outside lower center", ncols=2)
    return figure


def _draw_weight(axes: Axes, table: np.ndarray) -> None:
    edges = np.linspace(0, 1, table.shape[1] + 1)
    axes.set_yscale("log")
    axes.use_sticky_edges = False
    axes.axhline(1, color=style.GREY, linestyle=":", linewidth=1.3)
    if len(table) > 1:
        low, middle, high = np.nanpercentile(table, [10, 50, 90], axis=0)
        axes.stairs(high, edges, baseline=low, **BAND)
    else:
        middle = table[0]
    axes.stairs(middle, edges, baseline=None, color=style.BLUE, linewidth=1.8)
