import numpy as np
import pytest
from scipy.integrate import solve_ivp

from porefail.fe.constitutive import (
    ETA,
    KAPPA,
    PHI,
    STATE,
    consistent_tangent,
    initial_state,
    update,
)

RATE = 0.002  # 1/s, the paper's strain rate
STEP = 1e-3  # largest strain step of the default configuration
MATERIALS = ("deviator_norm", "staged", "literal")
CASES = [(name, seed) for name in MATERIALS for seed in range(4)]


def tensor(v):
    return np.array([[v[0], v[3], v[5]], [v[3], v[1], v[4]], [v[5], v[4], v[2]]])


def hooke(material, elastic):
    """Stress of an elastic strain tensor, MPa."""
    young, poisson = material.young_modulus, material.poisson_ratio
    lame = young * poisson / ((1 + poisson) * (1 - 2 * poisson))
    return lame * np.trace(elastic) * np.eye(3) + young / (1 + poisson) * elastic


def rates(name, material, strain_rate):
    """Eqs 1-5 as printed, for an ODE solver: tensors, no effective stress, no algebra of ours.

    But in the growth of voids the material `deviator_norm` has p/|s| and no root of 2/3.
    """

    def right_hand_side(time, y):
        plastic, kappa, eta, phi = tensor(y[:6]), y[6], y[7], y[8]
        elastic = time * strain_rate - plastic
        stress = (1 - phi) * hooke(material, elastic)
        pressure = np.trace(stress) / 3
        s = stress - pressure * np.eye(3)
        norm = np.sqrt(np.sum(s * s))
        mises = np.sqrt(1.5) * norm
        x = (mises / (1 - phi) - kappa) / material.yield_strength - 1
        if x <= 0:
            return np.zeros(9)
        flow = np.sqrt(1.5) * material.flow_coefficient * np.sinh(x) ** material.flow_exponent
        plastic_rate = flow * s / norm
        equivalent = np.sqrt(2 / 3 * np.sum(plastic_rate * plastic_rate))
        kappa_rate = (material.hardening_modulus - material.dynamic_recovery * kappa) * equivalent
        j2, j3 = 0.5 * np.trace(s @ s), np.trace(s @ s @ s) / 3
        eta_rate = (
            eta
            * equivalent
            * (
                material.shear_nucleation * (4 / 27 - j3**2 / j2**3)
                + material.triaxiality_nucleation * pressure / mises
            )
        )
        m = material.damage_exponent
        by_norm = name == "deviator_norm"
        phi_rate = (1 if by_norm else np.sqrt(2 / 3)) * equivalent * (1 - (1 - phi) ** (m + 1)) / (
            1 - phi
        ) ** m * np.sinh(
            2 * (2 * m - 1) / (2 * m + 1) * pressure / (norm if by_norm else mises)
        ) + (1 - phi) ** 2 * eta_rate * material.void_size
        p = plastic_rate
        return np.array(
            [p[0, 0], p[1, 1], p[2, 2], p[0, 1], p[1, 2], p[2, 0], kappa_rate, eta_rate, phi_rate]
        )

    return right_hand_side


def random_rate(seed):
    """A random strain-rate tensor with a tensile volume change, its norm the paper's rate."""
    generator = np.random.default_rng(seed)
    rate = generator.normal(size=(3, 3))
    rate = rate + rate.T
    rate -= np.trace(rate) / 3 * np.eye(3)
    rate = RATE * rate / np.linalg.norm(rate)
    return rate + 0.02 * RATE * generator.uniform(0.1, 1.0) * np.eye(3)


def exact(name, material, strain_rate, time):
    start = np.concatenate([np.zeros(6), initial_state(material)[KAPPA:]])
    with np.errstate(over="ignore", invalid="ignore"):  # trial states of the ODE solver
        solution = solve_ivp(
            rates(name, material, strain_rate), (0, time), start, "Radau", rtol=1e-10, atol=1e-13
        )
    assert solution.success
    y = solution.y[:, -1]
    elastic = time * strain_rate - tensor(y[:6])
    stress = (1 - y[8]) * hooke(material, elastic)
    return stress, y[8]


def integrate(material, strain_rate, time, steps):
    v = strain_rate
    rate = np.array([v[0, 0], v[1, 1], v[2, 2], 2 * v[0, 1], 2 * v[1, 2], 2 * v[2, 0]])
    state, stress = initial_state(material), np.empty(6)
    dt = time / steps
    for _ in range(steps):
        new = np.empty(STATE)
        update(rate * dt, state, dt, material, new, stress)
        state = new
    return tensor(stress), state[PHI]


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_first_order_and_a_thousandth_at_the_step_in_use(name, seed, named):
    material, rate, strain = named(name), random_rate(seed), 0.05
    time = strain / RATE
    stress, phi = exact(name, material, rate, time)
    errors = []
    for refinement in (1, 2, 4, 8):
        computed, damage = integrate(material, rate, time, refinement * round(strain / STEP))
        errors.append(
            (np.linalg.norm(computed - stress) / np.linalg.norm(stress), abs(damage - phi) / phi)
        )
    order = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    print("relative error of stress, φ:", *errors[0], "order:", *order[-1])
    assert max(errors[0]) < 1e-3
    assert np.all(order[-1] > 0.9)


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_tangent_error_falls_then_rises(name, seed, named):
    """A finite difference of a right tangent has a V: truncation error first, then rounding."""
    material, generator = named(name), np.random.default_rng(seed)
    old, dt = initial_state(material), 1.0
    direction = np.array([-0.4, -0.3, 1.0, 0.3, 0.2, -0.1])
    for _ in range(20):
        new, stress = np.empty(STATE), np.empty(6)
        update(0.002 * direction, old, dt, material, new, stress)
        old = new
    strain = 0.002 * direction + 1e-4 * generator.normal(size=6)
    tangent = np.empty((6, 6))
    consistent_tangent(strain, old, dt, material, tangent)
    change = generator.normal(size=6)
    change /= np.linalg.norm(change)

    def stress_at(strain):
        new, stress = np.empty(STATE), np.empty(6)
        update(strain, old, dt, material, new, stress)
        assert new[PHI] > old[PHI]
        return stress

    sizes = 10.0 ** -np.arange(3, 13)
    errors = []
    for h in sizes:
        difference = (stress_at(strain + h * change) - stress_at(strain - h * change)) / (2 * h)
        errors.append(np.linalg.norm(difference - tangent @ change))
    errors = np.array(errors) / np.linalg.norm(tangent @ change)
    best = errors.argmin()
    print("relative error of the tangent, difference steps 1e-3 to 1e-12:", *errors)
    assert errors.min() < 1e-7
    assert 0 < best < len(sizes) - 1
    assert errors[0] > 100 * errors[best]
    assert errors[-1] > 100 * errors[best]


def test_first_flow_and_steady_uniaxial_stress(named):
    """Closed forms: flow begins at κ0 + Y; at 0.002/s steady flow has sinh(x)^n = rate/f."""
    material = named("staged")._replace(
        void_density=0.0, initial_damage=0.0, hardening_modulus=0.0, dynamic_recovery=0.0
    )
    rate = RATE * np.diag([-0.5, -0.5, 1.0])
    stress, _ = integrate(material, rate, 0.05 / RATE, 200)
    x = np.arcsinh((RATE / material.flow_coefficient) ** 0.1)
    assert x == pytest.approx(0.4147, abs=1e-4)
    flow = material.initial_hardening + material.yield_strength * (1 + x)
    assert stress[2, 2] - stress[0, 0] == pytest.approx(flow, rel=1e-6)
    assert flow == pytest.approx(1308.8, abs=0.05)


@pytest.mark.parametrize("name", MATERIALS)
def test_any_loading_keeps_damage_in_range(name, named):
    """Random paths, compression and huge steps included: η ≥ 0, 0 ≤ φ < 1, all finite."""
    material, generator = named(name), np.random.default_rng(5)
    for _ in range(200):
        state = initial_state(material)
        for _ in range(50):
            strain = generator.normal(size=6) * 10.0 ** generator.uniform(-5, -0.5)
            new, stress = np.empty(STATE), np.empty(6)
            update(strain, state, 10.0 ** generator.uniform(-6, 3), material, new, stress)
            assert np.all(np.isfinite(new))
            assert np.all(np.isfinite(stress))
            assert new[ETA] >= 0
            assert 0 <= new[PHI] < 1
            state = new


def test_compression_closes_voids(named):
    material = named("staged")
    state = initial_state(material)
    history = []
    for _ in range(400):
        new, stress = np.empty(STATE), np.empty(6)
        update(-0.002 * np.array([-0.3, -0.3, 1, 0, 0, 0]), state, 1.0, material, new, stress)
        state = new
        history.append(state[PHI])
    assert np.all(np.diff(history) <= 0)
    assert history[-1] >= 0


def test_isotropy(named):
    """A rotated strain gives the rotated stress and the same damage."""
    material = named("staged")
    q, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))
    rate = random_rate(3)
    stress, phi = integrate(material, rate, 20.0, 40)
    turned, phi_turned = integrate(material, q @ rate @ q.T, 20.0, 40)
    np.testing.assert_allclose(turned, q @ stress @ q.T, rtol=1e-9, atol=1e-8)
    assert phi_turned == pytest.approx(phi, rel=1e-12)
