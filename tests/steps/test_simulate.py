"""simulate: contract, physics that must hold in every row, resumption, ranks and batches."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from porefail import store
from porefail.campaign import work
from porefail.campaign.queue import Parts
from porefail.errors import PorefailError
from porefail.fe import MODEL_VERSION, tension
from porefail.steps import simulate
from porefail.store import Status

CONTRACT = {
    "porosity": np.uint8,
    "damage": np.float32,
    "failed": np.uint8,
    "realization": np.int64,
    "status": np.uint8,
    "first_failure_strain": np.float64,
    "structural_status": np.uint8,
    "structural_failure_strain": np.float64,
    "final_failed": np.uint8,
    "elastic/von_mises": np.float32,
    "elastic/pressure": np.float32,
    "history/strain": np.float64,
    "history/stress": np.float64,
    "history/max_damage": np.float64,
    "history/failed_fraction": np.float64,
    "history/saturated_points": np.float64,
    "provenance/host": np.bytes_,
    "provenance/started": np.float64,
    "provenance/seconds": np.float64,
    "provenance/ranks": np.int32,
    "provenance/software": np.bytes_,
}


def fake(calls: list, status: int = Status.FIRST_FAILURE):
    """A simulation that takes no time: the damage is a hundredth of the voids' number."""

    def simulate(voxels, spacing, material, settings, comm):
        calls.append(voxels)
        field = np.where(voxels == 0, np.float32(0.01 * voxels.sum()), np.float32(np.nan))
        history = {name: np.linspace(0.01, 1, voxels.sum()) for name in simulate_history}
        return tension.Tension(status, field, voxels, field, field, 0.04, history)

    simulate_history = tension.HISTORY
    return simulate


@pytest.fixture
def run(settings):
    def run(pores, output, ranks=1, **world):
        simulate.run(pores, output, MODEL_VERSION, ranks, settings["simulate"], **world)
        return store.read(output)

    return run


@pytest.fixture
def calls(monkeypatch) -> list:
    calls: list = []
    monkeypatch.setattr(tension, "simulate", fake(calls))
    return calls


def test_real_simulation(make_porosity, run, settings, tmp_path):
    pores = make_porosity(0, 1)
    datasets, attributes = run(pores, tmp_path / "s.h5")
    assert {name: values.dtype.type for name, values in datasets.items()} == CONTRACT
    assert attributes["simulation"] == settings["simulate"]
    assert attributes["porosity"] == settings["porosity"]
    assert attributes["model_version"] == MODEL_VERSION
    assert {"element", "spacing", "strain_rate", "porefail_version"} <= attributes.keys()
    np.testing.assert_array_equal(datasets["porosity"], store.read(pores)[0]["porosity"])
    assert (datasets["status"] == Status.FIRST_FAILURE).all()
    solid = datasets["porosity"] == 0
    for name in ("damage", "elastic/von_mises", "elastic/pressure"):
        np.testing.assert_array_equal(np.isfinite(datasets[name]), solid)
    limit = settings["simulate"]["material"]["maximum_damage"]
    np.testing.assert_array_equal(
        datasets["failed"] == 1, np.nan_to_num(datasets["damage"]) >= np.float32(limit)
    )
    assert datasets["failed"].any(axis=(1, 2, 3)).all()
    strain = datasets["history/strain"]
    assert (np.diff(strain)[np.isfinite(np.diff(strain))] > 0).all()
    assert (datasets["provenance/host"] == socket.gethostname().encode()).all()
    assert (datasets["provenance/ranks"] == 1).all()
    assert (abs(datasets["provenance/started"] - time.time()) < 600).all()
    assert (datasets["provenance/seconds"] > 0).all()
    assert b"numba 0." in datasets["provenance/software"][0]
    last = np.nanmax(strain, axis=1)
    assert (
        (datasets["first_failure_strain"] > 0) & (datasets["first_failure_strain"] <= last)
    ).all()


def test_rows_are_sorted_and_padded(make_porosity, run, calls, tmp_path):
    pores = make_porosity(0, 5)
    fields, attributes = store.read(pores)
    mixed = {name: values[[4, 2, 0, 5, 1, 3]] for name, values in fields.items()}
    del attributes["complete"]
    store.write_atomically(pores, mixed, attributes)
    datasets, _ = run(pores, tmp_path / "s.h5")
    assert datasets["realization"].tolist() == list(range(6))
    np.testing.assert_array_equal(datasets["porosity"], fields["porosity"])
    voids = fields["porosity"].sum(axis=(1, 2, 3), dtype=int)
    assert datasets["history/strain"].shape == (6, max(1, voids.max()))
    np.testing.assert_array_equal(np.isfinite(datasets["history/strain"]).sum(axis=1), voids)


def test_the_batch_size_does_not_matter(make_porosity, run, calls, tmp_path):
    whole, _ = run(make_porosity(0, 5), tmp_path / "whole.h5")
    part, _ = run(make_porosity(2, 3), tmp_path / "part.h5")
    for name in ("damage", "porosity", "status", "elastic/pressure"):
        np.testing.assert_array_equal(part[name], whole[name][2:4])


def test_empty_realizations_are_not_simulated(make_porosity, run, calls, tmp_path):
    datasets, _ = run(make_porosity(0, 2, mean_porosity=1e-9), tmp_path / "s.h5")
    assert not calls and (datasets["status"] == Status.EMPTY).all()
    assert np.isnan(datasets["damage"]).all() and not datasets["failed"].any()
    assert np.isnan(datasets["first_failure_strain"]).all()


def test_a_realization_that_does_not_converge_is_recorded(
    make_porosity, run, monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(tension, "simulate", fake([], Status.NOT_CONVERGED))
    monkeypatch.setattr(work, "PROGRESS_SECONDS", 0.0)
    datasets, _ = run(make_porosity(0, 2), tmp_path / "s.h5")
    assert (datasets["status"] == Status.NOT_CONVERGED).all()
    printed = capsys.readouterr().out
    assert "simulate 00000-00002: 2/3 done (2 not converged), " in printed
    assert "simulate 00000-00002: 3 not converged; " in printed


def test_real_simulation_that_cannot_converge(make_porosity, settings, tmp_path):
    strict = settings["simulate"] | {
        "newton_iterations": 1,
        "newton_tolerance": 1e-15,
        "min_strain_step": settings["simulate"]["max_strain_step"],
    }
    simulate.run(make_porosity(0, 0), tmp_path / "s.h5", MODEL_VERSION, 1, strict)
    assert store.read(tmp_path / "s.h5")[0]["status"].tolist() == [Status.NOT_CONVERGED]


def test_severed_specimen(make_porosity, run, tmp_path):
    pores = make_porosity(0, 0)
    fields, attributes = store.read(pores)
    fields["porosity"][:, :, :, 4] = 1
    del attributes["complete"]
    store.write_atomically(pores, fields, attributes)
    datasets, _ = run(pores, tmp_path / "s.h5")
    assert datasets["status"].tolist() == [Status.SEVERED]
    assert np.isnan(datasets["first_failure_strain"]).all() and not datasets["failed"].any()


def interrupted(monkeypatch, run, pores, output, after: int) -> None:
    """A run that ends in an error after some realizations."""

    def failing(*arguments):
        if len(done) == after:
            raise PorefailError("stopped")
        return fake(done)(*arguments)

    done: list = []
    with monkeypatch.context() as patch, pytest.raises(PorefailError, match="stopped"):
        patch.setattr(tension, "simulate", failing)
        run(pores, output)


def test_finished_realizations_survive(make_porosity, run, calls, monkeypatch, tmp_path, capsys):
    pores, output = make_porosity(0, 5), tmp_path / "s.h5"
    interrupted(monkeypatch, run, pores, output, after=2)
    assert not output.exists()
    datasets, _ = run(pores, output)
    assert "2 of 6 were finished before" in capsys.readouterr().out
    assert len(calls) == 4 and (datasets["status"] == Status.FIRST_FAILURE).all()
    whole, _ = run(pores, tmp_path / "whole.h5")
    for name in datasets.keys() - store.PROVENANCE:
        np.testing.assert_array_equal(datasets[name], whole[name])


def test_damaged_and_foreign_parts_are_made_again(
    make_porosity, run, calls, monkeypatch, settings, tmp_path
):
    pores, output = make_porosity(0, 3), tmp_path / "s.h5"
    interrupted(monkeypatch, run, pores, output, after=3)
    part = Parts(output).part(1)
    os.truncate(part, part.stat().st_size - 50)
    run(pores, output)
    assert len(calls) == 2
    interrupted(monkeypatch, run, pores, tmp_path / "t.h5", after=2)
    calls.clear()
    other = settings["simulate"] | {"max_strain": 0.2}
    simulate.run(pores, tmp_path / "t.h5", MODEL_VERSION, 1, other)
    assert len(calls) == 4


def test_a_complete_shard_comes_back_after_its_output_is_deleted(
    make_porosity, run, calls, settings, tmp_path, capsys
):
    pores, output = make_porosity(0, 2), tmp_path / "s.h5"
    run(pores, output)
    assert sorted(path.name for path in Parts(output).folder.iterdir()) == ["complete.h5", "lock"]
    whole = output.read_bytes()
    output.unlink()
    pores.touch()
    run(pores, output)
    assert len(calls) == 3 and output.read_bytes() == whole
    assert output.stat().st_mtime >= pores.stat().st_mtime  # else it would be made again
    assert "was finished before" in capsys.readouterr().out
    simulate.run(pores, output, MODEL_VERSION, 1, settings["simulate"] | {"max_strain": 0.2})
    assert len(calls) == 6


def test_parts_stay_where_there_are_no_hard_links(make_porosity, run, calls, monkeypatch, tmp_path):
    pores, output = make_porosity(0, 2), tmp_path / "s.h5"

    def refuse(*arguments):
        raise OSError("no links")

    monkeypatch.setattr(os, "link", refuse)
    run(pores, output)
    output.unlink()
    run(pores, output)
    assert len(calls) == 3 and output.exists()


def test_errors_on_all_ranks(make_porosity, settings, tmp_path):
    pores, bare = make_porosity(0, 0), tmp_path / "bare.h5"
    store.write_atomically(bare, store.read(pores)[0], {"spacing": 0.05})
    for options, message in [
        ({"model_version": 99}, "model version 99 is asked for"),
        ({"ranks_per_realization": 2}, "1 ranks cannot be split into teams of 2"),
        ({"settings": settings["simulate"] | {"rate": 1}}, "settings: rate is not a known key"),
        (
            {"settings": settings["simulate"] | {"material": {}}},
            "settings: material.name is missing",
        ),
        ({"porosity": tmp_path / "none.h5"}, "none.h5: missing file"),
        ({"porosity": bare}, "bare.h5: no attribute porosity, which every porosity shard has"),
    ]:
        arguments = {
            "porosity": pores,
            "output": tmp_path / "s.h5",
            "model_version": MODEL_VERSION,
            "ranks_per_realization": 1,
            "settings": settings["simulate"],
        } | options
        with pytest.raises(PorefailError, match=message):
            simulate.run(**arguments)
        assert not (tmp_path / "s.h5").exists()


def test_what_cannot_be_simulated_is_refused_before_a_folder_is_made(
    make_porosity, run, settings, tmp_path
):
    pores = make_porosity(0, 1)
    fields, attributes = store.read(pores)
    del attributes["complete"]
    attributes["porosity"] = {"seed": 7}  # as of a specimen that was not drawn
    inputs = tmp_path / "inputs"
    for name, rows, message in [
        (
            "odd.h5",
            {"porosity": fields["porosity"][..., :5]},
            r"odd\.h5: grid \(8, 8, 5\): expected",
        ),
        ("flat.h5", {"porosity": fields["porosity"][..., 0]}, r"flat\.h5: /porosity holds uint8"),
        ("none.h5", {k: v[:0] for k, v in fields.items()}, r"none\.h5: holds no realization"),
    ]:
        store.write_atomically(inputs / name, fields | rows, attributes)
        with pytest.raises(PorefailError, match=message):
            run(inputs / name, tmp_path / "out" / "s.h5")
    store.write_atomically(
        inputs / "poreless.h5", {"realization": fields["realization"]}, attributes
    )
    with pytest.raises(PorefailError, match=r"poreless\.h5: .*porosity"):
        run(inputs / "poreless.h5", tmp_path / "out" / "s.h5")
    with pytest.raises(PorefailError, match="10 ranks share 9 planes of nodes: use fewer ranks"):
        world = SimpleNamespace(rank=0, size=10, bcast=lambda plan: plan)
        run(pores, tmp_path / "out" / "s.h5", 10, world=world)
    endless = settings["simulate"] | {"max_strain_step": 1e-320}
    with pytest.raises(PorefailError, match="settings: max_strain_step is 1e-320, expected"):
        simulate.run(pores, tmp_path / "out" / "s.h5", MODEL_VERSION, 1, endless)
    assert not (tmp_path / "out").exists()


OPTIONS = ("--model-version", MODEL_VERSION)


@pytest.mark.slow
@pytest.mark.parametrize("ranks, team", [(2, 1), (2, 2), (4, 2), (4, 4)])
def test_ranks_do_not_matter(make_porosity, run, porefail, settings, tmp_path, ranks, team):
    pores = make_porosity(0, 1)
    alone, _ = run(pores, tmp_path / "alone.h5")
    ended = porefail(
        *("simulate", "--porosity", pores, "--output", tmp_path / "s.h5", *OPTIONS),
        *("--ranks-per-realization", team),
        settings=settings["simulate"],
        ranks=ranks,
    )
    assert ended.returncode == 0, ended.stderr
    together, _ = store.read(tmp_path / "s.h5")
    for name in alone.keys() - store.PROVENANCE:
        values = alone[name]
        if team == 1 or values.dtype.kind != "f":
            np.testing.assert_array_equal(together[name], values)
        else:  # sums are taken in another order
            np.testing.assert_allclose(together[name], values, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2])
def test_one_line_for_an_error_under_mpi(make_porosity, porefail, settings, tmp_path, ranks):
    ended = porefail(
        *("simulate", "--porosity", make_porosity(0, 2), "--output", tmp_path / "s.h5"),
        *("--model-version", 99, "--ranks-per-realization", 1),
        settings=settings["simulate"],
        ranks=ranks,
    )
    assert ended.returncode == 1
    assert ended.stderr == (
        f"porefail simulate: error: model version 99 is asked for, the code is version "
        f"{MODEL_VERSION}\n"
    )


@pytest.mark.slow
def test_an_error_on_one_rank_ends_the_world(make_porosity, mpiexec, tmp_path, settings):
    """Rank 1 fails in its realization; rank 0 would wait for it for ever."""
    program = (
        "import json, sys\n"
        "from porefail import __main__\n"
        "from porefail.errors import PorefailError\n"
        "from porefail.fe import tension\n"
        "from mpi4py import MPI\n"
        "real = tension.simulate\n"
        "def simulate(*arguments):\n"
        "    if MPI.COMM_WORLD.rank == 1: raise PorefailError('rank 1 is unwell')\n"
        "    return real(*arguments)\n"
        "tension.simulate = simulate\n"
        "sys.exit(__main__.main(sys.argv[1:]))"
    )
    ended = subprocess.run(
        [mpiexec, "-n", "2", sys.executable, "-c", program, "simulate"]
        + ["--porosity", make_porosity(0, 5), "--output", tmp_path / "s.h5"]
        + ["--model-version", str(MODEL_VERSION), "--ranks-per-realization", "1"]
        + ["--settings", json.dumps(settings["simulate"])],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 1
    assert "porefail simulate: error: rank 1 is unwell\n" in ended.stderr
    assert "Traceback" not in ended.stderr and not (tmp_path / "s.h5").exists()


@pytest.mark.slow
def test_a_killed_run_recomputes_nothing_finished(make_porosity, mpiexec, settings, tmp_path):
    pores, output = make_porosity(0, 5), tmp_path / "s.h5"
    command = [mpiexec, "-n", "2", sys.executable, "-m", "porefail", "simulate"]
    command += ["--porosity", pores, "--output", output, "--model-version", str(MODEL_VERSION)]
    command += ["--ranks-per-realization", "1", "--settings", json.dumps(settings["simulate"])]
    parts = Parts(output)
    killed = subprocess.Popen(command, start_new_session=True)
    while len(list(parts.folder.glob("[0-9]*.h5"))) < 2:
        assert killed.poll() is None
        time.sleep(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    time.sleep(0.5)
    finished = list(parts.folder.glob("[0-9]*.h5"))
    assert 2 <= len(finished) < 6 and not output.exists()
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert f"{len(finished)} of 6 were finished before" in again.stdout
    datasets, _ = store.read(output)
    assert datasets["realization"].tolist() == list(range(6))
