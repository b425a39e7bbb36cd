"""Ranked likely sites of specimens, and where perturbed copies failed (paper, Fig. 16)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from porefail.figures import specimen_views, style

NUMBERED = 5  # sites of a specimen with their rank beside them
APART = 0.16  # inches between the numbers
CLEAR = 0.11  # inches from the border to the numbers: a ring may reach as far
LEADER = {"color": "black", "linewidth": 0.7}
# From light to dark; nowhere the grey of the pores.
SITE_MAP = LinearSegmentedColormap.from_list("sites", ["#CDEBFA", style.SKY, style.BLUE, "#002A45"])


def ranked_sites(
    porosity: np.ndarray,
    rank: np.ndarray,
    value: Sequence[np.ndarray],
    count: np.ndarray,
    failed: np.ndarray,
    realization: np.ndarray,
    spacing: float,
    name: str,
) -> Figure:
    """A view along y of each of k specimens: pores, sites coloured by a value, failures of copies.

    porosity (1 = void), rank (1 the first, 0 in no site), count (perturbed copies that failed first
    in a voxel), failed (bool: where the specimen itself failed first, a ring): (k, nx, ny, nz);
    value: of each specimen's sites, (m,) in [0, 1], by rank; realization: (k,) numbers; spacing in
    mm; name: of the value. Where sites lie behind each other the better rank is in front.
    """
    figure, panels, bar = specimen_views.views(porosity, realization, spacing, style.LIGHT_PORE_MAP)
    for axes, ranks, values, copies, first in zip(panels, rank, value, count, failed, strict=True):
        last = len(values) + 1
        front = np.where(ranks > 0, ranks, last).min(axis=1)
        shown = np.append(values, np.nan)[front - 1]
        image = style.show_projection(axes, shown, spacing, SITE_MAP, 0, 1)
        for number in np.unique(front[front < last]):
            style.outline(axes, front == number, spacing, "black", 0.7)
        _write_ranks(axes, ranks, spacing)
        specimen_views.mark_failures(axes, copies, spacing, first)
    figure.colorbar(image, cax=bar, orientation="horizontal", ticks=[0, 0.5, 1])
    bar.set_xlabel(name)
    handles = [
        specimen_views.failure_handle(),
        Patch(color="#9A9A9A", label="pores"),
        Line2D(
            [], [], color="black", marker="$1$", linestyle="none", label=f"rank, up to {NUMBERED}"
        ),
    ]
    specimen_views.add_legend(figure, handles, count)
    return figure


def _write_ranks(axes: Axes, ranks: np.ndarray, spacing: float) -> None:
    """Numbers right of the panel, clear of all that is drawn in it, each with a line to its site.

    ranks: (nx, ny, nz), 0 in no site; spacing in mm.
    """
    nx, _, nz = ranks.shape
    known = [number for number in range(1, NUMBERED + 1) if (ranks == number).any()]
    place = []
    for number in known:
        seen = np.argwhere((ranks == number).any(axis=1))
        # A pixel of the site, even where its middle is outside.
        distance = np.linalg.norm(seen - seen.mean(axis=0), axis=1)
        place.append(spacing * (seen[distance.argmin()] + 0.5))
    wide, tall = axes.get_position().size * axes.figure.get_size_inches()
    right, top = nx * spacing, nz * spacing
    heights = _apart([z for _, z in place], APART * top / tall, top)
    edge = right * (1 + CLEAR / wide)
    for number, (x, z), height in zip(known, place, heights, strict=True):
        axes.add_line(Line2D([x, right, edge], [z, height, height], clip_on=False, **LEADER))
        axes.text(edge, height, f" {number}", size=9, weight="bold", va="center_baseline")


def _apart(height: Sequence[float], least: float, top: float) -> np.ndarray:
    """Heights in [0, top], in the same order, moved so that none are closer than the least."""
    order = np.argsort(height, kind="stable")
    moved = np.array(height, float)
    for below, above in zip(order, order[1:], strict=False):
        moved[above] = max(moved[above], moved[below] + least)
    limit = top
    for k in order[::-1]:
        moved[k] = min(moved[k], limit)
        limit = moved[k] - least
    return moved
