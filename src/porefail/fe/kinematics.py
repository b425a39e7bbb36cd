"""Deformation and rotation of the points of an element at finite strain (numba).

Tensors that are not symmetric are tuples (xx, xy, xz, yx, yy, yz, zx, zy, zz), of a vector
component and a derivative.
"""

import numpy as np
from numba import njit

from porefail.fe.evaluation import gradient


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _displacement_gradient(ue, gradients, g):
    return (
        gradient(ue, gradients, 0, 0, g),
        gradient(ue, gradients, 0, 1, g),
        gradient(ue, gradients, 0, 2, g),
        gradient(ue, gradients, 1, 0, g),
        gradient(ue, gradients, 1, 1, g),
        gradient(ue, gradients, 1, 2, g),
        gradient(ue, gradients, 2, 0, g),
        gradient(ue, gradients, 2, 1, g),
        gradient(ue, gradients, 2, 2, g),
    )


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _deformation(h, d, share):
    """I + h + share·d of two displacement gradients."""
    return (
        1.0 + h[0] + share * d[0],
        h[1] + share * d[1],
        h[2] + share * d[2],
        h[3] + share * d[3],
        1.0 + h[4] + share * d[4],
        h[5] + share * d[5],
        h[6] + share * d[6],
        h[7] + share * d[7],
        1.0 + h[8] + share * d[8],
    )


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _cofactors(f):
    """Cofactors det(f)·f^-T, and det(f)."""
    xx, xy, xz, yx, yy, yz, zx, zy, zz = f
    c = (
        yy * zz - yz * zy,
        yz * zx - yx * zz,
        yx * zy - yy * zx,
        xz * zy - xy * zz,
        xx * zz - xz * zx,
        xy * zx - xx * zy,
        xy * yz - xz * yy,
        xz * yx - xx * yz,
        xx * yy - xy * yx,
    )
    return c, xx * c[0] + xy * c[1] + xz * c[2]


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _times_transposed(a, b, r, s):
    """Entry (r, s) of a·bᵀ."""
    return a[3 * r] * b[3 * s] + a[3 * r + 1] * b[3 * s + 1] + a[3 * r + 2] * b[3 * s + 2]


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def half_rotation(x, y, z):
    """The matrix of half the rotation (I − W/2)^-1 (I + W/2), W the spin of axial vector (x, y, z).

    That one is by the angle 2·atan(|w|/2); the half angle has the tangent of its half in closed
    form.
    """
    part = 0.5 / (1.0 + np.sqrt(1.0 + 0.25 * (x * x + y * y + z * z)))
    x, y, z = part * x, part * y, part * z
    s = 2.0 / (1.0 + x * x + y * y + z * z)
    return (
        1.0 - s * (y * y + z * z),
        s * (x * y - z),
        s * (x * z + y),
        s * (x * y + z),
        1.0 - s * (x * x + z * z),
        s * (y * z - x),
        s * (x * z - y),
        s * (y * z + x),
        1.0 - s * (x * x + y * y),
    )


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def rotated(q, e):
    """q·e·qᵀ of a strain vector e."""
    xx, yy, zz, xy, yz, zx = e[0], e[1], e[2], 0.5 * e[3], 0.5 * e[4], 0.5 * e[5]
    a = (
        q[0] * xx + q[1] * xy + q[2] * zx,
        q[0] * xy + q[1] * yy + q[2] * yz,
        q[0] * zx + q[1] * yz + q[2] * zz,
        q[3] * xx + q[4] * xy + q[5] * zx,
        q[3] * xy + q[4] * yy + q[5] * yz,
        q[3] * zx + q[4] * yz + q[5] * zz,
        q[6] * xx + q[7] * xy + q[8] * zx,
        q[6] * xy + q[7] * yy + q[8] * yz,
        q[6] * zx + q[7] * yz + q[8] * zz,
    )
    return (
        _times_transposed(a, q, 0, 0),
        _times_transposed(a, q, 1, 1),
        _times_transposed(a, q, 2, 2),
        2.0 * _times_transposed(a, q, 0, 1),
        2.0 * _times_transposed(a, q, 1, 2),
        2.0 * _times_transposed(a, q, 2, 0),
    )


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def deform(ue, due, gradients, points, first, full, increment, spin, cofactors, volumes):
    """Kinematics of the points of an element, written from place `first` of a batch on.

    ue, due: nodal displacements and their change (3, 8). increment (6, p): strain, with the
    volumetric part of the element, or of the point if `full`; spin (3, p): axial vector; cofactors
    (9, p) of F after the step; volumes (p,): det F after the step, of which the sum is returned, or
    0 where the element has turned inside out.
    """
    before, least = 0.0, np.inf
    after = 0.0
    for g in range(points):
        n = first + g
        h = _displacement_gradient(ue, gradients, g)
        d = _displacement_gradient(due, gradients, g)
        _, old_volume = _cofactors(_deformation(h, d, 0.0))
        c, middle = _cofactors(_deformation(h, d, 0.5))
        inverse = 1.0 / middle
        xx = inverse * _times_transposed(d, c, 0, 0)
        yy = inverse * _times_transposed(d, c, 1, 1)
        zz = inverse * _times_transposed(d, c, 2, 2)
        xy, yx = inverse * _times_transposed(d, c, 0, 1), inverse * _times_transposed(d, c, 1, 0)
        yz, zy = inverse * _times_transposed(d, c, 1, 2), inverse * _times_transposed(d, c, 2, 1)
        zx, xz = inverse * _times_transposed(d, c, 2, 0), inverse * _times_transposed(d, c, 0, 2)
        c, new_volume = _cofactors(_deformation(h, d, 1.0))
        third = (xx + yy + zz) / 3.0
        if full:
            third -= np.log1p((new_volume - old_volume) / old_volume) / 3.0
        increment[0, n] = xx - third
        increment[1, n] = yy - third
        increment[2, n] = zz - third
        increment[3, n] = xy + yx
        increment[4, n] = yz + zy
        increment[5, n] = zx + xz
        spin[0, n] = 0.5 * (zy - yz)
        spin[1, n] = 0.5 * (xz - zx)
        spin[2, n] = 0.5 * (yx - xy)
        for r in range(9):
            cofactors[r, n] = c[r]
        volumes[n] = new_volume
        before += old_volume
        after += new_volume
        least = min(least, min(middle, new_volume))
    if not least > 0.0:
        return 0.0
    if full:
        return after
    third = np.log1p((after - before) / before) / 3.0
    for r in range(3):
        for g in range(points):
            increment[r, first + g] += third
    return after
