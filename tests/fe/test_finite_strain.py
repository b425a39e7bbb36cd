"""Finite strain on one element with prescribed nodes: closed forms, SciPy, the material point."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.spatial.transform import Rotation

from porefail.fe.constitutive import KAPPA, PHI, STATE, initial_state
from porefail.fe.evaluation import evaluate
from porefail.fe.finite_strain import evaluate_finite
from porefail.fe.hexahedron import CORNERS, ELEMENTS, hexahedron
from porefail.fe.material_point import Path, follow
from porefail.fe.tangent import bulk_shape, points_shape

SPACING = 0.05
CUBE = (1, 1, 1)
NODES = SPACING * CORNERS.reshape(2, 2, 2, 3)  # (z, y, x, component)
SKEWED = np.array([[0.0, 0.3, -0.1], [0.2, 0.1, 0.0], [-0.3, 0.2, 0.15]])


class Element:
    """One element, its displacement and states; `force` is that of the last step."""

    def __init__(self, material, element="b_bar"):
        self.material, self.element = material, hexahedron(SPACING, element)
        self.displacement = np.zeros_like(NODES)
        self.force = np.zeros_like(NODES)
        self.state = np.empty((*CUBE, STATE, 8))
        self.state[:] = initial_state(material)[:, None]
        self.guess = np.full((*CUBE, 8), np.inf)

    def trial(self, du, dt, finite=True):
        """States and nodal forces after a change of the displacement."""
        inputs = (self.displacement, du) if finite else (du,)
        new, force = self.state.copy(), np.empty_like(NODES)
        tangent = np.zeros(points_shape(CUBE), np.float32)
        bulk = np.zeros(bulk_shape(CUBE, self.element), np.float32)
        (evaluate_finite if finite else evaluate)(
            *inputs, np.ones(CUBE, bool), self.state, self.guess.copy(), dt, 0.0,
            self.material, self.element, new, force, tangent, bulk,
        )  # fmt: skip
        return new, force

    def move(self, du, dt=1.0, finite=True):
        self.state, self.force = self.trial(du, dt, finite)
        self.displacement += du

    def deform(self, gradient, dt=1.0):
        """One step to a deformation gradient, the same everywhere."""
        self.move(NODES @ (gradient - np.eye(3)).T - self.displacement, dt)

    def point_stress(self):
        """Cauchy stress of the points (8, 3, 3) from their states."""
        m, state = self.material, self.state[0, 0, 0].T
        xx, yy, zz, xy, yz, zx = (state[:, :6] / [1, 1, 1, 2, 2, 2]).T
        strain = np.array([[xx, xy, zx], [xy, yy, yz], [zx, yz, zz]]).transpose(2, 0, 1)
        shear = m.young_modulus / (2 * (1 + m.poisson_ratio))
        lame = 2 * shear * m.poisson_ratio / (1 - 2 * m.poisson_ratio)
        trace = np.trace(strain, axis1=1, axis2=2)[:, None, None]
        return (1 - state[:, PHI])[:, None, None] * (2 * shear * strain + lame * trace * np.eye(3))

    def stress(self):
        """Cauchy stress (3, 3) of an element that is deformed uniformly."""
        points = self.point_stress()
        uniform = points[:1].repeat(8, 0)
        np.testing.assert_allclose(points, uniform, atol=1e-9 * abs(points).max() + 1e-8)
        return points[0]


@pytest.fixture(scope="module")
def elastic(named):
    """A material that never flows, and without voids."""
    return named("staged")._replace(yield_strength=1e9, initial_damage=0.0)


@pytest.fixture(scope="module")
def shear_modulus(elastic):
    return elastic.young_modulus / (2 * (1 + elastic.poisson_ratio))


def rotation(angle, axis=(1.0, -2.0, 0.5)):
    return Rotation.from_rotvec(angle * np.array(axis) / np.linalg.norm(axis)).as_matrix()


def orders(errors):
    return np.log2(np.array(errors[:-1]) / errors[1:])


@pytest.mark.parametrize("steps", [3, 7])
def test_a_rotation_gives_no_stress_and_no_damage(named, steps):
    """Five radians in a few steps."""
    material = named("staged")
    body = Element(material)
    for n in range(steps):
        body.deform(rotation(5.0 * (n + 1) / steps))
    assert np.abs(body.stress()).max() < 1e-6
    assert np.abs(body.force).max() < 1e-6 * SPACING**2
    np.testing.assert_array_equal(body.state[..., PHI, :], material.initial_damage)
    np.testing.assert_array_equal(body.state[..., KAPPA, :], material.initial_hardening)
    # Which small strain would not give:
    body = Element(material)
    body.move(NODES @ (rotation(0.5) - np.eye(3)).T, finite=False)
    assert np.abs(body.stress()).max() > 100


def stretched(share):
    """Deformation gradient on the way to a large, skewed deformation."""
    return np.eye(3) + share * SKEWED


def test_rotating_a_plastically_deformed_element_rotates_its_stress(named):
    body = Element(named("staged"))
    for n in range(30):
        body.deform(stretched((n + 1) / 30))
    before, force, state = body.stress(), body.force, body.state
    assert state[..., PHI, :].min() > 1.05 * named("staged").initial_damage
    for angle in (1.0, 2.0, 4.0):
        body.deform(rotation(angle) @ stretched(1.0), dt=1e-9)
    r = rotation(4.0)
    np.testing.assert_allclose(body.stress(), r @ before @ r.T, atol=1e-8 * np.abs(before).max())
    np.testing.assert_allclose(body.force, force @ r.T, atol=1e-8 * np.abs(force).max())
    np.testing.assert_allclose(body.state[..., PHI, :], state[..., PHI, :], rtol=1e-9)


def test_objectivity_while_it_deforms(named):
    """The same deformation with and without a rotation on top; they differ with order 2."""
    errors = []
    for steps in (40, 80, 160):
        still, turned = Element(named("staged")), Element(named("staged"))
        for n in range(steps):
            share = (n + 1) / steps
            still.deform(stretched(share), 100 / steps)
            turned.deform(rotation(2.0 * share) @ stretched(share), 100 / steps)
        r, stress = rotation(2.0), still.stress()
        errors.append(np.abs(r.T @ turned.stress() @ r - stress).max() / np.abs(stress).max())
    print("relative difference of stresses:", *errors, "orders:", *orders(errors))
    np.testing.assert_allclose(orders(errors), 2, atol=0.1)
    assert errors[-1] < 1e-3


def test_simple_shear_is_that_of_the_jaumann_rate(elastic, shear_modulus):
    """Elastic: σxy = μ·sin γ, σxx = −σyy = μ·(1 − cos γ); second order in the step."""
    amount, errors = 4.0, []
    for steps in (20, 40, 80):
        body = Element(elastic)
        for n in range(steps):
            gamma = amount * (n + 1) / steps
            body.deform(np.eye(3) + gamma * np.outer([1, 0, 0], [0, 1, 0]))
        expected = np.zeros((3, 3))
        expected[0, 0] = 1 - np.cos(amount)
        expected[1, 1] = -expected[0, 0]
        expected[0, 1] = expected[1, 0] = np.sin(amount)
        errors.append(np.abs(body.stress() / shear_modulus - expected).max())
    print("error of the stress over the shear modulus:", *errors, "orders:", *orders(errors))
    np.testing.assert_allclose(orders(errors), 2, atol=0.05)
    assert errors[-1] < 1e-3


def jaumann_shear(material, amount, rate):
    """σ (3, 3) and κ in simple shear of a solid without voids: Eqs 1-3 with SciPy's Radau."""
    m = material
    mu = m.young_modulus / (2 * (1 + m.poisson_ratio))
    gradient = np.array([[0, rate, 0], [0, 0, 0], [0, 0, 0]])
    d, w = (gradient + gradient.T) / 2, (gradient - gradient.T) / 2

    def rates(_, y):
        s, kappa = y[:9].reshape(3, 3), y[9]
        mises = np.sqrt(1.5 * np.sum(s * s))
        x = np.clip((mises - kappa) / m.yield_strength - 1, 0.0, 10.0)  # Radau tries wild states
        flow = m.flow_coefficient * np.sinh(x) ** m.flow_exponent
        plastic = 1.5 * flow * s / max(mises, 1e-12)
        hardening = (m.hardening_modulus - m.dynamic_recovery * kappa) * flow
        return np.append((2 * mu * (d - plastic) + w @ s - s @ w).ravel(), hardening)

    start = np.append(np.zeros(9), m.initial_hardening)
    solution = solve_ivp(rates, (0, amount / rate), start, method="Radau", rtol=1e-9, atol=1e-7)
    assert solution.success
    return solution.y[:9, -1].reshape(3, 3), solution.y[9, -1]


def test_plastic_simple_shear_against_scipy(named):
    """No voids, so no damage; backward Euler is of first order in the step."""
    solid = named("staged")._replace(initial_damage=0.0, void_size=0.0)
    amount, rate, errors = 1.0, 0.01, []
    stress, kappa = jaumann_shear(solid, amount, rate)
    assert abs(stress[0, 0]) > 0.01 * abs(stress[0, 1])  # the rotation of the axes counts
    for steps in (100, 200, 400):
        body = Element(solid)
        for n in range(steps):
            gamma = amount * (n + 1) / steps
            body.deform(np.eye(3) + gamma * np.outer([1, 0, 0], [0, 1, 0]), amount / rate / steps)
        errors.append(np.abs(body.stress() - stress).max() / np.abs(stress).max())
    print("relative errors:", *errors, "orders:", *orders(errors), "normal stress:", stress[0, 0])
    np.testing.assert_allclose(body.state[..., KAPPA, :], kappa, rtol=1e-3)
    np.testing.assert_allclose(orders(errors), 1, atol=0.1)
    assert errors[-1] < 2e-3


def stretch_freely(material, steps, stretch, seconds):
    """Uniaxial stress: the sides contract so that they carry nothing. Element, lateral stretch."""
    body, lateral = Element(material), 1.0
    for n in range(steps):
        axial = 1 + (stretch - 1) * (n + 1) / steps

        def side_force(side, body=body, axial=axial):
            shape = np.diag([side, side, axial])
            _, force = body.trial(
                NODES @ (shape - np.eye(3)).T - body.displacement, seconds / steps
            )
            return force[..., 1, 0].sum()

        before, lateral = lateral, secant(side_force, lateral, lateral * (1 - 0.5 / steps))
        assert lateral < before
        body.deform(np.diag([lateral, lateral, axial]), seconds / steps)
    return body, lateral


def secant(function, x, y):
    """A root of a function that is smooth there."""
    fx, fy = function(x), function(y)
    for _ in range(100):
        if abs(y - x) < 1e-15 or fx == fy:
            return y
        x, fx, y = y, fy, y - fy * (y - x) / (fy - fx)
        fy = function(y)
    raise AssertionError("no root")


def test_large_stretch_is_the_material_point_in_logarithmic_strain(named):
    """To a true strain of 0.4; force = Cauchy stress × current area."""
    material = named("staged")._replace(void_density=0.01)  # so that stress is left
    stretch, seconds, errors = np.exp(0.4), 200.0, []
    for steps in (25, 50, 100):
        body, lateral = stretch_freely(material, steps, stretch, seconds)
        axial = 1 + (stretch - 1) * np.arange(steps + 1) / steps
        goal = np.zeros((steps + 1, 6))
        goal[:, 2] = np.log(axial)
        stressed = np.array([True, True, False, True, True, True])
        time = seconds * np.arange(steps + 1) / steps
        point = follow(Path(time, goal, stressed), material, max_strain_step=1.0)
        stress = body.stress()
        np.testing.assert_allclose(np.delete(stress.ravel(), 8), 0, atol=1e-6)
        force = body.force[1, ..., 2].sum()
        assert force == pytest.approx(stress[2, 2] * (SPACING * lateral) ** 2, rel=1e-10)
        assert np.log(lateral) == pytest.approx(point.strain[-1, 0], rel=1e-3)
        errors.append(abs(stress[2, 2] / point.stress[-1, 2] - 1))
        damage = body.state[..., PHI, :].mean() / point.state[-1, PHI] - 1
    print("relative errors of the stress:", *errors, "of the damage:", damage)
    print("orders:", *orders(errors), "damage, stress:", point.state[-1, PHI], stress[2, 2])
    assert point.state[-1, PHI] > 2 * material.initial_damage
    assert errors[-1] < 1e-5
    assert abs(damage) < 1e-4


def test_small_strain_is_the_limit(named):
    """Relative difference of the forces after an element is warped: of the order of the strain."""
    shape = np.random.default_rng(2).normal(size=NODES.shape)
    sizes, differences = np.array([1e-2, 1e-3, 1e-4]), []
    for size in sizes:
        bodies = []
        for finite in (True, False):
            body = Element(named("staged"))
            for _ in range(4):
                body.move(0.25 * size * SPACING * shape, finite=finite)
            bodies.append(body.force)
        differences.append(np.abs(bodies[0] - bodies[1]).max() / np.abs(bodies[1]).max())
    print("strains:", *sizes, "relative differences:", *differences)
    assert np.all(np.array(differences) < 10 * sizes)


@pytest.mark.parametrize("element", ELEMENTS)
def test_forces_do_the_work_of_the_stresses(element, elastic):
    """Power of the nodal forces = Σ volume · σ : ε̇ of the points, for any velocity."""
    generator = np.random.default_rng(4)
    body = Element(elastic, element)
    warp = 0.1 * SPACING * generator.normal(size=NODES.shape)
    for _ in range(10):
        body.move((NODES @ SKEWED.T + warp) / 10)
    u = body.displacement.reshape(8, 3)
    gradients = np.einsum("ac,dag->gcd", u, body.element.gradients)
    volumes = body.element.weight * np.linalg.det(np.eye(3) + gradients)
    assert volumes.max() > 1.1 * volumes.min()
    stress = body.point_stress()
    for _ in range(5):
        velocity = SPACING * generator.normal(size=NODES.shape)
        small = 1e-5
        ahead, back = (body.trial(sign * small * velocity, 1.0)[0] for sign in (1, -1))
        rate = ((ahead - back)[0, 0, 0, :6] / (2 * small)).T
        vector = stress[:, [0, 1, 2, 0, 1, 2], [0, 1, 2, 1, 2, 0]]
        power = np.sum(volumes[:, None] * vector * rate)
        assert np.sum(body.force * velocity) == pytest.approx(power, rel=1e-7)


def test_an_element_inside_out_has_no_force(named):
    body = Element(named("staged"))
    state, force = body.trial(NODES @ np.diag([0, 0, -1.2]), 1.0)
    assert np.isnan(force).all()
    np.testing.assert_array_equal(state, body.state)
