"""How often each predictor's site is where the specimen fails first."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from porefail.figures import style

COLOURS = (style.BLUE, style.SKY, "#C9C9C9")


def site_hits(
    predictor: Sequence[str],
    share: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    mean_voxels: Sequence[float],
    specimens: int,
    criterion: Sequence[str],
) -> Figure:
    """Horizontal bars: a group a predictor, a bar a criterion, with confidence intervals.

    predictor: m names, drawn from top to bottom; share, low, high: (m, c) in [0, 1], low and high
    NaN where the share is exact; mean_voxels: (m,) size of the sites; specimens: how many were
    held out; criterion: c <= 3 names, such as "holds the failed voxel".
    """
    rows, bars = share.shape
    figure = style.new(8.4, 1.5 + 0.62 * rows)
    axes = figure.subplots()
    thickness = 0.8 / bars
    for j in range(bars):
        position = np.arange(rows) + (j - (bars - 1) / 2) * thickness
        axes.barh(position, share[:, j], thickness * 0.92, color=COLOURS[j], label=criterion[j])
        spread = np.abs(np.stack([share[:, j] - low[:, j], high[:, j] - share[:, j]]))
        known = np.isfinite(spread).all(axis=0)
        axes.errorbar(
            share[known, j],
            position[known],
            xerr=spread[:, known],
            fmt="none",
            ecolor="#333333",
            elinewidth=1.0,
            capsize=2,
        )
    names = [
        f"{name}\n{size:.0f} voxel{'' if round(size) == 1 else 's'}"
        for name, size in zip(predictor, mean_voxels, strict=True)
    ]
    axes.set_yticks(np.arange(rows), names)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"share of {specimens} held-out specimens (whiskers: 95 % Wilson interval)")
    figure.legend(loc="outside upper center", ncols=bars, title="predicted site")
    return figure
