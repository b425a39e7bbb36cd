"""`make bench` on a small specimen: it runs, and a peer that is missing is a line."""

import importlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from porefail import store
from porefail.fe.elastic import fields as elastic
from porefail.store import Status
from porefail.verdict.locator import read_locator

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent


def run(tmp_path: Path, *command: str) -> subprocess.CompletedProcess:
    """A program of the bench where no peer is installed."""
    environment = {**os.environ, "PATH": str(tmp_path), "FENICSX_PYTHON": str(tmp_path / "none")}
    return subprocess.run(
        [sys.executable, str(HERE / command[0]), *command[1:]],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


def test_without_peers_porefail_is_measured_and_the_others_are_named(tmp_path):
    done = run(tmp_path, "peers.py", "--small", "--increments", "2")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("J2 problem: 8x8x32 voxels, 5 voids, 8019 unknowns")
    assert sum(line.startswith("porefail  ") for line in lines) == 1
    left_out = [line for line in lines if "is left out" in line]
    assert len(left_out) == 4
    assert all("apt-get install --no-install-recommends" in line for line in left_out)


def test_scaling_measures_a_simulation(tmp_path):
    done = run(tmp_path, "scaling.py", "--job", json.dumps([[8, 8, 16], 1, 2]))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["steps"] >= 2 and found["newton"] >= 1 and found["memory"] > 1e7


def test_elastic_fields_are_measured_and_ranks_agree(tmp_path, monkeypatch):
    monkeypatch.delenv("PAROSOL_PYTHON", raising=False)
    done = run(tmp_path, "elastic.py", "--small")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "ParOSol is left out: PAROSOL_PYTHON names no Python with parosol-py"
    rows = [line.split() for line in lines if line.startswith(" porefail")]
    assert [row[:2] for row in rows] == [["porefail", "32000"]] * len(rows)
    iterations = {int(row[4]) for row in rows}
    assert len(iterations) == 1 and 1 < iterations.pop() < 20
    assert all(float(row[-1]) < 1e-6 for row in rows[1:])


def test_whole_simulations_are_timed(tmp_path):
    done = run(tmp_path, "simulation.py", "--small", "--specimens", "2")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    # Realization, status (1: first failure).
    assert [line.split()[:2] for line in lines[3:5]] == [["0", "1"], ["1", "1"]]
    shares = [int(line.split()[-2]) for line in lines if line.endswith("%")]
    assert len(shares) == 5 and all(share >= 0 for share in shares) and 97 < sum(shares) < 103


def test_default_and_tight_tolerances_are_compared(tmp_path):
    done = run(tmp_path, "accuracy.py", "--small", "--specimens", "1")
    assert done.returncode == 0, done.stderr
    assert "the same voxels in 1 of 1; strain at first failure:" in done.stdout


@pytest.fixture
def bench(monkeypatch):
    """Imports a module of tests/bench."""
    monkeypatch.syspath_prepend(HERE)
    return importlib.import_module


def test_ratios_and_differences_are_of_the_same_increments(bench):
    peers, problem = bench("peers"), bench("problem")
    own = peers.Run(problem.Result("1", [100.0, 150.0, 160.0], [1, 2, 2], [1.0, 4.0, 5.0]), 9.0)
    other = peers.Run(problem.Result("2", [100.0, 153.0], [1, 3], [80.0]), 80.0)
    later = own._replace(result=own.result._replace(cpu_seconds=[2.0, 6.0, 7.0]))
    line, difference = peers.row("other", other, own, later)
    assert difference == pytest.approx(0.02)
    assert " ".join(line.split()) == "other 2 2 4 20.000 16.7 80.0 16.0 80.0 153.00 2.0e-02"


def test_convergence_file_of_calculix(bench):
    text = """SUMMARY OF C0NVERGENCE INFORMATION
  STEP   INC  ATT   ITER     CONT.   RESID.        CORR.      RESID.      CORR.
                              (#)     (%)           (%)        (%)         (%)
     1     1     1     1        0  0.0000E+00  0.1000E+03  0.0000E+00  0.0000E+00
     1     1     1     2        0  0.0000E+00  0.1582E-11  0.0000E+00  0.0000E+00
     1     2     1     1        0  0.1012E+00  0.1139E+01  0.0000E+00  0.0000E+00
"""
    assert bench("calculix").iterations(text) == [2, 1]


def test_training_is_measured(tmp_path):
    done = run(tmp_path, "training.py", "--small")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for name in ("bare network, data at hand", "training, symmetries on the fly"):
        assert sum(line.startswith(name) and line.endswith("%") for line in lines) == 1
    assert "8x8x32 voxels, batches of 8" in done.stdout and "GFLOP/s" in lines[-1]


def test_a_verdict_on_the_smallest_scan_is_measured(tmp_path):
    done = run(tmp_path, "scan_size.py", "--largest", "1e6")
    assert done.returncode == 0, done.stderr
    header, *rows = done.stdout.splitlines()
    assert header.startswith("voxel_um,scan,million_voxels,cpu_s") and len(rows) == 1
    assert rows[0].startswith("20,60 x 60 x 200,0.72,")


def test_locators_are_compared_on_the_same_specimens(tmp_path, bench):
    """Rates and gains by hand; tables of other realizations are refused before all else."""
    locators = bench("locators")
    for name, numbers in (("a", [3, 1, 2]), ("b", [1, 2, 4])):
        table = pd.DataFrame({"realization": numbers, "top_1": [1, 0, 1]})
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    name, read = locators.read(f"pores={tmp_path / 'a.csv'}", 2)
    assert name == "pores" and read.index.tolist() == [2, 3] and read["top_1"].tolist() == [1, 1]
    found = locators.rates(pd.DataFrame({"hit": [1, 0, 0, 1]}), {"top": "hit"})
    assert found["specimens"] == 4 and found["top"] == 0.5
    assert found["top_low"] < 0.5 < found["top_high"]
    gained = locators.gain(pd.Series([1, 1, 0]), pd.Series([0, 1, 0]), "over")
    assert gained["over"] == pytest.approx(1 / 3) and gained["over_low"] == 0
    done = run(tmp_path, "locators.py", *(f"{each}={tmp_path / each}.csv" for each in "ab"))
    assert done.returncode == 1
    assert done.stderr == "locators: error: b: has other realizations than the first table\n"


def test_sets_of_locators_stand_below_each_other(tmp_path):
    table = pd.DataFrame({"coverage": [0.9, 0.9], "in_set": [0.91, 0.95], "blocks": [0, 4]})
    for name in ("a", "b"):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    done = run(tmp_path, "locator_sets.py", *(f"{each}={tmp_path / each}.csv" for each in "ab"))
    assert done.returncode == 0, done.stderr
    rows = done.stdout.splitlines()
    assert rows[:3] == ["model,coverage,in_set", "a,0.900,0.910", "a with blocks,0.900,0.950"]
    assert rows[4] == "b with blocks,0.900,0.950"


def test_unseen_specimens_are_judged_as_calibrate_does(tmp_path):
    """One of those whose failure is shipped, by all three locators."""
    failures, last = tmp_path / "failures.h5", 2474
    rows, source = store.read(HERE.parents[1] / "data" / "failures.h5", kind="ensemble")
    one = rows["realization"] == last
    store.write_atomically(failures, {name: row[one] for name, row in rows.items()}, source)
    options = (failures, "--first", str(last), "--output", tmp_path / "unseen")
    done = run(tmp_path, "unseen.py", *map(str, options))
    assert done.returncode == 0, done.stderr
    for name in ("pores", "elastic", "coarse"):
        scores = pd.read_csv(tmp_path / "unseen" / f"{name}.csv")
        assert scores["realization"].tolist() == [last]
        known = {"top_1", "elastic_top_1", "blocks", "block_strain", "pulled_in_set"}
        assert known < set(scores) and 1 <= scores["blocks"][0] <= 4
        assert scores["block_strain"][0] == pytest.approx(1.0, abs=0.3)
    options = (failures, "--first", str(last + 1), "--output", tmp_path / "none")
    done = run(tmp_path, "unseen.py", *map(str, options))
    assert done.returncode == 1 and "no specimen from" in done.stderr
    assert not (tmp_path / "none").exists()


def test_each_half_gives_the_level_of_the_other(bench):
    """The true site has 0.9 in one half, 0.4 beside another of 0.6 in the other: sets that want 0.4
    of the first half hold it alone, those that want 0.9 of the other but the wrong one."""
    true = np.array([True, False])
    probabilities = [np.array([0.9, 0.05]), np.array([0.4, 0.6])] * 40
    table = bench("unseen").sets([(each, true) for each in probabilities]).set_index("coverage")
    row = table.loc[0.9]
    assert row["in_set"] == 0.5 and row["set_size"] == 1.0 and row["specimens"] == 80
    assert row["least"] == pytest.approx((0.9 + 0.4) / 2)
    assert table.loc[0.99, "set_size"] == 2.0  # 40 specimens cannot promise it


def test_sensitive_specimens_are_apart(tmp_path, bench):
    """Of two specimens the three copies that count fail near by, but for one; rates by hand."""
    sensitive = bench("sensitive")
    failed = np.zeros((2, 8, 8, 8), np.uint8)
    failed[0, 2, 2, 2] = failed[1, 5, 5, 5] = 1
    ensemble = str(tmp_path / "ensemble.h5")
    material = {"initial_damage": 0.01, "maximum_damage": 0.5}
    origin = {"simulation": {"material": material}, "model_version": 3}
    store.write_atomically(
        ensemble,
        {"realization": np.array([3, 7]), "porosity": np.zeros_like(failed), "failed": failed},
        {"spacing": 0.05, "porosity": {"mean": 0.1}, "presolve": {}, **origin},
    )
    shards = []
    for number, where in ((7, (None, 1, 5)), (3, (2, 3, 7))):  # the last one is one more
        copies = np.zeros((3, 8, 8, 8), np.uint8)
        for copy, place in zip(copies, where, strict=True):
            if place is not None:
                copy[place, place, place] = 1
        status = [Status.NOT_CONVERGED if n is None else Status.FIRST_FAILURE for n in where]
        shards.append(str(tmp_path / f"{number}.h5"))
        store.write_atomically(
            shards[-1],
            {
                "realization": np.arange(3),
                "status": np.array(status, np.uint8),
                "first_failure_strain": np.full(3, 0.05),
                "failed": copies,
            },
            {"spacing": 0.05, "porosity": {"mean": 0.1, "perturbed": number}, **origin},
        )
    assert sensitive.sensitive(ensemble, shards).to_dict() == {3: False, 7: True}
    scores = pd.DataFrame(
        {
            "realization": [9, 7, 3],
            "top_1": [1, 0, 1],
            "top_3": [1, 1, 1],
            "in_set": [1, 1, 1],
            "set_size": [1, 2, 1],
            "probability": [0.8, 0.5, 0.9],
        }
    )
    path = tmp_path / "scores.csv"
    options = ["--ensemble", ensemble, "--scores", f"coarse={path}", "--copies", *shards]
    scores[scores["realization"] == 3].to_csv(path, index=False)
    done = run(tmp_path, "sensitive.py", *options)
    assert done.returncode == 1
    assert done.stderr == f"sensitive: error: {path}: lacks realization 7\n"
    anew = scores.drop(columns="realization").assign(top_1=1).add_prefix("pulled_")
    scores.join(anew).to_csv(path, index=False)
    done = run(tmp_path, "sensitive.py", *options)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(io.StringIO(done.stdout))
    assert table["model"].tolist() == ["coarse"] * 2 + ["coarse with blocks"] * 2
    assert table["sensitive"].tolist() == ["no", "yes"] * 2 and (table["specimens"] == 1).all()
    assert table["top_1"].tolist() == [1, 0, 1, 1] and table["top_3"].tolist() == [1] * 4
    assert table["set_size"].tolist() == [1, 2, 1, 2]
    assert table["said"].tolist() == [0.9, 0.5, 0.9, 0.5]
    np.testing.assert_allclose(table["error"], [0.1, 0.5, 0.1, 0.5])
    done = run(tmp_path, "sensitive.py", *options, ensemble)
    assert done.returncode == 1
    assert done.stderr.startswith(f"sensitive: error: {ensemble}: ")


def test_specimens_that_were_simulated_again(tmp_path):
    """The same, near by, and elsewhere."""
    for name, places, numbers in (("known", (1, 2, 3), (4, 5, 6)), ("again", (1, 3, 7), (4, 5, 6))):
        failed = np.zeros((3, 8, 8, 8), np.uint8)
        failed[range(3), places, places, places] = 1
        rows = {"realization": np.array(numbers), "failed": failed}
        rows |= {"status": np.full(3, Status.FIRST_FAILURE, np.uint8)}
        rows |= {"first_failure_strain": np.full(3, 0.05 if name == "known" else 0.051)}
        store.write_atomically(tmp_path / f"{name}.h5", rows, {"spacing": 0.05})
    done = run(tmp_path, "again.py", str(tmp_path / "known.h5"), str(tmp_path / "again.h5"))
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "3 specimens that failed both times: 1 in the very same voxels, 1 elsewhere; strain differs"
        " by 2.0e-02 (median) to 2.0e-02; another status: 0\n"
    )


def test_a_learning_curve_ends_with_the_locator_that_ships(tmp_path, bench, monkeypatch, capsys):
    """Of ten specimens that teach, six and all; made-up stresses are highest where each failed."""
    curve, random = bench("learning_curve"), np.random.default_rng(0)
    count, shape = 20, (8, 8, 16)
    porosity = (random.random((count, *shape)) < 0.02).astype(np.uint8)
    stress = 1 + 0.1 * random.random((count, *shape))
    failed = np.zeros((count, *shape), np.uint8)
    for n in range(count):
        place = tuple(random.choice(np.argwhere(porosity[n] == 0)))
        failed[n][place], stress[n][place] = 1, 4.0
    fields = {f"elastic/{name}": 0.3 * stress for name in elastic.NAMES if name != "seconds"}
    fields |= {f"elastic/{name}": stress for name in ("von_mises", "largest_von_mises")}
    fields["presolve/damage"] = np.where(porosity == 1, np.nan, 0.1 * stress)
    ensemble = tmp_path / "ensemble.h5"
    rows = {name: field.astype(np.float32) for name, field in fields.items()}
    rows |= {"realization": np.arange(count), "porosity": porosity, "failed": failed}
    rows["first_failure_strain"] = np.full(count, 0.05)
    locator = read_locator("elastic")
    source = {"spacing": locator.voxel, "porosity": {"mean": 0.02}, "presolve": locator.presolve}
    source |= {"simulation": locator.simulation, "model_version": locator.model_version}
    store.write_atomically(ensemble, rows, source)
    few = curve.settings_of("elastic")
    few["network"] |= {"filters": 2, "epochs": 2}
    monkeypatch.setattr(curve, "settings_of", lambda name: few)
    words = ["learning_curve.py", str(ensemble), "--sizes", "6", "--locators", "elastic"]
    monkeypatch.setattr("sys.argv", words)
    curve.main()
    told = capsys.readouterr()
    table = pd.read_csv(io.StringIO(told.out))
    assert table["learnt_from"].tolist() == [6, curve.SHIPPED] and table["specimens"].eq(6).all()
    assert table["model"].eq("elastic").all() and "elastic, 6 specimens: " in told.err
    # Stresses like these, the locator that ships knows; the gain is over fewer, on the same.
    assert table["top_1"][1] > 0.5 and (table["top_1"] <= table["top_3"]).all()
    assert table["most_over"][0] == pytest.approx(table["top_1"][1] - table["top_1"][0], abs=1e-3)
    assert np.isnan(table["most_over"][1])
    monkeypatch.setattr("sys.argv", [*words, "--sizes", "11"])
    with pytest.raises(SystemExit, match="10 specimens to learn from, fewer than"):
        curve.main()
    store.write_atomically(ensemble, rows, source | {"spacing": 0.1})
    with pytest.raises(SystemExit, match="its spacing is 0.1, not that of elastic"):
        curve.main()
