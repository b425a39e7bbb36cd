"""Recall and precision of Bayesian networks and plain ones (paper, Fig. 13)."""

from collections.abc import Collection, Mapping

import numpy as np
from matplotlib.figure import Figure

from porefail.figures import style

COUNTED = {"voxel": "by voxels", "cluster": "by clusters"}


def bayesian_overlap(
    threshold: np.ndarray,
    mean: Mapping[str, Mapping[str, np.ndarray]],
    deviation: Mapping[str, Mapping[str, np.ndarray]],
    bayesian: Collection[str],
) -> Figure:
    """Columns: recall, precision; rows: by voxels, by clusters; a line a model.

    threshold: (m,), of truth and prediction alike; mean, deviation: model → "voxel_recall",
    "voxel_precision", "cluster_recall", "cluster_precision" → (m,), over folds, NaN where not
    defined; bayesian: the models that are Bayesian. Plain networks are broken lines; only the first
    Bayesian one has its spread drawn, for more bands hide the lines.
    """
    figure = style.new(8.4, 6.6)
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    banded = next((name for name in mean if name in bayesian), None)
    for row, (counted, title) in zip(panels, COUNTED.items(), strict=True):
        for axes, score in zip(row, ("recall", "precision"), strict=True):
            key = f"{counted}_{score}"
            for k, (name, values) in enumerate(mean.items()):
                colour = style.CYCLE[k % len(style.CYCLE)][0]
                line = "-" if name in bayesian else "--"
                axes.plot(threshold, values[key], line, color=colour, linewidth=1.6, label=name)
                if name == banded:
                    low, high = (values[key] + s * deviation[name][key] for s in (-1, 1))
                    axes.fill_between(threshold, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.set_title(f"{score}, {title}")
    panels[0, 0].set(xlim=(0, 1), ylim=(0, 1.02))
    for axes in panels[1]:
        axes.set_xlabel("threshold on the normalised damage")
    for axes in panels[:, 0]:
        axes.set_ylabel("mean of folds")
    handles = panels[0, 0].get_lines()
    title = "broken: not Bayesian" + (f"; band: ± standard deviation of {banded}" if banded else "")
    figure.legend(handles=handles, ncols=4, loc="outside lower center", title=title)
    return figure
