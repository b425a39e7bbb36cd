"""Whether sites fail as often as they are said to (reliability diagram, DeGroot, Fienberg 1983)."""

import numpy as np
from matplotlib.figure import Figure

from porefail.figures import style


def reliability(
    count: np.ndarray,
    said: np.ndarray,
    true: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    error: float,
    name: str,
) -> Figure:
    """Share of the sites that failed against their probability, with intervals of 95 %.

    count: (b,) sites in bins of the probability; said, true: (b,) means there, NaN in empty bins;
    low, high: (b,) interval of true; error: mean difference, weighted by count; name: of the sites.
    """
    figure = style.new(5.2, 5.0)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], "--", color=style.BLACK, linewidth=1.2, label="as it ought to be")
    known = count > 0
    axes.errorbar(
        said[known],
        true[known],
        np.maximum((true[known] - low[known], high[known] - true[known]), 0),
        fmt="o",
        color=style.BLUE,
        capsize=3,
        label=f"{count.sum()} {name}, mean difference {error:.3f}",
    )
    for x, y, n in zip(said[known], true[known], count[known], strict=True):
        axes.annotate(f"{n}", (x, y), xytext=(7, -11), textcoords="offset points", fontsize=8)
    axes.set(
        xlim=(0, 1.02), ylim=(-0.02, 1.02), xlabel="probability said", ylabel="share that failed"
    )
    figure.legend(loc="outside lower center", ncols=2)
    return figure
