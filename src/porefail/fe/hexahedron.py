"""The 8-node hexahedron of a voxel grid: 2×2×2 Gauss points; fully integrated, or B-bar.

All elements are the same cube, so one set of matrices serves the whole mesh. Local node a sits at
the corner (a & 1, a >> 1 & 1, a >> 2 & 1), as does Gauss point g: x runs fastest. Degrees of
freedom of an element: 3·a + component. Strain and stress vectors: (xx, yy, zz, xy, yz, zx), shear
strains in engineering measure (γ = 2ε).
"""

from typing import NamedTuple

import numpy as np

from porefail.errors import PorefailError

# Fully integrated, or with the dilatation of each point replaced by its element mean.
# ASSUME: the default is full integration; the paper names neither.
ELEMENTS = ("full", "b_bar")

CORNERS = np.array([[a & 1, a >> 1 & 1, a >> 2 & 1] for a in range(8)])


class Hexahedron(NamedTuple):
    """Matrices of one cubic element.

    gradients: (3, 8, 8), ∂N_a/∂x_d at point g in [d, a, g], 1/mm; transposed: the same in
    [d, g, a].
    strain: (8, 6, 24), strain matrix at each Gauss point (B-bar, where that is the element), 1/mm.
    volume: (24,), element mean of the divergence (dilatation = volume @ u), 1/mm.
    dilatation: (1, 24), that mean, of B-bar; (8, 24), the divergence at each point, of full
    integration, 1/mm.
    deviatoric: (8, 24, 24), Bᵀ I_dev B at each point (I_dev maps strain to its deviator), 1/mm².
    weight: volume of one Gauss point, mm³.
    """

    gradients: np.ndarray
    transposed: np.ndarray
    strain: np.ndarray
    volume: np.ndarray
    dilatation: np.ndarray
    deviatoric: np.ndarray
    weight: float


# Maps a strain vector with engineering shears to its tensor deviator.
DEVIATOR = np.diag([1.0, 1.0, 1.0, 0.5, 0.5, 0.5])
DEVIATOR[:3, :3] -= 1.0 / 3.0


def _gradients(spacing: float) -> np.ndarray:
    """Gradients of the trilinear shape functions, (point, node, axis), 1/mm."""
    points = 0.5 + (CORNERS - 0.5) / np.sqrt(3.0)
    gradients = np.empty((8, 8, 3))
    for g, point in enumerate(points):
        for a, corner in enumerate(CORNERS):
            linear = np.where(corner == 1, point, 1 - point)
            for axis in range(3):
                others = np.delete(linear, axis).prod()
                gradients[g, a, axis] = (1 if corner[axis] else -1) * others / spacing
    return gradients


def hexahedron(spacing: float, element: str) -> Hexahedron:
    """Matrices of a cube with edge `spacing` (mm); element: of ELEMENTS.

    B-bar (Hughes 1980, 10.1002/nme.1620150914) frees nearly incompressible (plastic) deformation
    from volumetric locking. Full integration locks, which drives the pressures of single points
    apart. Raises PorefailError on another element.
    """
    if element not in ELEMENTS:
        raise PorefailError(f"element {element}: expected one of {', '.join(ELEMENTS)}")
    gradients = _gradients(spacing)
    strain = np.zeros((8, 6, 24))
    x, y, z = (slice(axis, 24, 3) for axis in range(3))
    for g in range(8):
        dx, dy, dz = gradients[g].T
        strain[g, 0, x], strain[g, 1, y], strain[g, 2, z] = dx, dy, dz
        strain[g, 3, x], strain[g, 3, y] = dy, dx
        strain[g, 4, y], strain[g, 4, z] = dz, dy
        strain[g, 5, z], strain[g, 5, x] = dx, dz
    dilatation = strain[:, :3].sum(axis=1)
    volume = dilatation.mean(axis=0)
    if element == "b_bar":
        strain[:, :3] += ((volume - dilatation) / 3.0)[:, None, :]
        dilatation = volume[None]
    deviatoric = np.einsum("gia,ij,gjb->gab", strain, DEVIATOR, strain)
    return Hexahedron(
        np.ascontiguousarray(gradients.transpose(2, 1, 0)),
        np.ascontiguousarray(gradients.transpose(2, 0, 1)),
        strain,
        volume,
        dilatation,
        deviatoric,
        spacing**3 / 8,
    )
