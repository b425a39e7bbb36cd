import numpy as np
import pytest
from scipy.optimize import brentq

from porefail.configuration.codes import Status
from porefail.errors import PorefailError
from porefail.fe.constitutive import PHI, STATE, initial_state, update
from porefail.fe.elastic.fields import elastic_fields
from porefail.fe.fields import point_damage
from porefail.fe.hexahedron import ELEMENTS
from porefail.fe.tension import LoadSettings, simulate

SPACING = 0.05
SETTINGS = LoadSettings(
    strain_rate=0.002,
    max_strain=0.25,
    max_strain_step=1e-3,
    min_strain_step=1e-6,
    max_damage_step=0.02,
    newton_tolerance=1e-5,
    newton_iterations=12,
    linear_tolerance=1e-3,
    kinematics="small",
    element="b_bar",
    damage_in_stress="end_of_step",
    max_damage_share=0.0,
)


def porous(seed=0, shape=(8, 8, 16), fraction=0.02):
    return (np.random.default_rng(seed).random(shape) < fraction).astype(np.uint8)


# Elements and materials that campaigns use. Where points saturate the last digits decide how long a
# step is, and so which turned specimen is told from the other: steps of one length there.
FULL = {"element": "full", "damage_in_stress": "start_of_step", "max_damage_step": 0.5}
READINGS = {
    "b_bar": ("staged", SETTINGS),
    "full": ("deviator_norm", SETTINGS._replace(**FULL)),
}


@pytest.fixture(scope="module", params=READINGS)
def pulled(named, request):
    material, settings = READINGS[request.param]
    return simulate(porous(), SPACING, named(material), settings)


def test_pore_free_specimen_is_the_material_point_in_uniaxial_stress(named):
    material = named("staged")
    settings = SETTINGS._replace(max_strain=0.05, max_strain_step=5e-3, newton_tolerance=1e-10)
    result = simulate(np.zeros((4, 4, 8)), SPACING, material, settings)
    assert result.status == Status.NO_FAILURE
    state, stress = initial_state(material), np.empty(6)
    new = np.empty(STATE)
    for before, after, nominal, damage in zip(
        np.append(0.0, result.history["strain"][:-1]),
        result.history["strain"],
        result.history["stress"],
        result.history["max_damage"],
        strict=True,
    ):
        step = after - before

        def lateral(contraction, step=step, state=state):
            change = np.array([contraction, contraction, step, 0, 0, 0])
            update(change, state, step / settings.strain_rate, material, new, stress)
            return stress[0]

        brentq(lateral, -step, 0.0, xtol=1e-16)
        state = new.copy()
        assert nominal == pytest.approx(stress[2], rel=1e-5)
        assert damage == pytest.approx(state[PHI], rel=1e-5)
    np.testing.assert_allclose(result.mises, 1.0, rtol=1e-5)
    np.testing.assert_allclose(result.pressure, 1 / 3, rtol=1e-5)


def test_first_failure_is_one_voxel_beside_a_pore(pulled):
    assert pulled.status == Status.FIRST_FAILURE
    assert pulled.failed.sum() == 1
    voids = np.isnan(pulled.damage)
    np.testing.assert_array_equal(voids, porous() == 1)
    before, after = pulled.history["max_damage"][-2:]
    assert before < 0.5 <= after == pytest.approx(np.nanmax(pulled.damage), rel=1e-6)
    assert pulled.failed[np.unravel_index(np.nanargmax(pulled.damage), voids.shape)] == 1
    assert np.isfinite(pulled.first_failure_strain)
    last = pulled.history["strain"][-2:]
    assert last[0] <= pulled.first_failure_strain <= last[1]
    assert np.all(np.diff(pulled.history["max_damage"]) >= 0)


@pytest.mark.parametrize(
    "turn",
    [lambda a: np.rot90(a, axes=(0, 1)), lambda a: a[::-1], lambda a: a[:, :, ::-1]],
    ids=["turned 90° about z", "mirrored in x", "mirrored in z"],
)
def test_turned_specimen_has_the_turned_damage(pulled, turn, named, request):
    material, settings = READINGS[request.node.callspec.params["pulled"]]
    other = simulate(np.ascontiguousarray(turn(porous())), SPACING, named(material), settings)
    np.testing.assert_allclose(other.damage, turn(pulled.damage), atol=2e-4)
    np.testing.assert_array_equal(other.failed, turn(pulled.failed))
    np.testing.assert_allclose(other.mises, turn(pulled.mises), rtol=1e-4)
    assert other.first_failure_strain == pytest.approx(pulled.first_failure_strain, rel=1e-4)


def test_loose_voxel_changes_nothing_else(named):
    hollow = np.zeros((8, 8, 8), dtype=np.uint8)
    hollow[2:5, 2:5, 2:5] = 1
    filled = hollow.copy()
    filled[3, 3, 3] = 0
    settings = SETTINGS._replace(max_strain=0.01)
    a, b = (simulate(p, SPACING, named("staged"), settings) for p in (hollow, filled))
    assert b.damage[3, 3, 3] == np.float32(named("staged").initial_damage)
    assert b.mises[3, 3, 3] == 0
    b.damage[3, 3, 3] = np.nan
    np.testing.assert_array_equal(a.damage, b.damage)


def test_severed_specimen_has_a_status(named):
    porosity = np.zeros((4, 4, 8), dtype=np.uint8)
    porosity[:, :, 4] = 1
    result = simulate(porosity, SPACING, named("staged"), SETTINGS)
    assert result.status == Status.SEVERED
    assert np.isnan(result.first_failure_strain)
    assert result.history["strain"].size == 0


def test_specimen_that_does_not_converge_has_a_status(named):
    settings = SETTINGS._replace(newton_iterations=1, newton_tolerance=1e-14)
    settings = settings._replace(min_strain_step=5e-4)
    result = simulate(porous(), SPACING, named("staged"), settings)
    assert result.status == Status.NOT_CONVERGED
    assert np.all(np.isfinite(result.damage[porous() == 0]))


def test_elastic_solve_that_does_not_converge_has_a_status(named, monkeypatch):
    monkeypatch.setattr(
        "porefail.fe.multigrid.Multigrid.solve", lambda self, f, tol: (0 * f, False)
    )
    result = simulate(porous(), SPACING, named("staged"), SETTINGS)
    assert result.status == Status.NOT_CONVERGED
    assert result.failed.sum() == 0
    assert np.all(np.isfinite(result.damage[porous() == 0]))


@pytest.mark.parametrize("shape", [(8, 8, 17), (8, 0, 8), (8, 8)])
def test_grid_that_cannot_be_halved_is_refused(named, shape):
    with pytest.raises(PorefailError, match="an even number from 4"):
        simulate(np.zeros(shape), SPACING, named("staged"), SETTINGS)


@pytest.mark.parametrize(
    "change, message",
    [
        (
            {"max_strain_step": 1e-320},
            r"max_strain_step is 9\.99\d+e-321, expected 2\.5e-08 or more",
        ),
        ({"max_strain_step": 2e-8}, r"max_strain_step is 2e-08, .* at most 1e\+07 steps"),
        ({"max_strain_step": float("nan")}, "max_strain_step is nan, expected"),
        (
            {"min_strain_step": 1e-320},
            r"min_strain_step is 9\.99\d+e-321, expected 2\.5e-14 or more",
        ),
        ({"min_strain_step": 0.0}, "min_strain_step is 0, expected"),
        ({"max_strain": float("inf")}, "steps to max_strain, inf"),
    ],
)
def test_steps_without_end_are_refused(named, change, message):
    with pytest.raises(PorefailError, match=message):
        simulate(np.zeros((4, 4, 8)), SPACING, named("staged"), SETTINGS._replace(**change))


@pytest.mark.parametrize("element", ELEMENTS)
def test_damage_is_of_first_order_in_the_step(named, element):
    """Up to φ of 0.2 to 0.3: whenever stress feels damage, half the steps make half the error.

    The two differ, by half as much with half the steps: both have one limit.
    """
    options = {"element": element, "max_damage_step": 0.5, "max_strain": 0.08}
    options |= {"newton_tolerance": 1e-8, "newton_iterations": 60}

    def damage(kind, steps):
        settings = SETTINGS._replace(
            **options, damage_in_stress=kind, max_strain_step=options["max_strain"] / steps
        )
        result = simulate(porous(), SPACING, named("deviator_norm"), settings)
        assert result.status == Status.NO_FAILURE and len(result.history["strain"]) == steps
        return result.damage[porous() == 0]

    found = {
        kind: [damage(kind, steps) for steps in (20, 40, 80)]
        for kind in ("start_of_step", "end_of_step")
    }
    assert min(fields[-1].max() for fields in found.values()) > 0.19
    for kind, fields in found.items():
        first, second = (np.abs(np.diff(fields[i : i + 2], axis=0)).mean() for i in (0, 1))
        print(kind, "differences of the damage:", first, second)
        assert 0.7 < np.log2(first / second) < 1.4
    apart = [np.abs(a - b) for a, b in zip(*found.values(), strict=True)]
    means = [each.mean() for each in apart]
    print("between the two:", means, apart[0].max())
    assert apart[0].max() > 3e-3
    np.testing.assert_allclose(np.log2(means[:-1]) - np.log2(means[1:]), 1.0, atol=0.25)


def test_stress_that_feels_the_damage_of_the_start_needs_no_shorter_steps(named):
    """Each step is the minimum of a convex function: steps that lose all stress converge too."""
    settings = SETTINGS._replace(
        element="full", max_damage_step=0.5, max_strain_step=0.02, max_strain=0.2
    )
    shortest = {}
    for kind in ("start_of_step", "end_of_step"):
        result = simulate(
            porous(), SPACING, named("literal"), settings._replace(damage_in_stress=kind)
        )
        assert result.status == Status.FIRST_FAILURE
        # The last one tells the first voxel from the next.
        shortest[kind] = np.diff(result.history["strain"], prepend=0.0)[:-1].min()
    print(shortest)
    assert shortest["start_of_step"] > 10 * shortest["end_of_step"]


def test_unknown_element_and_what_stress_feels(named):
    with pytest.raises(PorefailError, match="element C3D20: expected one of full, b_bar"):
        simulate(porous(), SPACING, named("literal"), SETTINGS._replace(element="C3D20"))
    with pytest.raises(PorefailError, match="damage_in_stress never: expected one of start_of_st"):
        simulate(porous(), SPACING, named("literal"), SETTINGS._replace(damage_in_stress="never"))


def test_saturated_points_are_those_of_the_voxel_with_the_largest_damage(named):
    settings = SETTINGS._replace(element="full", damage_in_stress="start_of_step")
    expected = []

    def observe(_, specimen) -> None:
        damage = np.where(specimen.bearing, specimen.damage(), 0.0)
        leading = np.unravel_index(damage.argmax(), damage.shape)
        expected.append(np.count_nonzero(point_damage(specimen.state)[leading] >= 0.9))

    result = simulate(porous(), SPACING, named("deviator_norm"), settings, observe=observe)
    assert max(expected) >= 2
    np.testing.assert_array_equal(result.history["saturated_points"], expected)


def test_single_points_that_saturate_shorten_no_step(named):
    """Where growth far from failure is let pass there are fewer steps, and the same voxel fails."""
    settings = SETTINGS._replace(
        element="full", damage_in_stress="start_of_step", max_strain_step=2e-3
    )
    fine = simulate(porous(), SPACING, named("deviator_norm"), settings)
    coarse = simulate(
        porous(), SPACING, named("deviator_norm"), settings._replace(max_damage_share=0.3)
    )
    assert fine.status == coarse.status == Status.FIRST_FAILURE
    np.testing.assert_array_equal(coarse.failed, fine.failed)
    assert len(coarse.history["strain"]) < 0.7 * len(fine.history["strain"])
    assert coarse.first_failure_strain == pytest.approx(fine.first_failure_strain, rel=0.05)
    # Near failure steps are as short as without it.
    grown = np.diff(coarse.history["max_damage"])
    late = coarse.history["max_damage"][1:] > 0.45
    assert grown[late].max() <= 1.5 * settings.max_damage_step


def test_sides_need_not_be_halved_twice(named):
    """Coarse grids stick out of the specimen: elastic fields of the solver that takes any grid."""
    voxels = porous(shape=(6, 10, 14))
    settings = SETTINGS._replace(element="full", max_strain=0.004)
    found = simulate(voxels, SPACING, named("deviator_norm"), settings)
    expected = elastic_fields(voxels, named("deviator_norm").poisson_ratio, "full")
    assert found.status == Status.NO_FAILURE
    solid = voxels == 0
    np.testing.assert_allclose(found.mises[solid], expected.von_mises[solid], atol=2e-5)
    np.testing.assert_allclose(found.pressure[solid], expected.pressure[solid], atol=2e-5)
