"""The phenomenology of an ensemble beside what section 2.4 of the paper says of its own."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from porefail.phenomenology import measures as ph

# Of the maximum damage: what counts as the plateau that the paper has at about 0.6.
PLATEAU = (0.55, 0.75)
SHORTEST = 0.01  # strain spent there by a specimen that has one
# Where a plateau is looked for, of the maximum damage, and how wide it may be.
LEVELS, WIDTH = np.linspace(0.3, 0.9, 61), 0.1
FAR = 0.2  # mm, a |dz| of about five elements


class Measures(NamedTuple):
    """What is known of each specimen; NaN where it is not.

    strain (1), max_damage (φ/φ_max), failed_share, stress (MPa), saturated (Gauss points of the
    voxel with the largest damage): histories (n, steps). The others are (n,): nominal strains at
    first and at structural failure; number and share (of the solid voxels) of the voxels failed at
    first failure, share of those failed at the end; mean heights of both, layer with most voxels
    failed at the end, standard deviation of z over these (mm). voxels_above: (n, levels) numbers of
    voxels above levels of φ/φ_max at first failure.
    """

    strain: np.ndarray
    max_damage: np.ndarray
    failed_share: np.ndarray
    stress: np.ndarray
    saturated: np.ndarray
    first_strain: np.ndarray
    final_strain: np.ndarray
    first_voxels: np.ndarray
    first_share: np.ndarray
    final_share: np.ndarray
    first_height: np.ndarray
    final_height: np.ndarray
    final_layer: np.ndarray
    final_thickness: np.ndarray
    voxels_above: np.ndarray


class Row(NamedTuple):
    """A quantity, its unit, what the paper says of it (empty: nothing), what we have."""

    quantity: str
    unit: str
    paper: str
    found: ph.Spread


def compare(found: Measures, strains: Sequence[float], levels: Sequence[float]) -> list[Row]:
    """The table; strains: at which the largest damage is given; levels: of voxels_above.

    The largest damage at a strain is of the specimens that have not failed by then.
    """
    rows = [
        _row("strain at first failure", "%", "4 to 5", 100 * found.first_strain),
        _row("strain at structural failure", "%", "about 5", 100 * found.final_strain),
        _row(
            "strain from first to structural failure",
            "%",
            "below 1",
            100 * (found.final_strain - found.first_strain),
        ),
    ]
    for strain in strains:
        largest = ph.value_at(found.strain, found.max_damage, strain)
        largest = np.where(strain < found.first_strain, largest, np.nan)
        paper = "0.6" if 0.02 <= strain <= 0.04 else ""
        rows.append(_row(f"largest damage at {100 * strain:g} % strain", "phi_max", paper, largest))
    history = found.strain, found.max_damage
    spent = ph.strain_between(*history, *PLATEAU)
    distance = np.abs(found.first_height - found.final_height)
    to_layer = np.abs(found.first_height - found.final_layer)
    rows += [
        _row("plateau: strain at {} to {} phi_max".format(*PLATEAU), "%", "about 2", 100 * spent),
        _share(f"specimens with a plateau above {100 * SHORTEST:g} %", "most", spent, SHORTEST),
        _row(
            "level of the plateau",
            "phi_max",
            "0.6",
            ph.plateau_level(*history, WIDTH, LEVELS, SHORTEST),
        ),
        _row(
            f"stage II begins ({PLATEAU[0]} phi_max reached)",
            "%",
            "2",
            100 * ph.strain_at(*history, PLATEAU[0]),
        ),
        _row(
            f"stage III begins ({PLATEAU[1]} phi_max left)",
            "%",
            "4",
            100 * ph.last_strain_at(*history, PLATEAU[1]),
        ),
        _row(
            "saturated points of 8, steps in the plateau",
            "1",
            "",
            ph.mean_between(*history, found.saturated, *PLATEAU),
        ),
        _row("|dz| of first and final failure", "mm", "0.04", distance),
        _share(f"specimens with |dz| above {FAR:g} mm", "", distance, FAR),
        _row("|dz| of first failure, final layer", "mm", "", to_layer),
        Row("correlation of z, first and final", "1", "high", _correlated(found)),
        _row("z deviation of final failure", "mm", "horizontal", found.final_thickness),
        _row("voxels failed at first failure", "1", "1, rarely more", found.first_voxels),
        _row("failed share at first failure", "1", "about 1e-4", found.first_share),
        _row("failed share at the end", "1", "", found.final_share),
    ]
    for level, count in zip(levels, found.voxels_above.T, strict=True):
        rows.append(_row(f"voxels above {level:g} phi_max, first failure", "1", "", count))
    peak = ph.peak(found.stress)
    at = np.where(found.stress == peak[:, None], found.strain, np.nan)
    return [
        *rows,
        _row("peak nominal stress", "MPa", "", peak),
        _row("strain at peak stress", "%", "", 100 * ph.peak(at)),
    ]


def _row(quantity: str, unit: str, paper: str, values: np.ndarray) -> Row:
    return Row(quantity, unit, paper, ph.spread(values))


def _share(quantity: str, paper: str, values: np.ndarray, above: float) -> Row:
    """A share is one number of all specimens of which the value is known."""
    known = values[np.isfinite(values)]
    share = float((known > above).mean()) if known.size else np.nan
    return Row(quantity, "1", paper, ph.Spread(share, *[np.nan] * 4, known.size))


def _correlated(found: Measures) -> ph.Spread:
    """A correlation is one number of all specimens that have both heights."""
    n = np.count_nonzero(np.isfinite(found.first_height) & np.isfinite(found.final_height))
    value = ph.correlation(found.first_height, found.final_height)
    return ph.Spread(value, np.nan, np.nan, np.nan, np.nan, n)
