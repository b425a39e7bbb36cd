"""Held-out specimens: their pores, the damage that the simulation found, the predicted damage."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from porefail.figures import style

PANELS = ("pores", "true", "predicted")


def specimens(
    porosity: np.ndarray,
    truth: np.ndarray,
    prediction: np.ndarray,
    failed: np.ndarray,
    site: np.ndarray,
    realization: np.ndarray,
    spacing: float,
) -> Figure:
    """For each specimen three views along y: pores | true label | predicted label.

    porosity, truth, prediction: (k, nx, ny, nz), the labels NaN in voids; failed, site: bool, the
    same shape, the voxels that failed first and the predicted site; realization: (k,) numbers;
    spacing in mm. Pores are summed along y (paper, Fig. 4), labels are the maximum along y.
    """
    count, nx, _, nz = porosity.shape
    layout = _Layout(count, nx / nz)
    figure = style.new(layout.width, layout.height)
    figure.set_layout_engine("none")
    voids = porosity.sum(axis=2)
    for k in range(count):
        row = [layout.panel(figure, k, j) for j in range(3)]
        pores = style.show_projection(row[0], voids[k], spacing, style.PORE_MAP, 0, voids.max())
        for axes, label in zip(row[1:], (truth[k], prediction[k]), strict=True):
            damage = style.show_projection(
                axes, style.highest(label), spacing, style.DAMAGE_MAP, 0, 1
            )
        for axes, title in zip(row, PANELS, strict=True):
            axes.set_title(title)
            axes.set_xticks([0, nx * spacing])
            axes.tick_params(labelleft=k == 0 and axes is row[0], labelbottom=axes is row[0])
            style.mark_failure(axes, failed[k], spacing)
        style.outline(row[2], site[k].any(axis=1), spacing, style.SKY, 2)
        middle = row[1].get_position()
        figure.text(
            (middle.x0 + middle.x1) / 2,
            1 - 0.1 / layout.height,
            f"specimen {realization[k]}",
            ha="center",
            va="top",
            fontsize=12,
        )
        row[1].set_xlabel("x (mm)")
        if k == 0:
            row[0].set_ylabel("z (mm), tensile axis")
    pore_bar, damage_bar, legend = layout.footer(figure)
    figure.colorbar(
        pores, cax=pore_bar, orientation="horizontal", ticks=MaxNLocator(4, integer=True)
    )
    pore_bar.set_xlabel("void voxels along y")
    figure.colorbar(damage, cax=damage_bar, orientation="horizontal", ticks=[0, 0.5, 1])
    damage_bar.set_xlabel("transformed damage, maximum along y")
    legend.set_axis_off()
    legend.legend(handles=_legend(), loc="center", ncols=1)
    return figure


class _Layout:
    """Places of all panels in inches: constrained layout would give them different sizes."""

    left, right, top, bottom, gap, between = 0.75, 0.25, 0.62, 1.4, 0.1, 0.35

    def __init__(self, count: int, aspect: float):
        self.tall = 3.6
        self.wide = min(self.tall * aspect, 1.6)
        self.tall = self.wide / aspect
        self.group = 3 * self.wide + 2 * self.gap
        needed = count * self.group + (count - 1) * self.between + self.left + self.right
        self.width = max(needed, 7.0)
        self.first = self.left + (self.width - needed) / 2
        self.height = self.bottom + self.tall + self.top

    def panel(self, figure: Figure, specimen: int, column: int) -> Axes:
        x = self.first + specimen * (self.group + self.between) + column * (self.wide + self.gap)
        return self._axes(figure, x, self.bottom, self.wide, self.tall)

    def footer(self, figure: Figure) -> list[Axes]:
        """Two colour bars and a place for the legend, side by side in the middle."""
        start = self.width / 2 - 3.1
        return [
            self._axes(figure, start + x, 0.5, wide, 0.14)
            for x, wide in ((0.0, 1.5), (2.0, 2.2), (4.7, 1.5))
        ]

    def _axes(self, figure: Figure, x: float, y: float, wide: float, tall: float) -> Axes:
        return figure.add_axes(
            (x / self.width, y / self.height, wide / self.width, tall / self.height)
        )


def _legend() -> list:
    return [
        style.failure_handle(),
        Patch(facecolor="none", edgecolor=style.SKY, linewidth=2, label="predicted site"),
    ]
