"""The material-point driver against Radau solutions of the printed equations in one dimension."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from porefail.errors import PorefailError
from porefail.fe.constitutive import ETA, KAPPA, PHI
from porefail.fe.material_point import Path, follow

RATE = 0.002  # 1/s, the paper's strain rate
UNIAXIAL = np.array([True, True, False, True, True, True])  # all but ezz are stresses


def exact(material, times, triaxiality, strain=None, stress=None):
    """Eqs 1-5 of axisymmetric tension with p/σ_vm fixed, for a given axial strain or stress.

    Then Eqs 1-5 are four equations for (εp, κ, η, φ), and J3²/J2³ = 4/27. strain or stress (MPa):
    function of time. Returns the solution at `times`, up to a damage of 0.5.
    """
    m, t = material, triaxiality
    axial, lateral = t + 2 / 3, t - 1 / 3  # stresses per unit von Mises stress
    stiffness = m.young_modulus / (axial - 2 * m.poisson_ratio * lateral)

    def effective_mises(time, y):
        return stress(time) / axial / (1 - y[3]) if stress else stiffness * (strain(time) - y[0])

    def right_hand_side(time, y):
        _, kappa, eta, phi = y
        x = (effective_mises(time, y) - kappa) / m.yield_strength - 1
        flow = m.flow_coefficient * np.sinh(max(x, 0)) ** m.flow_exponent
        eta_rate = m.triaxiality_nucleation * t * eta * flow
        n = m.damage_exponent
        growth = (1 - (1 - phi) ** (n + 1)) / (1 - phi) ** n
        growth *= np.sinh(2 * (2 * n - 1) / (2 * n + 1) * t)
        phi_rate = np.sqrt(2 / 3) * flow * growth + (1 - phi) ** 2 * eta_rate * m.void_size
        kappa_rate = (m.hardening_modulus - m.dynamic_recovery * kappa) * flow
        return [flow, kappa_rate, eta_rate, phi_rate]

    start = [0.0, m.initial_hardening, m.void_density, m.initial_damage]
    pieces = [np.array([start]).T]
    for begin, end in zip(times[:-1], times[1:], strict=True):  # the path has corners
        with np.errstate(over="ignore", invalid="ignore"):  # trial states of the ODE solver
            solution = solve_ivp(
                right_hand_side, (begin, end), pieces[-1][:, -1], "Radau", rtol=1e-9, atol=1e-12
            )
        assert solution.success
        pieces.append(solution.y[:, -1:])
        if pieces[-1][3, 0] > 0.5:
            break
    times = times[: len(pieces)]
    y = np.concatenate(pieces, axis=1)
    mises = np.array([effective_mises(*point) for point in zip(times, y.T, strict=True)])
    side = lateral - m.poisson_ratio * (axial + lateral)
    return SimpleNamespace(
        plastic=y[0],
        kappa=y[1],
        eta=y[2],
        phi=y[3],
        axial_stress=(1 - y[3]) * axial * mises,
        lateral_stress=(1 - y[3]) * lateral * mises,
        axial_strain=mises / stiffness + y[0],
        lateral_strain=side * mises / m.young_modulus - y[0] / 2,
    )


def relative_errors(response, solution):
    """At the last row: stress, strains, κ, η, φ, equivalent plastic strain."""
    last = [
        (response.stress[-1, 2], solution.axial_stress),
        (response.strain[-1, 2], solution.axial_strain),
        (response.strain[-1, 0], solution.lateral_strain),
        (response.state[-1, KAPPA], solution.kappa),
        (response.state[-1, ETA], solution.eta),
        (response.state[-1, PHI], solution.phi),
        (response.plastic_strain[-1], solution.plastic),
    ]
    return [abs(computed / right[-1] - 1) for computed, right in last if right[-1]]


def path(times, component, values, stressed=UNIAXIAL):
    goal = np.zeros((len(times), 6))
    goal[:, component] = values
    return Path(np.asarray(times, float), goal, stressed)


def orders(material, given, solution, steps):
    errors = [relative_errors(follow(given, material, step), solution) for step in steps]
    errors = np.array(errors)
    errors = errors[:, errors[-1] > 1e-12]  # what is prescribed has no error
    order = np.log2(errors[-2] / errors[-1])
    print("relative errors:", *errors[-1], "orders:", *order)
    assert len(order) == 6
    return errors, order


@pytest.mark.parametrize("name", ["staged", "literal"])
def test_uniaxial_stress_is_first_order(name, named):
    material, times = named(name), np.array([0.0, 10.0, 25.0])
    solution = exact(material, times, 1 / 3, strain=lambda t: RATE * t)
    given = path(times, 2, RATE * times)
    steps = 1e-3 / 2.0 ** np.arange(4)
    errors, order = orders(material, given, solution, steps)
    assert errors[0].max() < 2e-3
    assert np.all(order > 0.9)


def test_creep_is_first_order(named):
    """Load to a constant stress, hold it: strain control nowhere."""
    material, times = named("staged"), np.array([0.0, 1.0, 20.0])
    solution = exact(material, times, 1 / 3, stress=lambda t: 1280.0 * min(t, 1.0))
    assert solution.plastic[-1] > 5 * solution.plastic[1] > 0
    given = path(times, 2, [0, 1280, 1280], np.ones(6, bool))
    errors, order = orders(material, given, solution, 4e-4 / 2.0 ** np.arange(4))
    assert errors[-1].max() < 2e-3
    assert np.all(order > 0.85)


def test_relaxation_at_held_strain(named):
    """No strain changes while the stress falls: the plastic strain alone keeps the steps short."""
    material, times = named("staged"), np.array([0.0, 0.1, 100.0])
    solution = exact(material, times, 1 / 3, strain=lambda t: 0.02 * min(t / 0.1, 1.0))
    assert solution.axial_stress[-1] < 0.9 * solution.axial_stress[1]
    given = path(times, 2, [0, 0.02, 0.02])
    assert max(relative_errors(follow(given, material, 1e-5), solution)) < 3e-3


@pytest.mark.parametrize(
    "initial_damage, triaxiality, third, half",
    [
        (0.08, 1 / 3, 1.06, 1.33),
        (0.08, 1, 0.29, 0.37),
        (0.08, 2, 0.08, 0.10),
        (0.008, 1 / 3, 1.80, 1.96),
        (0.008, 1, 0.58, 0.63),
        (0.008, 2, 0.23, 0.25),
    ],
)
def test_plastic_strain_to_damage(initial_damage, triaxiality, third, half, named):
    """φ = 0.3 and 0.5, against values derived for the project by other means, and against Radau.

    Axial strain and lateral stress are prescribed; the stress, from the Radau solution, keeps
    p/σ_vm fixed.
    """
    material = named("literal")._replace(initial_damage=initial_damage)
    times = np.linspace(0, half + 0.04, 200) / RATE
    solution = exact(material, times, triaxiality, strain=lambda t: RATE * t)
    times = times[: len(solution.phi)]
    given = path(times, 2, RATE * times)
    given.goal[:, :2] = solution.lateral_stress[:, None]
    response = follow(given, material, 2e-4 if triaxiality > 1 else 1e-3)
    np.testing.assert_allclose(response.state[:, PHI], solution.phi, rtol=0.02)
    strains = np.interp([0.3, 0.5], response.state[:, PHI], response.plastic_strain)
    print("plastic strain to damage 0.3, 0.5:", strains)
    np.testing.assert_allclose(strains, [third, half], atol=0.0075)


def test_first_flow(named):
    """At 0.002/s flow without hardening is at κ0 + Y(1 + x), sinh(x)^n = rate/f."""
    material = named("staged")._replace(
        void_density=0.0, initial_damage=0.0, hardening_modulus=0.0, dynamic_recovery=0.0
    )
    response = follow(path([0, 10], 2, [0, 0.02]), material, 1e-4)
    assert response.stress[-1, 2] == pytest.approx(1308.8, abs=0.05)


@pytest.mark.parametrize("initial_damage, stress", [(0.08, 1336), (0.008, 1440)])
def test_stress_at_five_percent_without_damage_growth(initial_damage, stress, named):
    """With m = 1/2 the first term of Eq. 4 vanishes, with ν0η0 = 0 the second."""
    material = named("staged")._replace(
        void_density=0.0, damage_exponent=0.5, initial_damage=initial_damage
    )
    times = np.linspace(0, 30, 31)
    response = follow(path(times, 2, RATE * times), material, 1e-4)
    assert response.state[-1, PHI] == pytest.approx(initial_damage, rel=1e-9)
    computed = np.interp(0.05, response.plastic_strain, response.stress[:, 2])
    assert computed == pytest.approx(stress, abs=0.8)


def test_hardening_saturates(named):
    material = named("staged")._replace(void_density=0.0, initial_damage=0.0)
    response = follow(path([0, 2000], 2, [0, 4]), material, 1e-2)
    assert response.state[-1, KAPPA] == pytest.approx(1250, rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_prescribed_stresses_give_back_the_strains(seed, named):
    """All components at once: a strain path, then some of its stresses in place of strains."""
    material, generator = named("staged"), np.random.default_rng(seed)
    direction = generator.normal(size=6)
    direction[:3] -= 0.95 * direction[:3].mean()
    times = np.linspace(0, 15, 31)
    strain = np.outer(times / 15, 0.02 * direction / np.linalg.norm(direction))
    whole = follow(Path(times, strain, np.zeros(6, bool)), material, 0.1)
    assert whole.plastic_strain[-1] > 0.005
    np.testing.assert_allclose(whole.strain, strain, atol=1e-16)
    for stressed in (generator.random(6) < 0.5, np.ones(6, bool)):
        goal = np.where(stressed, whole.stress, strain)
        mixed = follow(Path(times, goal, stressed), material, 0.1)
        np.testing.assert_allclose(mixed.strain, strain, atol=1e-9)
        np.testing.assert_allclose(mixed.stress, whole.stress, atol=1e-4)
        np.testing.assert_allclose(mixed.state, whole.state, rtol=1e-6, atol=1e-9)


def test_unloading_is_elastic(named):
    material = named("staged")
    given = path([0, 10, 11, 12], 2, [0, 1320, 600, 0], np.ones(6, bool))
    response = follow(given, material, 1e-4)
    assert response.plastic_strain[-2] > 1e-4
    assert response.plastic_strain[-1] == pytest.approx(response.plastic_strain[-2], rel=1e-12)
    modulus = (1 - response.state[-1, PHI]) * material.young_modulus
    strain = response.strain[-2, 2] - response.strain[-1, 2]
    assert strain == pytest.approx(600 / modulus, rel=1e-9)


def test_stress_without_end_is_refused_with_its_time(named):
    given = path([0, 1, 1000], 2, [0, 1350, 1350], np.ones(6, bool))
    material = named("staged")._replace(void_density=3.0)
    with pytest.raises(PorefailError, match=r"^at 2\d\.\d+ s: .* cannot carry szz = 1350 MPa$"):
        follow(given, material, 1e-3)
