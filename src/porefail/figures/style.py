"""One look for all figures: colours that colour-blind readers tell apart, fonts, axes in mm."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Of Okabe & Ito's palette.
ORANGE = "#E69F00"
SKY = "#56B4E9"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
GREY = "#7F7F7F"

DAMAGE_MAP = "cividis"
PORE_MAP = "gray"  # black where there is no pore, as in Fig. 4 of the paper

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
