"""How true and predicted damage values are distributed, by transform (paper, Fig. 11)."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from porefail.figures import style
from porefail.figures.variants import TRANSFORMS

LOOKS = {"true": ("black", "-"), "predicted": (style.VERMILLION, "--")}
BAND = {"alpha": 0.2, "linewidth": 0}


def damage_frequency(
    edges: np.ndarray, true: Mapping[str, np.ndarray], predicted: Mapping[str, np.ndarray]
) -> Figure:
    """Above: the density of the values; below: the share of the voxels that reach a threshold.

    edges: (b + 1,) of the bins; true, predicted: transform → (folds, b), shares of the voxels in
    each bin. A column a transform; lines are means over folds, bands reach from the smallest to
    the largest fold. The axes are logarithmic: zeros are left out, bands end at a tenth of
    the mean.
    """
    figure = style.new(0.9 + 2.4 * len(true), 5.4)
    panels = figure.subplots(2, len(true), sharex=True, sharey="row", squeeze=False)
    for (density, volume), name in zip(panels.T, true, strict=True):
        density.set_title(f"label {TRANSFORMS[name][1]}")
        for label, share in (("true", true[name]), ("predicted", predicted[name])):
            _density(density, edges, share / np.diff(edges), *LOOKS[label])
            volumes = share[:, ::-1].cumsum(axis=1)[:, ::-1]
            _volume(volume, edges[:-1], volumes, *LOOKS[label])
        density.use_sticky_edges = False  # of the steps: leave a margin below the lowest
        density.set_yscale("log")
        volume.set_yscale("log")
    panels[0, 0].set(xlim=(0, 1), xticks=[0, 0.5, 1], ylabel="density of damage values")
    panels[1, 0].set(ylabel="share of voxels ≥ threshold")
    figure.supxlabel("transformed damage (above: of a voxel, below: threshold)", fontsize=10)
    handles = [
        Line2D([], [], color=colour, linestyle=line, linewidth=1.5, label=label)
        for label, (colour, line) in LOOKS.items()
    ]
    handles.append(Patch(label="smallest to largest fold", color="black", **BAND))
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return figure


def _range(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower end, mean and upper end (b,) of folds (folds, b), NaN where all are zero."""
    mean = values.mean(axis=0)
    mean = np.where(mean > 0, mean, np.nan)
    high = np.where(mean > 0, values.max(axis=0), np.nan)
    return np.maximum(values.min(axis=0), 0.1 * mean), mean, high


def _density(axes: Axes, edges: np.ndarray, values: np.ndarray, colour: str, line: str) -> None:
    low, mean, high = _range(values)
    axes.stairs(high, edges, baseline=low, fill=True, color=colour, **BAND)
    axes.stairs(mean, edges, baseline=None, color=colour, linestyle=line, linewidth=1.5)


def _volume(axes: Axes, x: np.ndarray, values: np.ndarray, colour: str, line: str) -> None:
    low, mean, high = _range(values)
    axes.fill_between(x, low, high, color=colour, **BAND)
    axes.plot(x, mean, line, color=colour, linewidth=1.5)
