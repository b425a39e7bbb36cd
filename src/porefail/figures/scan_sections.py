"""Three sections through the middle of a scan, with what was taken for part and pores."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from porefail.figures import style

PIXELS = 600  # along an axis of a panel


def scan_sections(
    values: np.ndarray,
    spacing: Sequence[float],
    names: Sequence[str],
    corner: Sequence[float] = (0.0, 0.0, 0.0),
    place: Sequence[int] | None = None,
    masks: Sequence[np.ndarray] = (),
    first: Sequence[int] = (0, 0, 0),
) -> Figure:
    """Sections of values (nx, ny, nz), grey, through a voxel `place`, else through the middle.

    spacing: (3,) mm; names: of the three axes; corner: (3,) mm of the first voxel. Outlines of
    masks, bool: of the part and of voids in a box that begins at the voxel `first`.
    """
    figure = style.new(9.0, 4.6)
    panels = figure.subplots(1, 3)
    shown = []
    for k, axes in enumerate(panels):
        across, up = [axis for axis in range(3) if axis != k]
        at = values.shape[k] // 2 if place is None else int(place[k])
        where = [slice(None)] * 3
        where[k] = at
        step = [max(1, values.shape[axis] // PIXELS) for axis in (across, up)]
        cut = np.s_[:: step[0], :: step[1]]
        image = np.asarray(values[tuple(where)][cut], float)
        extent = _extent(corner, (0, 0, 0), values.shape, spacing, across, up)
        shown.append((axes, image, extent))
        axes.grid(False)
        for mask, colour in zip(masks, (style.SKY, style.VERMILLION), strict=False):
            inside = at - first[k]
            if not 0 <= inside < mask.shape[k]:
                continue
            flat = np.pad(np.take(mask, inside, axis=k)[cut], 1).astype(float)
            if flat.any():
                left, right, low, high = _extent(corner, first, mask.shape, spacing, across, up)
                dx, dy = step[0] * spacing[across], step[1] * spacing[up]
                axes.contour(
                    flat.T,
                    levels=[0.5],
                    colors=colour,
                    linewidths=1.0,
                    origin="lower",
                    extent=(left - dx, right + dx, low - dy, high + dy),
                    zorder=2,
                )
        axes.set_xlabel(f"{names[across]} (mm)")
        axes.set_ylabel(f"{names[up]} (mm)")
        axes.set_title(f"{names[k]} = {corner[k] + (at + 0.5) * spacing[k]:.3g} mm")
    whole = np.concatenate([image.ravel() for _, image, _ in shown])
    low, high = np.percentile(whole, [0.5, 99.5])
    for axes, image, extent in shown:
        axes.imshow(
            image.T,
            origin="lower",
            extent=extent,
            cmap="gray",
            vmin=low,
            vmax=high if high > low else low + 1,
            interpolation="nearest",
            aspect="equal",
            zorder=1,
        )
    return figure


def _extent(corner, first, shape, spacing, across: int, up: int) -> tuple[float, ...]:
    """Left, right, bottom, top of a box of voxels, mm."""
    found = []
    for axis in (across, up):
        low = corner[axis] + first[axis] * spacing[axis]
        found += [low, low + shape[axis] * spacing[axis]]
    return tuple(found)
