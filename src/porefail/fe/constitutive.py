"""The material point: Eqs 1-3 of the paper, with 4 and 5 of void_growth.py, over one time step.

Written in effective stress σ̃ = σ/(1−φ), which does not depend on φ. Plastic flow is integrated by
backward Euler: radial return, one scalar equation. Along the step's fixed direction the void
concentration is then an exponential, and nucleation and growth of the void fraction each have a
closed form; Strang splitting joins them, with the mean of the direction before and after the step
where the point was flowing already. So any step has a result, with η ≥ 0 and 0 ≤ φ < 1. First order
in the step.

The physics comes in three stages, `trial_stress`, `flow` (iterated) and `grow`: scalars in, scalars
out, no branches, so that a loop over points becomes vector code (see evaluation.py). `update` does
one point.

Vectors: (xx, yy, zz, xy, yz, zx); strains have engineering shears. Stresses in MPa.
State of a point, (9,): elastic strain (6), hardening κ (MPa), void concentration η (1/µm³),
void fraction φ.
"""

import numpy as np
from numba import njit

from porefail.fe.elementary import exp, log
from porefail.fe.material import Material
from porefail.fe.void_growth import damage_growth

STATE = 9
KAPPA, ETA, PHI = 6, 7, 8

# Overstress over the yield strength below which a point counts as not flowing.
NO_FLOW = 1e-12

# Unbalance of the flow equation over the trial stress at which a point is done.
FLOW_TOLERANCE = 1e-12
FLOW_ITERATIONS = 100

# A correction of log Γ so small that the next one, about its square, does not matter: it is the
# last, and needs no look at the unbalance that it leaves.
LAST_CORRECTION = 1e-6


def initial_state(material: Material) -> np.ndarray:
    """State (9,) of the undeformed material."""
    state = np.zeros(STATE)
    state[KAPPA] = material.initial_hardening
    state[ETA] = material.void_density
    state[PHI] = material.initial_damage
    return state


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _deviator(e0, e1, e2, e3, e4, e5, mu):
    """Effective deviatoric stress of an elastic strain, and tr ε."""
    volumetric = e0 + e1 + e2
    third = volumetric / 3.0
    twice = 2.0 * mu
    return (
        twice * (e0 - third),
        twice * (e1 - third),
        twice * (e2 - third),
        mu * e3,
        mu * e4,
        mu * e5,
        volumetric,
    )


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _invariants(s0, s1, s2, s3, s4, s5):
    """J2, and χ = J3²/J2³ in [0, 4/27], of a deviatoric stress."""
    j2 = 0.5 * (s0 * s0 + s1 * s1 + s2 * s2) + s3 * s3 + s4 * s4 + s5 * s5
    j3 = s0 * (s1 * s2 - s4 * s4) - s3 * (s3 * s2 - s4 * s5) + s5 * (s3 * s4 - s1 * s5)
    ratio = j3 / max(j2, 1e-200)
    return j2, j3, min(ratio * ratio / max(j2, 1e-200), 4.0 / 27.0)


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def _mean_direction(o0, o1, o2, o3, o4, o5, kappa, mu, bulk, m, triaxiality, lode):
    """Mean of the step's first and last direction, and the share of the last one in it.

    o0...o5: elastic strain at the step's start. The first direction counts where the point was near
    flow already; before, its direction is not the one at which flow sets in.
    """
    s0, s1, s2, s3, s4, s5, volumetric = _deviator(o0, o1, o2, o3, o4, o5, mu)
    j2, _, first = _invariants(s0, s1, s2, s3, s4, s5)
    mises = np.sqrt(3.0 * j2)
    flowed = mises >= 0.5 * (kappa + m.yield_strength)
    share = 0.5 if flowed else 1.0
    other = bulk * volumetric / mises if flowed else 0.0
    return (
        share * triaxiality + (1.0 - share) * other,
        share * lode + (1.0 - share) * first,
        share,
    )


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def trial_stress(t0, t1, t2, t3, t4, t5, kappa, dt, m):
    """Effective von Mises stress (MPa) of a trial elastic strain, and an upper bound of log Γ.

    Neither the flow rule nor the relief of stress alone allows more plastic strain than e^bound in
    a step of dt (s). Where nothing flows, the stress returned is one that would flow: `flow` then
    converges as elsewhere, and `grow` forgets it.
    """
    mu = 0.5 * m.young_modulus / (1.0 + m.poisson_ratio)
    s0, s1, s2, s3, s4, s5, _ = _deviator(t0, t1, t2, t3, t4, t5, mu)
    j2, _, _ = _invariants(s0, s1, s2, s3, s4, s5)
    # ASSUME: Macaulay brackets: no flow for x ≤ 0 (Eq. 2 prints no cut-off).
    overstress = np.sqrt(3.0 * j2) - kappa - m.yield_strength
    overstress = overstress if overstress > NO_FLOW * m.yield_strength else m.yield_strength
    logarithm = log(overstress)
    ratio = overstress / m.yield_strength
    # sinh(t) <= t·exp(t²/6)
    by_rate = log(m.flow_coefficient * dt) + m.flow_exponent * (
        logarithm - log(m.yield_strength) + ratio * ratio * (1.0 / 6.0)
    )
    return overstress + kappa + m.yield_strength, min(by_rate, logarithm - log(3.0 * mu))


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def flow(y, trial, kappa, dt, m):
    """The flow equation at Γ = e^y: its unbalance (MPa), −∂/∂y of it, Γ, and κ after the step.

    q_trial − 3μΓ − κ(Γ) = Y·(1 + x), Γ = f·dt·sinh(x)^n (Eqs 2, 3, backward Euler). Falls with y
    and is concave, so that Newton's method does not overshoot from above.
    """
    shear3 = 1.5 * m.young_modulus / (1.0 + m.poisson_ratio)
    inverse = 1.0 / m.flow_exponent
    increment = exp(y)
    sinh = exp((y - log(m.flow_coefficient * dt)) * inverse)
    cosh = np.sqrt(1.0 + sinh * sinh)
    x = log(sinh + cosh)
    recovery = 1.0 / (1.0 + m.dynamic_recovery * increment)
    hardened = (kappa + m.hardening_modulus * increment) * recovery
    hardening = (m.hardening_modulus - m.dynamic_recovery * hardened) * recovery
    unbalance = trial - shear3 * increment - hardened - m.yield_strength * (1.0 + x)
    slope = (shear3 + hardening) * increment + m.yield_strength * inverse * sinh / cosh
    return unbalance, slope, increment, hardened


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def settle(correction, increment, kappa, m):
    """Γ, and κ after the step, once log Γ is corrected by no more than LAST_CORRECTION.

    increment: Γ before that; kappa: κ at the start of the step.
    """
    increment += increment * (correction + 0.5 * correction * correction)
    recovery = 1.0 / (1.0 + m.dynamic_recovery * increment)
    return increment, (kappa + m.hardening_modulus * increment) * recovery


@njit(forceinline=True, error_model="numpy", fastmath={"contract"})
def grow(
    t0, t1, t2, t3, t4, t5, o0, o1, o2, o3, o4, o5, kappa, eta, phi,
    increment, by_y, hardened, lag, voids, m,
):  # fmt: skip
    """The point after a step in which Γ = `increment`, which solves the flow equation.

    t: trial elastic strain; o, κ, η, φ: elastic strain and state at the start; by_y, hardened: as
    `flow` returns them; lag: 1 to let the stress feel φ as it was at the start, 0 as it is at the
    end; voids: may be False where η = φ = 0: nothing grows. Returns elastic strain (6), κ,
    η, φ; deviatoric stress (6) and mean stress (MPa); (bulk, shear, radial) in MPa, MPa, 1/MPa, so
    that the symmetric part of the tangent at fixed φ is bulk·1⊗1 + 2·shear·I_dev + radial·s⊗s; and
    for the rest of the tangent (without lag) ∂φ/∂Γ, ∂φ/∂T, ∂φ/∂χ with T and χ those at the end of
    the step, and dΓ/dq_trial (1/MPa).
    """
    mu = 0.5 * m.young_modulus / (1.0 + m.poisson_ratio)
    bulk = m.young_modulus / (3.0 * (1.0 - 2.0 * m.poisson_ratio))
    s0, s1, s2, s3, s4, s5, volumetric = _deviator(t0, t1, t2, t3, t4, t5, mu)
    j2, _, last_lode = _invariants(s0, s1, s2, s3, s4, s5)
    trial = np.sqrt(3.0 * j2)
    pressure = bulk * volumetric
    flows = trial - kappa - m.yield_strength > NO_FLOW * m.yield_strength
    share = 1.0 if flows else 0.0
    increment = share * increment
    slope = share * increment / by_y
    inverse = 1.0 / max(trial, 1e-100)
    relief = 3.0 * mu * increment
    ratio = 1.0 - relief * inverse
    triaxiality, lode, last_share = _mean_direction(
        o0, o1, o2, o3, o4, o5, kappa, mu, bulk, m,
        share * pressure / max(trial - relief, 1e-100), last_lode,
    )  # fmt: skip
    if voids:
        new_eta, new_phi, by_increment, by_triaxiality, by_lode = damage_growth(
            phi, eta, increment, share * triaxiality, lode, m
        )
    else:
        new_eta, new_phi, by_increment, by_triaxiality, by_lode = eta, phi, 0.0, 0.0, 0.0
    new_phi = new_phi if flows else phi
    solid = 1.0 - (new_phi + lag * (phi - new_phi))
    normal = 1.5 * increment * inverse
    scale = solid * ratio
    # Of the final deviator s = (1−φ)·ratio·s_trial.
    final = inverse / ratio
    radial = (1.0 - 3.0 * mu * slope - ratio) * 3.0 * mu * final * final / solid
    return (
        t0 - normal * s0,
        t1 - normal * s1,
        t2 - normal * s2,
        t3 - 2.0 * normal * s3,
        t4 - 2.0 * normal * s4,
        t5 - 2.0 * normal * s5,
        hardened if flows else kappa,
        new_eta if flows else eta,
        new_phi,
        scale * s0,
        scale * s1,
        scale * s2,
        scale * s3,
        scale * s4,
        scale * s5,
        solid * pressure,
        solid * bulk,
        scale * mu,
        radial if flows else 0.0,
        by_increment,
        share * last_share * by_triaxiality,
        share * last_share * by_lode,
        slope,
    )


@njit(cache=True, error_model="numpy")
def _advance(trial, old, dt, m):
    """All that `grow` returns, for one point; trial: trial elastic strain (6,), old: state (9,)."""
    mises, bound = trial_stress(
        trial[0], trial[1], trial[2], trial[3], trial[4], trial[5], old[KAPPA], dt, m
    )
    y = bound
    for _ in range(FLOW_ITERATIONS):
        unbalance, by_y, increment, hardened = flow(y, mises, old[KAPPA], dt, m)
        if abs(unbalance) <= FLOW_TOLERANCE * mises:
            break
        y = min(y + unbalance / by_y, bound)
    return grow(
        trial[0], trial[1], trial[2], trial[3], trial[4], trial[5],
        old[0], old[1], old[2], old[3], old[4], old[5], old[KAPPA], old[ETA], old[PHI],
        increment, by_y, hardened, 0.0, True, m,
    )  # fmt: skip


@njit(cache=True, error_model="numpy")
def update(change, old, dt, m, new, stress):
    """Advance one point by dt (s) and a change of total strain (6,) (Eqs 1-5).

    old, new: states (9,), new is written; stress: (6,) MPa, written.
    """
    result = _advance(old[:6] + change, old, dt, m)
    new[0], new[1], new[2], new[3], new[4], new[5] = result[:6]
    new[KAPPA], new[ETA], new[PHI] = result[6:9]
    stress[0], stress[1], stress[2], stress[3], stress[4], stress[5] = result[9:15]
    for i in range(3):
        stress[i] += result[15]


@njit(cache=True, error_model="numpy")
def consistent_tangent(change, old, dt, m, tangent):
    """dσ/dε of `update`, softening by damage included; (6, 6) MPa, written, not symmetric.

    The equilibrium solver makes do with the symmetric part at fixed φ (see `grow`); this is the
    whole derivative, which the tests hold against finite differences.
    """
    trial = old[:6] + change
    result = _advance(trial, old, dt, m)
    bulk, shear, radial = result[16:19]
    by_increment, by_triaxiality, by_lode, slope = result[19:23]
    deviator = np.empty(6)
    deviator[0], deviator[1], deviator[2], deviator[3], deviator[4], deviator[5] = result[9:15]
    for i in range(6):
        for j in range(6):
            tangent[i, j] = radial * deviator[i] * deviator[j]
    for i in range(3):
        for j in range(3):
            tangent[i, j] += bulk - 2.0 * shear / 3.0
        tangent[i, i] += 2.0 * shear
        tangent[3 + i, 3 + i] += shear
    if slope == 0.0:
        return

    # Softening: −σ̃ ⊗ dφ/dε, with φ a function of Γ, T and χ.
    mu = 0.5 * m.young_modulus / (1.0 + m.poisson_ratio)
    elastic_bulk = m.young_modulus / (3.0 * (1.0 - 2.0 * m.poisson_ratio))
    s = np.empty(6)
    s[0], s[1], s[2], s[3], s[4], s[5], volumetric = _deviator(
        trial[0], trial[1], trial[2], trial[3], trial[4], trial[5], mu
    )
    j2, j3, lode = _invariants(s[0], s[1], s[2], s[3], s[4], s[5])
    mises = np.sqrt(3.0 * j2)
    solid = 1.0 - result[PHI]
    final = mises * shear / (solid * mu)
    triaxiality = elastic_bulk * volumetric / final
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
    for j in range(6):
        d_trial = 3.0 * mu / mises * s[j]
        d_pressure = elastic_bulk if j < 3 else 0.0
        d_final = (1.0 - 3.0 * mu * slope) * d_trial
        d_triaxiality = (d_pressure - triaxiality * d_final) / final
        d_lode = 4.0 * mu * j3 / j2**3 * square[j] - 6.0 * mu * lode / j2 * s[j]
        d_phi = by_increment * slope * d_trial + by_triaxiality * d_triaxiality + by_lode * d_lode
        for i in range(6):
            mean = result[15] if i < 3 else 0.0
            tangent[i, j] -= (deviator[i] + mean) / solid * d_phi
