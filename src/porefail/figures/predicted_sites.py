"""True damage, predicted damage and failures of perturbed copies (paper, Fig. 12)."""

import numpy as np
from matplotlib.colors import ListedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from porefail.figures import specimen_views, style

FILL = to_rgba(style.VERMILLION, 0.3)


def predicted_sites(
    porosity: np.ndarray,
    true: np.ndarray,
    predicted: np.ndarray,
    count: np.ndarray,
    realization: np.ndarray,
    spacing: float,
) -> Figure:
    """A view along y of each of k specimens: true and predicted clusters, failures of its copies.

    porosity (1 = void), true, predicted (bool: in a cluster of high damage), count (perturbed
    copies that failed first in a voxel): (k, nx, ny, nz); realization: (k,) numbers; spacing in mm.
    """
    figure, panels, bar = specimen_views.views(porosity, realization, spacing, style.LIGHT_PORE_MAP)
    for axes, mask, ours, copies in zip(panels, true, predicted, count, strict=True):
        seen = mask.any(axis=1)
        shown = np.where(seen, 1.0, np.nan)
        style.show_projection(axes, shown, spacing, ListedColormap([FILL]), 0, 1)
        # The wider line below: both are seen where the borders are the same.
        style.outline(axes, ours.any(axis=1), spacing, style.BLUE, 2.6)
        style.outline(axes, seen, spacing, style.VERMILLION, 1.1)
        specimen_views.mark_failures(axes, copies, spacing)
    specimen_views.pore_bar(panels[0], bar)
    handles = [
        Patch(facecolor=FILL, edgecolor=style.VERMILLION, linewidth=1.1, label="true cluster"),
        Patch(facecolor="none", edgecolor=style.BLUE, linewidth=2.6, label="predicted cluster"),
    ]
    specimen_views.add_legend(figure, handles, count)
    return figure
