"""The tangent on the next coarser grid: Galerkin product, element by element (numba).

A coarse element is 2×2×2 fine ones; its displacement is interpolated trilinearly at their nodes.
With P that interpolation and B the strain of a fine element, Σ (B P)ᵀ C (B P) over the fine points
is the coarse matrix: no fine matrix is needed.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from porefail.fe.grid import HELD
from porefail.fe.hexahedron import CORNERS, DEVIATOR, Hexahedron
from porefail.fe.tangent import LANES

ITSELF = 8


class Children(NamedTuple):
    """The eight fine elements of a coarse one; child c sits at corner c. A ninth: not interpolated.

    interpolation: (9, 24, 24), from the coarse nodes to a child's. strain: (9, 8, 24, 6), B P at
    each point, transposed. deviatoric: (9, 8, 24, 24). volume: (9, 24).
    """

    interpolation: np.ndarray
    strain: np.ndarray
    deviatoric: np.ndarray
    volume: np.ndarray


def children(element: Hexahedron) -> Children:
    """Matrices of the fine elements in terms of the coarse one's nodes.

    element: Hexahedron of unit edge.
    """
    interpolation = np.zeros((9, 24, 24))
    interpolation[ITSELF] = np.identity(24)
    for child, place in enumerate(CORNERS):
        for a, corner in enumerate(CORNERS):
            point = 0.5 * (place + corner)
            for b, node in enumerate(CORNERS):
                weight = np.where(node == 1, point, 1 - point).prod()
                for c in range(3):
                    interpolation[child, 3 * a + c, 3 * b + c] = weight
    strain = np.einsum("gia,cab->cgib", element.strain, interpolation)
    deviatoric = np.einsum("cgia,ij,cgjb->cgab", strain, DEVIATOR, strain)
    volume = np.einsum("a,cab->cb", element.volume, interpolation)
    return Children(
        interpolation, np.ascontiguousarray(strain.transpose(0, 1, 3, 2)), deviatoric, volume
    )


@njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _add_child(t, bulk, strain, deviatoric, volume, flow, side, ke):
    """Add the matrix of an element to ke (24, 24).

    t (8, 6), bulk: its tangent (see tangent.py); flow (6,), side (24,): scratch.
    """
    size = ke.shape[1]
    for g in range(8):
        shear = t[g, 0]
        flow[0], flow[1] = t[g, 1], t[g, 2]
        flow[2] = -flow[0] - flow[1]
        flow[3], flow[4], flow[5] = t[g, 3], t[g, 4], t[g, 5]
        for q in range(24):
            total = 0.0
            for r in range(6):
                total += strain[g, q, r] * flow[r]
            side[q] = total
        for r in range(24):
            minus = -side[r]
            for q in range(size):
                ke[r, q] += shear * deviatoric[g, r, q] + minus * side[q]
    for r in range(24):
        scaled = 8.0 * bulk * volume[r]
        for q in range(size):
            ke[r, q] += scaled * volume[q]


@njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _interpolate(fine, interpolation, half, ke):
    """Add Pᵀ·fine·P to ke, all (24, 24); half: scratch."""
    size = ke.shape[1]
    half[:] = 0.0
    for r in range(24):
        for s in range(24):
            value = fine[r, s]
            for q in range(size):
                half[r, q] += value * interpolation[s, q]
    for r in range(24):
        for s in range(24):
            value = interpolation[r, s]
            for q in range(size):
                ke[s, q] += value * half[r, q]


@njit(cache=True, error_model="numpy")
def coarse_stencil(first_layer, layers, bearing, kinds, tangent, bulk, kin, stencil):
    """Coarse matrix of the fine layers [first_layer, first_layer + len(layers)).

    layers: (n,) the local numbers of these layers; bearing, tangent, bulk: local;
    kinds: local degrees of freedom; kin: Children; stencil (planes, ny/2+1, nx/2+1, 3, 27, 3), see
    `pattern` in multigrid, is overwritten; its first plane is that below first_layer. Held degrees
    of freedom take no part in the interpolation.
    """
    _, ny, nx = bearing.shape
    stencil[...] = 0.0
    ke = np.empty((24, 24))
    fine = np.empty((24, 24))
    half = np.empty((24, 24))
    flow = np.empty(6)
    side = np.empty(24)
    free = np.empty(24)
    first_plane = first_layer // 2
    # Fine layers that share coarse elements are done one after the other.
    for n in range(layers.size):
        local = layers[n]
        above = (first_layer + n) % 2
        plane = (first_layer + n) // 2 - first_plane
        for j2 in range(ny // 2):
            for i2 in range(nx // 2):
                ke[:] = 0.0
                for c in range(4):
                    j, i = 2 * j2 + (c >> 1), 2 * i2 + (c & 1)
                    child = 4 * above + c
                    block, lane = i // LANES, i % LANES
                    if not bearing[local, j, i]:
                        continue
                    held = False
                    for a in range(8):
                        for d in range(3):
                            kind = kinds[local + (a >> 2), j + (a >> 1 & 1), i + (a & 1), d]
                            free[3 * a + d] = 0.0 if kind == HELD else 1.0
                            held = held or kind == HELD
                    if not held:
                        _add_child(
                            tangent[local, j, block, :, :, lane], bulk[local, j, block, lane],
                            kin.strain[child], kin.deviatoric[child], kin.volume[child],
                            flow, side, ke,
                        )  # fmt: skip
                        continue
                    fine[:] = 0.0
                    _add_child(
                        tangent[local, j, block, :, :, lane], bulk[local, j, block, lane],
                        kin.strain[ITSELF], kin.deviatoric[ITSELF], kin.volume[ITSELF],
                        flow, side, fine,
                    )  # fmt: skip
                    for r in range(24):
                        for q in range(24):
                            fine[r, q] *= free[r] * free[q]
                    _interpolate(fine, kin.interpolation[child], half, ke)
                for a in range(8):
                    za, ya, xa = a >> 2, a >> 1 & 1, a & 1
                    for b in range(8):
                        d = 9 * ((b >> 2) - za + 1) + 3 * ((b >> 1 & 1) - ya + 1) + (b & 1) - xa + 1
                        for c in range(3):
                            for e in range(3):
                                stencil[plane + za, j2 + ya, i2 + xa, c, d, e] += ke[
                                    3 * a + c, 3 * b + e
                                ]
