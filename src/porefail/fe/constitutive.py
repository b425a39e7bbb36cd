"""The material point: Eqs 1-5 of the paper, integrated over one time step (numba).

Written in effective stress σ̃ = σ/(1−φ), which does not depend on φ. Plastic flow is integrated by
backward Euler: radial return, one scalar equation. Along the step's fixed direction the void
concentration is then an exponential, and nucleation and growth of the void fraction each have a
closed form; Strang splitting joins them, with the mean of the direction before and after the step
where the point was flowing already. So any step has a result, with η ≥ 0 and 0 ≤ φ < 1. First order
in the step.

Vectors: (xx, yy, zz, xy, yz, zx); strains have engineering shears. Stresses in MPa.
State of a point, (9,): elastic strain (6), hardening κ (MPa), void concentration η (1/µm³),
void fraction φ.
"""

import numpy as np
from numba import njit

from porefail.fe.material import Material
from porefail.fe.void_growth import damage_growth

STATE = 9
KAPPA, ETA, PHI = 6, 7, 8


def initial_state(material: Material) -> np.ndarray:
    """State (9,) of the undeformed material."""
    state = np.zeros(STATE)
    state[KAPPA] = material.initial_hardening
    state[ETA] = material.void_density
    state[PHI] = material.initial_damage
    return state


@njit(cache=True)
def _plastic_increment(trial, kappa, dt, m):
    """Equivalent plastic strain increment Γ ≥ 0 of Eqs 2, 3, and its slope dΓ/dq_trial (1/MPa).

    Solves q_trial − 3μΓ − κ(Γ) = Y·(1 + x), Γ = f·dt·sinh(x)^n, by Newton's method. Its left
    side falls and its right side rises with x and Γ.
    """
    # ASSUME: Macaulay brackets: no flow for x ≤ 0 (Eq. 2 prints no cut-off).
    overstress = trial - kappa - m.yield_strength
    if overstress <= 0.0:
        return 0.0, 0.0
    shear3 = 1.5 * m.young_modulus / (1.0 + m.poisson_ratio)
    n, recovery, strength = m.flow_exponent, m.dynamic_recovery, m.yield_strength
    scale = m.flow_coefficient * dt
    largest = min(overstress / strength, np.arcsinh((overstress / (shear3 * scale)) ** (1.0 / n)))
    # Newton's method in Γ from below where stress relief dominates, else in x from above: both
    # sides are convex, so neither overshoots.
    in_increment = overstress > 1.1 * strength * largest
    increment = (overstress - strength * largest) / shear3
    x = largest
    slope = 0.0
    for _ in range(100):
        if in_increment:
            root = (increment / scale) ** (1.0 / n)
            cosh = np.sqrt(1.0 + root * root)
            x = np.log(root + cosh)
            growth = n * increment * cosh / root
        else:
            sinh = np.sinh(x)
            increment = scale * sinh**n
            growth = n * increment * np.cosh(x) / sinh
        hardened = (kappa + m.hardening_modulus * increment) / (1.0 + recovery * increment)
        hardening = (m.hardening_modulus - recovery * hardened) / (1.0 + recovery * increment)
        stiffness = (shear3 + hardening) * growth + strength
        slope = growth / stiffness
        residual = trial - shear3 * increment - hardened - strength * (1.0 + x)
        if abs(residual) <= 1e-13 * trial:
            break
        if in_increment:
            increment = max(increment + residual * slope, 0.1 * increment)
        else:
            x = max(x + residual / stiffness, 0.1 * x)
    return increment, slope


@njit(cache=True)
def _deviator(elastic, mu, s):
    """Effective deviatoric stress of an elastic strain; s (6,) is written; returns J2, tr ε."""
    volumetric = elastic[0] + elastic[1] + elastic[2]
    for i in range(3):
        s[i] = 2.0 * mu * (elastic[i] - volumetric / 3.0)
        s[3 + i] = mu * elastic[3 + i]
    j2 = 0.5 * (s[0] ** 2 + s[1] ** 2 + s[2] ** 2) + s[3] ** 2 + s[4] ** 2 + s[5] ** 2
    return j2, volumetric


@njit(cache=True)
def _third_invariant(s0, s1, s2, s3, s4, s5):
    """J3 = det s of a deviatoric stress vector."""
    return s0 * (s1 * s2 - s4 * s4) - s3 * (s3 * s2 - s4 * s5) + s5 * (s3 * s4 - s1 * s5)


@njit(cache=True)
def _direction(s, j2, mises, pressure):
    """Triaxiality p/σ_vm and J3²/J2³ (in [0, 4/27])."""
    j3 = _third_invariant(s[0], s[1], s[2], s[3], s[4], s[5])
    return pressure / mises, min((j3 / j2) ** 2 / j2, 4.0 / 27.0)


@njit(cache=True)
def _mean_direction(old, mu, bulk, m, triaxiality, lode):
    """Mean of the step's first and last direction, and the share of the last one in it.

    The first counts where the point was near flow already; before, its direction is not the one at
    which flow sets in.
    """
    volumetric = old[0] + old[1] + old[2]
    s0 = 2.0 * mu * (old[0] - volumetric / 3.0)
    s1 = 2.0 * mu * (old[1] - volumetric / 3.0)
    s2 = -s0 - s1
    s3, s4, s5 = mu * old[3], mu * old[4], mu * old[5]
    j2 = 0.5 * (s0**2 + s1**2 + s2**2) + s3**2 + s4**2 + s5**2
    mises = np.sqrt(3.0 * j2)
    if mises < 0.5 * (old[KAPPA] + m.yield_strength):
        return triaxiality, lode, 1.0
    first = min((_third_invariant(s0, s1, s2, s3, s4, s5) / j2) ** 2 / j2, 4.0 / 27.0)
    return 0.5 * (bulk * volumetric / mises + triaxiality), 0.5 * (first + lode), 0.5


@njit(cache=True)
def update(change, old, dt, m, new, stress):
    """Advance one material point by dt (s) and a change of total strain (6,) (Eqs 1-5).

    old, new: states (9,), new is written; stress: (6,) MPa, written. Returns (bulk, shear, radial)
    in MPa, MPa, 1/MPa, so that the symmetric part of the tangent at fixed φ is
    bulk·1⊗1 + 2·shear·I_dev + radial·s⊗s with s the deviator of `stress`.
    """
    mu = 0.5 * m.young_modulus / (1.0 + m.poisson_ratio)
    bulk = m.young_modulus / (3.0 * (1.0 - 2.0 * m.poisson_ratio))
    for i in range(6):
        new[i] = old[i] + change[i]
    j2, volumetric = _deviator(new, mu, stress)
    trial = np.sqrt(3.0 * j2)
    pressure = bulk * volumetric
    new[KAPPA], new[ETA], new[PHI] = old[KAPPA], old[ETA], old[PHI]
    increment, slope = _plastic_increment(trial, old[KAPPA], dt, m)
    ratio = 1.0
    radial = 0.0
    if increment > 0.0:
        mises = trial - 3.0 * mu * increment
        ratio = mises / trial
        for i in range(3):
            new[i] -= 1.5 * increment * stress[i] / trial
            new[3 + i] -= 3.0 * increment * stress[3 + i] / trial
        new[KAPPA] = (old[KAPPA] + m.hardening_modulus * increment) / (
            1.0 + m.dynamic_recovery * increment
        )
        triaxiality, lode = _direction(stress, j2, mises, pressure)
        triaxiality, lode, _ = _mean_direction(old, mu, bulk, m, triaxiality, lode)
        new[ETA], new[PHI], _ = damage_growth(old[PHI], old[ETA], increment, triaxiality, lode, m)
        # Of the final deviator s = (1−φ)·ratio·s_trial.
        radial = (1.0 - 3.0 * mu * slope - ratio) * 3.0 * mu / (trial * ratio) ** 2
    solid = 1.0 - new[PHI]
    for i in range(3):
        stress[i] = solid * (ratio * stress[i] + pressure)
        stress[3 + i] = solid * ratio * stress[3 + i]
    return solid * bulk, solid * ratio * mu, radial / solid


@njit(cache=True)
def consistent_tangent(change, old, dt, m, tangent):
    """dσ/dε of `update`, softening by damage included; (6, 6) MPa, written, not symmetric.

    The equilibrium solver makes do with the symmetric part at fixed φ (see `update`); this is the
    whole derivative, which the tests hold against finite differences.
    """
    new = np.empty(STATE)
    stress = np.empty(6)
    bulk, shear, radial = update(change, old, dt, m, new, stress)
    mean = (stress[0] + stress[1] + stress[2]) / 3.0
    deviator = stress.copy()
    deviator[:3] -= mean
    for i in range(6):
        for j in range(6):
            tangent[i, j] = radial * deviator[i] * deviator[j]
    for i in range(3):
        for j in range(3):
            tangent[i, j] += bulk - 2.0 * shear / 3.0
        tangent[i, i] += 2.0 * shear
        tangent[3 + i, 3 + i] += shear

    # Softening: −σ̃ ⊗ dφ/dε, with φ a function of Γ, T and χ.
    mu = 0.5 * m.young_modulus / (1.0 + m.poisson_ratio)
    elastic_bulk = m.young_modulus / (3.0 * (1.0 - 2.0 * m.poisson_ratio))
    s = np.empty(6)
    j2, volumetric = _deviator(old[:6] + change, mu, s)
    trial = np.sqrt(3.0 * j2)
    increment, slope = _plastic_increment(trial, old[KAPPA], dt, m)
    if increment <= 0.0:
        return
    mises = trial - 3.0 * mu * increment
    last, last_lode = _direction(s, j2, mises, elastic_bulk * volumetric)
    triaxiality, lode, share = _mean_direction(old, mu, elastic_bulk, m, last, last_lode)
    _, phi, by = damage_growth(old[PHI], old[ETA], increment, triaxiality, lode, m)
    square = np.array(
        [
            s[0] * s[0] + s[3] * s[3] + s[5] * s[5],
            s[1] * s[1] + s[3] * s[3] + s[4] * s[4],
            s[2] * s[2] + s[4] * s[4] + s[5] * s[5],
            s[0] * s[3] + s[3] * s[1] + s[5] * s[4],
            s[3] * s[5] + s[1] * s[4] + s[4] * s[2],
            s[0] * s[5] + s[3] * s[4] + s[5] * s[2],
        ]
    )
    square[:3] -= 2.0 * j2 / 3.0
    j3 = _third_invariant(s[0], s[1], s[2], s[3], s[4], s[5])
    for j in range(6):
        d_trial = 3.0 * mu / trial * s[j]
        d_pressure = elastic_bulk if j < 3 else 0.0
        d_mises = (1.0 - 3.0 * mu * slope) * d_trial
        d_triaxiality = (d_pressure - last * d_mises) / mises
        d_lode = 4.0 * mu * j3 / j2**3 * square[j] - 6.0 * mu * last_lode / j2 * s[j]
        d_phi = by[0] * slope * d_trial + share * (by[1] * d_triaxiality + by[2] * d_lode)
        for i in range(6):
            tangent[i, j] -= stress[i] / (1.0 - phi) * d_phi
