"""Lengths with units, as a user writes them and as headers name them; in mm inside."""

import math
import re
from collections.abc import Sequence
from decimal import Decimal

from porefail.errors import PorefailError

_MICROMETRE, _INCH = Decimal("0.001"), Decimal("25.4")
UNITS = {  # mm
    "nm": Decimal("0.000001"),
    "um": _MICROMETRE,
    "\u00b5m": _MICROMETRE,  # micro sign
    "\u03bcm": _MICROMETRE,  # Greek mu
    "micron": _MICROMETRE,
    "microns": _MICROMETRE,
    "mm": Decimal(1),
    "cm": Decimal(10),
    "m": Decimal(1000),
    "in": _INCH,
    "inch": _INCH,
}
FINEST, COARSEST = 5e-5, 1.0  # mm, of a voxel: nano-CT to medical CT
_LENGTH = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\W\d_]+)", re.ASCII)
_EXAMPLE = "expected a number and its unit as in 9.8um"


def length(text: str, name: str) -> float:
    """Length (mm) from text as "9.8um", "9.8 µm", "0.0098mm", "0.5in".

    name: of the option, for the error. Raises PorefailError where there is no number, no unit, or
    an unknown one, and where the length is not finite or not above 0.
    """
    found = _LENGTH.fullmatch(text.strip().replace("\u00b5", "u").replace("\u03bc", "u"))
    if not found:
        raise PorefailError(f"{name}: {text!r:.60} is no length, {_EXAMPLE}")
    number, unit = float(found[1]), found[2]
    if unit not in UNITS:
        raise PorefailError(
            f"{name}: {text!r:.60} has an unknown unit, {_EXAMPLE} (nm, um, mm, in)"
        )
    value = in_mm(number, unit)
    if not 0 < value < math.inf:
        raise PorefailError(f"{name}: {text!r:.60} must be finite and above 0")
    return value


def in_mm(number: float, unit: str) -> float:
    """A length in a unit of UNITS as mm; 9.8 um are the same number as 0.0098 mm."""
    return float(Decimal(repr(float(number))) * UNITS[unit])


def spacing(text: str, name: str) -> tuple[float, float, float]:
    """Spacing (mm) along x, y, z from one length for all, or three as "9.8um,9.8um,12um".

    Raises PorefailError as `length`, and where there are neither one nor three.
    """
    parts = text.split(",")
    if len(parts) not in (1, 3):
        raise PorefailError(
            f"{name}: {text!r:.60} has {len(parts)} parts between commas, expected one length for"
            " all axes or three as in 9.8um,9.8um,12um (decimals with a point)"
        )
    x, y, z = [length(part, name) for part in parts] * (3 // len(parts))
    return x, y, z


def plausible(spacing_mm: Sequence[float], shape: Sequence[int], name: str) -> None:
    """Raise PorefailError where a voxel is none of a CT scan of metal: below 0.05 um, above 1 mm.

    spacing_mm, shape: along x, y, z. The error tells the size of the whole scan, in which a wrong
    unit is seen best.
    """
    if all(FINEST <= side <= COARSEST for side in spacing_mm):
        return
    voxel = " x ".join(map(shown, spacing_mm))
    whole = " x ".join(f"{side * count:.4g}" for side, count in zip(spacing_mm, shape, strict=True))
    raise PorefailError(
        f"{name}: voxels of {voxel} make a scan of {whole} mm, expected voxels of {shown(FINEST)}"
        f" to {shown(COARSEST)}; is the unit right?"
    )


def shown(mm: float) -> str:
    """A length (mm) as text, in the largest unit that gives 1 or more: "9.8 um", "12.3 mm"."""
    units = {unit: float(UNITS[unit]) for unit in ("m", "mm", "um", "nm")}
    unit = next((unit for unit in units if mm >= units[unit] * (1 - 1e-9)), "nm")
    return f"{mm / units[unit]:.4g} {unit}"
