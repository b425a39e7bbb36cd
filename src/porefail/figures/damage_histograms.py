"""How the damage of all voxels is distributed as the strain grows (paper, Fig. 2)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from porefail.figures import style
from porefail.voxels.rounding import bin_of

BINS = 40  # of φ/φ_max


def damage_histograms(
    strain: Sequence[np.ndarray], damage: Sequence[np.ndarray], titles: Sequence[str]
) -> Figure:
    """For each specimen the numbers of voxels over φ/φ_max, a curve a strain, log counts.

    strain: for each specimen (k,), fractions; damage: for each (k, nx, ny, nz), φ/φ_max, NaN in
    voids; titles: one a specimen. Blue is no strain, red the largest of all. Failed voxels are in
    the last bin.
    """
    columns = min(len(damage), 3)
    rows = -(-len(damage) // columns)
    figure = style.new(1.6 + 2.9 * columns, 0.9 + 2.4 * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    largest = max(float(at.max()) for at in strain)
    for axes, at, fields, title in zip(panels.flat, strain, damage, titles, strict=False):
        draw_histogram(axes, at, fields, largest)
        axes.set_title(title)
    for axes in panels.flat[len(damage) :]:
        axes.set_axis_off()
    figure.supxlabel("damage of a voxel, φ/φ$_{max}$", fontsize=10)
    figure.supylabel("number of voxels", fontsize=10)
    colours = ScalarMappable(Normalize(0, 100 * largest), style.STRAIN_MAP)
    figure.colorbar(colours, ax=panels, label="nominal strain (%)", aspect=30, pad=0.02)
    return figure


def draw_histogram(axes: Axes, strain: np.ndarray, damage: np.ndarray, largest: float) -> None:
    """One specimen: a line a strain (k,) of its damage (k, nx, ny, nz), coloured by the strain.

    A line passes through the middles of the bins and is broken where a bin is empty.
    """
    middles = (np.arange(BINS) + 0.5) / BINS
    for at, field in zip(strain, damage, strict=True):
        counts = np.bincount(bin_of(field[np.isfinite(field)], BINS), minlength=BINS)
        values = np.where(counts > 0, counts, np.nan)
        colour = style.STRAIN_MAP(at / largest)
        axes.plot(middles, values, ".-", color=colour, markersize=4, linewidth=1.2)
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.7)
    axes.set_xlim(0, 1)
