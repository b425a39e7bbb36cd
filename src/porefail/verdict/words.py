"""What is wrong with a scan, or unlike what is known, in words: warnings of a verdict."""

from collections.abc import Sequence

import numpy as np

from porefail.learning.candidates import NEAR
from porefail.scans import quality
from porefail.verdict.assessment import Assessment
from porefail.verdict.locator import Locator
from porefail.verdict.measures import unlike
from porefail.verdict.part import Part, box

FEW = 12  # scan voxels: the shape of a smaller pore is not seen
COARSER = 1.3  # scan voxels over those that a locator was calibrated on
NOISIER = 0.05  # of the contrast
LOST = 0.1  # of the volume of the voids
LOOSE = 1e-3  # of the part: less is noise
FITS = 0.02  # of the cross-section that the grid may differ by
NOT_CALIBRATED = "the probabilities are NOT calibrated for this part"


def scan_warnings(found: Part, voxel: float, middle: np.ndarray) -> list[str]:
    """Of the scan and of its segmentation. voxel: edge of those of the simulation, mm.

    middle: (3,) mm, of the whole scan along its axes, where the axis of its rotation is.
    """
    lines = []
    view, segmented = found.view, found.segmented
    metal = segmented.part & ~segmented.void
    centre = (middle[list(view.order)] - view.first) / view.spacing - 0.5 - segmented.first
    if found.values is not None:
        lines += quality.warnings(
            view.values[box(found.segmented)],
            metal,
            segmented.part,
            view.spacing,
            found.values.metal - found.values.void,
            tuple(centre[:2]),
        )
        if segmented.smoothed:
            lines.append(
                f"noise: {found.values.noise:.0%} of the contrast, so cross-sections were smoothed"
                " by a Gaussian of one voxel before the threshold"
            )
    if segmented.loose > LOOSE:
        lines.append(
            f"loose metal: a second piece, {segmented.loose:.1%} as large as the part, is left out"
        )
    small = int((found.pores["voxels"] < FEW).sum())
    if small:
        lines.append(
            f"small pores: {small} of {len(found.pores)} have fewer than {FEW} scan voxels: their"
            " volume and shape are not known"
        )
    if max(view.spacing) > voxel:
        lines.append(
            f"coarse scan: its voxels ({max(view.spacing) * 1e3:.3g} µm) are larger than those of"
            f" the simulation ({voxel * 1e3:.3g} µm)"
        )
    coarse = found.coarse
    total = float(found.pores["volume_mm3"].sum())
    if coarse.lost_volume > LOST * total:
        lines.append(
            f"pores lost: {coarse.lost} pores, {coarse.lost_volume / total:.0%} of the volume of"
            f" all, are smaller than half a voxel of the simulation"
        )
    section = np.count_nonzero(segmented.part, axis=(0, 1)).mean() * np.prod(view.spacing[:2])
    kept = np.count_nonzero(~coarse.outside) / coarse.outside.shape[2] * voxel**2
    if abs(kept / section - 1) > FITS:
        lines.append(
            f"cross-section: {section:.4g} mm² in the scan, {kept:.4g} mm² in the voxels of the"
            " simulation"
        )
    share = np.count_nonzero(segmented.void, axis=(0, 1)) / np.count_nonzero(
        segmented.part, axis=(0, 1)
    )
    if share.max() > 0.3:
        lines.append(
            f"voids are {share.max():.0%} of a cross-section: a hollow part, or air taken for a"
            " pore; a --part-mask tells what is the part"
        )
    return lines


def confidence(part: Part, found: Assessment, locator: Locator) -> list[str]:
    """Why probabilities may not hold: how part and scan are unlike those that they are of."""
    lines = unlike(found.measures, locator.ranges)
    voxel, noise = locator.scanned
    edge = float(max(part.view.spacing))
    if voxel and edge > COARSER * voxel:
        lines.append(f"scan voxels: {edge * 1e3:.3g} µm, those known have {voxel * 1e3:.3g} µm")
    if voxel and part.values is not None and part.values.noise > noise + NOISIER:
        lines.append(
            f"noise: {part.values.noise:.0%} of the contrast, scans known have {noise:.0%}"
        )
    return lines


def moved_first(place: np.ndarray, others: Sequence[tuple[float, Assessment | None]]) -> list[str]:
    """A line where another threshold has another first site than those of place (k, 3); others:
    share moved, assessment."""
    lines = []
    for share, other in others:
        words = f"a threshold moved by {share:+.0%} of the contrast"
        if other is None:
            lines.append(f"threshold: with {words} no pore, or no solution, is left")
            continue
        there = other.sites.place[other.ranking.order[0]]
        if np.abs(place - there).max(axis=1).min() > NEAR:
            lines.append(f"threshold: {words} has another first site: do not trust the first one")
    return lines
