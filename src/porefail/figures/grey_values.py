"""The grey values of a scan, with those of metal and voids and the threshold between them."""

import numpy as np
from matplotlib.figure import Figure

from porefail.figures import style


def grey_values(
    values: np.ndarray, metal: float | None, void: float | None, threshold: float | None
) -> Figure:
    """Histogram of grey values (n,); lines at the medians and at the threshold, where known."""
    figure = style.new(6.0, 3.4)
    axes = figure.subplots()
    count, edges = np.histogram(values, 200)
    axes.stairs(count / values.size, edges, fill=True, color=style.GREY)
    lines = (
        ("voids", void, style.BLUE, ":"),
        ("metal", metal, style.ORANGE, "--"),
        ("threshold", threshold, style.VERMILLION, "-"),
    )
    for name, value, colour, dash in lines:
        if value is not None:
            axes.axvline(value, color=colour, linestyle=dash, label=f"{name} {value:.5g}")
    axes.set_yscale("log")
    axes.set(xlabel="grey value", ylabel="share of voxels")
    if threshold is not None:
        axes.legend(loc="upper center")
    return figure
