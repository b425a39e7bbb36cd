"""From the voxels of a scan to the larger ones of a simulation, by the volume of the voids."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from porefail.scans.sections import usual_sections
from porefail.voxels.neighbours import connected

TRACE = 0.05  # of a voxel: less void does not connect pores
SLAB = 64
FILLED = 0.8  # of a voxel: the part surely is there
TIE = 1e-6  # a side in the middle between two numbers of voxels gets the smaller one
BLUR = 2  # scan voxels around a void where the grey value tells how much of a voxel is void


class Coarse(NamedTuple):
    """A part in voxels of a simulation (nx, ny, nz).

    porosity: uint8, 1 = void or outside of the part; pores, outside: bool, voids of the part, those
    at its edges too, and what is beside it; fraction: float32, how much of a voxel is void; corner:
    mm, of the first voxel, in the box of the part; lost: pores too small for a voxel; lost_volume:
    mm³ of them.
    """

    porosity: np.ndarray
    pores: np.ndarray
    outside: np.ndarray
    fraction: np.ndarray
    corner: np.ndarray
    lost: int
    lost_volume: float


def coarsen(
    part: np.ndarray,
    void: Callable[[int, int], np.ndarray],
    spacing: tuple,
    voxel: float,
    found: bool = True,
) -> Coarse:
    """Part (nx, ny, nz) bool, of scan voxels of `spacing` (3,) mm, in voxels of an edge, mm.

    void: share of the scan voxels that is void, of cross-sections from one to before another;
    found: whether the part is the hull of its metal, which leaves voids at edges out. The
    grid lies in the middle of the part, with an even number of voxels along each axis that
    fits its sides best. A pore keeps its volume: as many voxels as it has, those with most void.
    """
    sides = np.array(part.shape) * spacing
    shape = np.maximum(2 * np.ceil(sides / voxel / 2 - 0.5 - TIE).astype(int), 2)
    corner = 0.5 * (sides - shape * voxel)
    weights = [
        overlaps(n, step, m, voxel, start)
        for n, step, m, start in zip(part.shape, spacing, shape, corner, strict=True)
    ]
    inside = fractions(lambda first, last: part[:, :, first:last], part.shape[2], weights)
    fraction = np.clip(fractions(void, part.shape[2], weights), 0.0, inside).astype(np.float32)
    # Where the box of the part ends within a voxel, the rest of the voxel is not cut off a pore.
    box = np.einsum("i,j,k->ijk", *(each.sum(axis=1) for each in weights))
    edges = edge_voids(inside, box) if found else np.zeros(inside.shape, bool)
    pores, lost, lost_share = whole_voxels(fraction, inside, box, edges)
    outside = (inside < 0.5) & ~edges
    fraction[edges] += 1.0 - inside[edges]
    return Coarse(
        (pores | outside).astype(np.uint8),
        pores,
        outside,
        fraction,
        corner,
        lost,
        lost_share * voxel**3,
    )


def edge_voids(inside: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Which voxels beside a part (nx, ny, nz), bool, are voids of it: pores at an edge of its
    section, which the hull of its metal leaves out.

    inside, box: share of each voxel that is of the part, and of the box around it. Voids lie where
    the part fills the voxel in half of the sections as near as half its width or more, so a surface
    that comes and goes makes none. Sections in which they are more than half of a side are thinner
    or shifted, and not by a pore.
    """
    outside = inside < 0.5
    part = ~outside & (inside >= FILLED * box)
    reach = max(min(int((~outside).any(axis=axes).sum()) for axes in ((1, 2), (0, 2))) // 2, 1)
    found = np.zeros_like(outside)
    for k, usual in enumerate(usual_sections(part, reach)):
        missing = outside[:, :, k] & usual
        if missing.sum() < reach:
            found[:, :, k] = missing
    return found


def overlaps(n: int, step: float, m: int, voxel: float, start: float) -> np.ndarray:
    """(m, n): share of each of m voxels, from `start` on, that each of n scan voxels covers."""
    low = start + voxel * np.arange(m)[:, None]
    edges = step * np.arange(n)[None, :]
    common = np.minimum(low + voxel, edges + step) - np.maximum(low, edges)
    return np.maximum(common, 0.0) / voxel


def fractions(
    shares: Callable[[int, int], np.ndarray], count: int, weights: list[np.ndarray]
) -> np.ndarray:
    """Share of each coarse voxel that is filled, float64; shares: of `count` cross-sections."""
    x, y, z = weights
    found = np.zeros((len(x), len(y), len(z)))
    for k in range(0, count, SLAB):
        block = shares(k, min(k + SLAB, count)).astype(np.float32)
        block = np.einsum("ai,ijk->ajk", x, block, optimize=True)
        block = np.einsum("bj,ajk->abk", y, block, optimize=True)
        found += block @ z[:, k : k + SLAB].T
    return found


def void_shares(
    grey: np.ndarray, void: np.ndarray, part: np.ndarray, metal: float, air: float
) -> Callable[[int, int], np.ndarray]:
    """How much of each scan voxel is void, from its grey value, within BLUR voxels of a void.

    grey: values (nx, ny, nz), void and part bool; metal, air: the values of all and of nothing. A
    threshold makes pores of few voxels smaller than they are, as the point spread of the scanner
    pales them; the sum of their grey values stays. Beside the part air would count as void, so
    voxels at its surface are void or not, by the threshold.
    """

    def shares(first: int, last: int) -> np.ndarray:
        low, high = max(first - BLUR, 0), min(last + BLUR, void.shape[2])
        block = void[:, :, low:high]
        around = ndimage.maximum_filter(block, 2 * BLUR + 1)
        inner = ndimage.minimum_filter(
            part[:, :, low:high], (2 * BLUR + 1, 2 * BLUR + 1, 1), mode="constant"
        )
        here = np.s_[:, :, first - low : last - low]
        block, around, inner = block[here], around[here], inner[here]
        found = (metal - np.asarray(grey[:, :, first:last], np.float32)) / (metal - air)
        return np.where(inner, np.where(around, found, 0.0), block)

    return shares


def whole_voxels(
    fraction: np.ndarray,
    inside: np.ndarray,
    box: np.ndarray,
    edges: np.ndarray | bool = False,
) -> tuple[np.ndarray, int, float]:
    """Void voxels for fractions of void (nx, ny, nz); pores lost, and their volume in voxels.

    inside, box: share of each voxel that is of the part, and of the box around it; where the first
    is less than half, none is void here but those of `edges` (bool), which all are.
    Of each connected set of fractions as many voxels as their sum, with traces beside them: those
    with the largest. A pore at an edge of the part is cut off by its hull: what the hull leaves of
    a voxel counts as what is inside of it, and voxels that are mostly beside the part count whole.
    """
    outside = inside < 0.5
    labels, count = connected(fraction > TRACE)
    with_traces = np.where(labels, labels, ndimage.maximum_filter(labels, 3))
    empty = np.where(outside, 1.0, fraction * box / np.where(outside, 1.0, inside))
    empty = np.where(labels, empty, fraction)
    total = np.bincount(with_traces.ravel(), empty.ravel(), count + 1)
    kept = np.floor(total + 0.5).astype(int)
    kept[0] = 0
    place = np.flatnonzero(labels)
    order = np.lexsort((-empty.ravel()[place], labels.ravel()[place]))
    place = place[order]
    owner = labels.ravel()[place]
    number = np.arange(len(place)) - np.searchsorted(owner, owner)  # within its pore
    pores = np.zeros(fraction.size, bool)
    pores[place[number < kept[owner]]] = True
    pores &= ~outside.ravel()
    pores |= np.broadcast_to(edges, outside.shape).ravel()
    lost = np.bincount(labels.ravel()[pores], minlength=count + 1) == 0
    lost[0] = True  # traces of none
    _, faint = connected((fraction > TRACE / 10) & (with_traces == 0) & ~outside)
    beside = outside & (labels == 0)
    volume = fraction[lost[with_traces] & ~beside].sum(dtype=float)
    return pores.reshape(fraction.shape), int(lost[1:].sum()) + faint, float(volume)
