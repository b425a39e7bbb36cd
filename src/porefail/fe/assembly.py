"""Element loops: internal forces and tangent of a slab of the voxel grid (numba).

The tangent is kept as a stencil, (planes, ny+1, nx+1, 3, 27, 3): for each owned node and component
the coupling with the components of its 27 neighbours, x fastest. Its non-zero pattern as a sparse
matrix depends on the grid alone (`Pattern`).
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from porefail.fe.constitutive import PHI, STATE, update
from porefail.fe.grid import FREE, HELD, Slab


class Pattern(NamedTuple):
    """Sparse-matrix view of the stencil of a slab.

    entries: positions of the matrix entries in the flat stencil, row by row, columns ascending.
    rows, columns: global numbers of each entry, 3·node + component, int32.
    """

    entries: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


def pattern(shape: tuple[int, int, int], share: Slab) -> Pattern:
    """Non-zero pattern of the tangent; shape: elements (nz, ny, nx)."""
    counts = np.array(shape) + 1
    planes = np.arange(share.first_plane, share.end_plane)
    node = np.stack(np.meshgrid(planes, *map(np.arange, counts[1:]), indexing="ij"), axis=-1)
    offset = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), axis=-1).reshape(27, 3)
    neighbour = node[..., None, :] + offset
    inside = np.all((neighbour >= 0) & (neighbour < counts), axis=-1)
    number = np.ravel_multi_index(np.moveaxis(neighbour, -1, 0), counts, mode="clip")
    full = (*inside.shape[:3], 3, 27, 3)
    entries = np.flatnonzero(np.broadcast_to(inside[..., None, :, None], full))
    columns = (3 * number[..., None, :, None] + np.arange(3)) + np.zeros((3, 1, 1), int)
    first = 3 * np.ravel_multi_index((share.first_plane, 0, 0), counts)
    rows = first + entries // 81
    return Pattern(entries, rows.astype(np.int32), columns.ravel()[entries].astype(np.int32))


@njit(cache=True)
def _gather_element(u, k, j, i, ue):
    """Displacements of the nodes of an element, ue (24,) written."""
    for a in range(8):
        for c in range(3):
            ue[3 * a + c] = u[k + (a >> 2), j + (a >> 1 & 1), i + (a & 1), c]


@njit(cache=True, fastmath={"contract", "reassoc"})
def assemble(du, bearing, old, dt, material, element, first_row, new, force, stencil):
    """Advance all points of the local elements to the displacement change du; assemble.

    du: (layers+1, ny+1, nx+1, 3) mm; bearing: (layers, ny, nx) bool; old, new: states
    (layers, ny, nx, 8, 9), new is written; dt in s; element: Hexahedron; force: like du, N,
    overwritten (right on the owned planes); stencil: N/mm, overwritten, for the planes from local
    plane first_row on; an empty one asks for forces alone.
    """
    layers, ny, nx = bearing.shape
    rows = stencil.shape[0]
    force[...] = 0.0
    stencil[...] = 0.0
    ue = np.empty(24)
    fe = np.empty(24)
    ke = np.empty((24, 24))
    changes = np.empty(48)
    stress = np.empty(6)
    side = np.empty(24)
    w = element.weight
    volume = element.volume
    # All strains of an element at once, as sums of columns: long inner loops.
    to_strain = np.ascontiguousarray(element.strain.reshape(48, 24).T)
    for k in range(layers):
        for j in range(ny):
            for i in range(nx):
                if not bearing[k, j, i]:
                    continue
                _gather_element(du, k, j, i, ue)
                changes[:] = 0.0
                for q in range(24):
                    for r in range(48):
                        changes[r] += to_strain[q, r] * ue[q]
                fe[:] = 0.0
                ke[:] = 0.0
                bulk_sum = 0.0
                for g in range(8):
                    bulk, shear, radial = update(
                        changes[6 * g : 6 * g + 6],
                        old[k, j, i, g],
                        dt,
                        material,
                        new[k, j, i, g],
                        stress,
                    )
                    mean = (stress[0] + stress[1] + stress[2]) / 3.0
                    for r in range(3):
                        stress[r] -= mean
                    side[:] = 0.0
                    for r in range(6):
                        for q in range(24):
                            side[q] += element.strain[g, r, q] * stress[r]
                    for q in range(24):
                        fe[q] += w * (side[q] + mean * volume[q])
                    if rows == 0:
                        continue
                    bulk_sum += bulk
                    factor = 2.0 * w * shear
                    for r in range(24):
                        scaled = w * radial * side[r]
                        for q in range(24):
                            ke[r, q] += factor * element.deviatoric[g, r, q] + scaled * side[q]
                if rows > 0:
                    for r in range(24):
                        scaled = w * bulk_sum * volume[r]
                        for q in range(24):
                            ke[r, q] += scaled * volume[q]
                for a in range(8):
                    za, ya, xa = a >> 2, a >> 1 & 1, a & 1
                    for c in range(3):
                        force[k + za, j + ya, i + xa, c] += fe[3 * a + c]
                    row = k + za - first_row
                    if row < 0 or row >= rows:
                        continue
                    for b in range(8):
                        d = 9 * ((b >> 2) - za + 1) + 3 * ((b >> 1 & 1) - ya + 1) + (b & 1) - xa + 1
                        for c in range(3):
                            for e in range(3):
                                stencil[row, j + ya, i + xa, c, d, e] += ke[3 * a + c, 3 * b + e]


@njit(cache=True)
def constrain(stencil, kinds, first_row, held_diagonal, void_diagonal):
    """Decouple degrees of freedom that are not free: zero row and column, and a diagonal entry.

    kinds: (layers+1, ny+1, nx+1, 3), see grid. The entry of a void is tiny, so that coarse grids
    do not feel it.
    """
    planes, ny, nx, _ = kinds.shape
    for row in range(stencil.shape[0]):
        for j in range(ny):
            for i in range(nx):
                for d in range(27):
                    k = row + first_row + d // 9 - 1
                    y, x = j + d // 3 % 3 - 1, i + d % 3 - 1
                    if not (0 <= k < planes and 0 <= y < ny and 0 <= x < nx):
                        continue
                    for e in range(3):
                        for c in range(3):
                            if kinds[k, y, x, e] != FREE or kinds[row + first_row, j, i, c] != FREE:
                                stencil[row, j, i, c, d, e] = 0.0
                for c in range(3):
                    kind = kinds[row + first_row, j, i, c]
                    if kind != FREE:
                        diagonal = held_diagonal if kind == HELD else void_diagonal
                        stencil[row, j, i, c, 13, c] = diagonal


@njit(cache=True)
def element_damage(states, bearing, damage):
    """Volume average of φ over the Gauss points of each load-bearing element, written."""
    layers, ny, nx = bearing.shape
    for k in range(layers):
        for j in range(ny):
            for i in range(nx):
                if bearing[k, j, i]:
                    total = 0.0
                    for g in range(8):
                        total += states[k, j, i, g, PHI]
                    damage[k, j, i] = total / 8.0


@njit(cache=True)
def elastic_stress(u, bearing, start, material, element, mises, pressure):
    """Element means of von Mises stress and pressure (MPa) of a linear elastic displacement u.

    u: (layers+1, ny+1, nx+1, 3) mm; start: undeformed state (9,); mises, pressure:
    (layers, ny, nx), written where an element bears load.
    """
    layers, ny, nx = bearing.shape
    ue = np.empty(24)
    stress = np.empty(6)
    new = np.empty(STATE)
    for k in range(layers):
        for j in range(ny):
            for i in range(nx):
                if not bearing[k, j, i]:
                    continue
                _gather_element(u, k, j, i, ue)
                mises[k, j, i] = 0.0
                pressure[k, j, i] = 0.0
                for g in range(8):
                    update(element.strain[g] @ ue, start, 1.0, material, new, stress)
                    mean = (stress[0] + stress[1] + stress[2]) / 3.0
                    square = 0.0
                    for r in range(3):
                        square += (stress[r] - mean) ** 2 + 2.0 * stress[3 + r] ** 2
                    mises[k, j, i] += np.sqrt(1.5 * square) / 8.0
                    pressure[k, j, i] += mean / 8.0
