"""Which damage values are frequent, and which of them the error comes from (paper, Fig. 6)."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from porefail.figures import style

ERROR = "squared error, mean over the voxels of a bin"
TRUTH = "true transformed damage"
BAND = {"fill": True, "color": style.SKY, "alpha": 0.45, "linewidth": 0}


def loss_distribution(
    edges: np.ndarray,
    share: np.ndarray,
    component: np.ndarray,
    error: np.ndarray,
    deviation: np.ndarray | None = None,
) -> Figure:
    """Left: shares of the voxels and of the mean squared error; right: the mean error of a bin.

    edges: (b + 1,) of the bins of true damage; share: (b,) of all voxels; component: (b,), which
    adds up to the mean squared error; error: (b,) mean of each bin, NaN where it is empty;
    deviation: (b,) of error over folds. Zeros are left out: the axes are logarithmic.
    """
    figure = style.new(8.4, 3.8)
    left, right = figure.subplots(1, 2, sharex=True)
    total = np.nansum(component)
    voxels = np.where(share > 0, share, np.nan)
    part = np.where(component > 0, component, np.nan) / total
    bottom = 0.5 * np.nanmin([voxels, part])
    left.stairs(voxels, edges, baseline=bottom, fill=True, color="#C9C9C9", label="voxels")
    left.stairs(
        part,
        edges,
        baseline=None,
        color=style.VERMILLION,
        linewidth=1.8,
        label=f"squared error (mean: {total:.2g})",
    )
    left.set(yscale="log", ylim=(bottom, 6 * np.nanmax([voxels, part])), xlim=(0, 1))
    left.set(xlabel=TRUTH, ylabel="share in a bin")
    left.legend(loc="upper right")
    draw_error(right, edges, error, deviation)
    right.set(xlabel=TRUTH, ylabel=ERROR)
    right.legend(loc="best")
    return figure


def draw_error(
    axes: Axes, edges: np.ndarray, error: np.ndarray, deviation: np.ndarray | None
) -> None:
    """A step line of the error (b,) in bins edges (b + 1,) and its band, not below a tenth of it.

    The axis is logarithmic, and error minus deviation may be negative.
    """
    error = np.where(error > 0, error, np.nan)
    axes.set_yscale("log")
    axes.use_sticky_edges = False  # of the steps: leave a margin below the lowest
    if deviation is not None:
        low, high = error - deviation, error + deviation
        known = np.isfinite(error) & np.isfinite(deviation)
        axes.stairs(
            np.where(known, high, np.nan),
            edges,
            baseline=np.where(known, np.maximum(low, 0.1 * error), np.nan),
            label="± standard deviation of folds",
            **BAND,
        )
    axes.stairs(error, edges, baseline=None, color=style.BLUE, linewidth=1.8, label="mean of folds")
