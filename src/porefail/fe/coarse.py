"""The tangent on the coarser grids: Galerkin products (numba).

A coarse element is 2×2×2 fine ones; its displacement is interpolated trilinearly at their nodes.
With P that interpolation and B the strain of a fine element, Σ (B P)ᵀ C (B P) over the fine points
is the coarse matrix: no fine matrix is needed. C has constant matrices times the moduli, and a
product of flow directions: both sums over points are matrix products. The matrix of the grid after
that follows node by node.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from porefail.fe.grid import HELD
from porefail.fe.hexahedron import CORNERS, DEVIATOR, Hexahedron
from porefail.fe.lanes import LANES


class Children(NamedTuple):
    """The eight fine elements of a coarse one; child c sits at corner c. Single precision.

    interpolation: (8, 24, 24), from the coarse nodes to a child's. strain: (8, 8, 6, 24), B P at
    each point; own_strain: (8, 6, 24), B. own_stiffness: (9 or 16, 576), matrices (24, 24) of an
    element's moduli: shear at 8 points, bulk, one or 8; stiffness: (72 or 128, 576), the same of
    each child in terms of the coarse nodes.
    """

    interpolation: np.ndarray
    strain: np.ndarray
    own_strain: np.ndarray
    stiffness: np.ndarray
    own_stiffness: np.ndarray


def children(element: Hexahedron) -> Children:
    """Matrices of the fine elements in terms of the coarse one's nodes.

    element: Hexahedron of unit edge.
    """
    interpolation = np.zeros((8, 24, 24))
    for child, place in enumerate(CORNERS):
        for a, corner in enumerate(CORNERS):
            point = 0.5 * (place + corner)
            for b, node in enumerate(CORNERS):
                weight = np.where(node == 1, point, 1 - point).prod()
                for c in range(3):
                    interpolation[child, 3 * a + c, 3 * b + c] = weight
    own_strain, own_stiffness = _strain_and_stiffness(element, np.identity(24)[None])
    strain, stiffness = _strain_and_stiffness(element, interpolation)
    parts = (
        interpolation, strain, own_strain[0], stiffness.reshape(-1, 576), own_stiffness[0],
    )  # fmt: skip
    return Children(*(np.ascontiguousarray(part, np.float32) for part in parts))


def _strain_and_stiffness(element: Hexahedron, interpolation: np.ndarray):
    strain = np.einsum("gia,cab->cgib", element.strain, interpolation)
    deviatoric = np.einsum("cgia,ij,cgjb->cgab", strain, DEVIATOR, strain)
    dilatation = np.einsum("na,cab->cnb", element.dilatation, interpolation)
    shared = 8 / len(element.dilatation)  # points of each bulk modulus
    dilatational = shared * np.einsum("cna,cnb->cnab", dilatation, dilatation)
    stiffness = np.concatenate([deviatoric, dilatational], axis=1)
    return strain, stiffness.reshape(len(interpolation), -1, 576)


@njit(error_model="numpy")
def _moduli_and_flow(points, bulk, lane, strain, moduli, sides):
    """Moduli (9 or 16,) of an element and sides (8, 24), flow direction times strain, are written.

    points (8, 6, LANES), bulk (1 or 8, LANES): see tangent.py; strain: (8, 6, 24).
    """
    size = sides.shape[1]
    for n in range(bulk.shape[0]):
        moduli[8 + n] = bulk[n, lane]
    for g in range(8):
        moduli[g] = points[g, 0, lane]
        t0, t1, t3 = points[g, 1, lane], points[g, 2, lane], points[g, 3, lane]
        t4, t5 = points[g, 4, lane], points[g, 5, lane]
        t2 = -t0 - t1
        for q in range(size):
            sides[g, q] = (
                (strain[g, 0, q] * t0 + strain[g, 1, q] * t1)
                + (strain[g, 2, q] * t2 + strain[g, 3, q] * t3)
                + (strain[g, 4, q] * t4 + strain[g, 5, q] * t5)
            )


@njit(error_model="numpy")
def _free(kinds, k, j, i, free):
    """Whether no degree of freedom of an element is held; free (24,): 0 where it is, else 1."""
    for a in range(8):
        for d in range(3):
            held = kinds[k + (a >> 2), j + (a >> 1 & 1), i + (a & 1), d] == HELD
            free[3 * a + d] = 0.0 if held else 1.0
    return free.all()


@njit(error_model="numpy")
def _scatter(ke, values, first, row, plane):
    """Add the matrix of a coarse element to the stencil; first, row, plane: see stencil.py."""
    for a in range(8):
        za, ya, xa = a >> 2, a >> 1 & 1, a & 1
        node = first + za * plane + ya * row + xa
        block, lane = node // LANES, node % LANES
        for b in range(8):
            d = 9 * ((b >> 2) - za + 1) + 3 * ((b >> 1 & 1) - ya + 1) + (b & 1) - xa + 1
            for c in range(3):
                for e in range(3):
                    values[block, d, e, c, lane] += ke[3 * a + c, 3 * b + e]


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _spread(entry, weight, z, j, i, kp, jp, ip, row):
    """Add an entry (3, 3) of column node (z, j, i) to the row (3, 27, 3) of node (kp, jp, ip)."""
    weight *= 0.5 ** ((z & 1) + (j & 1) + (i & 1))
    for kq in range(z // 2, (z + 1) // 2 + 1):
        for jq in range(j // 2, (j + 1) // 2 + 1):
            for iq in range(i // 2, (i + 1) // 2 + 1):
                d = 9 * (kq - kp + 1) + 3 * (jq - jp + 1) + iq - ip + 1
                for c in range(3):
                    for e in range(3):
                        row[c, d, e] += weight * entry[c, e]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def coarse_stencil(first_layer, layers, bearing, kinds, tangent, bulk, kin, values):
    """Coarse matrix of the fine layers [first_layer, first_layer + len(layers)).

    layers: (n,) the local numbers of these layers; bearing, tangent, bulk: local;
    kinds: local degrees of freedom; kin: Children; values: of a stencil of ny/2+1 times nx/2+1
    nodes a plane, overwritten, see stencil.py; its first plane is that below first_layer. Held
    degrees of freedom take no part in the interpolation.
    """
    _, ny, nx = bearing.shape
    values[...] = 0.0
    row, nodes = nx // 2 + 1, (ny // 2 + 1) * (nx // 2 + 1)
    count = (ny // 2) * (nx // 2)
    number = kin.own_stiffness.shape[0]
    moduli = np.empty((count, 8 * number), np.float32)
    sides = np.empty((64, 24), np.float32)
    matrices = np.empty((count, 24, 24), np.float32)
    own_moduli = np.empty(number, np.float32)
    own_sides = np.empty((8, 24), np.float32)
    free = np.empty(24, np.float32)
    first_plane = first_layer // 2
    for plane in range((first_layer + layers.size - 1) // 2 - first_plane + 1):
        moduli[:], matrices[:] = 0.0, 0.0
        for m in range(count):
            j2, i2 = m // (nx // 2), m % (nx // 2)
            sides[:] = 0.0
            for child in range(8):
                # Another rank adds what its own layers give to a coarse element.
                n = 2 * (first_plane + plane) + (child >> 2) - first_layer
                if n < 0 or n >= layers.size:
                    continue
                k, j, i = layers[n], 2 * j2 + (child >> 1 & 1), 2 * i2 + (child & 1)
                if not bearing[k, j, i]:
                    continue
                block, lane = i // LANES, i % LANES
                points, of_block = tangent[k, j, block], bulk[k, j, block]
                if _free(kinds, k, j, i, free):
                    _moduli_and_flow(
                        points, of_block, lane, kin.strain[child],
                        moduli[m, number * child : number * (child + 1)],
                        sides[8 * child : 8 * child + 8],
                    )  # fmt: skip
                    continue
                _moduli_and_flow(points, of_block, lane, kin.own_strain, own_moduli, own_sides)
                ke = np.dot(own_moduli, kin.own_stiffness).reshape(24, 24)
                ke = (ke - np.dot(own_sides.T, own_sides)) * free * free.reshape(24, 1)
                interpolation = kin.interpolation[child]
                matrices[m] += np.dot(interpolation.T, np.dot(ke, interpolation))
            matrices[m] -= np.dot(sides.T, sides)
        # All at once: a large matrix product is a fast one.
        matrices += np.dot(moduli, kin.stiffness).reshape(count, 24, 24)
        for m in range(count):
            first = plane * nodes + m // (nx // 2) * row + m % (nx // 2)
            _scatter(matrices[m], values, first, row, nodes)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def coarsen(values, shape, first_plane, coarse):
    """Matrix of the grid after a stencil's: PᵀAP, what the stencil's rank gives to it.

    values: see stencil.py, of nodes `shape` (planes, ny, nx), the first plane is first_plane of
    the grid. coarse: (planes, rows, nodes, 3, 27, 3), x fastest in the 27 neighbours, overwritten;
    its first plane is first_plane // 2.
    """
    coarse[...] = 0.0
    planes, rows, nodes = shape
    entry = np.empty((3, 3))
    for k in range(planes):
        z = first_plane + k
        for j in range(rows):
            for i in range(nodes):
                node = (k * rows + j) * nodes + i
                block, lane = node // LANES, node % LANES
                for d in range(27):
                    dz, dy, dx = d // 9 - 1, d // 3 % 3 - 1, d % 3 - 1
                    if not (0 <= k + dz < planes and 0 <= j + dy < rows and 0 <= i + dx < nodes):
                        continue
                    for e in range(3):
                        for c in range(3):
                            entry[c, e] = values[block, d, e, c, lane]
                    # A node of odd number lies between two of the next grid.
                    for kp in range(z // 2, (z + 1) // 2 + 1):
                        for jp in range(j // 2, (j + 1) // 2 + 1):
                            for ip in range(i // 2, (i + 1) // 2 + 1):
                                weight = 0.5 ** ((z & 1) + (j & 1) + (i & 1))
                                _spread(
                                    entry, weight, z + dz, j + dy, i + dx, kp, jp, ip,
                                    coarse[kp - first_plane // 2, jp, ip],
                                )  # fmt: skip
