"""The pores of a scan, one by one."""

import cc3d
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

SMALLEST = 3  # scan voxels: less is noise
INTERIOR, SURFACE = 0.5, 0.65  # Murakami's factors, of a pore inside and one at the surface
QUERIES = 30_000  # voxels of pores whose distance to the surface is asked for
FACES = 2 / 3  # a sphere's area over that of the faces of its voxels, on average over directions

COLUMNS = (
    *("id", "x_mm", "y_mm", "z_mm", "x_voxel", "y_voxel", "z_voxel", "volume_mm3", "voxels"),
    *("equivalent_diameter_mm", "sphericity", "sqrt_area_mm", "distance_to_surface_mm"),
    *("nearest_pore_mm", "surface_connected", "murakami_factor_sqrt_mm"),
)


def pore_table(
    part: np.ndarray, void: np.ndarray, spacing: tuple, first: tuple[int, int, int] = (0, 0, 0)
) -> tuple[pd.DataFrame, np.ndarray]:
    """The pores of a part by falling volume, and their numbers (nx, ny, nz) from 1, 0 = none.

    part, void: (nx, ny, nz) bool, of scan voxels (3,) mm; first: place of their first voxel in the
    scan. Voxels that touch by a corner are one pore; those of less than SMALLEST voxels are left
    out. Places are centroids, in scan voxels (the first one's centre is 0) and in mm from the
    corner of the scan. sqrt_area: root of the area that a pore covers seen along z (Murakami 2002);
    murakami_factor: stress intensity over the nominal stress, factor·√(π·√area), in √mm.
    nearest_pore: between the surfaces of spheres of equal volume, 0 where they meet.
    """
    spacing = np.asarray(spacing, float)
    labels, count = cc3d.connected_components(
        np.ascontiguousarray(void).view(np.uint8), connectivity=26, return_N=True
    )
    places = np.flatnonzero(labels)
    owner = labels.ravel()[places]
    voxels = np.bincount(owner, minlength=count + 1)
    order = np.flatnonzero(voxels >= SMALLEST)
    order = order[order > 0]
    order = order[np.argsort(-voxels[order], kind="stable")]
    number = np.zeros(count + 1, labels.dtype)
    number[order] = np.arange(1, len(order) + 1)
    labels = number[labels]
    keep = number[owner] > 0
    places, owner = places[keep], number[owner[keep]].astype(int)
    size = len(order)
    if not size:
        return pd.DataFrame({name: [] for name in COLUMNS}), labels
    index = np.array(np.unravel_index(places, labels.shape))
    voxels = np.bincount(owner, minlength=size + 1)[1:]
    centre = np.array([np.bincount(owner, axis, size + 1)[1:] / voxels for axis in index])
    volume = voxels * spacing.prod()
    diameter = np.cbrt(6.0 * volume / np.pi)
    sphericity = np.minimum(np.pi * diameter**2 / _area(labels, index, owner, spacing, size), 1.0)
    seen = np.unique(owner * (labels.shape[0] * labels.shape[1]) + places // labels.shape[2])
    seen = np.bincount(seen // (labels.shape[0] * labels.shape[1]), minlength=size + 1)[1:]
    root = np.sqrt(seen * spacing[0] * spacing[1])
    depth, touching = _depth(part, index, owner, spacing, size)
    middle = (centre.T + 0.5 + first) * spacing
    factor = np.where(touching, SURFACE, INTERIOR) * np.sqrt(np.pi * root)
    table = pd.DataFrame(
        {
            "id": np.arange(1, size + 1),
            **dict(zip(("x_mm", "y_mm", "z_mm"), middle.T, strict=True)),
            **dict(
                zip(("x_voxel", "y_voxel", "z_voxel"), centre + np.c_[list(first)], strict=True)
            ),
            "volume_mm3": volume,
            "voxels": voxels,
            "equivalent_diameter_mm": diameter,
            "sphericity": sphericity,
            "sqrt_area_mm": root,
            "distance_to_surface_mm": depth,
            "nearest_pore_mm": _nearest(middle, diameter),
            "surface_connected": touching.astype(int),
            "murakami_factor_sqrt_mm": factor,
        }
    )
    return table, labels


def _area(labels, index, owner, spacing, size) -> np.ndarray:
    """Surface of each pore, mm²: faces of its voxels, less what a stair has more than a slope."""
    total = np.zeros(size + 1)
    for axis in range(3):
        face = spacing.prod() / spacing[axis]
        for step in (-1, 1):
            beside = index.copy()
            beside[axis] += step
            inside = (beside[axis] >= 0) & (beside[axis] < labels.shape[axis])
            other = np.zeros(len(owner), int)
            other[inside] = labels[tuple(beside[:, inside])]
            total += face * np.bincount(owner[other != owner], minlength=size + 1)
    return FACES * total[1:]


def _depth(part, index, owner, spacing, size) -> tuple[np.ndarray, np.ndarray]:
    """Least distance of each pore's voxels from the air beside the part, mm; which touch it."""
    edge = np.zeros_like(part)
    edge[1:] |= part[1:] & ~part[:-1]
    edge[:-1] |= part[:-1] & ~part[1:]
    edge[:, 1:] |= part[:, 1:] & ~part[:, :-1]
    edge[:, :-1] |= part[:, :-1] & ~part[:, 1:]
    edge[[0, -1]] |= part[[0, -1]]
    edge[:, [0, -1]] |= part[:, [0, -1]]
    surface = np.argwhere(edge)
    tree = cKDTree(surface * spacing)
    step = -(-len(owner) // QUERIES)
    # Of many voxels some of each pore are asked for.
    some = np.unique(np.r_[np.arange(0, len(owner), step), np.unique(owner, return_index=True)[1]])
    found, _ = tree.query(index[:, some].T * spacing)
    depth = np.full(size + 1, np.inf)
    np.minimum.at(depth, owner[some], found)
    touching = np.bincount(owner, edge[tuple(index)], size + 1) > 0
    depth[touching] = 0.0
    return depth[1:], touching[1:]


def _nearest(middle: np.ndarray, diameter: np.ndarray) -> np.ndarray:
    """Gap between each pore and the nearest other one, as spheres, mm; NaN where there is none."""
    if len(middle) < 2:
        return np.full(len(middle), np.nan)
    found, other = cKDTree(middle).query(middle, k=min(9, len(middle)))
    gap = found[:, 1:] - 0.5 * diameter[:, None] - 0.5 * diameter[other[:, 1:]]
    return np.maximum(gap.min(axis=1), 0.0)
