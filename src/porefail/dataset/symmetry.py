"""The 16 symmetries of a square prism about z (point group D4h) as operations on voxel fields.

Each element acts on a field as f'(x) = f(g⁻¹x), about the specimen's centre. In the plane:
quarter turns about z (from x towards y), mirror_x and mirror_y (x → −x, y → −y), mirror_xy and
mirror_yx (the diagonals: x ↔ y, x ↔ −y). Each of these with or without mirror_z (z → −z).
"""

from typing import NamedTuple

import numpy as np

from porefail.errors import PorefailError


class Element(NamedTuple):
    """A signed permutation of the axes: first swap x and y (or not), then flip axes."""

    swap: bool
    flip: tuple[bool, bool, bool]


_PLANE = {
    "identity": (False, (False, False)),
    "rotate_90": (True, (True, False)),
    "rotate_180": (False, (True, True)),
    "rotate_270": (True, (False, True)),
    "mirror_x": (False, (True, False)),
    "mirror_y": (False, (False, True)),
    "mirror_xy": (True, (False, False)),
    "mirror_yx": (True, (True, True)),
}
_OWN_NAMES = {"identity_mirror_z": "mirror_z", "rotate_180_mirror_z": "inversion"}

ELEMENTS: dict[str, Element] = {
    name: Element(swap, (*flip, False)) for name, (swap, flip) in _PLANE.items()
} | {
    _OWN_NAMES.get(f"{name}_mirror_z", f"{name}_mirror_z"): Element(swap, (*flip, True))
    for name, (swap, flip) in _PLANE.items()
}


def apply(name: str, field: np.ndarray) -> np.ndarray:
    """A field turned or mirrored, a view of (..., nx, ny, nz).

    Raises PorefailError on an unknown name, and where x and y change places on a specimen whose
    cross-section is not square.
    """
    swap, flip = _element(name)
    if field.ndim < 3:
        raise PorefailError(f"a voxel field has at least three axes, not {field.shape}")
    if swap:
        if field.shape[-3] != field.shape[-2]:
            raise PorefailError(
                f"{name} needs a square cross-section, not {field.shape[-3]}×{field.shape[-2]} "
                "voxels"
            )
        field = np.swapaxes(field, -3, -2)
    return field[(..., *(slice(None, None, -1 if turned else 1) for turned in flip))]


def inverse(name: str) -> str:
    """Name of the element that takes back another. Raises PorefailError on an unknown name."""
    swap, (x, y, z) = _element(name)
    wanted = Element(swap, (y, x, z) if swap else (x, y, z))
    return next(other for other, element in ELEMENTS.items() if element == wanted)


def _element(name: str) -> Element:
    if name not in ELEMENTS:
        raise PorefailError(f"symmetry {name!r} is unknown: use one of {', '.join(ELEMENTS)}")
    return ELEMENTS[name]
