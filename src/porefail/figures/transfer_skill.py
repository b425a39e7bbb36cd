"""How often the first site is right on specimens other than those that were learnt from."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from porefail.figures import style


def transfer_skill(
    group: Sequence[str],
    specimens: Sequence[int],
    predictor: Sequence[str],
    share: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> Figure:
    """Top-1 hit rate: a group of dots a set of specimens, a dot a predictor, with intervals.

    group: g names of the sets, those as trained first; specimens: (g,) numbers; predictor: p names;
    share, low, high: (g, p) in [0, 1], low and high of the Wilson interval, NaN where not known.
    """
    groups, predictors = share.shape
    figure = style.new(max(6.4, 1.6 + 1.6 * groups), 4.2)
    axes = figure.subplots()
    step = 0.7 / max(predictors, 1)
    for j, name in enumerate(predictor):
        colour, marker = style.CYCLE[j % len(style.CYCLE)]
        x = np.arange(groups) + (j - (predictors - 1) / 2) * step
        spread = np.stack([share[:, j] - low[:, j], high[:, j] - share[:, j]])
        axes.errorbar(
            x,
            share[:, j],
            yerr=np.maximum(spread, 0),  # a share of 0 or 1 may miss its bound by rounding
            fmt=marker,
            markersize=7,
            color=colour,
            elinewidth=1.5,
            capsize=3,
            label=name,
        )
    for k in range(1, groups):
        axes.axvline(k - 0.5, color="#E5E5E5", linewidth=0.8)
    labels = [f"{name}\n({count})" for name, count in zip(group, specimens, strict=True)]
    axes.set_xticks(np.arange(groups), labels)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="x", visible=False)
    axes.set(xlim=(-0.5, groups - 0.5), ylim=(-0.03, 1.03))
    axes.set_xlabel("specimens (number of them)")
    axes.set_ylabel("top-1 hit rate\n(bars: 95 % Wilson interval)")
    figure.legend(loc="outside upper center", ncols=min(predictors, 4))
    return figure
