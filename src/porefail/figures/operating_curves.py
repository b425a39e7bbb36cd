"""What cluster precision each predictor has at what cluster recall."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from porefail.figures import style


def operating_curves(
    curve: Mapping[str, Sequence[np.ndarray]],
    point: Mapping[str, Sequence[np.ndarray]],
    truth_cut: float = 0.8,
    goal: tuple[float, float] = (0.9, 0.6),
    paper: tuple[float, float] | None = (0.9, 0.3),
) -> Figure:
    """Cluster precision against cluster recall as the threshold of the prediction varies.

    curve: predictor → recall (m,), precision (m,), by threshold, means over folds, NaN where not
    defined or where the prediction is not yet in distinct clusters; point: predictor → recall
    (folds,), precision (folds,), at the threshold chosen on validation, drawn as mean ± standard
    deviation; goal: least recall and precision; paper: its recall and precision, both for a truth
    cut at truth_cut.
    """
    figure = style.new(8.0, 4.8)
    axes = figure.subplots()
    low = np.array(goal)
    region = {"facecolor": style.GREEN, "alpha": 0.18, "linewidth": 0}
    axes.add_patch(Rectangle(low, *(1.0 - low), **region))
    handles = []
    looks = (style.CYCLE[k % len(style.CYCLE)] for k in range(len(curve)))
    for (name, (recall, precision)), (colour, marker) in zip(curve.items(), looks, strict=True):
        axes.plot(recall, precision, color=colour, linewidth=1.6)
        if name in point:
            across, up = (style.mean_and_deviation(values) for values in point[name])
            axes.errorbar(
                across[0],
                up[0],
                xerr=across[1],
                yerr=up[1],
                marker=marker,
                markersize=8,
                color=colour,
                markeredgecolor="white",
                markeredgewidth=0.6,
                elinewidth=1.3,
                capsize=3,
                zorder=5,
            )
        look = {
            "marker": marker,
            "markersize": 8,
            "markeredgecolor": "white",
            "markeredgewidth": 0.6,
        }
        handles.append(Line2D([], [], color=colour, linewidth=1.6, label=name, **look))
    if paper is not None:
        star = {"marker": "*", "markersize": 15, "linestyle": "none", "color": "black"}
        axes.plot(*paper, zorder=4, **star)
        handles.append(Line2D([], [], label=f"paper: {paper[0]:g}, {paper[1]:g}", **star))
    handles.append(Patch(label=f"goal: ≥ {goal[0]:g} and ≥ {goal[1]:g}", **region))
    axes.set(xlim=(0, 1.01), ylim=(0, 1.01))
    axes.set_xlabel(f"cluster recall, true damage ≥ {truth_cut:g}")
    axes.set_ylabel(f"cluster precision, true damage ≥ {truth_cut:g}")
    figure.legend(
        handles=handles,
        loc="outside right upper",
        title="marker: threshold chosen\non validation (± standard\ndeviation of folds)",
        alignment="left",
    )
    return figure
