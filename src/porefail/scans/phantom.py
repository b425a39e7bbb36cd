"""A phantom: the computed tomography (CT) scan of a specimen whose pores are known.

Metal fraction of each scan voxel, then point spread, beam hardening, rings and noise. Made in slabs
along z: 2 bytes a scan voxel and the memory of one slab.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from porefail.errors import PorefailError
from porefail.voxels.rounding import TOLERANCE

METAL, AIR = 40_000, 10_000  # grey values
SECTIONS = ("square", "round")
SLAB = 16  # slices made at a time; the noise depends on it
_FINE = 32  # lines across a scan voxel that measure its part in a round section
_FINE_TILTED = 3  # points along x and z of a scan voxel where the specimen is tilted
# Smallest and largest value of what a scanner has; of its voxel: see _check.
BOUNDS = {"blur": (0, 10), "noise": (0, 1), "rings": (0, 1), "cupping": (0, 1)}
BOUNDS |= {"tilt": (0, 30), "air": (0, 10)}


class Scanner(NamedTuple):
    """How a specimen is scanned.

    voxel: edge of a scan voxel, mm. blur: standard deviation of the point spread, scan voxels.
    noise, rings: standard deviations of the grey value, over the contrast of metal to air.
    cupping: fall of the grey value from the skin of the metal to the middle of its section, over
    the contrast. tilt: degrees of the specimen's axis from z, towards x. air: around the section,
    mm; none at the ends along z, where the specimen goes on into its grips. section: "square", or
    "round": a cylinder inscribed in the specimen's square section.
    """

    voxel: float
    blur: float = 0.7
    noise: float = 0.05
    rings: float = 0.0
    cupping: float = 0.0
    tilt: float = 0.0
    air: float = 0.1
    section: str = "square"


def size(shape: tuple[int, ...], spacing: float, scanner: Scanner) -> tuple[int, int, int]:
    """Voxels (nx', ny', nz') of the scan of a specimen of `shape` voxels, spacing in mm.

    Both have the same middle. Raises PorefailError that names the value that is out of range.
    """
    _check(shape, spacing, scanner)
    wide, deep, high = (side * spacing for side in shape)
    angle = math.radians(scanner.tilt)
    wide = wide * math.cos(angle) + high * math.sin(angle)
    around = 2 * _count(scanner.air, scanner.voxel)
    wide, deep, high = (_count(length, scanner.voxel) for length in (wide, deep, high))
    return wide + around, deep + around, high


def metal_fraction(
    porosity: np.ndarray, spacing: float, scanner: Scanner, first: int, last: int
) -> np.ndarray:
    """Share of metal in the scan voxels of slices `first` to `last` (exclusive), before any blur.

    porosity: (nx, ny, nz), 1 = void; spacing in mm. Returns (nx', ny', last - first) float32.
    Slices may lie beyond the ends: there the last layer of voxels goes on. Exact without a tilt
    (round section: to 1e-3), else of 9 points along x and z.
    """
    scan_shape = size(porosity.shape, spacing, scanner)
    x, y, z = (_walls(n, scanner.voxel) for n in scan_shape)
    z = _walls(scan_shape[2], scanner.voxel, first, last)
    solid = (porosity == 0).astype(np.float32)
    radius = porosity.shape[0] * spacing / 2 if scanner.section == "round" else math.inf
    if scanner.tilt:
        return _tilted(solid, spacing, math.radians(scanner.tilt), radius, (x, y, z))
    cut = radius < math.inf  # by the disc alone, not by the square around it as well
    axes = [
        _overlap(walls, n, spacing, endless)
        for walls, n, endless in zip((x, y, z), solid.shape, (cut, cut, True), strict=True)
    ]
    fraction = np.einsum("ia,jb,kc,abc->ijk", *axes, solid, optimize=True)
    if cut:
        inside = (np.arange(_FINE) + 0.5) / _FINE
        lines = x[:-1, None] + inside * np.diff(x)[:, None]
        fraction *= _chords(lines[..., None], y, radius).mean(axis=1)[..., None]
    return fraction


def scan(porosity: np.ndarray, spacing: float, scanner: Scanner, seed: int = 0) -> np.ndarray:
    """Scan (nx', ny', nz') uint16 of a specimen, see size(); METAL and AIR without noise.

    porosity: (nx, ny, nz), 1 = void; spacing in mm. x runs fastest in memory, as in image files.
    Raises PorefailError that names the value that is out of range.
    """
    shape = size(porosity.shape, spacing, scanner)
    if seed < 0:
        raise PorefailError(f"seed is {seed}, expected a whole number from 0")
    values = np.empty(shape, np.uint16, order="F")
    circles = scanner.rings * _circles(shape, seed)
    reach = int(4 * scanner.blur + 0.5)  # of SciPy's filter
    for number, first in enumerate(range(0, shape[2], SLAB)):
        last = min(first + SLAB, shape[2])
        grey = metal_fraction(porosity, spacing, scanner, first - reach, last + reach)
        if scanner.blur:
            grey = ndimage.gaussian_filter(grey, scanner.blur, mode="constant", truncate=4)
        grey = grey[..., reach : reach + last - first]
        if scanner.cupping:
            depth = _depth(porosity.shape, spacing, scanner, first, last)
            grey = grey * (1 - scanner.cupping * depth)
        chance = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1, number)))
        grey = grey + circles[..., None]
        grey += scanner.noise * chance.standard_normal(grey.shape, np.float32)
        whole = np.rint(AIR + (METAL - AIR) * grey)
        values[..., first:last] = np.clip(whole, 0, np.iinfo(np.uint16).max)
    return values


def _check(shape: tuple[int, ...], spacing: float, scanner: Scanner) -> None:
    if len(shape) != 3 or min(shape) < 1:
        raise PorefailError(f"porosity has shape {list(shape)}, expected three sides of voxels")
    if not 0 < spacing < math.inf:
        raise PorefailError(f"spacing is {spacing}, expected a positive number of mm")
    narrow = min(shape) * spacing * (1 + TOLERANCE)
    if not 0 < scanner.voxel <= narrow:
        raise PorefailError(
            f"voxel is {scanner.voxel:g} mm, expected above 0 and at most the specimen's shortest"
            f" side, {narrow:.4g} mm"
        )
    for name, (low, high) in BOUNDS.items():
        if not low <= getattr(scanner, name) <= high:
            raise PorefailError(
                f"{name} is {getattr(scanner, name):g}, expected a number from {low} to {high}"
            )
    if scanner.section not in SECTIONS:
        raise PorefailError(
            f"section is {scanner.section!r:.30}, expected one of {', '.join(SECTIONS)}"
        )
    if scanner.section == "round" and shape[0] != shape[1]:
        raise PorefailError(
            f"section is round, but the specimen has {shape[0]} by {shape[1]} voxels, not a square"
        )


def _count(length: float, voxel: float) -> int:
    """Voxels that cover a length."""
    return math.ceil(length / voxel * (1 - TOLERANCE))


def _walls(count: int, edge: float, first: int = 0, last: int | None = None) -> np.ndarray:
    """Coordinates of the walls between voxels `first` to `last`, 0 in the middle of all `count`."""
    return edge * (np.arange(first, (count if last is None else last) + 1) - count / 2)


def _overlap(walls: np.ndarray, count: int, spacing: float, endless: bool) -> np.ndarray:
    """Share (scan voxels, count) of each scan voxel in each of the specimen's, along an axis.

    endless: the first and the last voxel of the specimen go on for ever.
    """
    own = _walls(count, spacing)
    if endless:
        own[[0, -1]] = -math.inf, math.inf
    upper = np.minimum(walls[1:, None], own[1:])
    lower = np.maximum(walls[:-1, None], own[:-1])
    return (np.clip(upper - lower, 0, None) / np.diff(walls)[:, None]).astype(np.float32)


def _chords(x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    """Share of each step between walls `y` (n + 1,) in a disc, at x (..., 1): (..., n)."""
    half = np.sqrt(np.clip(radius**2 - x**2, 0, None))
    return (np.clip(y[1:], -half, half) - np.clip(y[:-1], -half, half)) / np.diff(y)


def _tilted(
    solid: np.ndarray, spacing: float, angle: float, radius: float, walls: tuple[np.ndarray, ...]
) -> np.ndarray:
    """Share of metal where the specimen is turned about y: exact along y, of points else."""
    x, y, z = walls
    nx, ny, nz = solid.shape
    cut = radius < math.inf
    lines = np.einsum("jb,abc->acj", _overlap(y, ny, spacing, cut), solid)  # (nx, nz, ny')
    lines = np.concatenate([lines, np.zeros_like(lines[:1])])  # and air, number nx
    total = np.zeros((len(x) - 1, len(z) - 1, len(y) - 1), np.float32)
    steps = (np.arange(_FINE_TILTED) + 0.5) / _FINE_TILTED
    for along_x in steps:
        for along_z in steps:
            across = (x[:-1] + along_x * np.diff(x))[:, None]
            up = z[:-1] + along_z * np.diff(z)
            own = across * math.cos(angle) - up * math.sin(angle)
            i = np.floor(own / spacing + nx / 2).astype(int)
            i[(i < 0) | (i >= nx)] = nx
            k = (across * math.sin(angle) + up * math.cos(angle)) / spacing + nz / 2
            points = lines[i, np.clip(np.floor(k).astype(int), 0, nz - 1)]
            if cut:
                points = points * _chords(own[..., None], y, radius)
            total += points
    return np.moveaxis(total, 1, 2) / np.float32(_FINE_TILTED**2)


def _circles(shape: tuple[int, int, int], seed: int) -> np.ndarray:
    """A normal number for each circle about the middle, one voxel wide: (nx', ny') float32."""
    x, y = (np.arange(n) - (n - 1) / 2 for n in shape[:2])
    radius = np.hypot(x[:, None], y).astype(int)
    chance = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    return chance.standard_normal(radius.max() + 1).astype(np.float32)[radius]


def _depth(
    shape: tuple[int, ...], spacing: float, scanner: Scanner, first: int, last: int
) -> np.ndarray:
    """1 on the specimen's axis, 0 at its skin and outside: (nx', ny', last - first) float32."""
    centres = [
        (walls[1:] + walls[:-1]) / 2
        for walls in (_walls(n, scanner.voxel) for n in size(shape, spacing, scanner))
    ]
    angle = math.radians(scanner.tilt)
    up = centres[2][first:last] * math.sin(angle)
    x = (centres[0][:, None] * math.cos(angle) - up) / (shape[0] * spacing / 2)
    y = centres[1] / (shape[1] * spacing / 2)
    x, y = (x**2).astype(np.float32)[:, None, :], (y**2).astype(np.float32)[:, None]
    if scanner.section == "round":
        return np.clip(1 - x - y, 0, None)
    return np.clip(1 - x, 0, None) * np.clip(1 - y, 0, None)
