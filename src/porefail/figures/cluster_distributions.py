"""Distribution, over draws of a network, of the averages of likely sites (paper, Fig. 15)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from porefail.figures import style

SHOWN = 5  # sites of a specimen


def cluster_distributions(
    average: Sequence[np.ndarray], realization: np.ndarray, threshold: float
) -> Figure:
    """Empirical distribution functions, a panel a specimen.

    average: of each of k specimens, (draws, m), the mean damage of each of m sites in each draw, by
    rank, as a fraction of the largest of the mean field; realization: (k,); threshold: above which
    the mass is told.
    """
    count = len(average)
    columns = min(count, 2)
    rows = -(-count // columns)
    figure = style.new(9.6, 0.8 + 2.9 * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, sites, number in zip(panels.flat, average, realization, strict=False):
        share = np.arange(1, len(sites) + 1) / len(sites)
        for k, values in enumerate(sites.T[:SHOWN]):
            mass = np.mean(values > threshold)
            axes.step(
                np.sort(values),
                share,
                where="post",
                color=style.CYCLE[k][0],
                linestyle=("-", "--", "-.", ":")[k % 4],
                label=f"site {k + 1}: {mass:.2f}",
            )
        axes.axvline(threshold, color="black", linestyle="--", linewidth=1)
        hidden = sites.shape[1] - SHOWN
        more = f"\n({hidden} more not shown)" if hidden > 0 else ""
        axes.set_title(f"specimen {number}")
        # Beside the panel: the curves may fill all of it.
        axes.legend(
            title=f"mass above {threshold:g}{more}",
            fontsize=8,
            title_fontsize=8,
            alignment="left",
            loc="upper left",
            bbox_to_anchor=(1, 1),
        )
    for axes in panels.flat[count:]:
        axes.set_axis_off()
    for axes in panels.flat[max(count - columns, 0) : count]:  # the lowest of each column
        axes.set_xlabel("average of the site / largest mean damage")
        axes.tick_params(labelbottom=True)
    for axes in panels[:, 0]:
        axes.set_ylabel("share of draws below")
    panels[0, 0].set_ylim(0, 1.02)
    return figure
