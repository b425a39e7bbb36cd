"""How one specimen is damaged as the strain grows (paper, Fig. 1)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from porefail.figures import style
from porefail.figures.damage_histograms import draw_histogram

GAP, LEFT, RIGHT, WIDE = 0.12, 0.75, 1.15, 0.95  # inches
TOP, BETWEEN, PLOT, BOTTOM = 0.85, 0.95, 2.5, 0.6


def damage_sequence(
    porosity: np.ndarray,
    strain: np.ndarray,
    damage: np.ndarray,
    titles: Sequence[str],
    final_failed: np.ndarray | None,
    history: Mapping[str, np.ndarray],
    spacing: float,
) -> Figure:
    """Above: views along y, from left to right; below: maximum damage, stress, histograms.

    porosity: (nx, ny, nz), 1 = void; strain: (k,) of the views, fractions; damage: their φ/φ_max,
    (k, nx, ny, nz), NaN in voids, drawn as the maximum along y; titles: k, below the strain;
    final_failed: voxels failed at the end, a last view, or None; history: "strain", "max_damage"
    (φ/φ_max) and "stress" (MPa), (steps,) each; spacing: mm.
    """
    nx, _, nz = porosity.shape
    count = len(damage) + (final_failed is not None)
    views = count * (WIDE + GAP) - GAP
    tall = WIDE * nz / nx
    width, height = max(LEFT + views + RIGHT, 10.0), TOP + tall + BETWEEN + PLOT + BOTTOM
    figure = style.new(width, height)
    figure.set_layout_engine("none")
    start = (width - views) / 2
    sheet = style.Sheet(figure, width, height)
    panels = [
        sheet.axes(start + j * (WIDE + GAP), height - TOP - tall, WIDE, tall) for j in range(count)
    ]
    pores = porosity.any(axis=1)
    largest = max(float(strain.max()), np.nanmax(history["strain"]))
    fields = [style.highest(field) for field in damage]
    if final_failed is not None:
        fields.append(np.where(final_failed.any(axis=1), 1.0, 0.0))
    for axes, field in zip(panels, fields, strict=True):
        image = style.show_projection(axes, field, spacing, style.FAILURE_MAP, 0, 1)
        style.outline(axes, pores, spacing, "black", 1.0)
        axes.set_xticks([0, nx * spacing])
        axes.tick_params(labelleft=axes is panels[0], labelbottom=axes is panels[0])
    for axes, at, title in zip(panels, strain, titles, strict=False):
        heading = f"{100 * at:.3g} %\n{title}"
        axes.set_title(heading, color=style.STRAIN_MAP(at / largest), weight="bold")
    if final_failed is not None:
        panels[-1].set_title("failed\nat the end", weight="bold")
    panels[0].set(xlabel="x (mm)", ylabel="z (mm), tensile axis")
    bar = sheet.axes(start + views + 0.2, height - TOP - tall, 0.15, tall)
    figure.colorbar(image, cax=bar, label="φ/φ$_{max}$, maximum along y")
    figure.legend(
        handles=[Patch(facecolor="none", edgecolor="black", label="pores, anywhere along y")],
        loc="upper left",
        bbox_to_anchor=(start / width, 1),
    )
    third = (width - LEFT - 0.1) / 3
    plots = [sheet.axes(LEFT + j * third, BOTTOM, third - 0.65, PLOT) for j in range(3)]
    _histories(plots, strain, history, largest)
    draw_histogram(plots[2], strain, damage, largest)
    plots[2].set(xlabel="damage of a voxel, φ/φ$_{max}$", ylabel="number of voxels")
    return figure


def _histories(
    plots: Sequence[Axes], strain: np.ndarray, history: Mapping[str, np.ndarray], largest: float
) -> None:
    """Maximum damage and stress, a vertical line at the strain of each view."""
    shown = {"max_damage": "largest damage, φ/φ$_{max}$", "stress": "nominal stress (MPa)"}
    for axes, (name, label) in zip(plots, shown.items(), strict=False):
        for at in strain:
            axes.axvline(100 * at, color=style.STRAIN_MAP(at / largest), linewidth=1.3)
        values = np.minimum(history[name], 1.0) if name == "max_damage" else history[name]
        axes.plot(100 * history["strain"], values, color="black")
        axes.set(xlabel="nominal strain (%)", ylabel=label, ylim=(0, None))
        axes.grid(False)
    plots[0].axhline(0.6, color=style.GREY, linestyle=":", linewidth=1.3)
    plateau = Line2D([], [], color=style.GREY, linestyle=":", linewidth=1.3)
    plots[0].legend([plateau], ["plateau in the paper"], loc="lower right", fontsize=8)
