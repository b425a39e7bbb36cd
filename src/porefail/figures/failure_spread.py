"""At which strain and where the specimens of an ensemble fail first and in the end."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from porefail.figures import style
from porefail.voxels.rounding import TOLERANCE


def failure_spread(
    first_failure_strain: np.ndarray,
    structural_failure_strain: np.ndarray,
    first_height: np.ndarray,
    final_height: np.ndarray,
    length: float,
    spacing: float,
) -> Figure:
    """Strains at failure, heights z of first and final failure, and their distance |Δz|.

    All (n,), NaN where not known; strains are fractions, heights, length and spacing mm. Where no
    specimen has a final failure, the strains at first failure alone are drawn.
    """
    both = np.isfinite(first_height) & np.isfinite(final_height)
    figure = style.new(12.6 if both.any() else 4.6, 4.0)
    panels = np.atleast_1d(figure.subplots(1, 3 if both.any() else 1))
    _strains(panels[0], first_failure_strain, structural_failure_strain)
    if both.any():
        _heights(panels[1], first_height[both], final_height[both], length)
        _distances(panels[2], np.abs(first_height - final_height)[both], spacing)
    return figure


def _strains(axes: Axes, first: np.ndarray, structural: np.ndarray) -> None:
    """Share of the specimens that have failed at a strain."""
    axes.axvspan(4, 5, color="#EDEDED", label="stage III in the paper")
    kinds = [
        ("first failure", first, style.BLUE, "-"),
        ("structural failure", structural, style.VERMILLION, "--"),
    ]
    for name, values, colour, line in kinds:
        known = np.sort(100 * values[np.isfinite(values)])
        if known.size:
            edges = np.concatenate([known[:1], known])
            share = np.arange(known.size + 1) / known.size
            axes.step(
                edges, share, line, where="post", color=colour, label=f"{name} ({known.size})"
            )
    axes.set(xlabel="nominal strain (%)", ylabel="share of the specimens that fail")
    axes.set_xlim(left=0)
    axes.set_ylim(0, 1.02)
    axes.legend(fontsize=9)


def _heights(axes: Axes, first: np.ndarray, final: np.ndarray, length: float) -> None:
    axes.plot([0, length], [0, length], color=style.GREY, linestyle="--", linewidth=1.0)
    axes.plot(first, final, "o", markersize=5, color=style.BLUE, alpha=0.7)
    axes.set(xlabel="z of first failure (mm)", ylabel="z of final failure (mm)")
    axes.set(xlim=(0, length), ylim=(0, length), aspect="equal")


def _distances(axes: Axes, distance: np.ndarray, spacing: float) -> None:
    # Most distances are whole numbers of half a voxel: each belongs to the bin that begins with it.
    last = int(distance.max() / (spacing / 2) * (1 + TOLERANCE))
    edges = spacing / 2 * (1 - TOLERANCE) * np.arange(last + 2)
    axes.hist(distance, edges, color=style.SKY)
    axes.axvline(distance.mean(), color=style.BLUE, label=f"mean {distance.mean():.3f} mm")
    axes.axvline(0.04, color=style.VERMILLION, linestyle="--", label="mean in the paper, 0.04 mm")
    axes.set(xlabel="|Δz| of first and final failure (mm)", ylabel="number of specimens")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.set_xlim(left=0)
    axes.margins(y=0.3)
    axes.legend(fontsize=9, loc="upper right")
