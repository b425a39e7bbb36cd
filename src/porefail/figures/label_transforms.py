"""One specimen: its pores, its damage, and the labels made of it (paper, Fig. 5)."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from porefail.figures import style
from porefail.figures.variants import TRANSFORMS

WIDE, GAP, BETWEEN = 0.95, 0.08, 0.3  # inches
LEFT, RIGHT, TOP, BOTTOM = 0.75, 0.25, 0.8, 1.5


def label_transforms(
    porosity: np.ndarray,
    damage: np.ndarray,
    label: Mapping[str, np.ndarray],
    failed: np.ndarray,
    spacing: float,
    cut: float = 0.6,
) -> Figure:
    """Views along y: pores, then damage and each label, each beside its voxels >= cut.

    porosity: (nx, ny, nz), 1 = void; damage: φ/φ_max; label: transform (id, sigma, g, t) → field;
    damage and fields (nx, ny, nz), NaN in voids, drawn as the maximum along y; failed: bool, the
    same shape, the voxels that failed first; spacing: mm.
    """
    nx, _, nz = porosity.shape
    fields = {"damage, φ/φ$_{max}$": damage}
    fields |= {f"label {TRANSFORMS[name][1]}": field for name, field in label.items()}
    pair = 2 * WIDE + GAP
    views = WIDE + len(fields) * (BETWEEN + pair)
    tall = WIDE * nz / nx
    width, height = max(LEFT + views + RIGHT, 7.4), BOTTOM + tall + TOP
    figure = style.new(width, height)
    figure.set_layout_engine("none")
    sheet = style.Sheet(figure, width, height)
    start = (width - views + LEFT - RIGHT) / 2

    first = sheet.axes(start, BOTTOM, WIDE, tall)
    voids = porosity.sum(axis=1)
    pores = style.show_projection(first, voids, spacing, style.PORE_MAP, 0, max(voids.max(), 1))
    first.set_title("pores")
    first.set(xlabel="x (mm)", ylabel="z (mm), tensile axis")
    panels = [first]
    for k, (name, field) in enumerate(fields.items()):
        x = start + WIDE + BETWEEN + k * (pair + BETWEEN)
        left, right = (sheet.axes(x + j * (WIDE + GAP), BOTTOM, WIDE, tall) for j in range(2))
        values = style.highest(field)
        image = style.show_projection(left, values, spacing, style.DAMAGE_MAP, 0, 1)
        high = np.nan_to_num(field) >= cut
        style.show_projection(right, high.any(axis=1), spacing, "Greys", 0, 1.6)
        style.outline(right, high.any(axis=1), spacing, "black", 1.0)
        left.set_title("field")
        count = np.count_nonzero(high)
        right.set_title(f"{count} voxel{'' if count == 1 else 's'}\n≥ {cut:g}")
        figure.text((x + pair / 2) / width, 1 - 0.1 / height, name, ha="center", va="top", size=12)
        panels += [left, right]
    for axes in panels:
        axes.set_xticks([0, nx * spacing])
        axes.tick_params(labelleft=axes is first, labelbottom=axes is first)
        style.mark_failure(axes, failed, spacing)

    middle = width / 2 - 3.4
    bars = [sheet.axes(middle, 0.55, 1.5, 0.14), sheet.axes(middle + 2.0, 0.55, 2.2, 0.14)]
    whole = MaxNLocator(4, integer=True)
    figure.colorbar(pores, cax=bars[0], orientation="horizontal", ticks=whole)
    bars[0].set_xlabel("void voxels along y")
    figure.colorbar(image, cax=bars[1], orientation="horizontal", ticks=[0, cut, 1])
    bars[1].set_xlabel("damage or label, maximum along y")
    above = Patch(facecolor="#A8A8A8", edgecolor="black", label=f"≥ {cut:g} anywhere along y")
    figure.legend(
        handles=[style.failure_handle(), above],
        loc="center left",
        bbox_to_anchor=((middle + 4.5) / width, 0.5 / height),
    )
    return figure
