"""What is measured of a part to tell whether it is like those that a locator was calibrated on."""

from collections.abc import Mapping

import numpy as np

from porefail.voxels.neighbours import connected

MEASURES = {
    "porosity": "porosity",
    "pores_per_mm3": "pores per mm³",
    "largest_pore_mm3": "volume of the largest pore (mm³)",
    "stress_concentration": "largest elastic stress over the nominal one",
    "section_mm2": "cross-section (mm²)",
    "section_fill": "cross-section over the rectangle around it",
    "length_mm": "length (mm)",
}
SLACK = 0.02  # of a value: rounding, and the edges of a grid


def measured(
    pores: np.ndarray, outside: np.ndarray, von_mises: np.ndarray | None, voxel: float
) -> dict[str, float]:
    """MEASURES of a part: pores, outside (nx, ny, nz) bool; von_mises over the nominal stress, None
    where it is not known: then there is no stress concentration."""
    inside = np.count_nonzero(~outside)
    labels, count = connected(pores)
    largest = np.bincount(labels.ravel())[1:].max() if count else 0
    found = {
        "porosity": np.count_nonzero(pores) / inside,
        "pores_per_mm3": count / (inside * voxel**3),
        "largest_pore_mm3": largest * voxel**3,
        "section_mm2": inside / outside.shape[2] * voxel**2,
        "section_fill": inside / outside.size,
        "length_mm": outside.shape[2] * voxel,
    }
    if von_mises is not None:
        found["stress_concentration"] = float(np.nanmax(von_mises))
    return found


def ranges(found: list[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    """Lowest and highest of each measure among specimens."""
    return {name: (min(f[name] for f in found), max(f[name] for f in found)) for name in MEASURES}


def unlike(found: Mapping[str, float], known: Mapping[str, tuple[float, float]]) -> list[str]:
    """A line for each measure of a part outside of the range of those known."""
    lines = []
    for name, words in MEASURES.items():
        if name not in found:
            continue
        low, high = known[name]
        if not low * (1 - SLACK) <= found[name] <= high * (1 + SLACK):
            lines.append(f"{words}: {found[name]:.3g}, those known have {low:.3g} to {high:.3g}")
    return lines
