"""From first to structural failure: failed voxels carry no load, one after the other."""

import numpy as np
import pytest

from porefail.configuration.codes import Collapse, Status
from porefail.fe.tension import LoadSettings, simulate

SPACING = 0.05
SETTINGS = LoadSettings(
    strain_rate=0.002,
    max_strain=0.25,
    max_strain_step=2e-3,
    min_strain_step=1e-6,
    max_damage_step=0.05,
    newton_tolerance=1e-4,
    newton_iterations=12,
    linear_tolerance=1e-2,
    kinematics="small",
    element="b_bar",
    damage_in_stress="end_of_step",
    max_damage_share=0.0,
    until="structural_failure",
    final_stress_fraction=0.3,
    snapshot_strains=[0.005, 0.01, 0.2],
)


def notched():
    """A slender specimen with a notch on one side, where it must break."""
    porosity = np.zeros((4, 4, 16), np.uint8)
    porosity[0, :, 8] = 1
    return porosity


# Material and settings: those of the first campaigns, and those of config/default.yaml.
FULL = {"element": "full", "damage_in_stress": "start_of_step"}
READINGS = {"b_bar": ("staged", SETTINGS), "full": ("deviator_norm", SETTINGS._replace(**FULL))}


@pytest.fixture(params=READINGS, scope="module")
def reading(request, named):
    material, settings = READINGS[request.param]
    return named(material), settings


@pytest.fixture(scope="module")
def broken(reading):
    seen = []

    def observe(strain, specimen):
        owner = specimen.bearing.copy()
        seen.append(
            (strain, specimen.nominal_stress(), owner, specimen.displacement[-1, ..., 2].copy())
        )

    material, settings = reading
    return simulate(notched(), SPACING, material, settings, observe=observe), seen


def test_specimen_breaks_across_the_notch(broken):
    result, _ = broken
    assert (result.status, result.structural_status) == (Status.FIRST_FAILURE, Collapse.REACHED)
    assert result.structural_failure_strain > result.first_failure_strain
    assert result.failed.sum() <= result.final_failed.sum()
    assert np.all(result.final_failed[result.failed == 1] == 1)
    z = np.argwhere(result.final_failed)[:, 2]
    assert abs(z.mean() - 8) <= 1
    # A surface of fracture: most of the 12 voxels beside the notch.
    assert result.final_failed.sum() >= 8


def test_stress_falls_to_the_asked_fraction(broken):
    history = broken[0].history
    peak = history["stress"].max()
    assert history["stress"][-1] <= SETTINGS.final_stress_fraction * peak < history["stress"][-2]
    assert np.all(np.diff(history["strain"]) > 0)
    assert np.all(np.diff(history["failed_fraction"]) >= 0)


def test_failed_voxels_leave_the_mesh_and_the_grip_follows_the_strain(broken):
    result, seen = broken
    counts = [bearing.sum() for _, _, bearing, _ in seen]
    assert counts[0] == np.count_nonzero(notched() == 0)
    assert counts[-1] < counts[0]
    for strain, _, _, top in seen:
        np.testing.assert_allclose(top, strain * 16 * SPACING, rtol=1e-10)


def test_snapshots_lie_between_the_steps(broken):
    result, _ = broken
    early, late, never = result.snapshots
    solid = notched() == 0
    assert np.isnan(early[~solid]).all() and np.isnan(never).all()
    assert np.all(early[solid] <= late[solid])
    strain, largest = result.history["strain"], result.history["max_damage"]
    after = np.searchsorted(strain, 0.01)
    rounding = 1 + 1e-6  # snapshots are in single precision
    assert largest[after - 1] <= late[solid].max() * rounding
    assert late[solid].max() <= largest[after] * rounding


def test_first_failure_does_not_depend_on_what_follows(broken, reading):
    material, settings = reading
    alone = simulate(notched(), SPACING, material, settings._replace(until="first_failure"))
    np.testing.assert_array_equal(alone.damage, broken[0].damage)
    assert alone.first_failure_strain == broken[0].first_failure_strain
    assert alone.final_failed is None


def test_largest_strain_may_come_first(broken, reading):
    material, settings = reading
    middle = 0.5 * (broken[0].first_failure_strain + broken[0].structural_failure_strain)
    result = simulate(notched(), SPACING, material, settings._replace(max_strain=middle))
    assert (result.status, result.structural_status) == (Status.FIRST_FAILURE, Collapse.MAX_STRAIN)
    assert np.isnan(result.structural_failure_strain)
    assert result.final_failed is None


def test_collapse_that_does_not_converge_is_told(named, monkeypatch):
    from porefail.fe.equilibrium import Specimen

    equilibrate = Specimen.equilibrate

    def stubborn(self, *arguments):
        return equilibrate(self, *arguments) and not self.lag

    monkeypatch.setattr(Specimen, "equilibrate", stubborn)
    result = simulate(notched(), SPACING, named("staged"), SETTINGS)
    assert (result.status, result.structural_status) == (
        Status.FIRST_FAILURE,
        Collapse.NOT_CONVERGED,
    )
