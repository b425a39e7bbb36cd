"""Stresses, internal forces and tangent of all material points of a slab of the voxel grid (numba).

The eight points of an element are the lanes of vector code: arrays of points end in an axis of 8,
and loops over it take its length from an argument (the compiler unrolls loops of known length, and
then finds no vectors in them).
States: (layers, ny, nx, 9, 8), see constitutive. Tangent: see tangent.py.
"""

import numpy as np
from numba import njit

from porefail.fe.constitutive import (
    ETA,
    FLOW_ITERATIONS,
    KAPPA,
    LAST_CORRECTION,
    PHI,
    STATE,
    flow,
    grow,
    settle,
    trial_stress,
)
from porefail.fe.lanes import LANES

POINTS = 8
BATCH = 32  # elements whose points are advanced together


@njit(forceinline=True)
def local_copy(table):
    """A copy of a table (3, 8, 8) whose strides the compiler knows, as vector code needs."""
    copy = np.empty((3, 8, 8), table.dtype)
    for d in range(table.shape[0]):
        for a in range(table.shape[1]):
            for g in range(table.shape[2]):
                copy[d, a, g] = table[d, a, g]
    return copy


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def gather_nodes(u, k, j, i, ue):
    """Displacements of the nodes of an element: ue (3, 8) is written, u (planes, ny+1, nx+1, 3)."""
    for a in range(8):
        for c in range(3):
            ue[c, a] = u[k + (a >> 2), j + (a >> 1 & 1), i + (a & 1), c]


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def mean_dilatation(ue, volume):
    """Mean of div u over an element; volume: see Hexahedron."""
    # Short chains of dependent sums, here and below: they keep the processor's pipelines full.
    x = ue[0, 0] * volume[0]
    y = ue[1, 0] * volume[1]
    z = ue[2, 0] * volume[2]
    for a in range(1, 8):
        x += ue[0, a] * volume[3 * a + 0]
        y += ue[1, a] * volume[3 * a + 1]
        z += ue[2, a] * volume[3 * a + 2]
    return x + y + z


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def gradient(ue, gradients, c, d, g):
    """∂u_c/∂x_d at point g, for nodal displacements ue (3, 8)."""
    total = ue[c, 0] * gradients[d, 0, g]
    for a in range(1, 8):
        total += ue[c, a] * gradients[d, a, g]
    return total


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def strain(ue, gradients, averaged, third_of_mean, g):
    """Strain at point g, for nodal displacements ue (3, 8).

    averaged: 1 for B-bar, which puts third_of_mean, a third of mean_dilatation, in the place of the
    point's own dilatation; 0 for full integration.
    """
    xx = gradient(ue, gradients, 0, 0, g)
    yy = gradient(ue, gradients, 1, 1, g)
    zz = gradient(ue, gradients, 2, 2, g)
    add = averaged * (third_of_mean - (xx + yy + zz) / 3.0)
    return (
        xx + add,
        yy + add,
        zz + add,
        gradient(ue, gradients, 0, 1, g) + gradient(ue, gradients, 1, 0, g),
        gradient(ue, gradients, 1, 2, g) + gradient(ue, gradients, 2, 1, g),
        gradient(ue, gradients, 2, 0, g) + gradient(ue, gradients, 0, 2, g),
    )


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def slope_times(p, rows, transposed, a):
    """Σ over points g and axes d of ∂N_a/∂x_d(g) · p[rows[d], g]."""
    r, s, t = rows
    x = transposed[0, 0, a] * p[r, 0]
    y = transposed[1, 0, a] * p[s, 0]
    z = transposed[2, 0, a] * p[t, 0]
    for g in range(1, 8):
        x += transposed[0, g, a] * p[r, g]
        y += transposed[1, g, a] * p[s, g]
        z += transposed[2, g, a] * p[t, g]
    return x + y + z


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def force_at_nodes(p, transposed, nodes, fe):
    """fe (3, 8) is written: Σ over points of ∂N_a/∂x_d · stress p (6, 8), times volume."""
    for a in range(nodes):
        fe[0, a] = slope_times(p, (0, 3, 5), transposed, a)
        fe[1, a] = slope_times(p, (3, 1, 4), transposed, a)
        fe[2, a] = slope_times(p, (5, 4, 2), transposed, a)


@njit(forceinline=True, error_model="numpy")
def scatter_nodes(fe, k, j, i, force):
    """Add nodal values fe (3, 8) of an element to force (planes, ny+1, nx+1, 3)."""
    for a in range(8):
        for c in range(3):
            force[k + (a >> 2), j + (a >> 1 & 1), i + (a & 1), c] += fe[c, a]


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _grow_points(trial, old, lag, voids, m, new, stress, moduli, flowing, lanes):
    """`grow` for the first `lanes` points of a batch; arguments: see advance_points and `grow`."""
    for g in range(lanes):
        (
            new[0, g], new[1, g], new[2, g], new[3, g], new[4, g], new[5, g],
            new[6, g], new[7, g], new[8, g],
            stress[0, g], stress[1, g], stress[2, g], stress[3, g], stress[4, g], stress[5, g],
            stress[6, g], moduli[0, g], moduli[1, g], moduli[2, g], _, _, _, _,
        ) = grow(
            trial[0, g], trial[1, g], trial[2, g], trial[3, g], trial[4, g], trial[5, g],
            old[0, g], old[1, g], old[2, g], old[3, g], old[4, g], old[5, g],
            old[6, g], old[7, g], old[8, g],
            flowing[4, g], flowing[3, g], flowing[5, g], lag, voids, m,
        )  # fmt: skip


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def advance_points(trial, old, guess, dt, lag, m, new, stress, moduli, flowing, lanes):
    """Advance the first `lanes` points of a batch.

    trial (6, p): trial elastic strain; old, new: states (9, p); guess (p,): log of the plastic
    strain rate, as a start, overwritten with the result; stress (7, p): deviator and mean; moduli
    (3, p): bulk, shear, radial; flowing (6, p): scratch. One short loop for each stage: the
    processor then works on many points at once.
    """
    shift = np.log(dt)
    for g in range(lanes):
        mises, bound = trial_stress(
            trial[0, g], trial[1, g], trial[2, g], trial[3, g], trial[4, g], trial[5, g],
            old[KAPPA, g], dt, m,
        )  # fmt: skip
        flowing[0, g] = mises
        flowing[1, g] = bound
        # In this order the bound also takes the place of a NaN that a failed step left behind.
        flowing[2, g] = min(bound, guess[g] + shift)
    for _ in range(FLOW_ITERATIONS):
        worst = 0.0
        for g in range(lanes):
            unbalance, by_y, increment, _ = flow(flowing[2, g], flowing[0, g], old[KAPPA, g], dt, m)
            flowing[3, g] = by_y
            flowing[4, g] = increment
            stress[0, g] = min(unbalance / by_y, flowing[1, g] - flowing[2, g])
        for g in range(lanes):
            worst = max(worst, abs(stress[0, g]))
        for g in range(lanes):
            flowing[2, g] += stress[0, g]
        if worst <= LAST_CORRECTION:
            break
    for g in range(lanes):
        flowing[4, g], flowing[5, g] = settle(stress[0, g], flowing[4, g], old[KAPPA, g], m)
    for g in range(lanes):
        guess[g] = flowing[2, g] - shift
    present = 0.0
    for g in range(lanes):
        present = max(present, max(old[ETA, g], old[PHI, g]))
    # The condition is a constant in each loop: a branch would keep it from becoming vector code.
    if present > 0.0:
        _grow_points(trial, old, lag, True, m, new, stress, moduli, flowing, lanes)
    else:
        _grow_points(trial, old, lag, False, m, new, stress, moduli, flowing, lanes)


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def store_tangent(tangent, k, j, i, g, scale, stress, moduli, n):
    """Write the tangent rows (see tangent.py) of point g of an element from place n of a batch."""
    block, lane = i // LANES, i % LANES
    root = np.sqrt(max(-scale * moduli[2, n], 0.0))
    tangent[k, j, block, g, 0, lane] = 2.0 * scale * moduli[1, n]
    tangent[k, j, block, g, 1, lane] = root * stress[0, n]
    tangent[k, j, block, g, 2, lane] = root * stress[1, n]
    tangent[k, j, block, g, 3, lane] = root * stress[3, n]
    tangent[k, j, block, g, 4, lane] = root * stress[4, n]
    tangent[k, j, block, g, 5, lane] = root * stress[5, n]


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def store_bulk(bulk, k, j, i, scale, moduli, first, points):
    """Write the bulk modulus of points from place `first` of a batch: of each, or their mean."""
    block, lane = i // LANES, i % LANES
    if bulk.shape[3] > 1:
        for g in range(points):
            bulk[k, j, block, g, lane] = scale * moduli[0, first + g]
        return
    total = 0.0
    for g in range(points):
        total += moduli[0, first + g]
    bulk[k, j, block, 0, lane] = 0.125 * scale * total


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def evaluate(du, bearing, old, guess, dt, lag, material, element, new, force, tangent, bulk):
    """Advance all points of the local elements to the displacement change du (mm).

    du: (layers+1, ny+1, nx+1, 3) mm; bearing: (layers, ny, nx) bool; old, new: states, new is
    written; guess: (layers, ny, nx, 8) log of the plastic strain rate (1/s), a start for the flow
    equation, overwritten with its solution; dt in s; lag: see `grow`; element: Hexahedron; force:
    like du, N, overwritten (right on the owned planes); tangent, bulk: written, see tangent.py.
    """
    full = bulk.shape[3] > 1
    averaged = 0.0 if full else 1.0
    layers, ny, nx = bearing.shape
    points = old.shape[4]
    force[...] = 0.0
    batch = np.empty(BATCH, np.int64)
    ue = np.empty((3, 8))
    p = np.empty((6, 8))
    trial = np.empty((6, 8 * BATCH))
    start = np.empty((STATE, 8 * BATCH))
    end = np.empty((STATE, 8 * BATCH))
    rate = np.empty(8 * BATCH)
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
                    if bearing[k, j, first]:
                        batch[count] = first
                        count += 1
                    first += 1
                for b in range(count):
                    i = batch[b]
                    gather_nodes(du, k, j, i, ue)
                    mean = mean_dilatation(ue, element.volume) / 3.0
                    for g in range(points):
                        e = strain(ue, gradients, averaged, mean, g)
                        for r in range(6):
                            trial[r, 8 * b + g] = e[r]
                    for r in range(STATE):
                        for g in range(points):
                            start[r, 8 * b + g] = old[k, j, i, r, g]
                    for r in range(6):
                        for g in range(points):
                            trial[r, 8 * b + g] += start[r, 8 * b + g]
                    for g in range(points):
                        rate[8 * b + g] = guess[k, j, i, g]
                advance_points(
                    trial, start, rate, dt, lag, material, end, stress, moduli, flowing, 8 * count
                )
                for b in range(count):
                    i = batch[b]
                    store_bulk(bulk, k, j, i, scale, moduli, 8 * b, points)
                    if full:
                        for g in range(points):
                            n = 8 * b + g
                            for r in range(3):
                                p[r, g] = w * (stress[r, n] + stress[6, n])
                    else:
                        pressure = 0.0
                        for g in range(8 * b, 8 * b + points):
                            pressure += stress[6, g]
                        pressure *= 0.125
                        for g in range(points):
                            for r in range(3):
                                p[r, g] = w * (stress[r, 8 * b + g] + pressure)
                    for g in range(points):
                        for r in range(3, 6):
                            p[r, g] = w * stress[r, 8 * b + g]
                    force_at_nodes(p, transposed, points, fe)
                    scatter_nodes(fe, k, j, i, force)
                    for r in range(STATE):
                        for g in range(points):
                            new[k, j, i, r, g] = end[r, 8 * b + g]
                    for g in range(points):
                        n = 8 * b + g
                        guess[k, j, i, g] = rate[n]
                        store_tangent(tangent, k, j, i, g, scale, stress, moduli, n)


@njit(cache=True)
def element_damage(states, bearing, damage):
    """Volume average of φ over the points of each load-bearing element, written."""
    layers, ny, nx = bearing.shape
    for k in range(layers):
        for j in range(ny):
            for i in range(nx):
                if bearing[k, j, i]:
                    total = 0.0
                    for g in range(8):
                        total += states[k, j, i, PHI, g]
                    damage[k, j, i] = 0.125 * total


@njit(cache=True, error_model="numpy")
def elastic_stress(u, bearing, material, element, mises, pressure):
    """Element means of von Mises stress and pressure (MPa) of a linear elastic displacement u.

    u: (layers+1, ny+1, nx+1, 3) mm; undamaged stiffness. mises, pressure: (layers, ny, nx), written
    where an element bears load. Both kinds of element have the same deviators at their points, and
    the same mean of the dilatation.
    """
    layers, ny, nx = bearing.shape
    mu = 0.5 * material.young_modulus / (1.0 + material.poisson_ratio)
    bulk = material.young_modulus / (3.0 * (1.0 - 2.0 * material.poisson_ratio))
    ue = np.empty((3, 8))
    solid = 1.0 - material.initial_damage
    for k in range(layers):
        for j in range(ny):
            for i in range(nx):
                if not bearing[k, j, i]:
                    continue
                gather_nodes(u, k, j, i, ue)
                dilatation = mean_dilatation(ue, element.volume)
                total = 0.0
                for g in range(8):
                    e = strain(ue, element.gradients, 1.0, dilatation / 3.0, g)
                    square = 0.0
                    for r in range(3):
                        square += (e[r] - dilatation / 3.0) ** 2 + 0.5 * e[3 + r] ** 2
                    total += np.sqrt(1.5 * square)
                mises[k, j, i] = solid * 2.0 * mu * total / 8.0
                pressure[k, j, i] = solid * bulk * dilatation
