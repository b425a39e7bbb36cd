"""Specimens side by side, seen along y, with their pores and where perturbed copies failed."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from porefail.figures import style

MOST = 6  # specimens in a row
SIZES = (1, 5, 25)  # failures, in the legend
LEFT, RIGHT, TOP, BOTTOM, BETWEEN, GAP = 0.75, 0.35, 0.45, 1.5, 0.35, 0.75  # inches
TALL, WIDE, VOXEL = 3.6, 1.8, 0.075  # inches: least height, most width, least voxel
RING = 18  # points across: around the first failure and those beside it
DOT = {"color": style.YELLOW, "edgecolors": "black", "linewidths": 0.7}


def views(
    porosity: np.ndarray, realization: np.ndarray, spacing: float, colours: str | Colormap
) -> tuple[Figure, list[Axes], Axes]:
    """A panel for each of k specimens: void voxels summed along y, x across and z up in mm.

    porosity: (k, nx, ny, nz), 1 = void; realization: (k,) numbers; spacing in mm. Returns the
    figure, the panels, and a place below them for a colour bar.
    """
    count, nx, _, nz = porosity.shape
    columns = min(count, MOST)
    rows = -(-count // columns)
    wide = min(max(TALL, VOXEL * nz) * nx / nz, WIDE)
    tall = wide * nz / nx
    needed = LEFT + RIGHT + columns * wide + (columns - 1) * BETWEEN
    width, height = max(needed, 7.0), BOTTOM + rows * tall + (rows - 1) * GAP + TOP
    figure = style.new(width, height)
    figure.set_layout_engine("none")
    sheet = style.Sheet(figure, width, height)
    start = (width - needed) / 2 + LEFT
    voids = porosity.sum(axis=2)
    panels = []
    for k in range(count):
        row, column = divmod(k, columns)
        x, y = start + column * (wide + BETWEEN), height - TOP - tall - row * (tall + GAP)
        axes = sheet.axes(x, y, wide, tall)
        style.show_projection(axes, voids[k], spacing, colours, 0, max(voids.max(), 1))
        axes.autoscale(False)  # the specimen fills the panel, whatever is drawn beyond its border
        axes.set_title(f"specimen {realization[k]}")
        axes.set_xticks([0, nx * spacing])
        axes.tick_params(labelleft=column == 0)
        axes.set_xlabel("x (mm)")
        if column == 0:
            axes.set_ylabel("z (mm), tensile axis")
        panels.append(axes)
    return figure, panels, sheet.axes(width / 2 - 3.1, 0.6, 1.7, 0.14)


def pore_bar(panel: Axes, bar: Axes) -> None:
    """The colour bar of the pores in the panels of views()."""
    whole = MaxNLocator(4, integer=True)
    bar.figure.colorbar(panel.images[0], cax=bar, orientation="horizontal", ticks=whole)
    bar.set_xlabel("void voxels along y")


def mark_failures(
    axes: Axes, count: np.ndarray, spacing: float, failed: np.ndarray | None = None
) -> None:
    """Dots where perturbed copies failed, their areas by the number; rings at the first failure.

    count, summed along y: copies that failed first in a voxel, (nx, ny, nz); failed: bool, the same
    shape, where the specimen itself failed first; spacing in mm.
    """
    if failed is not None:
        before = len(axes.lines)
        style.mark_failure(axes, failed, spacing)
        for ring in axes.lines[before:]:
            ring.set(markersize=RING, clip_on=False)
    seen = count.sum(axis=1)
    place = np.argwhere(seen)
    number = seen[seen > 0]
    order = np.argsort(-number, kind="stable")  # the small ones in front
    x, z = spacing * (place[order].T + 0.5)
    # In front of lines, and whole at the border of the specimen, where many fail.
    axes.scatter(x, z, s=_area(number[order]), zorder=3, clip_on=False, **DOT)


def failure_handle() -> Line2D:
    """The ring of mark_failures() for a legend."""
    handle = style.failure_handle()
    handle.set_markersize(RING)
    return handle


def add_legend(figure: Figure, handles: Sequence, count: np.ndarray) -> None:
    """One legend beside the colour bar: handles, then dots for some numbers of failures.

    count: failures of copies, (k, nx, ny, nz); no dot is larger than the largest in the figure.
    """
    most = max(count.sum(axis=2).max(), 1)
    dots = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker="o",
            markersize=np.sqrt(_area(size)),
            markerfacecolor=DOT["color"],
            markeredgecolor=DOT["edgecolors"],
            markeredgewidth=DOT["linewidths"],
            label=f"{size} perturbed cop{'y' if size == 1 else 'ies'}",
        )
        for size in SIZES
        if size <= most
    ]
    width, height = figure.get_size_inches()
    figure.legend(
        handles=[*handles, *dots],
        loc="center left",
        bbox_to_anchor=(0.5 - 1.1 / width, 0.5 / height),
        ncols=2,
        columnspacing=1.2,
    )


def _area(count):
    """In square points; as the root, for one failure is to be seen beside a hundred."""
    return 10.0 * np.sqrt(count)
