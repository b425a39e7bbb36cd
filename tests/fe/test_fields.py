"""Fields for the eye: strains and stresses of known deformations."""

import numpy as np
import pytest
from mpi4py import MPI

from porefail.fe import fields
from porefail.fe.constitutive import PHI, initial_state
from porefail.fe.equilibrium import Specimen
from porefail.fe.hexahedron import ELEMENTS, hexahedron
from porefail.fe.tension import LoadSettings, simulate

SHAPE, SPACING = (4, 3, 2), 0.05  # z, y, x
ELEMENT = hexahedron(SPACING, "b_bar")


def displaced(gradient: np.ndarray, shape=SHAPE) -> np.ndarray:
    """Nodal displacements of a uniform gradient ∂u_c/∂x_d."""
    z, y, x = np.meshgrid(*(np.arange(side + 1) for side in shape), indexing="ij")
    return SPACING * np.stack([x, y, z], axis=-1) @ gradient.T


def states(material, elastic=(0, 0, 0, 0, 0, 0)) -> np.ndarray:
    state = np.empty((*SHAPE, 9, 8))
    state[:] = initial_state(material)[:, None]
    state[..., :6, :] = np.array(elastic)[:, None]
    return state


def test_uniform_gradient_gives_its_strain():
    gradient = np.random.default_rng(0).normal(size=(3, 3))
    symmetric = gradient + gradient.T
    expected = [*np.diag(gradient), symmetric[0, 1], symmetric[1, 2], symmetric[2, 0]]
    strain = fields.total_strain(displaced(gradient), ELEMENT)
    assert strain.shape == (*SHAPE, 6, 8)
    np.testing.assert_allclose(
        strain, np.broadcast_to(np.reshape(expected, (6, 1)), strain.shape), atol=1e-12
    )


def test_strain_is_that_of_the_right_voxel_and_point():
    """One node moves along z: the eight voxels around it are strained, most at the point beside."""
    u = np.zeros((5, 4, 3, 3))
    u[2, 1, 1, 2] = 1e-3
    strain = fields.total_strain(u, ELEMENT)
    moved = np.zeros(SHAPE, bool)
    moved[1:3, 0:2, 0:2] = True
    np.testing.assert_array_equal(np.abs(strain).max(axis=(3, 4)) > 0, moved)
    assert strain[1, 0, 0, 2].argmax() in (3, 7) and strain[1, 0, 0, 2].max() > 0
    assert strain[2, 1, 1, 2].argmin() in (0, 4) and strain[2, 1, 1, 2].min() < 0


def test_rigid_motion_deforms_nothing(named):
    turn = np.array([[0.0, -1e-3, 2e-3], [1e-3, 0.0, 3e-3], [-2e-3, -3e-3, 0.0]])
    moved = displaced(turn) + np.array([0.1, 0.2, 0.3])
    bearing, start = np.ones(SHAPE, bool), fields.undeformed(SHAPE)
    plastic = fields.deformed(start, moved, states(named("staged")), bearing, ELEMENT)
    np.testing.assert_allclose(plastic.strain, 0, atol=1e-14)
    np.testing.assert_allclose(plastic.equivalent, 0, atol=1e-14)


def test_equivalent_plastic_strain_of_pull_and_shear_and_back(named):
    """ε = diag(-½, -½, 1)·e counts e, shear γ counts γ/√3, and unloading counts again."""
    bearing, state = np.ones(SHAPE, bool), states(named("staged"))
    plastic = fields.undeformed(SHAPE)
    pull, shear = np.diag([-0.005, -0.005, 0.01]), np.zeros((3, 3))
    shear[0, 2] = 0.03
    for gradient, counted in ((pull, 0.01), (pull + shear, 0.01 + 0.03 / 3**0.5)):
        plastic = fields.deformed(plastic, displaced(gradient), state, bearing, ELEMENT)
        np.testing.assert_allclose(plastic.equivalent, counted)
    mean = fields.tensor(plastic.strain.mean(axis=-1))
    np.testing.assert_allclose(mean[0, 0, 0], [-0.005, -0.005, 0.01, 0, 0, 0.015], atol=1e-15)
    back = fields.deformed(plastic, displaced(pull), state, bearing, ELEMENT)
    np.testing.assert_allclose(back.equivalent, 0.01 + 0.06 / 3**0.5)


def test_a_voxel_that_bears_no_load_deforms_no_more(named):
    bearing, state = np.ones(SHAPE, bool), states(named("staged"))
    bearing[1, 2, 0] = False
    before = fields.Plastic(np.full((*SHAPE, 6, 8), 0.1), np.full((*SHAPE, 8), 0.2))
    after = fields.deformed(before, displaced(np.diag([0, 0, 0.3])), state, bearing, ELEMENT)
    assert (after.strain[~bearing] == 0.1).all() and (after.equivalent[~bearing] == 0.2).all()
    assert (after.equivalent[bearing] > 0.2).all()


def test_stress_is_hookes_law_of_the_solid_part(named, elasticity):
    material = named("staged")
    elastic = np.array([1e-3, -2e-4, 5e-4, 3e-4, -1e-4, 7e-4])
    state, bearing = states(material, elastic), np.ones(SHAPE, bool)
    bearing[3, 0, 1] = False
    damage = np.full((*SHAPE, 8), 0.2)
    stress = fields.cauchy_stress(state, damage, bearing, material, ELEMENT)
    expected = 0.8 * elasticity(240_000, 0.27) @ elastic
    np.testing.assert_allclose(stress[bearing].mean(axis=-1)[0], expected)
    assert (stress[~bearing] == 0).all() and np.ptp(stress[bearing], axis=(0, 2)).max() < 1e-9
    tensor = np.array([[0, 3, 5], [3, 1, 4], [5, 4, 2]])
    deviator = expected[tensor] - np.eye(3) * expected[:3].mean()
    mises = np.sqrt(1.5 * (deviator**2).sum())
    np.testing.assert_allclose(fields.von_mises(stress)[bearing], mises)


def test_pressure_is_the_mean_of_the_element(named):
    """Under B-bar: whatever the damage of the points, their pressure is one; its mean stays."""
    material = named("staged")
    random = np.random.default_rng(0)
    state = states(material)
    state[..., :6, :] = 1e-3 * random.normal(size=(*SHAPE, 6, 8))
    damage = random.random((*SHAPE, 8))
    stress = fields.cauchy_stress(state, damage, np.ones(SHAPE, bool), material, ELEMENT)
    pressure = stress[..., :3, :].mean(axis=-2)
    assert np.ptp(pressure, axis=-1).max() < 1e-9
    bulk = 240_000 / 3 / (1 - 2 * 0.27)
    mean = ((1 - damage) * bulk * state[..., :3, :].sum(axis=-2)).mean(axis=-1)
    np.testing.assert_allclose(pressure[..., 0], mean)


def test_full_integration_leaves_each_point_its_pressure(named):
    material, random = named("staged"), np.random.default_rng(0)
    state = states(material)
    state[..., :6, :] = 1e-3 * random.normal(size=(*SHAPE, 6, 8))
    damage, bearing = random.random((*SHAPE, 8)), np.ones(SHAPE, bool)
    full = hexahedron(SPACING, "full")
    stress = fields.cauchy_stress(state, damage, bearing, material, full)
    bulk = 240_000 / 3 / (1 - 2 * 0.27)
    expected = (1 - damage) * bulk * state[..., :3, :].sum(axis=-2)
    np.testing.assert_allclose(stress[..., :3, :].mean(axis=-2), expected, atol=1e-9)


def pulled(material, strain: float, porosity, **changes):
    """Fields after each load step of a tension test: plastic, stress, nominal stress."""
    seen, plastic = [], [fields.undeformed(porosity.shape[::-1])]

    def observe(_, specimen: Specimen) -> None:
        moved = (specimen.displacement, specimen.state, specimen.bearing, specimen.element)
        plastic.append(fields.deformed(plastic[-1], *moved))
        felt = specimen.state[..., PHI, :]
        stress = fields.cauchy_stress(
            specimen.state, felt, specimen.bearing, specimen.material, specimen.element
        )
        seen.append((stress, specimen.nominal_stress()))

    settings = LoadSettings(
        0.002, strain, strain / 4, 1e-6, 0.2, 1e-8, 20, 1e-4, "small", "b_bar", "end_of_step", 0
    )
    simulate(porosity, SPACING, material, settings._replace(**changes), MPI.COMM_SELF, observe)
    return plastic[1:], seen


def test_uniform_tension(named):
    """Below the yield strength nothing is plastic; beyond it all is as at the material point."""
    material, solid = named("staged"), np.zeros((4, 4, 8), np.uint8)
    plastic, seen = pulled(material, 0.002, solid)
    assert max(state.equivalent.max() for state in plastic) < 1e-15
    for step, (stress, nominal) in enumerate(seen, 1):
        expected = (1 - material.initial_damage) * 240_000 * 0.0005 * step
        np.testing.assert_allclose(stress[..., 2, :], expected, rtol=1e-6)
        np.testing.assert_allclose(nominal, expected, rtol=1e-6)
        np.testing.assert_allclose(np.delete(stress, 2, axis=-2), 0, atol=1e-4)
    plastic, seen = pulled(material, 0.04, solid)
    stress, nominal = seen[-1]
    damage = 1 - nominal / (240_000 * (0.04 - plastic[-1].strain[0, 0, 0, 2, 0]))
    assert material.initial_damage < damage < 0.2
    np.testing.assert_allclose(plastic[-1].equivalent, plastic[-1].strain[..., 2, :], rtol=1e-6)
    np.testing.assert_allclose(fields.von_mises(stress), nominal, rtol=1e-6)


@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize("name", ["staged", "literal"])
def test_every_cross_section_carries_the_force_of_the_grips(named, name, element):
    """Equilibrium: the mean axial stress of each layer, voids included, is the nominal stress."""
    porosity = np.zeros((4, 4, 8), np.uint8)
    porosity[1, 2, 3] = porosity[3, 0, 5] = 1
    plastic, seen = pulled(named(name), 0.01, porosity, element=element)
    assert plastic[-1].equivalent.max() > 0.01
    for stress, nominal in seen:
        layers = stress[..., 2, :].mean(axis=(1, 2, 3))
        np.testing.assert_allclose(layers, nominal, rtol=1e-6)
