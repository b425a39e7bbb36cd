"""presolve: what is known of specimens before a simulation; resumption, ranks, bad input."""

import json
import subprocess
import sys

import numpy as np
import pytest

from porefail import store
from porefail.baselines.sites import hot_spot
from porefail.campaign.queue import Parts
from porefail.errors import PorefailError
from porefail.fe import MODEL_VERSION
from porefail.fe.elastic import fields as elastic
from porefail.fe.elastic.fields import elastic_fields
from porefail.fe.material import named_material
from porefail.fe.presolve import coarse_step
from porefail.fe.submodels import submodels
from porefail.fe.tension import load_settings
from porefail.metrics.peaks import local_maxima
from porefail.steps import presolve, simulate
from porefail.store import Status, memory

ELASTIC = tuple(f"elastic/{name}" for name in elastic.NAMES)


@pytest.fixture
def run(settings):
    def run(pores, output, ranks=1, **changes):
        wanted = settings["presolve"]
        wanted = wanted | {"presolve": wanted["presolve"] | changes}
        presolve.run(pores, output, MODEL_VERSION, ranks, wanted)
        return store.read(output, kind="presolve shard")

    return run


def with_pores(path, change) -> None:
    """Rewrite a porosity shard with other voxels."""
    fields, attributes = store.read(path)
    del attributes["complete"]
    fields["porosity"] = change(fields["porosity"])
    attributes["porosity"]["shape"] = list(fields["porosity"].shape[1:])
    store.write_atomically(path, fields, attributes)


def test_rows_hold_what_the_functions_give(make_porosity, run, settings, tmp_path):
    pores = make_porosity(0, 1)
    found, attributes = run(pores, tmp_path / "p.h5")
    assert attributes["presolve"] == settings["presolve"]["presolve"]
    assert attributes["simulation"] == settings["simulate"]
    assert (found["status"] == Status.SOLVED).all() and (found["elastic/iterations"] > 0).all()
    simulation = settings["simulate"]
    parameters = named_material(simulation["material"])
    for row, voxels in enumerate(store.read(pores)[0]["porosity"]):
        np.testing.assert_array_equal(found["porosity"][row], voxels)
        wanted = elastic_fields(voxels, parameters.poisson_ratio, simulation["element"])
        for name in elastic.NAMES:
            np.testing.assert_array_equal(found[f"elastic/{name}"][row], getattr(wanted, name))
        step = coarse_step(voxels, 0.05, parameters, load_settings(simulation), 0.01, 0.01)
        np.testing.assert_array_equal(found["presolve/damage"][row], step.damage)
        assert found["presolve/strain"][row] == step.strain == 0.01
    assert (found["presolve/seconds"] > 0).all() and (found["elastic/seconds"] > 0).all()


def test_submodels_of_the_highest_hot_spots(make_porosity, run, settings, tmp_path):
    pores = make_porosity(0, 1)
    found, _ = run(pores, tmp_path / "p.h5", submodels=2)
    simulation = settings["simulate"]
    parameters = named_material(simulation["material"])
    for row, voxels in enumerate(store.read(pores)[0]["porosity"]):
        score = hot_spot(
            *(found[f"elastic/{name}"][row : row + 1] for name in ("von_mises", "pressure")),
            voxels[None],
        )[0]
        maxima = local_maxima(np.where(voxels == 0, score, 0.0), voxels == 0)
        spots = [np.argwhere(maxima.rank == rank)[0] for rank in (1, 2)]
        wanted = submodels(voxels, spots, 0.05, parameters, load_settings(simulation))
        np.testing.assert_array_equal(found["submodels/strain"][row], wanted.strain)
        assert found["submodels/pulled"][row] == wanted.pulled
    assert (found["submodels/seconds"] > 0).all()
    assert "submodels/strain" not in run(pores, tmp_path / "q.h5")[0]
    with pytest.raises(PorefailError, match="submodels is 2, expected 0 where"):
        run(pores, tmp_path / "r.h5", submodels=2, strain=0)


def test_without_a_strain_any_grid_will_do(make_porosity, run, tmp_path, capsys):
    pores = make_porosity(0, 1)
    with_pores(pores, lambda voxels: voxels[:, :5, :7, :6])
    found, _ = run(pores, tmp_path / "p.h5", strain=0)
    assert "presolve/damage" not in found and set(ELASTIC) < found.keys()
    assert "2 solved" in capsys.readouterr().out
    with pytest.raises(PorefailError, match=r"porosity-0-1\.h5: grid \(5, 7, 6\)"):
        run(pores, tmp_path / "q.h5")


def test_specimens_that_bear_nothing_and_have_no_pore(make_porosity, run, tmp_path):
    pores = make_porosity(0, 1)

    def change(voxels):
        voxels[0], voxels[1, :, :, 4] = 0, 1
        return voxels

    with_pores(pores, change)
    found, _ = run(pores, tmp_path / "p.h5")
    assert found["status"].tolist() == [Status.EMPTY, Status.SEVERED]
    for name in (*ELASTIC, "presolve/damage", "presolve/strain"):
        assert np.isnan(found[name]).all()


def test_a_killed_run_goes_on(make_porosity, run, monkeypatch, tmp_path, capsys):
    pores, output = make_porosity(0, 2), tmp_path / "p.h5"
    with monkeypatch.context() as patch, pytest.raises(PorefailError, match="stopped"):

        def failing(*arguments):
            if Parts(output).finished():
                raise PorefailError("stopped")
            return coarse_step(*arguments)

        patch.setattr(presolve, "coarse_step", failing)
        run(pores, output)
    assert not output.exists()
    found, _ = run(pores, output)
    assert "1 of 3 were finished before" in capsys.readouterr().out
    assert found["realization"].tolist() == [0, 1, 2]


def test_what_does_not_fit_in_memory_is_told_before_it_is_read(
    make_porosity, run, monkeypatch, tmp_path
):
    pores = make_porosity(0, 0)
    monkeypatch.setattr(memory, "available", lambda: 1e4)
    for strain in (0, 0.01):
        with pytest.raises(PorefailError, match=rf"^{pores}: grid of its porosity: needs about"):
            run(pores, tmp_path / "p.h5", strain=strain)
    assert list(tmp_path.iterdir()) == [pores]


def test_an_ensemble_will_do_and_the_simulation_has_the_same_stresses(
    make_porosity, run, settings, tmp_path
):
    pores, shard = make_porosity(0, 0), tmp_path / "s.h5"
    simulate.run(pores, shard, MODEL_VERSION, 1, settings["simulate"])
    simulated, _ = store.read(shard)
    found, _ = run(shard, tmp_path / "p.h5", strain=0)
    for name in ("elastic/von_mises", "elastic/pressure"):
        np.testing.assert_allclose(found[name], simulated[name], atol=1e-4)


def test_ranks_change_no_result(make_porosity, settings, mpiexec, run, tmp_path):
    pores = make_porosity(0, 1)
    alone, _ = run(pores, tmp_path / "alone.h5")
    subprocess.run(
        [
            *(mpiexec, "-n", "2", sys.executable, "-m", "porefail", "presolve"),
            *("--porosity", pores, "--output", tmp_path / "two.h5"),
            *("--model-version", str(MODEL_VERSION), "--ranks-per-realization", "2"),
            *("--settings", json.dumps(settings["presolve"])),
        ],
        check=True,
        timeout=300,
    )
    two, _ = store.read(tmp_path / "two.h5")
    np.testing.assert_array_equal(two["realization"], alone["realization"])
    for name in (*ELASTIC, "presolve/damage"):
        np.testing.assert_allclose(two[name], alone[name], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("section", "change", "message"),
    [
        ("presolve", {"strain": -0.1}, "presolve.strain is -0.1"),
        ("presolve", {"newton_tolerance": 0}, "presolve.newton_tolerance is 0"),
        ("presolve", {"strains": [0.1]}, "presolve.strains is not a known key"),
        ("simulation", {"min_strain_step": 0.05}, "simulation.min_strain_step is 0.05"),
    ],
)
def test_bad_settings(make_porosity, settings, tmp_path, section, change, message):
    wanted = settings["presolve"] | {section: settings["presolve"][section] | change}
    with pytest.raises(PorefailError, match=message):
        presolve.run(make_porosity(0, 0), tmp_path / "p.h5", MODEL_VERSION, 1, wanted)
    assert not (tmp_path / "p.h5").exists()
