"""The real workflow: a whole run, what a change reruns, a killed run, ranks and batches."""

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from porefail import configuration, files, store
from porefail.campaign.queue import Parts
from porefail.configuration.study import FIGURES

pytestmark = pytest.mark.slow

TINY = {
    "name": "tiny",
    "porosity": {"shape": [8, 8, 8], "realizations": 10, "batch_size": 5, "mean_porosity": 0.03},
    "simulation": {"max_strain_step": 5.0e-3, "max_damage_step": 0.2},
}
ENSEMBLE = "results/tiny/ensemble.h5"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, snakemake, without_locks) -> Path:
    """A folder, whose name must be quoted, with a finished smoke run.

    It was made where there are no locks, as on some NFS.
    """
    folder = tmp_path_factory.mktemp("smoke") / "user's ü folder"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in without_locks(errno.ENOLCK).items():
            patch.setenv(name, value)
        ended = snakemake(folder, "smoke", {})
    assert ended.returncode == 0, ended.stderr
    (folder / "output").write_text(ended.stdout)
    return folder


def test_a_whole_run(folder):
    results = folder / "results" / "smoke"
    part = store.read(results / "dataset.h5", ["part"])[0]["part"]
    account = files.read_table(results / "account.csv")
    assert account["realization"].tolist() == list(range(20))
    assert part.size == account["used"].sum()
    config = Path(__file__).parents[2] / "config" / "smoke.yaml"
    command = [sys.executable, "-m", "porefail", "status", "--configfile", config]
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    assert "      20 in all\n100.0 % done" in told and "OUTDATED" not in told
    predicted, _ = store.read(results / "prediction.h5", ["realization"])
    assert predicted["realization"].size == np.sum(part == 2)
    summary = (results / "report" / "summary.txt").read_text()
    output = (folder / "output").read_text()
    assert summary in output  # the person saw it
    for text in ("simulate 00000-00004: ", " done, ", "epoch 20/20", "gather: 20 realizations"):
        assert text in output
    for kind, end in (("logs", "log"), ("benchmarks", "tsv")):
        for rule in ("porosity", "simulate"):
            assert len(list((results / kind / rule).glob(f"*.{end}"))) == 4
        for rule in ("gather", "dataset", "train", "predict", "evaluate", "report"):
            assert (results / kind / f"{rule}.{end}").stat().st_size > 0


def test_the_study_of_a_finished_run(folder, snakemake):
    """Its figures and its table, and nothing to do the second time."""
    ended = snakemake(folder, "smoke", {}, "study")
    assert ended.returncode == 0, ended.stderr
    study = folder / "results" / "smoke" / "study"
    table = files.read_table(study / "table.csv")
    variants = {*zip(table["label"], table["model"], strict=True)}
    assert {("id", "IH"), ("t", "linear"), ("t", "physics"), ("site", "sites")} < variants
    assert len(variants) == 15 and set(table["folds"]) == {1, 2}
    names = {path.stem for path in study.glob("*.png")}
    smoke = configuration.resolve([Path(__file__).parents[2] / "config" / "smoke.yaml"])
    assert names == set(configuration.study_figures(smoke)) and "transfer_skill" not in names
    assert names == {figure for figures in FIGURES.values() for figure in figures}
    assert "How sure they are" in (study / "summary.txt").read_text()
    again = snakemake(folder, "smoke", {}, "-n", "study")
    assert counts(again) == {}
    one = counts(snakemake(folder, "smoke", {"study": {"site_recall": 0.8}}, "-n", "study"))
    assert one == {"crossvalidate": 21, "study": 1}


def test_the_sensitivity_study_of_a_finished_run(folder, snakemake):
    """Perturbed copies of two specimens, simulated and compared, and nothing to do again."""
    ended = snakemake(folder, "smoke", {}, "sensitivity")
    assert ended.returncode == 0, ended.stderr
    results = folder / "results" / "smoke"
    table = files.read_table(results / "sensitivity" / "table.csv")
    assert table["copies"].tolist() == [3, 2] and len(set(table["realization"])) == 2
    rows = files.read_table(results / "sensitivity" / "failures.csv")
    assert len(rows["status"]) == 5
    held_out = store.read(results / "prediction.h5", ["realization"])[0]["realization"]
    assert set(table["realization"]) <= set(held_out.tolist())
    for name in ("ranking/sites.csv", "ranking/cluster_distributions.png"):
        assert (results / name).stat().st_size > 0
    summary = (results / "sensitivity" / "summary.txt").read_text()
    assert summary in ended.stdout
    assert counts(snakemake(folder, "smoke", {}, "-n", "sensitivity")) == {}
    wider = {"ranking": {"site_threshold": 0.4}}
    assert counts(snakemake(folder, "smoke", wider, "-n", "sensitivity")) == {
        "rank": 1,
        "sensitivity": 1,
    }


def test_the_reproduction_of_a_finished_run(folder, snakemake):
    """All that the paper says is looked for; what a smoke run lacks is told."""
    changes = {"reproduction": {"collapse": None}}
    ended = snakemake(folder, "smoke", changes, "reproduction")
    assert ended.returncode == 0, ended.stderr
    table = files.read_table(folder / "results" / "smoke" / "reproduction" / "table.csv")
    assert {"2.2", "2.4", "2.5, Fig. 4", "6.2, Fig. 16"} < set(table["where"])
    assert {"yes", "no"} < set(table["agrees"]) and "not run" in set(table["ours"])
    page = (folder / "results" / "smoke" / "reproduction" / "reproduction.md").read_text()
    assert page in ended.stdout
    assert counts(snakemake(folder, "smoke", changes, "-n", "reproduction")) == {}


def test_what_is_presolved_joins_the_ensemble(folder, snakemake, tmp_path):
    """Asked for after the simulations, it repeats none of them."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy, symlinks=True)
    changes = {"presolve": {"strain": 0.004}}
    ensemble = "results/smoke/ensemble.h5"
    assert counts(snakemake(copy, "smoke", changes, "-n", ensemble)) == {"presolve": 4, "gather": 1}
    ended = snakemake(copy, "smoke", changes, ensemble)
    assert ended.returncode == 0, ended.stderr
    names = ["porosity", "presolve/damage", "presolve/seconds", "elastic/lode"]
    found, _ = store.read(copy / ensemble, names)
    solid = found["porosity"] == 0
    assert np.isfinite(found["presolve/damage"][solid]).all()
    assert (found["elastic/lode"][solid] <= 1.0).all() and (found["presolve/seconds"] > 0).all()
    assert counts(snakemake(copy, "smoke", changes, "-n", ensemble)) == {}


def counts(ended: subprocess.CompletedProcess) -> dict[str, int]:
    """How many jobs of each rule a dry run would do."""
    assert ended.returncode == 0, ended.stderr
    table = re.findall(r"^(\w+) +(\d+)$", ended.stdout + ended.stderr, re.M)
    return {rule: int(count) for rule, count in table if rule not in ("all", "total")}


LEARN = dict.fromkeys(["train", "predict", "evaluate", "report"], 1)
ALL = {"gather": 1, "dataset": 1, **LEARN}


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({}, {}),
        ({"execution": {"ranks": 4, "ranks_per_realization": 2, "launcher": "srun"}}, {}),
        ({"report": {"specimens": 1}}, {"report": 1}),
        ({"phenomenology": {"specimens": 1}}, {}),
        ({"study": {"folds": 1}}, {}),
        ({"evaluation": {"thresholds": 9}}, {"evaluate": 1, "report": 1}),
        ({"training": {"epochs": 6}}, LEARN),
        ({"training": {"average": True}}, {"predict": 1, "evaluate": 1, "report": 1}),
        ({"dataset": {"contrast": 4.0}}, {"dataset": 1, **LEARN}),
        ({"simulation": {"max_strain": 0.2}}, {"simulate": 4, **ALL}),
        ({"materials": {"deviator_norm": {"yield_strength": 601}}}, {"simulate": 4, **ALL}),
        ({"materials": {"literal": {"yield_strength": 601}}}, {}),
        ({"porosity": {"energy": 0.99}}, {"porosity": 4, "simulate": 4, **ALL}),
        ({"porosity": {"realizations": 25}}, {"porosity": 1, "simulate": 1, **ALL}),
    ],
)
def test_a_change_reruns_its_rule_and_what_follows(folder, snakemake, changes, expected):
    assert counts(snakemake(folder, "smoke", changes, "-n")) == expected


def test_the_report_needs_no_network(folder, snakemake):
    ended = snakemake(folder, "smoke", {}, "--report", "report.html")
    assert ended.returncode == 0, ended.stderr
    page = (folder / "report.html").read_text()
    assert not re.findall(r"(?:src|href)\s*=\s*[\"'](?:https?:)?//[^\"']+", page)
    assert not re.findall(r"@import|url\(\s*[\"']?https?:", page)
    for name in ("summary.html", "sites.csv", "specimens.csv", "site_hits.png", "specimens.png"):
        assert name in page
    assert len(re.findall(r"data:image/png;[^,]*base64,iVBORw0KGgo", page)) == 5


def test_a_killed_run_goes_on_and_recomputes_nothing_finished(tmp_path, command, snakemake):
    arguments = (tmp_path, "smoke", TINY, "--cores", "2", ENSEMBLE)
    killed = subprocess.Popen(command(*arguments), start_new_session=True)
    folder = tmp_path / "results" / "tiny" / "simulation"
    while len(list(folder.glob("*.parts/[0-9]*.h5"))) < 3:
        assert killed.poll() is None
        time.sleep(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    time.sleep(1.0)
    parts = {path: len(list(path.glob("[0-9]*.h5"))) for path in folder.glob("*.parts")}
    shards = {path: path.stat().st_mtime_ns for path in folder.glob("*.h5")}
    assert sum(parts.values()) + 5 * len(shards) >= 3
    assert snakemake(tmp_path, "smoke", TINY, "--unlock").returncode == 0
    again = snakemake(*arguments)
    assert again.returncode == 0, again.stderr
    for path, count in parts.items():
        title = f"simulate {path.name.split('.')[0]}: "
        shard = path.with_suffix("")
        if shard not in shards and count:
            assert f"{title}{count} of 5 were finished before" in again.stdout
        elif shard in shards and title in again.stdout:  # Snakemake had not noted its end
            assert f"{title}was finished before" in again.stdout
    numbers = store.read(tmp_path / ENSEMBLE, ["realization"])[0]["realization"].tolist()
    account = files.read_table(tmp_path / "results" / "tiny" / "account.csv")
    assert account["realization"].tolist() == list(range(10))
    assert account["realization"][account["used"] == 1].tolist() == numbers


def test_a_shard_that_snakemake_forgot_is_not_computed_again(tmp_path, snakemake):
    """Killed between the end of a simulation and Snakemake's note of it: the output is deleted."""
    shard = tmp_path / "results" / "tiny" / "simulation" / "00000-00004.h5"
    arguments = (tmp_path, "smoke", TINY, "--cores", "2", str(shard.relative_to(tmp_path)))
    assert snakemake(*arguments).returncode == 0
    whole = shard.read_bytes()
    assert Parts(shard).complete.samefile(shard)
    shard.unlink()
    again = snakemake(*arguments)
    assert again.returncode == 0, again.stderr
    assert "simulate 00000-00004: was finished before" in again.stdout
    assert shard.read_bytes() == whole
    assert not counts(snakemake(*arguments, "-n"))


def test_ranks_and_batches_change_no_result(tmp_path, snakemake):
    ensembles = []
    for name, ranks, size in (("one", 1, 5), ("two", 2, 10), ("four", 4, 3)):
        changes = TINY | {"name": name, "execution": {"ranks": ranks}}
        changes["porosity"] = TINY["porosity"] | {"batch_size": size}
        ended = snakemake(tmp_path, "smoke", changes, f"results/{name}/ensemble.h5")
        assert ended.returncode == 0, ended.stderr
        ensembles.append(store.read(tmp_path / "results" / name / "ensemble.h5")[0])
    for other in ensembles[1:]:
        assert other.keys() == ensembles[0].keys()
        for name in other.keys() - store.PROVENANCE:
            np.testing.assert_array_equal(other[name], ensembles[0][name], err_msg=name)


def test_a_damaged_shard_is_named(tmp_path, snakemake):
    arguments = (tmp_path, "smoke", TINY, "--cores", "2", ENSEMBLE)
    assert snakemake(*arguments).returncode == 0
    shard = tmp_path / "results" / "tiny" / "simulation" / "00005-00009.h5"
    os.truncate(shard, shard.stat().st_size // 2)
    again = snakemake(*arguments)
    assert again.returncode == 1
    line = "porefail gather: error: results/tiny/simulation/00005-00009.h5: not an HDF5 file"
    assert line in again.stdout + again.stderr
    assert not (tmp_path / ENSEMBLE).exists()
    shard.unlink()
    repaired = snakemake(*arguments)
    assert repaired.returncode == 0, repaired.stderr
