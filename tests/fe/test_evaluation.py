"""The vector loops over all points of a grid against one point and one element at a time."""

import numpy as np
import pytest

from porefail.fe.constitutive import KAPPA, PHI, STATE, initial_state, update
from porefail.fe.evaluation import elastic_stress, element_damage

GRADIENT = np.array([[-0.4, 0.2, 0.1], [0.0, -0.3, 0.3], [-0.3, 0.2, 1.0]])


def porous(shape, fraction=0.2, seed=0):
    return np.random.default_rng(seed).random(shape) >= fraction


def random_history(grid, steps, seed=0):
    """Changes (mm) and times of load steps: stretch, reversals and noise, slow and fast."""
    generator = np.random.default_rng(seed)
    for _ in range(steps):
        stretch = grid.linear(generator.normal() * 10.0 ** generator.uniform(-4, -2) * GRADIENT)
        noise = generator.normal(size=grid.counts) * 10.0 ** generator.uniform(-6, -4)
        yield stretch + noise, 10.0 ** generator.uniform(-3, 2)


def corners(field, k, j, i):
    """Values (24,) at the nodes of an element, x fastest."""
    return field[k : k + 2, j : j + 2, i : i + 2].reshape(24)


def one_by_one(grid, change, dt):
    """Forces and states from `update` and the B-bar matrices of the element, point by point."""
    force, states = np.zeros(grid.counts), grid.state.copy()
    for k, j, i in np.argwhere(grid.bearing):
        ue, fe = corners(change, k, j, i), np.zeros(24)
        for g, strain in enumerate(grid.element.strain):
            new, stress = np.empty(STATE), np.empty(6)
            old = grid.state[k, j, i, :, g].copy()
            update(strain @ ue, old, dt, grid.material, new, stress)
            fe += grid.element.weight * strain.T @ stress
            states[k, j, i, :, g] = new
        force[k : k + 2, j : j + 2, i : i + 2] += fe.reshape(2, 2, 2, 3)
    return force, states


@pytest.mark.parametrize("name", ["staged", "literal"])
@pytest.mark.parametrize("shape", [(1, 2, 11), (2, 1, 8), (1, 1, 1)])
def test_points_are_updated_as_one_by_one(name, shape, named, grid):
    """Random histories: states (layers, ny, nx, 9, 8 points) and forces of B-bar elements."""
    mesh = grid(porous(shape), named(name))
    flowing, all_points = 0, 0
    for change, dt in random_history(mesh, 12):
        force = mesh.forces(change, dt)
        expected, states = one_by_one(mesh, change, dt)
        scale = np.abs(states).max(axis=(0, 1, 2, 4), keepdims=True)
        np.testing.assert_allclose(mesh.next / scale, states / scale, rtol=0, atol=1e-10)
        np.testing.assert_allclose(force, expected, atol=1e-9 * np.abs(expected).max())
        flows = mesh.next[:, :, :, KAPPA] != mesh.state[:, :, :, KAPPA]
        flowing, all_points = flowing + np.count_nonzero(flows), all_points + flows.size
        mesh.accept()
    print("points that flowed:", flowing, "of", all_points)
    assert 0.1 * all_points < flowing < 0.9 * all_points


def test_patch_test(named, grid):
    """Linear displacements, elastic or plastic: one stress everywhere, balanced inside."""
    material = named("staged")
    mesh = grid(np.ones((3, 5, 11), dtype=bool), material)
    gradient = 0.01 * GRADIENT
    force = mesh.forces(mesh.linear(gradient), 2.0)
    assert np.abs(force[1:-1, 1:-1, 1:-1]).max() < 1e-12 * np.abs(force).max()
    new, stress = np.empty(STATE), np.empty(6)
    twice = gradient + gradient.T
    strain = np.array([*np.diag(gradient), twice[0, 1], twice[1, 2], twice[2, 0]])
    update(strain, initial_state(material), 2.0, material, new, stress)
    assert new[KAPPA] > material.initial_hardening
    state = np.broadcast_to(new[:, None], mesh.next.shape)
    np.testing.assert_allclose(mesh.next, state, rtol=1e-10, atol=1e-15)
    top, width = force[-1].sum(axis=(0, 1)), 0.05
    np.testing.assert_allclose(top / (5 * 11 * width**2), stress[[5, 4, 2]], rtol=1e-9)


def test_rigid_motion_gives_no_force(named, grid):
    mesh = grid(porous((2, 3, 9)), named("staged"))
    spin = 1e-3 * np.array([[0, -0.3, 0.2], [0.3, 0, -0.1], [-0.2, 0.1, 0]])
    force = mesh.forces(mesh.linear(spin) + [0.1, 0.2, -0.3], 1.0)
    assert np.abs(force).max() < 1e-9
    np.testing.assert_allclose(mesh.next[mesh.bearing], mesh.state[mesh.bearing], atol=1e-14)


def test_an_element_does_not_know_its_row(named, grid):
    """Forces and states of elements alone are those in a row: of any batch, beside any void."""
    material, shape = named("staged"), (1, 1, 19)
    whole = grid(np.ones(shape, dtype=bool), material)
    holed = grid(porous(shape, 0.4, seed=3), material)
    alone = [grid(np.eye(1, 19, i, dtype=bool)[None], material) for i in range(19)]
    for change, dt in random_history(whole, 6, seed=1):
        all_forces = [mesh.forces(change, dt) for mesh in alone]
        scale = np.abs(all_forces).max()
        for mesh in (whole, holed):
            expected = sum(all_forces[i] for i in np.flatnonzero(mesh.bearing))
            np.testing.assert_allclose(mesh.forces(change, dt), expected, atol=1e-10 * scale)
            for i in np.flatnonzero(mesh.bearing):
                given = mesh.next[0, 0, i], mesh.points[0, 0, i // 8, :, :, i % 8]
                own = alone[i].next[0, 0, i], alone[i].points[0, 0, i // 8, :, :, i % 8]
                for a, b in zip(given, own, strict=True):
                    np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)
                one, other = (each.bulk[0, 0, i // 8, :, i % 8] for each in (mesh, alone[i]))
                np.testing.assert_array_equal(one, other)
        for mesh in (whole, holed, *alone):
            mesh.accept()


@pytest.mark.parametrize("start", ["exact", np.inf, 300.0, -300.0, -1e4, np.nan])
def test_start_of_the_flow_equation_does_not_matter(start, named, grid):
    """Log of the plastic strain rate: right, too high, far too low, or left by a failed step."""
    mesh = grid(porous((2, 2, 9)), named("staged"))
    for change, dt in random_history(mesh, 8, seed=2):
        expected = mesh.forces(change, dt)
        states, rates = mesh.next.copy(), mesh.guess.copy()
        if start != "exact":
            mesh.guess[:] = start
        force = mesh.forces(change, dt)
        np.testing.assert_allclose(force, expected, atol=1e-10 * np.abs(expected).max())
        scale = np.abs(states).max(axis=(0, 1, 2, 4), keepdims=True)
        np.testing.assert_allclose(mesh.next / scale, states / scale, rtol=0, atol=1e-11)
        bearing = mesh.bearing
        np.testing.assert_allclose(mesh.guess[bearing], rates[bearing], rtol=1e-9, atol=1e-9)
        mesh.accept()


def test_solution_of_the_flow_equation_is_the_plastic_rate(named, grid):
    """Steady flow under a constant strain rate: e^guess is its equivalent."""
    material = named("staged")._replace(hardening_modulus=0.0, dynamic_recovery=0.0)
    mesh = grid(np.ones((1, 1, 8), dtype=bool), material)
    rate = 0.002
    for _ in range(40):
        mesh.forces(mesh.linear(rate * np.diag([-0.5, -0.5, 1.0])), 1.0)
        mesh.accept()
    np.testing.assert_allclose(np.exp(mesh.guess), rate, rtol=1e-4)


def test_voids_keep_their_states(named, grid):
    mesh = grid(porous((2, 3, 9)), named("staged"))
    mesh.next[:] = np.nan
    mesh.forces(mesh.linear(0.01 * GRADIENT), 1.0)
    assert np.all(np.isnan(mesh.next[~mesh.bearing]))
    assert np.all(np.isfinite(mesh.next[mesh.bearing]))


def test_damage_of_an_element_is_the_mean_of_its_points(named, grid):
    mesh = grid(porous((2, 3, 9)), named("staged"))
    mesh.state[:, :, :, PHI] = np.random.default_rng(0).random((2, 3, 9, 8))
    damage = np.full(mesh.bearing.shape, -1.0)
    element_damage(mesh.state, mesh.bearing, damage)
    mean = mesh.state[:, :, :, PHI].mean(axis=-1)
    np.testing.assert_allclose(damage, np.where(mesh.bearing, mean, -1.0), rtol=1e-14)


def test_elastic_stress_is_the_mean_of_the_points(named, grid, elasticity):
    mesh = grid(porous((2, 3, 9)), named("literal"))
    moduli = elasticity(mesh.material.young_modulus, mesh.material.poisson_ratio)
    u = 1e-6 * np.random.default_rng(0).normal(size=mesh.counts)
    mises, pressure = np.zeros((2, *mesh.bearing.shape))
    elastic_stress(u, mesh.bearing, mesh.material, mesh.element, mises, pressure)
    assert np.all(mises[~mesh.bearing] == 0) and np.all(pressure[~mesh.bearing] == 0)
    for place in np.argwhere(mesh.bearing):
        stress = (1 - mesh.material.initial_damage) * (
            mesh.element.strain @ corners(u, *place) @ moduli
        )
        mean = stress[:, :3].mean(axis=1, keepdims=True)
        s = np.hstack([stress[:, :3] - mean, stress[:, 3:]])
        expected = np.sqrt(1.5 * (s[:, :3] ** 2).sum(axis=1) + 3 * (s[:, 3:] ** 2).sum(axis=1))
        assert mises[tuple(place)] == pytest.approx(expected.mean(), rel=1e-12)
        assert pressure[tuple(place)] == pytest.approx(mean.mean(), rel=1e-12)
