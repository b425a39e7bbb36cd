"""Growth of the void fraction φ over a step: nucleation and growth of voids, Eqs 4, 5 (numba).

At fixed direction of stress each of the two has a closed form; Strang splitting joins them.
"""

import numpy as np
from numba import njit

# A point never loses the last thousandth of its material: keeps 1 − φ away from zero. Elements fail
# long before, at φ_max.
SMALLEST_SOLID = 1e-3

# Bounds η where nothing else does (it grows exponentially in material that is long gone).
LARGEST_DENSITY = 1e100


@njit(cache=True)
def _nucleate(solid, d_solid, voids, d_voids):
    """Second term of Eq. 4: 1/(1−φ) grows by the volume of the new voids; with its derivatives.

    Shrinking voids (compression) close at φ = 0.
    """
    denominator = 1.0 + voids * solid
    if denominator <= solid:
        return 1.0, (0.0, 0.0, 0.0)
    new = solid / denominator
    if new <= SMALLEST_SOLID:
        return SMALLEST_SOLID, (0.0, 0.0, 0.0)
    by_solid, by_voids = 1.0 / denominator**2, -(new**2)
    return new, (
        by_solid * d_solid[0] + by_voids * d_voids[0],
        by_solid * d_solid[1] + by_voids * d_voids[1],
        by_solid * d_solid[2] + by_voids * d_voids[2],
    )


@njit(cache=True)
def damage_growth(phi, eta, increment, triaxiality, lode, m):
    """Eqs 4, 5 over a plastic increment Γ of fixed triaxiality T = p/σ_vm and χ = J3²/J2³.

    Returns the new η and φ, and the derivatives (∂φ/∂Γ, ∂φ/∂T, ∂φ/∂χ).
    """
    gone, constant = 1.0 - SMALLEST_SOLID, (0.0, 0.0, 0.0)
    if 1.0 - phi <= SMALLEST_SOLID:
        return eta, gone, constant
    rate = m.shear_nucleation * (4.0 / 27.0 - lode) + m.triaxiality_nucleation * triaxiality
    half = np.exp(min(0.5 * rate * increment, 50.0))
    middle = min(eta * half, LARGEST_DENSITY)
    new_eta = min(middle * half, LARGEST_DENSITY)
    volume = m.void_size
    d_exponent = (rate, increment * m.triaxiality_nucleation, -increment * m.shear_nucleation)
    first = volume * (middle - eta)
    second = volume * (new_eta - middle)
    by_first = 0.5 * volume * middle
    by_second = volume * (new_eta - 0.5 * middle)

    solid, d_solid = _nucleate(
        1.0 - phi,
        (0.0, 0.0, 0.0),
        first,
        (by_first * d_exponent[0], by_first * d_exponent[1], by_first * d_exponent[2]),
    )

    if solid <= SMALLEST_SOLID:
        return new_eta, gone, constant

    # First term of Eq. 4: 1 − (1−φ)^(m+1) grows exponentially with the plastic strain.
    power = m.damage_exponent + 1.0
    steepness = 2.0 * (2.0 * m.damage_exponent - 1.0) / (2.0 * m.damage_exponent + 1.0)
    factor = power * np.sqrt(2.0 / 3.0)
    argument = min(max(steepness * triaxiality, -30.0), 30.0)
    sinh, cosh = np.sinh(argument), np.cosh(argument)
    growth = np.exp(min(factor * sinh * increment, 50.0))
    before = solid**power
    after = 1.0 - (1.0 - before) * growth
    if after <= SMALLEST_SOLID**power:
        return new_eta, gone, constant
    new = after ** (1.0 / power)
    by_after = new / (power * after)
    by_before = growth * power * before / solid
    by_growth = -(1.0 - before) * growth * factor
    d_solid = (
        by_after * (by_before * d_solid[0] + by_growth * sinh),
        by_after * (by_before * d_solid[1] + by_growth * increment * steepness * cosh),
        by_after * by_before * d_solid[2],
    )
    solid = new

    solid, d_solid = _nucleate(
        solid,
        d_solid,
        second,
        (by_second * d_exponent[0], by_second * d_exponent[1], by_second * d_exponent[2]),
    )
    return new_eta, 1.0 - solid, (-d_solid[0], -d_solid[1], -d_solid[2])
