"""status: every realization in one line of the table, whatever became of it."""

import os

import numpy as np
import pytest
import yaml

from porefail import configuration, files, store
from porefail.campaign.queue import Parts
from porefail.errors import PorefailError
from porefail.fe import MODEL_VERSION
from porefail.steps import status
from porefail.store import Status

COMPARISONS = configuration.resolve()["study"]["comparisons"]
CONFIG = {"name": "mine", "porosity": {"realizations": 10, "batch_size": 4}}


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A configuration of three batches (0-3, 4-7, 8-9), in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(CONFIG))
    return tmp_path / "my.yaml"


def write(path, numbers, statuses=None, seconds=2.0, **changes):
    """A shard, or a part, with the datasets that an account needs."""
    made_with = configuration.campaign(["my.yaml"]).made_with
    made_with |= {"model_version": MODEL_VERSION, "spacing": 0.05}
    statuses = statuses or [Status.FIRST_FAILURE] * len(numbers)
    datasets = {
        "realization": np.array(numbers),
        "status": np.array(statuses, np.uint8),
        "provenance/host": np.full(len(numbers), b"node7"),
        "provenance/seconds": np.full(len(numbers), seconds),
    }
    store.write_atomically(path, datasets, made_with | changes)


def shard(first, last):
    return f"results/mine/simulation/{first:05d}-{last:05d}.h5"


@pytest.fixture
def run_status(config, capsys):
    """The lines that the step prints, and the statuses of all realizations in its table."""

    def run_status():
        status.run([config], "account.csv")
        table = files.read_table("account.csv")
        assert table["realization"].tolist() == list(range(10))
        return capsys.readouterr().out, table["status"].tolist()

    return run_status


def test_nothing_has_been_done(run_status):
    text, statuses = run_status()
    assert statuses == ["MISSING"] * 10
    assert "      10 MISSING\n      10 in all\n0.0 % done, no simulation is running\n" in text


def test_all_is_done(run_status):
    write(shard(0, 3), [0, 1, 2, 3])
    write(shard(4, 7), [4, 5, 6, 7], [1, 2, 3, 4])
    write(shard(8, 9), [9, 8], seconds=5.0)
    text, statuses = run_status()
    names = ["NO_FAILURE", "NOT_CONVERGED", "EMPTY"]
    assert statuses == ["FIRST_FAILURE"] * 5 + names + ["FIRST_FAILURE"] * 2
    assert "       7 FIRST_FAILURE  used\n" in text
    assert "       1 NOT_CONVERGED  left out: 6\n" in text
    assert "100.0 % done, 2.67 s a simulation (mean of 9)\n" in text


def test_while_it_runs(run_status):
    """One batch is done, one at work (4 done before, 5 by this run, 6 in hand), one not begun."""
    write(shard(0, 3), [0, 1, 2, 3])
    parts = Parts(shard(4, 7))
    write(parts.part(4), [4])
    with parts.alone("test"):
        parts.open_queue([5, 6, 7])
        write(parts.part(5), [5])
        for number in (5, 6):
            parts.claim(number)
        parts.settle(5, Status.NOT_CONVERGED, 3.0)
        text, statuses = run_status()
    assert statuses[4:] == ["FIRST_FAILURE", "NOT_CONVERGED", "RUNNING", *["MISSING"] * 3]
    assert "       1 RUNNING\n" in text and "       3 MISSING\n" in text
    # (5 x 2 s + 3 s) / 6 = 2.17 s each, one at a time, four to go
    assert "60.0 % done, 2.17 s a simulation (mean of 6), 1 at a time are 1662 an hour" in text
    assert "done in 9 s" in text and "nobody is at work" not in text


def test_a_killed_run_is_not_running(run_status):
    parts = Parts(shard(4, 7))
    with parts.alone("test"):
        parts.open_queue([4, 5, 6, 7])
        for number in (4, 5):
            parts.claim(number)
        write(parts.part(4), [4])
        parts.settle(4, Status.FIRST_FAILURE, 2.0)
    text, statuses = run_status()
    assert statuses[4:8] == ["FIRST_FAILURE", *["MISSING"] * 3]
    assert f"{shard(4, 7)}: nobody is at work on it, 1 of 4 are kept" in text
    assert "no simulation is running, the rest takes 18 s on one team of ranks" in text


def test_a_shard_that_snakemake_deleted_counts(run_status):
    write(shard(0, 3), [0, 1, 2, 3])
    parts = Parts(shard(0, 3))
    parts.folder.mkdir()
    os.link(shard(0, 3), parts.complete)
    os.unlink(shard(0, 3))
    assert run_status()[1][:4] == ["FIRST_FAILURE"] * 4


def test_what_cannot_be_used_is_named(run_status):
    write(shard(0, 3), [0, 1, 2, 3], model_version=99)
    write(shard(4, 7), [4, 5, 6, 7])
    os.truncate(shard(4, 7), os.path.getsize(shard(4, 7)) // 2)
    text, statuses = run_status()
    assert statuses == ["OUTDATED"] * 4 + ["DAMAGED"] * 4 + ["MISSING"] * 2
    assert f"{shard(0, 3)}: made with other settings: model_version is 99" in text
    assert f"{shard(4, 7)}: not an HDF5 file, or truncated; delete it and run again" in text
    assert "       4 DAMAGED        4, 5, 6, 7\n" in text


def test_many_complaints_are_cut_short(run_status, monkeypatch):
    monkeypatch.setattr(status, "NOTES", 1)
    for first, last in ((0, 3), (4, 7), (8, 9)):
        write(shard(first, last), list(range(first, last + 1)), model_version=99)
    assert run_status()[0].endswith("\n... and 2 more such lines\n")


def test_specimens_without_a_pore_are_no_measure_of_time(run_status):
    parts = Parts(shard(0, 3))
    with parts.alone("test"):
        parts.open_queue([0, 1, 2, 3])
        for number in (0, 1, 2):
            parts.claim(number)
        parts.settle(0, Status.EMPTY, 0.0)
        text, _ = run_status()
        assert "10.0 % done\n" in text
        parts.settle(1, Status.FIRST_FAILURE, 4.0)
        text, _ = run_status()
    # Half of them take 4 s, one is at work, eight are left.
    assert "20.0 % done, 4 s a simulation (mean of 1), 1 at a time are 1800 an hour" in text
    assert "done in 16 s" in text


def test_parts_of_a_new_run_count_beside_an_old_shard(run_status):
    """The settings were changed, the new run was killed: Snakemake has deleted the old shard."""
    parts = Parts(shard(4, 7))
    parts.folder.mkdir(parents=True)
    write(parts.complete, [4, 5, 6, 7], model_version=99)
    for number in (4, 5):
        write(parts.part(number), [number])
    text, statuses = run_status()
    assert statuses[4:8] == ["FIRST_FAILURE"] * 2 + ["MISSING"] * 2
    assert "model_version" not in text and "2 of 4 are kept" in text


def test_a_run_with_other_settings_is_at_work(run_status):
    parts = Parts(shard(0, 3))
    with parts.alone("test"):
        parts.open_queue([0, 1, 2, 3])
        for number in (0, 1, 2):
            parts.claim(number)
        for number in (0, 1):
            write(parts.part(number), [number], model_version=99)
            parts.settle(number, Status.FIRST_FAILURE, 2.0)
        text, statuses = run_status()
    assert statuses[:4] == ["OUTDATED", "OUTDATED", "RUNNING", "MISSING"]
    assert "made with other settings: model_version is 99" in text


def test_a_run_that_begins_or_ends_is_no_interruption(run_status):
    parts = Parts(shard(4, 7))
    write(parts.part(4), [4])
    with parts.alone("test"):
        parts.open_queue([5, 6, 7])
        assert "nobody is at work" not in run_status()[0]
        parts.claim(7)
        write(shard(4, 7), [4, 5, 6, 7])  # joined, the claims are still there
        parts.part(4).unlink()
        assert run_status()[1][4:8] == ["FIRST_FAILURE"] * 4


@pytest.mark.parametrize("text", ["", "4 ", "\0\0", "four 2.0"])
def test_a_claim_that_cannot_be_read_yet(run_status, text):
    parts = Parts(shard(0, 3))
    with parts.alone("test"):
        parts.open_queue([0, 1, 2, 3])
        (parts.folder / "claims" / "00000").write_text(text)
        (parts.folder / "claims" / ".nfs0001").write_text("1 2.0")
        (parts.folder / "0 copy.h5").touch()
        assert run_status()[1][:2] == ["RUNNING", "MISSING"]


def test_a_shard_with_other_realizations_than_its_name_says(run_status):
    write(shard(8, 9), [8, 9, 10])
    text, statuses = run_status()
    assert statuses[8:] == ["DAMAGED"] * 2
    assert f"{shard(8, 9)}: holds other realizations than its name says" in text


def test_it_changes_nothing(run_status, tmp_path):
    write(shard(0, 3), [0, 1, 2, 3])
    parts = Parts(shard(4, 7))
    with parts.alone("test"):
        parts.open_queue([4, 5, 6, 7])
        parts.claim(4)
        write(parts.part(4), [4])
    before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.glob("results/**/*"))
    run_status()
    after = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.glob("results/**/*"))
    assert before == after and len(before) > 5


def test_a_wrong_configuration(config):
    config.write_text("porosity: {realizations: 0}\n")
    with pytest.raises(PorefailError, match="porosity.realizations is 0, expected a whole number"):
        status.run([config])


def test_known_realizations_are_done(config, run_status):
    write("known.h5", range(8))
    changed = CONFIG | {
        "execution": {"known": {"file": "known.h5", "realizations": 8}},
        "presolve": {"strain": 0.01},
        "dataset": {"transform": "site"},
        "training": {"loss": "site_likelihood"},
        "study": {"comparisons": {name: {"models": []} for name in COMPARISONS}},
    }
    config.write_text(yaml.safe_dump(changed))
    _, statuses = run_status()
    assert statuses == ["FIRST_FAILURE"] * 8 + ["MISSING"] * 2
    write("known.h5", range(6))
    assert run_status()[1] == ["FIRST_FAILURE"] * 6 + ["MISSING"] * 4
    write("known.h5", range(8), model_version=1)
    text, statuses = run_status()
    assert statuses == ["OUTDATED"] * 8 + ["MISSING"] * 2 and "known.h5: " in text
    os.remove("known.h5")
    text, statuses = run_status()
    assert statuses == ["DAMAGED"] * 8 + ["MISSING"] * 2 and "known.h5: missing file" in text
