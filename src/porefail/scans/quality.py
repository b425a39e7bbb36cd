"""What is wrong with a scan, measured from it: beam hardening, rings, tilt, unequal voxels.

Only slices spread over the scan are read, so arrays may be mapped from files. Grey values and masks
are (nx, ny, nz), z the axis of the specimen and of the rotation.
"""

import math

import numpy as np
from scipy import ndimage
from scipy.signal import savgol_filter

# A scan with more than this is warned of.
CUPPING = 0.04  # of the contrast
RINGS = 0.03  # of the contrast
TILT = 1.0  # degrees
ANISOTROPY = 1.02

SLICES = 64  # that are read, at most
_SKIN = 2  # voxels at a surface, which partial volume and point spread darken
_ACROSS = 256  # points of a section, about, along its longer axis, where its outline counts
_DEPTHS = 10  # steps from the skin to the middle
_WINDOW = 9  # circles that a smooth trend is fitted to
_FEWEST = 100  # voxels of a circle, or of a step of the depth, that counts


def cupping(values: np.ndarray, metal: np.ndarray, contrast: float) -> float:
    """Fall of the metal's grey value from its skin to the middle of the section, over the contrast.

    metal: mask of solid metal. contrast: grey value of metal less that of air, negative where metal
    is the darker one. Medians at depths below the surface are fitted by a parabola of the depth,
    exact for a fall as 1 - r²/R² in a round bar. Negative where the grey value rises; NaN where
    there is too little metal.
    """
    depths, greys = [], []
    for k in _spread(metal):
        section, step = _filled(metal, k)
        depth = ndimage.distance_transform_edt(np.pad(section, 1))[1:-1, 1:-1]  # air around it
        inner = _inside(metal, k)[::step, ::step]
        depths.append(depth[inner] / max(depth.max(), 1))
        greys.append(values[::step, ::step, k][inner])
    depth, grey = np.concatenate(depths), np.concatenate(greys)
    places = np.minimum((depth * _DEPTHS).astype(int), _DEPTHS - 1)
    chosen = [places == i for i in range(_DEPTHS) if np.count_nonzero(places == i) >= _FEWEST]
    if len(chosen) < 3:
        return math.nan
    bowl = [1 - (1 - depth[each].mean()) ** 2 for each in chosen]
    medians = [np.median(grey[each]) for each in chosen]
    slope, _ = np.polyfit(bowl, medians, 1, w=[math.sqrt(each.sum()) for each in chosen])
    return float(-slope / contrast)


def rings(
    values: np.ndarray,
    metal: np.ndarray,
    contrast: float,
    axis: tuple[float, float] | None = None,
) -> float:
    """Standard deviation of the metal's mean grey value between circles, over the contrast.

    metal, contrast: as of cupping(). axis: (x, y) of the rotation in voxels, without it the middle
    of the image. A smooth trend with the radius is taken out, and what the noise within circles
    explains. NaN where there is too little metal.
    """
    x, y = axis or [(n - 1) / 2 for n in values.shape[:2]]
    radius = np.hypot(
        np.arange(values.shape[0])[:, None] - x, np.arange(values.shape[1]) - y
    ).astype(int)
    sums = np.zeros((3, radius.max() + 1))  # voxels, their grey values, the squares of these
    for k in _spread(metal):
        inner = _inside(metal, k)
        grey = values[..., k][inner] / contrast
        for power, total in enumerate(sums):
            total += np.bincount(radius[inner], grey**power, len(total))
    count, total, squares = sums[:, sums[0] >= _FEWEST]
    if len(count) < 2 * _WINDOW:
        return math.nan
    mean = total / count
    noise = (squares / count - mean**2) / count
    trend = savgol_filter(mean, _WINDOW, 2)
    # Share of a circle's own variance that is left, as the trend is fitted to it too.
    left = 1 - np.diag(savgol_filter(np.eye(len(mean)), _WINDOW, 2, axis=0))
    variance = (((mean - trend) ** 2).sum() - (left * noise).sum()) / left.sum()
    return math.sqrt(max(variance, 0.0))


def tilt(part: np.ndarray, spacing: tuple[float, float, float]) -> float:
    """Degrees between z and the straight line through the centroids of the sections.

    part: mask of the specimen, with or without its pores; those open to the surface move a section.
    spacing: edges of a voxel along (x, y, z), in any unit. NaN where fewer than two slices hold any
    of it.
    """
    heights, centroids = [], []
    for k in _spread(part):
        section, step = _filled(part, k)
        if section.any():
            heights.append(k * spacing[2])
            places = np.argwhere(section).mean(axis=0) * step
            centroids.append(places * spacing[:2])
    if len(heights) < 2:
        return math.nan
    slopes, _ = np.polyfit(heights, centroids, 1)
    return math.degrees(math.atan(math.hypot(*slopes)))


def anisotropy(spacing: tuple[float, float, float]) -> float:
    """Longest edge of a voxel over its shortest."""
    return max(spacing) / min(spacing)


def warnings(
    values: np.ndarray,
    metal: np.ndarray,
    part: np.ndarray,
    spacing: tuple[float, float, float],
    contrast: float,
    axis: tuple[float, float] | None = None,
) -> list[str]:
    """A line for each thing that is wrong with a scan, with its measure; none for a good scan.

    Arguments as above. What cannot be measured (NaN) is not warned of.
    """
    lines = []
    measured = cupping(values, metal, contrast)
    if measured > CUPPING:
        lines.append(
            f"beam hardening: metal is {100 * measured:.0f} % of the contrast fainter in the"
            " middle than at its skin, so a single threshold makes pores larger there"
        )
    measured = rings(values, metal, contrast, axis)
    if measured > RINGS:
        lines.append(
            f"rings: circles around the axis of rotation differ by {100 * measured:.0f} % of the"
            " contrast, so pores come out larger on some and smaller on others"
        )
    measured = tilt(part, spacing)
    # Sections of a mask move by whole voxels.
    least = math.atan(2 * max(spacing[:2]) / (part.shape[2] * spacing[2]))
    if measured > max(TILT, math.degrees(least)):
        lines.append(
            f"tilt: the axis of the specimen is {measured:.1f} degrees from z, the direction of the"
            " load, so its skin cuts through the voxels of the model"
        )
    measured = anisotropy(spacing)
    if measured > ANISOTROPY:
        lines.append(
            f"voxels: their longest edge is {measured:.2f} times the shortest, so pores are less"
            " well resolved along it"
        )
    return lines


def _spread(mask: np.ndarray) -> list[int]:
    """Numbers of slices, evenly spread."""
    count = mask.shape[2]
    return np.unique(np.linspace(0, count - 1, min(count, SLICES)).round().astype(int)).tolist()


def _filled(mask: np.ndarray, k: int) -> tuple[np.ndarray, int]:
    """Every so many voxels of slice k, its holes filled; how many."""
    step = max(1, max(mask.shape[:2]) // _ACROSS)
    return ndimage.binary_fill_holes(mask[::step, ::step, k]), step


def _inside(metal: np.ndarray, k: int) -> np.ndarray:
    """Voxels of slice k (nx, ny) with metal all around them, so that they are metal throughout."""
    last = metal.shape[2] - 1
    section = metal[..., k] & metal[..., max(k - _SKIN, 0)] & metal[..., min(k + _SKIN, last)]
    return ndimage.minimum_filter(section, 2 * _SKIN + 1, mode="constant")
