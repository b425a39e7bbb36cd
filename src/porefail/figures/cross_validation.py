"""Recall and precision of all variants against the threshold (paper, Fig. 10)."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from porefail.figures import style
from porefail.figures.variants import TRANSFORMS, WEIGHTINGS

SCORES = ("recall", "precision")
COUNTED = {"voxel": "voxels", "cluster": "clusters (one shared voxel is a hit)"}

Variant = tuple[str, str]


def cross_validation(
    threshold: np.ndarray,
    mean: Mapping[Variant, Mapping[str, np.ndarray]],
    deviation: Mapping[Variant, Mapping[str, np.ndarray]] | None = None,
    banded: Variant | None = None,
) -> Figure:
    """Rows: recall, precision; columns: by voxels, by clusters; a line a variant.

    threshold: (m,), of truth and prediction alike; mean, deviation: (transform, weighting) →
    "voxel_recall", "voxel_precision", "cluster_recall", "cluster_precision" → (m,), mean and
    standard deviation over folds, NaN where not defined. Colour is the transform, the line style
    the weighting; only the variant `banded` has its spread drawn: more bands hide the lines.
    """
    figure = style.new(8.4, 7.0)
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    for row, score in zip(panels, SCORES, strict=True):
        for axes, counted in zip(row, COUNTED, strict=True):
            name = f"{counted}_{score}"
            if banded is not None:
                middle, spread = mean[banded][name], deviation[banded][name]
                axes.fill_between(
                    threshold,
                    middle - spread,
                    middle + spread,
                    color=TRANSFORMS[banded[0]][0],
                    alpha=0.25,
                    linewidth=0,
                )
            for (transform, weighting), values in mean.items():
                colour, line = TRANSFORMS[transform][0], WEIGHTINGS[weighting][0]
                axes.plot(threshold, values[name], line, color=colour, linewidth=1.5)
        row[0].set_ylabel(f"{score}, mean of folds")
    for axes, title in zip(panels[0], COUNTED.values(), strict=True):
        axes.set_title(title)
    for axes in panels[1]:
        axes.set_xlabel("threshold on the normalised damage")
    panels[0, 0].set(xlim=(0, 1), ylim=(0, 1.02))
    _legends(figure, mean, banded)
    return figure


def _legends(figure: Figure, mean: Mapping, banded: Variant | None) -> None:
    colours = [
        Line2D([], [], color=colour, linewidth=3, label=sign)
        for name, (colour, sign) in TRANSFORMS.items()
        if any(name == transform for transform, _ in mean)
    ]
    lines = [
        Line2D([], [], color="black", linestyle=line, linewidth=1.5, label=sign)
        for name, (line, sign, _) in WEIGHTINGS.items()
        if any(name == weighting for _, weighting in mean)
    ]
    groups = [("lower left", "transform of the damage", colours)]
    groups.append(("lower right", "weighting of the loss", lines))
    if banded is not None:
        name = f"{TRANSFORMS[banded[0]][1]}, {WEIGHTINGS[banded[1]][1]}"
        band = Patch(color=TRANSFORMS[banded[0]][0], alpha=0.25, linewidth=0, label=name)
        groups.insert(1, ("lower center", "± standard deviation", [band]))
    for place, title, handles in groups:
        figure.legend(
            handles=handles,
            title=title,
            ncols=len(handles),
            loc=f"outside {place}",
            handlelength=2.6,
            columnspacing=1.2,
        )
