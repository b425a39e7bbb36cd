"""Recall and precision against the damage threshold (paper, Fig. 10)."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from porefail.figures import style

SCORES = {
    "recall": (style.BLUE, "-"),
    "precision": (style.VERMILLION, "--"),
    "f": (style.GREY, ":"),
    "jaccard": (style.SKY, "-."),
}


def metric_curves(
    threshold: np.ndarray, voxel: Mapping[str, np.ndarray], cluster: Mapping[str, np.ndarray]
) -> Figure:
    """Scores "recall", "precision", "f", "jaccard" (m,) by voxels and clusters, threshold (m,).

    A score that is not defined is NaN: its line ends there.
    """
    figure = style.new(8.4, 3.9)
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    titles = ("voxels", "clusters (one shared voxel is a hit)")
    for axes, scores, title in zip(panels, (voxel, cluster), titles, strict=True):
        for name, (colour, line) in SCORES.items():
            label = {"f": "F-score", "jaccard": "overlap (Jaccard)"}.get(name, name)
            axes.plot(threshold, scores[name], line, color=colour, label=label)
        axes.set_title(title)
        axes.set_xlabel("threshold on the transformed damage")
    panels[0].set(xlim=(0, 1), ylim=(0, 1.02), ylabel="score, held-out specimens")
    panels[1].legend(loc="best")
    return figure
