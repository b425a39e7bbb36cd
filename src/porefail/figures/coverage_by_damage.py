"""Whether predicted intervals hold the damage as often as they say, by damage."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from porefail.figures import style


def coverage_by_damage(
    edges: np.ndarray,
    true: Mapping[str, np.ndarray],
    predicted: Mapping[str, np.ndarray],
    level: float = 0.95,
) -> Figure:
    """Share of labels inside their interval, by the true label (left), by the predicted (right).

    edges: (b + 1,); true, predicted: model → (b,), NaN where a bin is empty; level: what the share
    ought to be.
    """
    figure = style.new(8.4, 5.2)
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    middle = (edges[:-1] + edges[1:]) / 2
    named = ("true damage of the voxel", true), ("predicted damage of the voxel", predicted)
    for axes, (text, shares) in zip(panels, named, strict=True):
        axes.axhline(level, color="black", linestyle="--", linewidth=1.2)
        for k, (name, share) in enumerate(shares.items()):
            colour, marker = style.CYCLE[k % len(style.CYCLE)]
            known = np.isfinite(share)
            axes.plot(
                middle[known],
                share[known],
                color=colour,
                marker=marker,
                linestyle="-" if k < len(style.CYCLE) else ":",
                markersize=5,
                linewidth=1.3,
                label=name,
            )
        axes.set_xlabel(text)
    panels[0].set(xlim=(0, 1), ylim=(0, 1.02))
    panels[0].set_ylabel(f"share of labels in their {100 * level:g} % interval")
    figure.legend(
        handles=panels[0].get_lines()[1:],
        ncols=4,
        loc="outside lower center",
        title=f"broken line: {100 * level:g} %, as it ought to be",
    )
    return figure
