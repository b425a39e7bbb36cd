"""The three stages of damage in an ensemble (paper, section 2.4), and what makes the plateau."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from porefail.figures import style
from porefail.voxels.rounding import bin_of

BINS = 25  # of φ/φ_max
POINTS = 8  # of an element


def damage_stages(
    begins: Mapping[str, np.ndarray],
    spent: np.ndarray,
    max_damage: np.ndarray,
    saturated: np.ndarray,
    plateau: tuple[float, float],
) -> Figure:
    """When the stages begin, how much strain the plateaus take, how many points are saturated.

    begins: strains (n,) by name, at most three; spent: strain (n,) with the largest damage in the
    plateau; max_damage (φ/φ_max), saturated (points of the voxel with the largest damage): (n,
    steps), NaN-padded; plateau: φ/φ_max that count as one. Where no saturated points are known
    their panel is left out.
    """
    known = np.isfinite(saturated) & (max_damage <= 1)
    figure = style.new(12.6 if known.any() else 8.8, 4.0)
    panels = figure.subplots(1, 3 if known.any() else 2)
    _begins(panels[0], begins)
    _spent(panels[1], 100 * spent, plateau)
    if known.any():
        _saturated(panels[2], max_damage[known], saturated[known], plateau)
    return figure


def _begins(axes: Axes, begins: Mapping[str, np.ndarray]) -> None:
    """Share of the specimens that have come so far at a strain."""
    axes.axvspan(2, 4, color="#EDEDED", label="stage II in the paper")
    axes.axvspan(4, 5, color="#D5D5D5", label="stage III in the paper")
    looks = [(style.SKY, ":"), (style.BLUE, "--"), (style.VERMILLION, "-")]
    for (name, strains), (colour, line) in zip(begins.items(), looks, strict=False):
        reached = np.sort(100 * strains[np.isfinite(strains)])
        if reached.size:
            share = np.arange(reached.size + 1) / len(strains)
            edges = np.concatenate([reached[:1], reached])
            axes.step(edges, share, line, where="post", color=colour, label=name)
    axes.set(xlabel="nominal strain (%)", ylabel="share of the specimens", ylim=(0, 1.02))
    axes.set_xlim(left=0)
    axes.legend(fontsize=8, loc="lower right")


def _spent(axes: Axes, percent: np.ndarray, plateau: tuple[float, float]) -> None:
    known = percent[np.isfinite(percent)]
    last = max(np.ceil(4 * known.max(initial=0.0)) / 4, 0.25)
    axes.hist(known, np.arange(0, last + 0.3, 0.25), color=style.SKY)
    middle = np.median(known) if known.size else np.nan
    axes.axvline(middle, color=style.BLUE, label=f"median {middle:.2f} %")
    axes.axvline(2, color=style.VERMILLION, linestyle="--", label="paper, about 2 %")
    low, high = plateau
    axes.set(
        xlabel=f"strain spent at {low:g} to {high:g} φ$_{{max}}$ (%)", ylabel="number of specimens"
    )
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.legend(fontsize=9)


def _saturated(
    axes: Axes, damage: np.ndarray, saturated: np.ndarray, plateau: tuple[float, float]
) -> None:
    """Mean and quartiles of the number of saturated points, by the voxel's damage."""
    axes.axvspan(*plateau, color="#EDEDED", label="plateau")
    place = bin_of(damage, BINS)
    filled = np.flatnonzero(np.bincount(place, minlength=BINS))
    middle = (filled + 0.5) / BINS
    each = [saturated[place == k] for k in filled]
    low, high = np.array([np.quantile(values, [0.25, 0.75]) for values in each]).T
    axes.fill_between(middle, low, high, color=style.SKY, alpha=0.4, label="quartiles")
    mean = [values.mean() for values in each]
    axes.plot(middle, mean, color=style.BLUE, label="mean of all load steps")
    axes.set(
        xlabel="damage of the leading voxel, φ/φ$_{max}$",
        ylabel=f"its saturated Gauss points, of {POINTS}",
        xlim=(0, 1),
    )
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=9, loc="upper left")
