"""Growth of the void fraction φ over a step: nucleation and growth of voids, Eqs 4, 5 (numba).

At fixed direction of stress each of the two has a closed form; Strang splitting joins them. No
branches: the loops over material points become vector code.
"""

from numba import njit

from porefail.fe.elementary import exp, log

# A point never loses the last thousandth of its material: keeps 1 − φ away from zero. Elements fail
# long before, at φ_max.
SMALLEST_SOLID = 1e-3

# Bounds η where nothing else does (it grows exponentially in material that is long gone).
LARGEST_DENSITY = 1e100

# Bounds exponents, far beyond what a load step can bring.
LARGEST_EXPONENT = 50.0


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _nucleate(solid, voids):
    """Second term of Eq. 4: 1/(1−φ) grows by the volume of the new voids.

    Shrinking voids (compression) close at φ = 0. Returns 1−φ and its derivatives by both arguments.
    """
    denominator = max(1.0 + voids * solid, solid)
    new = solid / denominator
    free = 1.0 if SMALLEST_SOLID < new < 1.0 else 0.0
    return max(new, SMALLEST_SOLID), free / (denominator * denominator), -free * new * new


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def damage_growth(phi, eta, increment, triaxiality, lode, m):
    """Eqs 4, 5 over a plastic increment Γ of fixed triaxiality T = p/σ_vm and χ = J3²/J2³.

    Returns the new η and φ, and the derivatives ∂φ/∂Γ, ∂φ/∂T, ∂φ/∂χ.
    """
    rate = m.shear_nucleation * (4.0 / 27.0 - lode) + m.triaxiality_nucleation * triaxiality
    half = exp(min(0.5 * rate * increment, LARGEST_EXPONENT))
    middle = min(eta * half, LARGEST_DENSITY)
    new_eta = min(middle * half, LARGEST_DENSITY)
    volume = m.void_size
    before, by_solid, by_voids = _nucleate(1.0 - phi, volume * (middle - eta))
    d_before = by_voids * 0.5 * volume * middle

    # First term of Eq. 4: 1 − (1−φ)^(m+1) grows exponentially with the plastic strain.
    # ASSUME: the default's two factors measure it by the norm of the deviator; as printed they are
    # √⅔ and 1 (docs/results/phenomenology.md says why).
    power = m.damage_exponent + 1.0
    steepness = 2.0 * (2.0 * m.damage_exponent - 1.0) / (2.0 * m.damage_exponent + 1.0)
    steepness *= m.growth_triaxiality_factor
    factor = power * m.growth_coefficient
    up = exp(min(max(steepness * triaxiality, -30.0), 30.0))
    down = 1.0 / up
    sinh, cosh = 0.5 * (up - down), 0.5 * (up + down)
    growth = exp(min(factor * sinh * increment, LARGEST_EXPONENT))
    left = exp(power * log(before))
    grown = 1.0 - (1.0 - left) * growth
    smallest = SMALLEST_SOLID**power
    free = 1.0 if grown > smallest else 0.0
    after = max(grown, smallest)
    solid = exp(log(after) / power)
    by_after = free * solid / (power * after)
    by_before = by_after * growth * power * left / before
    by_growth = -by_after * (1.0 - left) * growth * factor

    new, by_solid, by_voids = _nucleate(solid, volume * (new_eta - middle))
    d_after = by_voids * volume * (new_eta - 0.5 * middle)
    d_exponent = by_solid * by_before * d_before + d_after
    by_increment = d_exponent * rate + by_solid * by_growth * sinh
    by_triaxiality = increment * (
        d_exponent * m.triaxiality_nucleation + by_solid * by_growth * steepness * cosh
    )
    by_lode = -increment * d_exponent * m.shear_nucleation
    return new_eta, 1.0 - new, -by_increment, -by_triaxiality, -by_lode
