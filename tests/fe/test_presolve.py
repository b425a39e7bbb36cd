"""One coarse load step: the physics of a simulation, at any strain that converges."""

from pathlib import Path

import numpy as np
import pytest
import yaml

from porefail.configuration.codes import Status
from porefail.fe import presolve, tension

CONFIG = Path(__file__).parents[2] / "config" / "default.yaml"


@pytest.fixture
def default(named):
    return named("deviator_norm")


@pytest.fixture
def load_settings():
    return tension.load_settings(yaml.safe_load(CONFIG.read_text())["simulation"])


@pytest.fixture
def pores():
    voxels = np.zeros((8, 8, 8), np.uint8)
    voxels[3:5, 3:5, 3:5] = 1
    return voxels


def test_a_small_step_is_that_of_a_simulation(pores, default, load_settings):
    """Damage after one step to a strain at which nothing has flowed much: order 1 in the step."""
    strain = 0.002
    one = presolve.coarse_step(pores, 0.05, default, load_settings, strain, 1e-6)
    assert one.status == Status.SOLVED and one.strain == strain
    many = tension.simulate(
        pores,
        0.05,
        default,
        load_settings._replace(
            max_strain=strain, max_strain_step=strain / 16, max_damage_step=1.0, snapshot_strains=()
        ),
    )
    solid = pores == 0
    grown = many.damage[solid] - default.initial_damage
    np.testing.assert_allclose(
        one.damage[solid] - default.initial_damage, grown, atol=0.2 * grown.max()
    )
    assert np.isnan(one.damage[~solid]).all()


def test_half_the_strain_is_tried_where_a_step_does_not_converge(
    pores, default, load_settings, monkeypatch
):
    tried = []

    def simulate(porosity, spacing, material, settings, comm):
        tried.append(settings.max_strain)
        status = Status.NO_FAILURE if settings.max_strain < 0.003 else Status.NOT_CONVERGED
        return tension._unloaded(status, porosity, material, settings)

    monkeypatch.setattr(tension, "simulate", simulate)
    found = presolve.coarse_step(pores, 0.05, default, load_settings, 0.01, 1e-2)
    assert tried == [0.01, 0.005, 0.0025] and found.strain == 0.0025
    hopeless = presolve.coarse_step(pores, 0.05, default, load_settings, 1.0, 1e-2)
    assert hopeless.status == Status.NOT_CONVERGED and np.isnan(hopeless.strain)


def test_what_bears_no_load_is_told(pores, default, load_settings):
    pores[:, :, 2] = 1
    found = presolve.coarse_step(pores, 0.05, default, load_settings, 0.01, 1e-2)
    assert found.status == Status.SEVERED
