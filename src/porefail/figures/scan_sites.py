"""A part seen from two sides, with its pores and its likely failure sites."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from porefail.figures import style

MOST = 5  # sites that are shown
LONG = 6.5  # inches


def scan_sites(
    pores: np.ndarray,
    outside: np.ndarray,
    voxel: float,
    corner: Sequence[float],
    names: Sequence[str],
    place: np.ndarray,
    probability: np.ndarray,
    member: np.ndarray,
    failed: np.ndarray | None = None,
) -> Figure:
    """Voids summed along two axes; rings at the first MOST sites, numbered by rank.

    pores, outside: (nx, ny, nz) bool, the tensile axis last; voxel: mm; corner: (3,) mm of the
    first one; names: of the axes; place: (m, 3) voxels of the sites by falling probability (m,);
    member: of the conformal set, bool (m,); failed: bool (nx, ny, nz), where a simulation failed.
    """
    tall = min(LONG, 1.8 * LONG * pores.shape[2] / max(pores.shape) + 1)
    figure = style.new(8.6, tall + 1.6)
    panels = figure.subplots(1, 2, sharey=True)
    voids = [np.where(outside, False, pores).sum(axis=axis) for axis in (1, 0)]
    most = max(max(each.max() for each in voids), 1)
    for axes, across, along, seen in zip(panels, (0, 1), (1, 0), voids, strict=True):
        nothing = outside.all(axis=along)
        shown = np.where(nothing, np.nan, seen)
        n, nz = shown.shape
        axes.grid(False)
        axes.spines[:].set_visible(True)
        axes.set_facecolor("#DDE9F2")  # beside the part
        x, z = corner[across], corner[2]
        image = axes.imshow(
            shown.T,
            origin="lower",
            extent=(x, x + n * voxel, z, z + nz * voxel),
            cmap=style.LIGHT_PORE_MAP,
            vmin=0,
            vmax=most,
            interpolation="nearest",
            aspect="equal",
        )
        axes.autoscale(False)
        for k in range(min(MOST, len(place)))[::-1]:
            colour = style.VERMILLION if member[k] else style.BLUE
            px = x + (place[k, across] + 0.5) * voxel
            pz = z + (place[k, 2] + 0.5) * voxel
            axes.plot(
                px,
                pz,
                "o",
                markersize=15,
                fillstyle="none",
                markeredgewidth=2,
                color=colour,
                clip_on=False,
            )
            axes.annotate(
                f"{k + 1}",
                (px, pz),
                xytext=(11, 5),
                textcoords="offset points",
                color=colour,
                fontweight="bold",
                annotation_clip=False,
            )
        if failed is not None and failed.any():
            at = np.argwhere(failed) + 0.5
            axes.plot(
                x + at[:, across] * voxel,
                z + at[:, 2] * voxel,
                "x",
                color=style.BLACK,
                markersize=8,
            )
        axes.set_xlabel(f"{names[across]} (mm)")
    panels[0].set_ylabel(f"{names[2]} (mm), tensile axis")
    figure.colorbar(image, ax=panels, label="void voxels along the view", shrink=0.5)
    ring = {"marker": "o", "linestyle": "none", "fillstyle": "none", "markeredgewidth": 2}
    first = probability[0] if len(probability) else np.nan
    handles = [
        Line2D([], [], color=style.VERMILLION, label=f"in the set (first: {first:.0%})", **ring),
        Line2D([], [], color=style.BLUE, label="other sites", **ring),
    ]
    if failed is not None:
        label = "simulated first failure"
        handles.append(Line2D([], [], marker="x", linestyle="none", color=style.BLACK, label=label))
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure
