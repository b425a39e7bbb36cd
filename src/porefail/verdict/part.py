"""From a scan to the part in voxels of the simulation, with what was lost and what to doubt."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from porefail.errors import PorefailError
from porefail.scans import lengths, phantom
from porefail.scans.coarsening import Coarse, coarsen, void_shares
from porefail.scans.pores import pore_table
from porefail.scans.segmentation import NOISY, SLAB, Segmented, below_skin, metal_of, segment
from porefail.scans.threshold import Values, grey_values, mask_values
from porefail.scans.volume import Scan
from porefail.store import memory

AXES = "xyz"
MOVED = 0.05  # of the contrast, by which a threshold might be wrong


class Choices(NamedTuple):
    """What a user may say of a scan. crop: slices along the scan's axes; bin: scan voxels that are
    one; metal, void: values of a mask; part_mask: bool, of the scan's shape."""

    axis: str = "z"
    crop: tuple[slice, slice, slice] | None = None
    bin: int = 1
    threshold: float | None = None
    metal: float | None = None
    void: float | None = None
    part_mask: np.ndarray | None = None


class View(NamedTuple):
    """A scan with its tensile axis last: values (nx, ny, nz), spacing (3,) mm.

    order: which of the scan's axes each one is; first: mm, corner of the values in the scan, by
    these axes; bin: scan voxels that are one, along each axis; mask: of a segmented scan the value
    of metal and why, values are then the share of metal where bin is above 1.
    """

    values: np.ndarray
    spacing: np.ndarray
    order: tuple[int, int, int]
    first: np.ndarray
    part_mask: np.ndarray | None
    bin: int
    mask: tuple[float, str] | None

    def places(self, mm: np.ndarray) -> np.ndarray:
        """Places (m, 3) from the corner of these values, in mm, as mm in the axes of the scan."""
        found = np.empty_like(mm, dtype=float)
        found[:, list(self.order)] = mm + self.first
        return found

    def voxels(self, places: np.ndarray) -> np.ndarray:
        """Places (m, 3) in mm of the scan, along its axes, in its voxels: 0 is the first centre."""
        edges = np.empty(3)
        edges[list(self.order)] = self.spacing / self.bin
        return places / edges - 0.5


class Part(NamedTuple):
    """A part as it is simulated. values: None of a mask; metal: words on which value is metal."""

    view: View
    values: Values | None
    metal: str
    segmented: Segmented
    coarse: Coarse
    pores: pd.DataFrame
    labels: np.ndarray

    @property
    def corner(self) -> np.ndarray:
        """Corner (3,) of the simulation's voxels, mm from that of the view."""
        return self.coarse.corner + np.array(self.segmented.first) * self.view.spacing


def view(scan: Scan, spacing: Sequence[float], choices: Choices) -> View:
    """The scan as its user wants it looked at; PorefailError where a crop leaves nothing."""
    if choices.axis not in tuple(AXES):
        raise PorefailError(f"--axis {choices.axis!r:.20}: expected x, y or z")
    values, mask = scan.values, choices.part_mask
    if mask is not None and mask.shape != values.shape:
        raise PorefailError(
            f"{scan.path}: --part-mask is {mask.shape}, the scan {values.shape} voxels"
        )
    first = np.zeros(3)
    if choices.crop is not None:
        for name, side, each in zip(AXES, values.shape, choices.crop, strict=True):
            if each.stop is not None and each.stop > side:
                raise PorefailError(
                    f"--crop: {name} ends at {each.stop}, the scan has {side} voxels along it"
                )
        values = values[choices.crop]
        mask = None if mask is None else mask[choices.crop]
        first = np.array([each.start or 0 for each in choices.crop]) * spacing
    if min(values.shape) < 4:
        shown = " x ".join(map(str, values.shape))
        raise PorefailError(f"{scan.path}: {shown} voxels, expected at least 4 along each axis")
    spacing = np.asarray(spacing, float)
    if choices.threshold is not None and (choices.metal, choices.void) != (None, None):
        raise PorefailError(
            "--threshold is of grey values, --metal-value and --void-value are of a segmented scan:"
            " give one or the other"
        )
    spacing = np.asarray(spacing, float)
    segmented = None
    if choices.threshold is None:
        segmented = mask_values(scan.path, values, choices.metal, choices.void)
    if choices.bin > 1:
        values = binned(values, choices.bin, None if segmented is None else segmented[0])
        mask = None if mask is None else binned(mask, choices.bin) >= 0.5
        spacing = spacing * choices.bin
    last = AXES.index(choices.axis)
    order = tuple(each for each in range(3) if each != last) + (last,)
    return View(
        values.transpose(order),
        spacing[list(order)],
        order,
        first[list(order)],
        None if mask is None else mask.transpose(order),
        choices.bin,
        segmented,
    )


def binned(values: np.ndarray, size: int, label: float | None = None) -> np.ndarray:
    """Means of blocks of size³ voxels, float32; what does not fill a block is left out.

    label: the share of voxels of this value in place of the mean.
    """
    shape = [side // size for side in values.shape]
    if min(shape) < 4:
        raise PorefailError(f"--bin {size}: leaves {' x '.join(map(str, shape))} voxels")
    found = np.empty(shape, np.float32, order="F")
    for k in range(shape[2]):
        block = values[: shape[0] * size, : shape[1] * size, k * size : (k + 1) * size]
        block = np.asarray(block) if label is None else np.asarray(block) == label
        block = block.astype(np.float32).reshape(shape[0], size, shape[1], size, size)
        found[:, :, k] = block.mean(axis=(1, 3, 4))
    return found


def part(
    path: str,
    seen: View,
    choices: Choices,
    voxel: float,
    progress: Callable[[str], None] = print,
    needed: int = 0,
) -> Part:
    """Part, pores and voxels (of an edge, mm) of the simulation; PorefailError as segment().

    needed: bytes of memory for each of these voxels, of what is done with them then.
    """
    if seen.mask is not None:
        value, why = seen.mask
        values, metal, smoothed = None, (lambda block: np.asarray(block) == value), False
        if seen.bin > 1:
            values = Values(1.0, 0.0, 0.5, 0.0)
            metal = metal_of(values)
        words = f"a mask: metal has the value {value:g} ({why})"
    else:
        values = grey_values(path, seen.values, choices.threshold)
        metal, smoothed = metal_of(values), values.noise > NOISY
        words = (
            f"grey values: metal {values.metal:.5g}, voids {values.void:.5g}, threshold"
            f" {values.threshold:.5g}"
            + (" as given" if choices.threshold is not None else ", halfway between them")
        )
    progress("the part, told apart from the air around it")
    segmented = segment(path, seen.values, metal, seen.part_mask, smoothed)
    if not segmented.void.any():
        noisy = f" (smoothed, for noise is {values.noise:.0%} of the contrast)" if smoothed else ""
        raise PorefailError(
            f"{path}: no void in the part: with this threshold it is all metal{noisy}"
        )
    sides = np.array(segmented.part.shape) * seen.spacing
    memory.require(
        needed * np.prod(sides / voxel),
        f"{path}: a part of {' x '.join(map(lengths.shown, sides))} (is the voxel size right?)",
    )
    progress("the pores, one by one")
    pores, labels = pore_table(segmented.part, segmented.void, seen.spacing, segmented.first)
    pores["voxels"] *= seen.bin**3
    shares = _shares(seen, segmented, labels > 0, values)
    coarse = coarsen(segmented.part, shares, seen.spacing, voxel, seen.part_mask is None)
    if min(coarse.porosity.shape) < 4:
        raise PorefailError(
            f"{path}: the part is {' x '.join(map(str, coarse.porosity.shape))} voxels of"
            f" {voxel:g} mm, expected at least 4 along each axis"
        )
    if not coarse.pores.any():
        raise PorefailError(
            f"{path}: no pore of a voxel of {voxel * 1e3:g} um or more in the part"
            f" ({len(pores)} smaller ones): nothing to rank"
        )
    return Part(seen, values, words, segmented, coarse, pores, labels)


def moved(given: Part, share: float, voxel: float) -> Coarse | None:
    """Voxels of the same part with a threshold moved by a share of the contrast; None of a mask."""
    if given.values is None:
        return None
    values = given.values.moved(share)
    metal = metal_of(values)
    block = given.view.values[box(given.segmented)]
    known = given.segmented.part
    void = np.empty(block.shape, bool, order="F")
    for k in range(0, block.shape[2], SLAB):
        void[:, :, k : k + SLAB] = known[:, :, k : k + SLAB] & ~metal(block[:, :, k : k + SLAB])
    # A higher threshold makes a rim of voids around the part: that is not what moves.
    for k in range(block.shape[2]):
        void[:, :, k] = below_skin(void[:, :, k], known[:, :, k])
    shares = _shares(given.view, given.segmented, void, values)
    return coarsen(known, shares, given.view.spacing, voxel, given.view.part_mask is None)


def _shares(
    seen: View, segmented: Segmented, void: np.ndarray, values: Values | None
) -> Callable[[int, int], np.ndarray]:
    """How much of each voxel of the part is void, of cross-sections from one to another."""
    if values is None:
        return lambda first, last: void[:, :, first:last]
    grey = seen.values[box(segmented)]
    return void_shares(grey, void, segmented.part, values.metal, values.void)


def box(segmented: Segmented) -> tuple[slice, slice, slice]:
    """Where the part is in the values of its view."""
    return tuple(
        slice(a, a + n) for a, n in zip(segmented.first, segmented.part.shape, strict=True)
    )


def of_phantom(
    porosity: np.ndarray,
    spacing: float,
    scanner: phantom.Scanner,
    seed: int,
    shift: float = 0.0,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Pores and outside (nx, ny, nz) bool of a specimen that was scanned and read back.

    porosity: (nx, ny, nz), 1 = void, of this shape again; shift: of the threshold, of the contrast.
    None where the scan shows no pore, or a part of another size.
    """
    grey = phantom.scan(porosity, spacing, scanner, seed)
    scan = Scan("phantom", "phantom", grey, (scanner.voxel,) * 3, "known")
    try:
        found = part(
            "phantom", view(scan, scan.spacing, Choices()), Choices(), spacing, lambda text: None
        )
    except PorefailError:
        return None
    if found.coarse.pores.shape != porosity.shape:
        return None
    coarse = moved(found, shift, spacing) if shift else found.coarse
    return (coarse.pores, coarse.outside) if coarse.pores.any() else None
