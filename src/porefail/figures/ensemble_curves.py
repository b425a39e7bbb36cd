"""Response of an ensemble to structural failure (paper, Fig. 3)."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from porefail.figures import style

# Without the light end, which white paper swallows.
COLOURS = LinearSegmentedColormap.from_list(
    "order", ["#00204D", "#3F4B6B", "#7C7B78", "#B9AC6E", "#E3C64A"]
)


def ensemble_curves(
    strain: np.ndarray,
    max_damage: np.ndarray,
    failed_fraction: np.ndarray,
    stress: np.ndarray,
    first_failure_strain: np.ndarray,
) -> Figure:
    """Largest damage φ/φ_max, failed share of the solid voxels, nominal stress.

    strain, max_damage (φ/φ_max), failed_fraction, stress (MPa): (n, steps), NaN-padded;
    first_failure_strain: (n,), gives the colour. A dot marks first failure; damage is cut at 1. The
    failed share has a panel if any history goes on after first failure.
    """
    goes_on = np.any(np.sum(failed_fraction > 0, axis=1) > 1)
    figure = style.new(12.6 if goes_on else 8.8, 4.0)
    panels = figure.subplots(1, 3 if goes_on else 2, sharex=True)
    percent = 100 * first_failure_strain
    colours = ScalarMappable(Normalize(np.nanmin(percent), np.nanmax(percent)), COLOURS)
    share = (failed_fraction,) if goes_on else ()
    histories = (np.minimum(max_damage, 1.0), *share, stress)
    for axes, values in zip(panels, histories, strict=True):
        _draw(axes, 100 * strain, values, percent, colours)
        axes.set_xlabel("nominal strain (%)")
        axes.set_xlim(left=0)
    panels[0].axvspan(2, 4, color="#EDEDED", zorder=0)
    panels[0].plot([2, 4], [0.6, 0.6], color=style.VERMILLION, label="plateau in the paper")
    panels[0].legend(loc="lower right")
    panels[0].set(ylim=(0, 1.03), ylabel="largest damage, φ/φ$_{max}$")
    if goes_on:
        positive = failed_fraction[failed_fraction > 0]
        panels[1].set_yscale("log")
        panels[1].set_ylim(positive.min() / 1.5, positive.max() * 1.5)
        panels[1].set_ylabel("failed share of the solid voxels")
    panels[-1].set(ylim=(0, None), ylabel="nominal stress (MPa)")
    figure.colorbar(colours, ax=panels, label="strain at first failure (%)", aspect=30, pad=0.01)
    return figure


def _draw(
    axes: Axes, strain: np.ndarray, values: np.ndarray, first: np.ndarray, colours: ScalarMappable
) -> None:
    curves, dots, rows = [], [], []
    for row, (x, y) in enumerate(zip(strain, values, strict=True)):
        known = np.isfinite(x) & np.isfinite(y)
        if known.any():
            rows.append(row)
            curves.append(np.column_stack([x[known], y[known]]))
            # First failure is within a step; the dot is at the end of that step.
            dots += curves[-1][curves[-1][:, 0] >= first[row] - 1e-9][:1].tolist() or [
                (np.nan,) * 2
            ]
    shades = colours.to_rgba(first[rows])
    axes.add_collection(LineCollection(curves, colors=shades, linewidths=1.1))
    if dots:
        axes.scatter(*np.transpose(dots), 12, shades, edgecolors="black", linewidths=0.4, zorder=3)
    axes.autoscale_view()
