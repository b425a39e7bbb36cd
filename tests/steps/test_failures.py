"""failures: a small file of many simulations that stands in their place."""

import numpy as np
import pytest

from porefail import files, learning, store
from porefail.errors import PorefailError
from porefail.steps import dataset, failures, gather
from porefail.store import Status

from .test_calibrate import presolved

STATUSES = [Status.FIRST_FAILURE, Status.NO_FAILURE, Status.FIRST_FAILURE]


@pytest.fixture
def written(tmp_path, make_shard, capsys):
    shards = [make_shard([3, 4]), make_shard([0, 1, 2], STATUSES)]
    failures.run(shards, tmp_path / "failures.h5")
    return tmp_path / "failures.h5", shards


def test_rows_are_those_of_the_shards(written, capsys):
    path, shards = written
    assert "failures: 5 realizations, 4 of them failed" in capsys.readouterr().out
    rows, attributes = store.read(path)
    assert rows["realization"].tolist() == [0, 1, 2, 3, 4]
    assert "damage" not in rows and "history/strain" not in rows
    for shard in shards:
        given, made_with = store.read(shard)
        for name in ("porosity", "failed", "status", "first_failure_strain"):
            np.testing.assert_array_equal(rows[name][given["realization"]], given[name])
        for name in ("porosity", "simulation", "model_version", "spacing"):
            assert attributes[name] == made_with[name]


def test_it_can_be_added_to(written, make_shard, tmp_path):
    path, _ = written
    failures.run([make_shard([5]), path], tmp_path / "more.h5")
    rows, _ = store.read(tmp_path / "more.h5")
    assert rows["realization"].tolist() == [0, 1, 2, 3, 4, 5]


def test_gather_takes_it_beside_simulations(written, make_shard, settings, tmp_path, capsys):
    """The ensemble knows where specimens failed, and what presolve tells, but no damage."""
    path, shards = written
    more = make_shard([5])
    before = []
    for shard in (*shards, more):
        before.append(tmp_path / f"before-{len(before)}.h5")
        presolved(before[-1], shard, settings)
    wanted = settings["gather"] | {"realizations": 6, "known": 5}
    gather.run([more, path], tmp_path / "ensemble.h5", tmp_path / "account.csv", wanted, before)
    assert "tells failures alone: no damage" in capsys.readouterr().out
    rows, attributes = store.read(tmp_path / "ensemble.h5")
    assert rows["realization"].tolist() == [0, 2, 3, 4, 5] and "damage" not in rows
    assert attributes["presolve"] == settings["presolve"]["presolve"]
    stress, _ = store.read(before[1], ["elastic/von_mises"])
    np.testing.assert_array_equal(rows["elastic/von_mises"][1], stress["elastic/von_mises"][2])
    account = files.read_table(tmp_path / "account.csv")
    assert account["status"].tolist()[:3] == [status.name for status in STATUSES]


def test_sites_are_learnt_from_it_and_nothing_else(make_shard, settings, tmp_path):
    shard, path = make_shard(list(range(12))), tmp_path / "failures.h5"
    failures.run([shard], path)
    wanted = settings["gather"] | {"realizations": 12, "known": 12}
    for name, given in (("few", path), ("whole", shard)):
        gather.run([given], tmp_path / f"{name}.h5", tmp_path / f"{name}.csv", wanted)
    label = settings["dataset"] | {"transform": "site"}
    few, whole = (learning.specimens(tmp_path / f"{n}.h5", label) for n in ("few", "whole"))
    np.testing.assert_array_equal(few[0].label, whole[0].label)
    np.testing.assert_array_equal(few[1], whole[1])
    dataset.run(tmp_path / "few.h5", tmp_path / "data.h5", label)
    with pytest.raises(PorefailError, match=r"few\.h5: no dataset /damage"):
        learning.specimens(tmp_path / "few.h5", settings["dataset"])
    with pytest.raises(PorefailError, match=r"few\.h5: no dataset /damage"):
        dataset.run(tmp_path / "few.h5", tmp_path / "other.h5", settings["dataset"])
    assert not (tmp_path / "other.h5").exists()


def test_gather_takes_no_more_than_it_is_asked_for(written, make_shard, settings, tmp_path):
    """Of the five in the file three are known, two are simulated again."""
    path, shards = written
    wanted = settings["gather"] | {"realizations": 5, "known": 3}
    output = tmp_path / "ensemble.h5", tmp_path / "account.csv"
    gather.run([path, shards[0]], *output, wanted)
    assert store.read(output[0])[0]["realization"].tolist() == [0, 2, 3, 4]
    account = files.read_table(output[1])
    assert account["file"].tolist() == [str(path)] * 3 + [str(shards[0])] * 2
    wanted |= {"realizations": 6, "known": 6}
    with pytest.raises(PorefailError, match=r"failures\.h5: holds 5 of the realizations below 6 "):
        gather.run([path], *output, wanted)


def test_errors(written, make_shard, settings, tmp_path):
    path, shards = written
    out = tmp_path / "out.h5"
    with pytest.raises(
        PorefailError, match=r"realization 3 is in .*shard-3-2\.h5 and in .*failures"
    ):
        failures.run([shards[0], path], out)
    other = make_shard([7], porosity=settings["gather"]["porosity"] | {"seed": 9})
    with pytest.raises(PorefailError, match=r"shard-7-1\.h5: .*seed"):
        failures.run([path, other], out)
    perturbed = make_shard([8], porosity=settings["gather"]["porosity"] | {"perturbed": 8})
    with pytest.raises(PorefailError, match="a shard of perturbed specimens"):
        failures.run([perturbed], out)
    with pytest.raises(PorefailError, match="missing file"):
        failures.run([tmp_path / "none.h5"], out)
    assert not out.exists()
