"""Where perturbed copies of specimens fail, over their projected pores (paper, Fig. 4)."""

import numpy as np
from matplotlib.figure import Figure

from porefail.figures import specimen_views, style


def failure_locus(
    porosity: np.ndarray,
    failed: np.ndarray,
    count: np.ndarray,
    realization: np.ndarray,
    spacing: float,
) -> Figure:
    """A view along y of each of k specimens: void voxels in grey, failures of its copies as dots.

    porosity (1 = void), failed (bool: where the specimen itself failed first, a ring), count
    (perturbed copies that failed first in a voxel): (k, nx, ny, nz); realization: (k,) numbers;
    spacing in mm.
    """
    figure, panels, bar = specimen_views.views(porosity, realization, spacing, style.PORE_MAP)
    for axes, copies, first in zip(panels, count, failed, strict=True):
        specimen_views.mark_failures(axes, copies, spacing, first)
    specimen_views.pore_bar(panels[0], bar)
    specimen_views.add_legend(figure, [specimen_views.failure_handle()], count)
    return figure
