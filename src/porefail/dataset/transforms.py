"""Transforms that turn the damage at first failure into labels (paper, section 3.1, Eqs 6-8).

Damage lives on the solid voxels alone: void voxels are NaN on the way in and on the way out and
take no part in any sum, minimum or maximum.
"""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter

from porefail.errors import PorefailError
from porefail.voxels.neighbours import grown

# The variants of section 4.2: the stages between the damage and the normalisation, in order.
PIPELINES: dict[str, tuple[str, ...]] = {
    "id": (),
    "sigma": ("contrast",),
    "g": ("filter",),
    "t": ("filter", "contrast"),
    "site": ("failed",),  # not in the paper: where it failed, and nothing else
}

TRUNCATION = 4.0  # the Gaussian kernel is cut at this many widths (weight left out: 6e-5 an axis)


def masked_gaussian_filter(field: np.ndarray, solid: np.ndarray, width: float) -> np.ndarray:
    """Gaussian filter of Eq. 6 that leaves void voxels out: G(field·solid) / G(solid).

    field: (nx, ny, nz); solid: bool, same shape; width: k0 in voxels, cut at 4 widths. What lies
    outside the specimen is left out like a void. Returns the same shape, NaN in voids.
    """
    # ASSUME: k0 is in voxels; the paper's 1.5 mm is wider than its specimen.
    mask = solid.astype(float)
    options = {"sigma": width, "mode": "constant", "truncate": TRUNCATION}
    weight = gaussian_filter(mask, **options)
    smooth = gaussian_filter(np.where(solid, field, 0.0), **options)
    return np.where(solid, smooth / np.where(solid, weight, 1.0), np.nan)


def softmax_contrast(field: np.ndarray, contrast: float) -> np.ndarray:
    """Exponential of Eq. 7, exp(c0·(field − its maximum)), NaN left as they are.

    The denominator of Eq. 7 is one number for a realization and cancels in Eq. 8; the same goes
    for the maximum, which is subtracted so that no exponential overflows.
    """
    return np.exp(contrast * (field - np.nanmax(field)))


def failed_site(field: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """1 in the solid voxels within one voxel of one with damage/φ_max >= 1, else 0; NaN in voids.

    A site is judged to a voxel (near_voxels of the evaluation): the neighbours are as good.
    """
    failed = solid & (np.nan_to_num(field) >= 1 - 1e-6)  # stored with the digits of a float32
    return np.where(solid, grown(failed, 1).astype(float), np.nan)


def normalise(field: np.ndarray) -> np.ndarray:
    """Eq. 8: (field − minimum) / (maximum − minimum) over the solid voxels, NaN left as they are.

    Raises PorefailError where maximum and minimum are equal (to the rounding of a float32).
    """
    low, high = np.nanmin(field), np.nanmax(field)
    if high - low <= 1e-6 * max(abs(low), abs(high)):
        raise PorefailError(f"the field is constant ({low:g}): it cannot be normalised to [0, 1]")
    return (field - low) / (high - low)


def transform(
    damage: np.ndarray,
    porosity: np.ndarray,
    name: str,
    *,
    filter_width: float,
    contrast: float,
    maximum_damage: float,
    realization: Sequence[int] | None = None,
) -> np.ndarray:
    """Labels of an ensemble: a variant of section 4.2, each realization normalised to [0, 1].

    damage: φ at first failure (n, nx, ny, nz), what it holds in voids is ignored; porosity: same
    shape, 1 = void; name: of PIPELINES; filter_width: k0 in voxels; contrast: c0;
    maximum_damage: φ_max; realization: n numbers for messages, counted from 0 without.
    Returns float32 (n, nx, ny, nz), NaN in voids. Raises PorefailError on an unknown name or bad
    parameter, and, with the realization's number, on a specimen without solid voxels, on damage
    that is not finite in a solid voxel and on a constant field.
    """
    if name not in PIPELINES:
        raise PorefailError(f"transform {name!r} is unknown: use one of {', '.join(PIPELINES)}")
    if not (filter_width >= 0 and contrast > 0 and maximum_damage > 0):
        raise PorefailError(
            "a transform needs filter_width >= 0, contrast > 0 and maximum_damage > 0, not "
            f"{filter_width}, {contrast}, {maximum_damage}"
        )
    if damage.shape != porosity.shape or damage.ndim != 4:
        raise PorefailError(
            f"damage {damage.shape} and porosity {porosity.shape} must both be (n, nx, ny, nz)"
        )
    label = np.full(damage.shape, np.nan, np.float32)
    for index, (field, voids) in enumerate(zip(damage, porosity, strict=True)):
        number = index if realization is None else realization[index]
        solid = voids == 0
        if not np.isfinite(field[solid]).all() or not solid.any():
            raise PorefailError(f"realization {number}: no solid voxel, or damage is not finite")
        # ASSUME: φ/φ_max enters Eq. 7, the scale on which the paper reports damage. So c0 = 5 is a
        # strong contrast (up to e^5) without the filter and a mild one after it, where peaks are
        # near 0.2: σ far from id, t close to g, as in section 4.2. With φ <= φ_max = 0.5 itself
        # the exponential would be nearly linear. Without the contrast Eq. 8 removes the scale.
        values = np.where(solid, field.astype(float), np.nan) / maximum_damage
        stages = {
            "filter": lambda f, s=solid: masked_gaussian_filter(f, s, filter_width),
            "contrast": lambda f: softmax_contrast(f, contrast),
            "failed": lambda f, s=solid: failed_site(f, s),
        }
        for stage in PIPELINES[name]:
            values = stages[stage](values)
        try:
            label[index] = normalise(values)
        except PorefailError as error:
            raise PorefailError(f"realization {number}: {error}") from None
    return label
