"""gather: every realization is accounted for, once."""

import json

import numpy as np
import pytest

from porefail import files, store
from porefail.campaign import accounting
from porefail.errors import PorefailError
from porefail.files import tables
from porefail.steps import gather
from porefail.store import Collapse, Status

MIXED = [
    Status.FIRST_FAILURE,
    Status.NO_FAILURE,
    Status.NOT_CONVERGED,
    Status.EMPTY,
    Status.SEVERED,
]


@pytest.fixture
def run(tmp_path, settings):
    def run(*shards, realizations: int):
        wanted = settings["gather"] | {"realizations": realizations}
        gather.run(shards, tmp_path / "ensemble.h5", tmp_path / "account.csv", wanted)
        ensemble, attributes = store.read(tmp_path / "ensemble.h5")
        return ensemble, attributes, files.read_table(tmp_path / "account.csv")

    return run


def refused(run, tmp_path, *shards, realizations: int = 2) -> str:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(PorefailError) as raised:
        run(*shards, realizations=realizations)
    assert sorted(tmp_path.iterdir()) == before and "\n" not in str(raised.value)
    return str(raised.value)


def test_every_realization_is_accounted_for(run, make_shard, settings, capsys, tmp_path):
    shards = [make_shard([5, 6]), make_shard(list(range(5)), MIXED)]
    ensemble, attributes, account = run(*shards, realizations=7)
    assert ensemble["realization"].tolist() == [0, 5, 6]
    assert account["realization"].tolist() == list(range(7))
    assert account["status"].tolist() == [s.name for s in MIXED] + ["FIRST_FAILURE"] * 2
    assert account["used"].tolist() == [1, 0, 0, 0, 0, 1, 1]
    assert account["file"].tolist() == [str(shards[1])] * 5 + [str(shards[0])] * 2
    assert list(files.read_table(tmp_path / "account.csv", tables.ACCOUNT)) == list(account)
    excluded = accounting.read_excluded(tmp_path / "account.csv", tmp_path / "ensemble.h5")
    assert excluded == [status.name for status in MIXED[1:]]
    printed = capsys.readouterr().out
    for text in ("7 realizations", "3 FIRST_FAILURE", "NOT_CONVERGED  left out: 2"):
        assert text in printed
    for key in ("porosity", "simulation", "model_version"):
        assert attributes[key] == settings["gather"][key]
    assert attributes["element"] == "made up" and "fingerprint" not in attributes


def test_rows_stay_together_and_histories_are_padded(run, make_shard):
    first, second = make_shard([1, 0], steps=3), make_shard([2], steps=6)
    ensemble, _, _ = run(first, second, realizations=3)
    assert ensemble["realization"].tolist() == [0, 1, 2]
    assert ensemble["history/strain"].shape == (3, 6)
    source, _ = store.read(first)
    for row, old in ((0, 1), (1, 0)):
        for name, values in ensemble.items():
            expected = source[name][old]
            np.testing.assert_array_equal(
                values[row, :3] if "history" in name else values[row], expected
            )
        assert np.isnan(ensemble["history/strain"][row, 3:]).all()


def with_collapse(shard, statuses: list[Collapse], snapshots: int):
    """Give a shard what a run to structural failure adds."""
    datasets, attributes = store.read(shard)
    count, *shape = datasets["porosity"].shape
    attributes.pop("complete")
    added = {
        "structural_status": np.array(statuses, np.uint8),
        "structural_failure_strain": np.linspace(0.05, 0.06, count),
        "final_failed": datasets["failed"],
    }
    if snapshots:
        strain = np.tile(np.linspace(0.01, 0.02, snapshots), (count, 1))
        damage = np.random.default_rng(count).random((count, snapshots, *shape))
        added |= {"snapshots/strain": strain, "snapshots/damage": damage.astype(np.float32)}
    store.write_atomically(shard, datasets | added, attributes)
    return shard


@pytest.mark.parametrize("snapshots", [0, 2])
def test_runs_to_structural_failure_pass_through(run, make_shard, capsys, snapshots):
    one = make_shard([1, 0, 2], [Status.FIRST_FAILURE, Status.EMPTY, Status.FIRST_FAILURE])
    other = make_shard([3, 4], steps=7)
    ends = [Collapse.REACHED, Collapse.NOT_RUN, Collapse.NOT_CONVERGED]
    with_collapse(one, ends, snapshots)
    with_collapse(other, [Collapse.MAX_STRAIN, Collapse.REACHED], snapshots)
    ensemble, _, account = run(one, other, realizations=5)
    assert ensemble["realization"].tolist() == [1, 2, 3, 4]
    assert ensemble["structural_status"].tolist() == [1, 3, 2, 1]
    assert ("snapshots/strain" in ensemble) == bool(snapshots)
    for row, shard, old in ((0, one, 0), (1, one, 2), (2, other, 0), (3, other, 1)):
        for name, values in store.read(shard)[0].items():
            if "history" not in name:
                np.testing.assert_array_equal(ensemble[name][row], values[old], err_msg=name)
    line = "of these to structural failure: 2 REACHED; 1 MAX_STRAIN (3); 1 NOT_CONVERGED (2)\n"
    assert line in capsys.readouterr().out
    ways = ["", "REACHED", "NOT_CONVERGED", "MAX_STRAIN", "REACHED"]
    assert account["structural"].tolist() == ways


def test_no_word_of_structural_failure_where_none_was_asked_for(run, make_shard, capsys):
    run(with_collapse(make_shard([0, 1]), [Collapse.NOT_RUN] * 2, 0), realizations=2)
    assert "structural" not in capsys.readouterr().out


def test_the_order_of_shards_does_not_matter(run, make_shard):
    shards = [make_shard([0, 1]), make_shard([2, 3])]
    one, other = (run(*order, realizations=4)[0] for order in (shards, shards[::-1]))
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize(
    "name, value",
    [("max_strain", 0.1), ("element", "b_bar"), ("damage_in_stress", "end_of_step")],
)
def test_shard_of_another_configuration(run, make_shard, settings, tmp_path, name, value):
    assert settings["simulate"][name] != value
    simulation = settings["simulate"] | {name: value}
    message = refused(run, tmp_path, make_shard([0]), make_shard([1], simulation=simulation))
    words = f"shard-1-1.h5: made with other settings: simulation.{name} is {json.dumps(value)},"
    assert words in message


def test_shard_of_another_model_version(run, make_shard, tmp_path):
    assert "model_version is 99, expected" in refused(
        run, tmp_path, make_shard([0], model_version=99)
    )


def test_realization_in_two_shards(run, make_shard, tmp_path):
    message = refused(run, tmp_path, make_shard([0, 1]), make_shard([1, 2, 3]))
    assert message.startswith("realization 1 is in ")


def test_overlapping_shards(run, make_shard, tmp_path):
    shards = make_shard([0, 4]), make_shard([1, 2, 3])
    message = refused(run, tmp_path, *shards, realizations=5)
    assert "its realizations overlap with those of another" in message


def test_truncated_and_missing_shards(run, make_shard, tmp_path):
    shard = make_shard([0, 1])
    with open(shard, "r+b") as file:
        file.truncate(shard.stat().st_size // 2)
    assert "not an HDF5 file, or truncated" in refused(run, tmp_path, shard)
    assert "missing file" in refused(run, tmp_path, tmp_path / "none.h5")


def test_nothing_usable(run, make_shard, tmp_path, capsys):
    shard = make_shard([0, 1], [Status.EMPTY, Status.NOT_CONVERGED])
    assert "none of 2 realizations reached first failure" in refused(run, tmp_path, shard)
    assert "1 EMPTY" in capsys.readouterr().out


def test_realizations_that_nobody_simulated_or_asked_for(run, make_shard, tmp_path):
    shards = make_shard([0, 1]), make_shard([3])
    message = refused(run, tmp_path, *shards, realizations=5)
    assert message == "2 of 5 realizations are in no shard: 2, 4"
    message = refused(run, tmp_path, make_shard([0, 1, 2]))
    assert message == "1 realizations are in a shard, but not among the 2 asked for: 2"


def with_provenance(shard):
    datasets, attributes = store.read(shard)
    attributes.pop("complete")
    count = len(datasets["realization"])
    datasets |= {
        "provenance/host": np.array([f"node{n}" for n in range(count)], "S64"),
        "provenance/seconds": np.arange(count) + 0.5,
    }
    store.write_atomically(shard, datasets, attributes)
    return shard


def test_who_simulated_what_passes_through(run, make_shard):
    ensemble, _, account = run(with_provenance(make_shard([1, 0])), realizations=2)
    assert ensemble["provenance/host"].tolist() == [b"node1", b"node0"]
    assert account["host"].tolist() == ["node1", "node0"]
    assert account["seconds"].tolist() == [1.5, 0.5]


def test_shards_of_different_versions(run, make_shard, tmp_path):
    shards = [make_shard([0]), with_provenance(make_shard([1])), make_shard([2])]
    message = refused(run, tmp_path, *shards, realizations=3)
    assert message.startswith("2 of 3 shards lack /provenance/host, which the others have")
    assert f"delete {shards[0]} {shards[2]} and run again" in message


def test_an_unknown_status(run, make_shard, tmp_path):
    shard = make_shard([0, 1], [Status.FIRST_FAILURE, 9])
    message = refused(run, tmp_path, shard)
    assert message == (
        f"{shard}: /status holds 9, expected one of 1 FIRST_FAILURE, 2 NO_FAILURE, "
        "3 NOT_CONVERGED, 4 EMPTY, 5 SEVERED, 6 SOLVED"
    )


def presolved(path, shard, settings, **changes):
    """A presolve shard of the realizations of a simulation shard, in another order."""
    simulated, _ = store.read(shard)
    rows = np.argsort(-simulated["realization"])
    voxels = simulated["porosity"][rows]
    numbers = simulated["realization"][rows]
    field = np.where(voxels == 0, numbers[:, None, None, None], np.nan).astype(np.float32)
    datasets = {
        "realization": numbers,
        "porosity": voxels,
        "status": np.full(len(rows), Status.SOLVED, np.uint8),
        "elastic/von_mises": field,
        "elastic/pressure": field,
        "elastic/lode": field,
        "presolve/damage": field / 10,
        "presolve/strain": np.where(numbers == 3, np.nan, 0.01),
    }
    attributes = {"spacing": 0.05, "presolve": {"strain": 0.01}} | settings["gather"]
    store.write_atomically(path, datasets, attributes | changes)
    return path


def test_what_was_presolved_stands_beside_the_simulation(make_shard, settings, tmp_path, capsys):
    shards = [make_shard([0, 1, 2], MIXED[:3]), make_shard([3, 4])]
    before = [presolved(tmp_path / f"p{n}.h5", shard, settings) for n, shard in enumerate(shards)]
    output = tmp_path / "ensemble.h5"
    wanted = settings["gather"] | {"realizations": 5}
    gather.run(shards, output, tmp_path / "a.csv", wanted, before[::-1])
    found, attributes = store.read(output)
    assert attributes["presolve"] == {"strain": 0.01}
    assert found["realization"].tolist() == [0, 3, 4]
    assert "gather: 1 of them failed, but have no coarse step\n" in capsys.readouterr().out
    for name, scale in (("elastic/lode", 1), ("presolve/damage", 0.1)):
        largest = np.nanmax(found[name], axis=(1, 2, 3))
        np.testing.assert_allclose(largest, scale * found["realization"], rtol=1e-6)
    for name in ("elastic/von_mises", "status"):  # the simulation's own
        first = store.read(shards[0])[0][name][0]
        np.testing.assert_array_equal(found[name][0], first)


def test_presolve_shards_of_other_things_are_refused(make_shard, settings, tmp_path):
    shards = [make_shard([0, 1]), make_shard([2, 3])]
    good = [presolved(tmp_path / f"p{n}.h5", shard, settings) for n, shard in enumerate(shards)]
    other = presolved(tmp_path / "q.h5", shards[1], settings, presolve={"strain": 0.02})
    harder = settings["simulate"] | {"strain_rate": 1.0}
    foreign = presolved(tmp_path / "r.h5", shards[1], settings, simulation=harder)
    swapped = presolved(tmp_path / "s.h5", shards[1], settings)
    fields, attributes = store.read(swapped)
    fields["porosity"] = fields["porosity"][::-1]
    del attributes["complete"]
    store.write_atomically(swapped, fields, attributes)
    for files_, message in [
        (good[:1], "realization 2 is in no presolve shard"),
        ([good[0], good[0]], "realization [01] is in .*p0.h5 and in .*p0.h5"),
        ([good[0], other], "presolve.strain is 0.02, expected 0.01"),
        ([good[0], foreign], "simulation.strain_rate is 1.0, expected 0.002"),
        ([good[0], swapped], "its pores are not those of the simulations"),
        (shards, "presolve"),  # simulations
    ]:
        output = tmp_path / "ensemble.h5"
        wanted = settings["gather"] | {"realizations": 4}
        with pytest.raises(PorefailError, match=message):
            gather.run(shards, output, tmp_path / "a.csv", wanted, files_)
        assert not output.exists()
