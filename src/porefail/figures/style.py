"""One look for all figures: colours that colour-blind readers tell apart, fonts, axes in mm."""

import warnings

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

# Of Okabe & Ito's palette.
ORANGE = "#E69F00"
SKY = "#56B4E9"
BLUE = "#0072B2"
YELLOW = "#F0E442"
VERMILLION = "#D55E00"
GREEN = "#009E73"
PURPLE = "#CC79A7"
GREY = "#7F7F7F"
BLACK = "#000000"

# Of things in no order, such as predictors: colour and marker, so that neither tells alone.
CYCLE = (
    (BLUE, "o"),
    (VERMILLION, "s"),
    (GREEN, "^"),
    (ORANGE, "D"),
    (PURPLE, "v"),
    (SKY, "P"),
    (GREY, "X"),
    (BLACK, "p"),
)

DAMAGE_MAP = "cividis"
PORE_MAP = "gray"  # black where there is no pore, as in Fig. 4 of the paper
# White there, where other things are drawn on top.
LIGHT_PORE_MAP = LinearSegmentedColormap.from_list("pores", ["#FFFFFF", "#9A9A9A", "#5A5A5A"])
# φ/φ_max: grey up to 0.6, then from blue to red as in Fig. 1 of the paper.
_GREYS = [(0.0, "#FFFFFF"), (0.5999, "#B8B8B8")]
_FAILING = [(0.6, BLUE), (0.7, SKY), (0.8, YELLOW), (0.9, ORANGE), (1.0, VERMILLION)]
FAILURE_MAP = LinearSegmentedColormap.from_list("failure", _GREYS + _FAILING, N=1000)
# From blue to red with the strain, as in Fig. 2 of the paper.
_STRAINS = [BLUE, SKY, "#A8A878", ORANGE, VERMILLION]
STRAIN_MAP = LinearSegmentedColormap.from_list("strain", _STRAINS)

matplotlib.rcParams.update(
    {
        "font.size": 10,
        "axes.titlesize": 10,
        "axes.labelsize": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#E5E5E5",
        "grid.linewidth": 0.8,
        "lines.linewidth": 1.8,
        "legend.frameon": False,
        "savefig.dpi": 150,
        "figure.dpi": 100,
        "figure.constrained_layout.wspace": 0.05,  # "1.0" and the next panel's "0.0" stay apart
    }
)


def new(width: float, height: float) -> Figure:
    """An empty figure; width, height in inches. It belongs to no window and to no global state."""
    return Figure(figsize=(width, height), layout="constrained")


def show_projection(
    axes: Axes, projection: np.ndarray, spacing: float, colours: str, low: float, high: float
):
    """Draw a field projected along y, (nx, nz), to scale: x across, z up, mm; returns the image."""
    nx, nz = projection.shape
    axes.grid(False)
    axes.spines[:].set_visible(True)
    axes.set_facecolor("white")
    return axes.imshow(
        projection.T,
        origin="lower",
        extent=(0, nx * spacing, 0, nz * spacing),
        cmap=colours,
        vmin=low,
        vmax=high,
        interpolation="nearest",
        aspect="equal",
    )


def highest(field: np.ndarray) -> np.ndarray:
    """Maximum along y of (nx, ny, nz), NaN where all along y is NaN."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmax(field, axis=1)


def outline(axes: Axes, mask: np.ndarray, spacing: float, colour: str, width: float) -> None:
    """Draw the border of a set of pixels (nx, nz), line width in points."""
    padded = np.pad(mask, 1).astype(int)
    upright = [[(i, k), (i, k + 1)] for i, k in np.argwhere(np.diff(padded[:, 1:-1], axis=0))]
    level = [[(i, k), (i + 1, k)] for i, k in np.argwhere(np.diff(padded[1:-1], axis=1))]
    lines = spacing * np.array(upright + level, float).reshape(-1, 2, 2)
    axes.add_collection(
        LineCollection(lines, colors=colour, linewidths=width, capstyle="round"), autolim=False
    )


RING = {"marker": "o", "markersize": 9, "fillstyle": "none", "linestyle": "none"}


def mark_failure(axes: Axes, failed: np.ndarray, spacing: float) -> None:
    """A ring on each voxel that failed first, failed (nx, ny, nz) bool, in a view along y."""
    x, _, z = (np.argwhere(failed).T + 0.5) * spacing
    axes.plot(x, z, color="white", markeredgewidth=3.5, **RING)
    axes.plot(x, z, color=VERMILLION, markeredgewidth=2, **RING)


def failure_handle() -> Line2D:
    """The ring of mark_failure() for a legend."""
    return Line2D([], [], color=VERMILLION, markeredgewidth=2, label="first failure", **RING)


class Sheet:
    """Axes placed in inches from the lower left corner of a figure without a layout engine."""

    def __init__(self, figure: Figure, width: float, height: float):
        self.figure, self.size = figure, np.array([width, height])

    def axes(self, x: float, y: float, wide: float, tall: float) -> Axes:
        return self.figure.add_axes((*((x, y) / self.size), *((wide, tall) / self.size)))


def mean_and_deviation(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (of a sample; 0 of a single one) over folds, the last axis.

    NaN are left out; NaN where all are.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        mean = np.nanmean(values, axis=-1)
        deviation = np.nanstd(values, axis=-1, ddof=1)
    single = np.isfinite(values).sum(axis=-1) == 1
    return mean, np.where(single, 0.0, deviation)
