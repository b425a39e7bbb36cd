"""The part in a scan, told apart from the air around it, and the voids inside of it.

Each cross-section of a tension specimen is convex: what lies within the convex hull of its metal
belongs to the part, pores that are open to the surface too. A rough surface is not a pore: voids
that are nowhere deeper than SKIN voxels below the hull are left out of the part.
"""

from collections.abc import Callable
from typing import NamedTuple

import cc3d
import numpy as np
from scipy import ndimage

from porefail.errors import PorefailError
from porefail.scans.sections import usual_sections
from porefail.scans.threshold import Values

SKIN = 2  # scan voxels
FULL = 0.5  # of the median section: ends with less are left out
NOISY = 0.15  # noise over contrast: above it, values are smoothed before the threshold
SMOOTHING = 1.0  # scan voxels
LEAST = 4  # scan voxels across a part
PIECE = 0.05  # of the largest piece of a section: less is of the part only where that is expected
NEAR = 0.25  # of the width of a part: how far sections lie that tell where it is expected
SECOND = 0.2  # of the largest piece: a second piece that large is another part
SLAB = 16  # cross-sections at a time
CROSS, SQUARE = ndimage.generate_binary_structure(2, 1), np.ones((2, 2), bool)
AROUND = ndimage.generate_binary_structure(2, 2)


class Segmented(NamedTuple):
    """Part and voids (nx, ny, nz) bool of the box around a part; `first` is its place in the scan.

    part: metal and voids inside; void: inside of the part; smoothed: whether noise made that
    necessary; loose: the second piece of metal over the first, which is left out.
    """

    part: np.ndarray
    void: np.ndarray
    first: tuple[int, int, int]
    smoothed: bool
    loose: float


def metal_of(values: Values) -> Callable[[np.ndarray], np.ndarray]:
    """What tells metal in a block of grey values, smoothed in the sections if noisy."""

    def metal(block: np.ndarray) -> np.ndarray:
        block = np.asarray(block, np.float32)
        if values.noise > NOISY:
            block = ndimage.gaussian_filter(block, (SMOOTHING, SMOOTHING, 0))
        return block >= values.threshold if values.brighter else block <= values.threshold

    return metal


def segment(
    path: str,
    scan: np.ndarray,
    metal: Callable[[np.ndarray], np.ndarray],
    part_mask: np.ndarray | None = None,
    smoothed: bool = False,
) -> Segmented:
    """Part and voids of a scan (nx, ny, nz), z the tensile axis.

    metal: of a block of values, which are metal; part_mask: what is the part, bool, of the same
    shape, else it is found. Raises PorefailError where there is no part, or more than one.
    """
    nx, ny, nz = scan.shape
    solid = np.empty((nx, ny, nz), bool, order="F")
    for k in range(0, nz, SLAB):
        solid[:, :, k : k + SLAB] = metal(scan[:, :, k : k + SLAB])
    share, loose = solid.mean(), 0.0
    if part_mask is not None:
        part = np.asfortranarray(part_mask)
    else:
        if share == 0:
            raise PorefailError(f"{path}: no metal in it: all is air with this threshold")
        solid, loose = largest_piece(path, solid)
        part = np.zeros_like(solid)
        for k in range(nz):
            part[:, :, k] = section(solid[:, :, k])
        _join_cut_off(part, solid)
    box = _box(path, part)
    part, solid = part[box], solid[box]
    if min(part.shape) < LEAST:
        raise PorefailError(
            f"{path}: the part is {' x '.join(map(str, part.shape))} scan voxels, expected at least"
            f" {LEAST} across"
        )
    return Segmented(part, part & ~solid, tuple(each.start for each in box), smoothed, loose)


def section(solid: np.ndarray, expected: np.ndarray | None = None) -> np.ndarray:
    """The part in a cross-section (nx, ny) bool: convex hull of metal, less its rough skin.

    Small pieces beside the largest one, of noise, rings or wires, are no part, but where the part
    is expected (nx, ny): pores cut those off.
    """
    # Without specks of noise, with tips (cross) and corners (square).
    clean = ndimage.binary_opening(solid, CROSS) | ndimage.binary_opening(solid, SQUARE)
    if not clean.any():
        return np.zeros_like(solid)
    labels, count = ndimage.label(clean)
    if count > 1:
        size = np.bincount(labels.ravel())
        size[0] = 0
        kept = size >= PIECE * size.max()
        if expected is not None:
            kept |= np.bincount(labels.ravel(), expected.ravel()) >= 0.5 * size
        clean &= kept[labels]
    hull = convex_hull(clean)
    return solid & hull | below_skin(hull & ~solid, hull)


def _join_cut_off(part: np.ndarray, solid: np.ndarray) -> None:
    """Add to the sections of a part pieces that pores cut off: metal that lies where the part is in
    half of the sections near by. In place; part, solid (nx, ny, nz) bool."""
    reach = max(int(part.any(axis=2).any(axis=1).sum() * NEAR), 1)
    joined = {}
    for k, usual in enumerate(usual_sections(part, reach)):
        left = solid[:, :, k] & ~part[:, :, k]
        # More than specks, without which hulls are made.
        if (left[1:, 1:] & left[1:, :-1] & left[:-1, 1:] & left[:-1, :-1]).any():
            joined[k] = section(solid[:, :, k], usual)
    for k, whole in joined.items():
        part[:, :, k] = whole


def below_skin(void: np.ndarray, hull: np.ndarray) -> np.ndarray:
    """Those voids of a cross-section (nx, ny) that reach deeper than SKIN below its hull."""
    deep = void & ndimage.binary_erosion(hull, AROUND, iterations=SKIN)
    return ndimage.binary_dilation(deep, AROUND, iterations=SKIN, mask=void)


def convex_hull(mask: np.ndarray) -> np.ndarray:
    """Convex hull of the pixels of a mask (nx, ny) bool, as pixels whose centres are in it."""
    rows = np.flatnonzero(mask.any(axis=1))
    low = mask[rows].argmax(axis=1)
    high = mask.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1)
    inside = np.arange(rows[0], rows[-1] + 1)
    bottom = np.interp(inside, *_chain(rows, low, 1))
    top = np.interp(inside, *_chain(rows, high, -1))
    hull = np.zeros_like(mask)
    across = np.arange(mask.shape[1])
    tolerance = 1e-9
    hull[inside] = (across >= bottom[:, None] - tolerance) & (across <= top[:, None] + tolerance)
    return hull


def _chain(x: np.ndarray, y: np.ndarray, sign: int) -> tuple[list[int], list[int]]:
    """Lower (sign 1) or upper (-1) chain of the hull of points by rising x (Andrew 1979)."""
    found: list[tuple[int, int]] = []
    for point in zip(x.tolist(), (sign * y).tolist(), strict=True):
        while len(found) > 1:
            (ax, ay), (bx, by) = found[-2:]
            if (bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax) > 0:
                break
            found.pop()
        found.append(point)
    return [each[0] for each in found], [sign * each[1] for each in found]


def largest_piece(path: str, solid: np.ndarray) -> tuple[np.ndarray, float]:
    """The largest piece of metal (joined by faces), and the size of the second over it.

    Raises PorefailError where the second one is nearly as large: which is the part?
    """
    labels, _ = cc3d.largest_k(solid.view(np.uint8), k=2, connectivity=6, delta=0, return_N=True)
    sizes = np.bincount(labels.ravel(order="K"), minlength=3)[1:]
    largest = int(np.argmax(sizes)) + 1
    second = sizes[2 - largest] / max(sizes[largest - 1], 1)
    if second > SECOND:
        raise PorefailError(
            f"{path}: two pieces of metal, the second {second:.0%} as large as the first: crop the"
            " scan to one part (--crop)"
        )
    return labels == largest, float(second)


def _box(path: str, part: np.ndarray) -> tuple[slice, slice, slice]:
    """The box around the cross-sections of a part that are whole."""
    area = np.count_nonzero(part, axis=(0, 1))
    if not area.any():
        raise PorefailError(f"{path}: no part in it: no piece of metal is wider than a voxel")
    full = np.flatnonzero(area >= FULL * np.median(area[area > 0]))
    ends = slice(int(full[0]), int(full[-1]) + 1)
    if not area[ends].all():
        raise PorefailError(f"{path}: two parts along z, with air between them: crop the scan")
    wide = [np.flatnonzero(part[:, :, ends].any(axis=axis)) for axis in ((1, 2), (0, 2))]
    return (*(slice(int(each[0]), int(each[-1]) + 1) for each in wide), ends)
