"""Finite strain: the counterpart of evaluation.py for large displacements (numba).

Updated Lagrangian, Jaumann rate of the elastic strain, integrated as by Hughes & Winget (1980,
10.1002/nme.1620151210): strain increment and rotation come from the gradient G of the displacement
change in the configuration midway. Half of the rotation is applied before the strain increment and
half after it; with all of it before, as printed there, the result is of first order in the step
where strain and rotation go together. A step that is a rotation, of any angle below 180 degrees,
is exact.

Full integration: a point has its own volumetric strain, ln(J1/J0). B-bar: each point has that of
its element, ln(V1/V0) with the volumes V before and after the step: the mean of div v over the
current volume, integrated exactly. Conjugate to it is the mean of the pressure over the volume
after the step.

Elements are cubes before deformation, so all gradients are those of the reference, and the first
Piola-Kirchhoff stress P = J·σ·F^-T gives the nodal forces.
"""

import numpy as np
from numba import njit

from porefail.fe.constitutive import STATE
from porefail.fe.evaluation import (
    BATCH,
    advance_points,
    gather_nodes,
    local_copy,
    scatter_nodes,
    slope_times,
    store_bulk,
    store_tangent,
)
from porefail.fe.kinematics import deform, half_rotation, rotated


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def evaluate_finite(
    displacement, du, bearing, old, guess, dt, lag, material, element, new, force, tangent, bulk
):
    """Advance all points of the local elements from `displacement` by its change du (both mm).

    As evaluation.evaluate but for finite strain; stresses and elastic strains are those of the
    current configuration, in fixed axes. The tangent stays that of small strain, without the stress
    and the change of shape in it, so that Newton's
    method converges linearly, the slower the larger the strain; see secants.py. Nodes of an element
    that has turned inside out get a force of NaN.
    """
    layers, ny, nx = bearing.shape
    points = old.shape[4]
    force[...] = 0.0
    batch = np.empty(BATCH, np.int64)
    total = np.empty(BATCH)
    ue, due = np.empty((3, 8)), np.empty((3, 8))
    p = np.empty((9, 8))
    trial = np.empty((6, 8 * BATCH))
    spin = np.empty((3, 8 * BATCH))
    cofactors = np.empty((9, 8 * BATCH))
    volumes = np.empty(8 * BATCH)
    start = np.empty((STATE, 8 * BATCH))
    end = np.empty((STATE, 8 * BATCH))
    rate = np.empty(8 * BATCH)
    full = bulk.shape[3] > 1
    stress = np.empty((7, 8 * BATCH))
    moduli = np.empty((3, 8 * BATCH))
    flowing = np.empty((6, 8 * BATCH))
    fe = np.empty((3, 8))
    gradients = local_copy(element.gradients)
    transposed = local_copy(element.transposed)
    w = element.weight
    scale = w ** (1.0 / 3.0) / 4.0  # w over the square of the edge
    for k in range(layers):
        for j in range(ny):
            first = 0
            while first < nx:
                count = 0
                while first < nx and count < BATCH:
                    i = first
                    first += 1
                    if not bearing[k, j, i]:
                        continue
                    gather_nodes(displacement, k, j, i, ue)
                    gather_nodes(du, k, j, i, due)
                    total[count] = deform(
                        ue, due, gradients, points, 8 * count, full, trial, spin, cofactors, volumes
                    )
                    if total[count] == 0.0:
                        fe[...] = np.nan
                        scatter_nodes(fe, k, j, i, force)
                        continue
                    for r in range(STATE):
                        for g in range(points):
                            start[r, 8 * count + g] = old[k, j, i, r, g]
                    for g in range(points):
                        rate[8 * count + g] = guess[k, j, i, g]
                    batch[count] = i
                    count += 1
                for n in range(8 * count):
                    q = half_rotation(spin[0, n], spin[1, n], spin[2, n])
                    e = rotated(q, start[:6, n])
                    e = rotated(
                        q,
                        (
                            e[0] + trial[0, n],
                            e[1] + trial[1, n],
                            e[2] + trial[2, n],
                            e[3] + trial[3, n],
                            e[4] + trial[4, n],
                            e[5] + trial[5, n],
                        ),
                    )
                    for r in range(6):
                        trial[r, n] = e[r]
                # Of the elastic strain in `start` only invariants matter: it need not be rotated.
                advance_points(
                    trial, start, rate, dt, lag, material, end, stress, moduli, flowing, 8 * count
                )
                for b in range(count):
                    i = batch[b]
                    pressure = 0.0
                    for g in range(8 * b, 8 * b + points):
                        pressure += volumes[g] * stress[6, g]
                    pressure /= total[b]
                    store_bulk(bulk, k, j, i, scale, moduli, 8 * b, points)
                    for g in range(points):
                        n = 8 * b + g
                        mean = stress[6, n] if full else pressure
                        xx, yy, zz = stress[0, n] + mean, stress[1, n] + mean, stress[2, n] + mean
                        xy, yz, zx = stress[3, n], stress[4, n], stress[5, n]
                        for d in range(3):
                            x, y, z = cofactors[d, n], cofactors[3 + d, n], cofactors[6 + d, n]
                            p[d, g] = w * (xx * x + xy * y + zx * z)
                            p[3 + d, g] = w * (xy * x + yy * y + yz * z)
                            p[6 + d, g] = w * (zx * x + yz * y + zz * z)
                    for a in range(points):
                        fe[0, a] = slope_times(p, (0, 1, 2), transposed, a)
                        fe[1, a] = slope_times(p, (3, 4, 5), transposed, a)
                        fe[2, a] = slope_times(p, (6, 7, 8), transposed, a)
                    scatter_nodes(fe, k, j, i, force)
                    for r in range(STATE):
                        for g in range(points):
                            new[k, j, i, r, g] = end[r, 8 * b + g]
                    for g in range(points):
                        guess[k, j, i, g] = rate[8 * b + g]
                        store_tangent(tangent, k, j, i, g, scale, stress, moduli, 8 * b + g)
