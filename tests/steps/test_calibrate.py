"""calibrate: a locator from an ensemble with presolved fields; one line for what cannot be."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from porefail import store
from porefail.__main__ import main
from porefail.configuration.codes import Part
from porefail.dataset.split import split
from porefail.fe.elastic import fields as elastic
from porefail.steps import gather
from porefail.store import Status
from porefail.verdict import calibration
from porefail.verdict.locator import SKILL, read_locator
from porefail.verdict.measures import MEASURES

from .conftest import configuration, write_shard

COUNT = 30
FIRST = 20


@pytest.fixture(scope="module")
def wanted() -> dict:
    default = configuration("default")
    return {
        "seed": 7,
        "split": [6, 2, 2],
        "channels": ["log_von_mises", "triaxiality"],
        "penalties": [0.01, 1.0],
        "penalty": default["ranking"]["penalty"],
        "coverage": 0.8,
    }


def presolved(path, shard, settings) -> None:
    """Made-up stresses: high where a simulation's damage is, for which they are known before."""
    rows, _ = store.read(shard)
    voids = rows["porosity"] == 1
    stress = 1 + 2 * rows["damage"]
    fields = {f"elastic/{name}": 0.3 * stress for name in elastic.NAMES if name != "seconds"}
    fields |= {"elastic/von_mises": stress, "elastic/largest_von_mises": stress}
    fields |= {"presolve/damage": np.where(voids, np.nan, 0.1 * stress)}
    store.write_atomically(
        path,
        {name: values.astype(np.float32) for name, values in fields.items()}
        | {
            "realization": rows["realization"],
            "porosity": rows["porosity"],
            "status": np.full(len(voids), Status.SOLVED, np.uint8),
            "presolve/strain": np.full(len(voids), 0.01),
        },
        {"spacing": 0.05, "presolve": settings["presolve"]["presolve"]} | settings["gather"],
    )


@pytest.fixture(scope="module")
def ensembles(settings, tmp_path_factory):
    """Of the same specimens, with fields of before the simulation and without; the first ones."""
    folder = tmp_path_factory.mktemp("ensembles")
    shard, before = folder / "shard.h5", folder / "before.h5"
    write_shard(shard, settings["gather"], list(range(COUNT)))
    presolved(before, shard, settings)
    count = settings["gather"] | {"realizations": COUNT}
    for name, more in (("whole", [before]), ("plain", [])):
        gather.run([shard], folder / f"{name}.h5", folder / f"{name}.csv", count, more)
    rows, source = store.read(folder / "whole.h5")
    first = rows["realization"] < FIRST
    rows = {name: row[first] for name, row in rows.items()}
    store.write_atomically(folder / "first.h5", rows, source)
    return folder


def run(ensemble, output, wanted, *more) -> int:
    words = [f"--ensemble={ensemble}", f"--output={output}", f"--settings={json.dumps(wanted)}"]
    return main(["calibrate", *words, *map(str, more)])


@pytest.fixture(scope="module")
def calibrated(ensembles, wanted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibrated")
    scores = folder / "scores.csv"
    output = folder / "locator.json"
    more = [f"--scores={scores}", f"--sites={folder / 'sites.csv'}"]
    more += [f"--figure={folder / 'reliability.png'}", f"--sets={folder / 'sets.csv'}"]
    assert run(ensembles / "whole.h5", output, wanted, *more) == 0
    return output, scores


def test_a_locator_that_is_read_again(calibrated, settings, wanted, ensembles):
    found = read_locator(calibrated[0])
    assert found.voxel == 0.05 and found.coverage == 0.8
    assert found.simulation == settings["simulate"]
    assert found.presolve == settings["presolve"]["presolve"]
    assert found.regression.names == tuple(wanted["channels"])
    assert found.regression.penalty in wanted["penalties"]
    assert f"{COUNT} simulated specimens, of which 6 calibrate" in found.source
    assert set(found.ranges) == set(MEASURES)
    rows, _ = store.read(ensembles / "whole.h5")
    share = rows["porosity"].mean(axis=(1, 2, 3))
    assert found.ranges["porosity"] == pytest.approx((share.min(), share.max()))
    assert found.ranges["section_mm2"] == pytest.approx((0.16, 0.16))


def test_skill_is_that_of_the_test_part(calibrated, wanted):
    """It chose nothing: 6 of 30 specimens."""
    output, path = calibrated
    skill, scores = read_locator(output).skill, pd.read_csv(path)
    part = split(np.arange(COUNT), wanted["split"], wanted["seed"])
    assert sorted(scores["realization"]) == np.flatnonzero(part == Part.TEST).tolist()
    assert skill["specimens"] == len(scores) == 6
    for name in SKILL[1:]:
        assert skill[name] == pytest.approx(scores[name].mean())
    for name in ("top_1", "top_3", "in_set", "elastic_top_1", "coarse_top_1"):
        assert scores[name].isin([0, 1]).all()
    assert 0 <= skill["top_1"] <= skill["top_3"] <= 1 and 0 <= skill["in_set"] <= 1
    assert (scores["top_1"] <= scores["top_3"]).all()
    assert scores["probability"].between(0, 1).all() and (scores["set_size"] >= 0).all()


def test_sites_are_those_of_the_scores(calibrated):
    folder = calibrated[0].parent
    sites, scores = (pd.read_csv(folder / f"{name}.csv") for name in ("sites", "scores"))
    scores = scores.set_index("realization")
    found = sites.groupby("realization")
    assert found["in_set"].sum().equals(scores["set_size"].sort_index().rename("in_set"))
    first = sites[sites["rank"] == 1].set_index("realization")
    for name, theirs in (("failed", "top_1"), ("probability", "probability")):
        np.testing.assert_allclose(first[name], scores.loc[first.index, theirs])
    assert (found["probability"].sum() <= 1 + 1e-9).all()
    assert (folder / "reliability.png").read_bytes().startswith(b"\x89PNG")


def test_sets_of_several_coverages(calibrated):
    """That of the locator's own coverage is the one of the scores; more is asked, more are in."""
    sets = pd.read_csv(calibrated[0].parent / "sets.csv").set_index("coverage")
    scores = pd.read_csv(calibrated[1])
    own = sets.loc[0.8]
    for name in ("in_set", "set_size"):
        assert own[name] == pytest.approx(scores[name].mean())
    assert own["specimens"] == len(scores) == 6
    sites = pd.read_csv(calibrated[0].parent / "sites.csv")
    inside = (sites["probability"] >= own["least"]) | (sites["rank"] == 1)
    assert inside.astype(int).tolist() == sites["in_set"].tolist()
    assert sets.index.is_monotonic_increasing
    assert sets["set_size"].is_monotonic_increasing and sets["in_set"].is_monotonic_increasing
    few = sets.loc[0.99]  # 6 specimens calibrate: for this no set is large enough
    assert few["least"] == 0 and few["set_size"] == sites.groupby("realization").size().mean()


def test_what_is_plain_is_learnt(calibrated):
    """Stress is highest where the made-up specimens failed."""
    skill = read_locator(calibrated[0]).skill
    assert skill["top_1"] > 0.8
    assert pd.read_csv(calibrated[1])["coarse_top_1"].mean() > 0.8


def test_the_same_bytes_twice(calibrated, ensembles, wanted, tmp_path, capsys):
    assert run(ensembles / "whole.h5", tmp_path / "again.json", wanted) == 0
    assert (tmp_path / "again.json").read_bytes() == calibrated[0].read_bytes()
    told = capsys.readouterr().out
    assert "calibrate: specimens 6, top_1 " in told
    assert [path.name for path in tmp_path.iterdir()] == ["again.json"]


def test_specimens_of_no_part_calibrate(ensembles, wanted, tmp_path, monkeypatch):
    """What is learnt is what would be without them, and the test part is of the others."""
    calibrating, judged = [], calibration._judged

    def spied(held, *more):
        calibrating.extend(int(each.known["realization"]) for each in held)
        return judged(held, *more)

    monkeypatch.setattr(calibration, "_judged", spied)
    runs = {"whole": (f"--calibrate-from={FIRST}", "--submodels=1"), "first": ()}
    for name, more in runs.items():
        given = (f"--scores={tmp_path / name}.csv", *more)
        assert run(ensembles / f"{name}.h5", tmp_path / f"{name}.json", wanted, *given) == 0
    validation, tested = (
        np.flatnonzero(split(np.arange(FIRST), wanted["split"], wanted["seed"]) == part).tolist()
        for part in (Part.VALIDATION, Part.TEST)
    )
    assert calibrating == [*range(FIRST, COUNT)] * 2 + validation
    ours, first = (read_locator(tmp_path / f"{name}.json") for name in runs)
    for mine, theirs in zip(ours.regression, first.regression, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert (ours.choice.coefficient != first.choice.coefficient).any()
    assert f"of which {COUNT - FIRST} calibrate" in ours.source and ours.blocks.most == 1
    rows, _ = store.read(ensembles / "whole.h5")
    share = rows["porosity"].mean(axis=(1, 2, 3))
    assert ours.ranges["porosity"] == pytest.approx((share.min(), share.max()))
    mine, theirs = (pd.read_csv(tmp_path / f"{name}.csv") for name in runs)
    assert sorted(mine["realization"]) == tested and mine["blocks"].eq(1).all()
    solves = ["realization", "elastic_top_1", "coarse_top_1"]
    pd.testing.assert_frame_equal(mine[solves], theirs[solves])


def test_probabilities_of_what_a_scan_shows(ensembles, wanted, tmp_path):
    output = tmp_path / "scanned.json"
    more = ("--scanned=12.5um", "--noise=0.02")
    assert run(ensembles / "whole.h5", output, wanted, *more) == 0
    found = read_locator(output)
    assert found.scanned == (0.0125, 0.02)
    assert 0 < found.skill["specimens"] <= 6
    assert 0 <= found.skill["top_1"] <= found.skill["top_3"] <= 1


def test_blocks_around_the_likeliest_sites_are_judged_too(
    calibrated, ensembles, wanted, tmp_path, capsys
):
    """A block as large as the specimen is the specimen: it fails where the true one would, not
    where a made-up one did, so rates are of no matter here; the table and the words are."""
    scores = tmp_path / "scores.csv"
    more = (f"--scores={scores}", f"--sets={tmp_path / 'sets.csv'}", "--submodels=2")
    assert run(ensembles / "whole.h5", tmp_path / "locator.json", wanted, *more) == 0
    told, found = capsys.readouterr().out, pd.read_csv(scores)
    plain = pd.read_csv(calibrated[1])
    pd.testing.assert_frame_equal(found[plain.columns], plain)
    assert found["block_top_1"].isin([0, 1]).all() and found["block_strain"].gt(0).all()
    assert found["blocks"].between(1, 2).all()
    blocks, without = (read_locator(each) for each in (tmp_path / "locator.json", calibrated[0]))
    assert without.blocks is None and blocks.blocks.most == 2
    same_but_blocks = blocks._replace(blocks=None)
    assert json.dumps(same_but_blocks.skill) == json.dumps(without.skill)
    assert same_but_blocks.level == without.level
    for name in SKILL[1:]:
        assert blocks.blocks.skill[name] == pytest.approx(found[f"pulled_{name}"].mean())
    sets = pd.read_csv(tmp_path / "sets.csv")
    assert sets["blocks"].unique().tolist() == [0, 2]
    own = sets[(sets["blocks"] == 2) & (sets["coverage"] == wanted["coverage"])].iloc[0]
    assert own["set_size"] == pytest.approx(blocks.blocks.skill["set_size"])
    rate = found["pulled_top_1"].mean()
    assert f"the first site, ranked anew by blocks: right in {rate:.3f} (" in told
    rate = found["block_top_1"].mean()
    assert f"the first block to fail: right in {rate:.3f} (" in told
    assert (
        f"the first block to fail over the first site: {rate - found['top_1'].mean():+.3f}" in told
    )
    assert "strain of the first block over the specimen's, 5, 25, 50, 75, 95 %: " in told


NETWORK = {"filters": 2, "epochs": 10, "batch_size": 8, "learning_rate": 1e-2}


def test_a_network_in_the_locator(calibrated, ensembles, wanted, tmp_path, capsys):
    """It ranks the regression's sites anew, for the scores too, and goes on from its checkpoint."""
    output, state, scores = (tmp_path / name for name in ("locator.json", "state.npz", "s.csv"))
    given = wanted | {"network": NETWORK}
    more = (f"--checkpoint={state}", f"--scores={scores}")
    assert run(ensembles / "whole.h5", output, given, *more) == 0
    assert "epoch 2/2" in capsys.readouterr().out and list(tmp_path.glob("state-*.npz"))
    for network in read_locator(output).committee:
        assert network.names == ("solid", *wanted["channels"])
        assert network.correct.any() and network.parameters > 100
    plain = pd.read_csv(calibrated[1])
    assert (pd.read_csv(scores)["probability"] != plain["probability"]).any()
    again = tmp_path / "again.json"
    assert run(ensembles / "whole.h5", again, given, *more) == 0
    assert "training goes on after epoch 2/2" in capsys.readouterr().out
    assert again.read_bytes() == output.read_bytes()


MISTAKES = {
    "network": ("whole.h5", {"network": {"filters": 2}}, [], "network.epochs is missing"),
    "checkpoint": ("whole.h5", {}, ["--checkpoint=s.npz"], "--checkpoint is of networks, which"),
    "blocks": ("whole.h5", {}, ["--submodels=-1"], "--submodels -1: expected a whole number from"),
    "nobody calibrates": (
        "whole.h5",
        {},
        [f"--calibrate-from={COUNT}"],
        f"whole.h5: has fewer than two realizations from {COUNT} on to calibrate with",
    ),
    "one calibrates": (
        "whole.h5",
        {},
        [f"--calibrate-from={COUNT - 1}"],
        f"has fewer than two realizations from {COUNT - 1} on",
    ),
    "all calibrate": ("whole.h5", {}, ["--calibrate-from=0"], "from 0: expected a whole number"),
    "few are learnt from": ("whole.h5", {}, ["--calibrate-from=1"], "part is empty: 1 realiz"),
    "without presolve": ("plain.h5", {}, [], "plain.h5: lacks /.*presolve.strain must be above 0"),
    "no ensemble": ("none.h5", {}, [], "none.h5: missing file"),
    "a shard": ("shard.h5", {}, [], "shard.h5: "),
    "setting missing": ("whole.h5", {"penalty": None}, [], "penalty"),
    "setting unknown": ("whole.h5", {"penalti": 1.0}, [], "penalti"),
    "coverage": ("whole.h5", {"coverage": 1.5}, [], "coverage is 1.5, expected a number"),
    "split": ("whole.h5", {"split": [1, 0, 2]}, [], r"split\[1\] is 0, expected"),
    "penalties": ("whole.h5", {"penalties": []}, [], r"penalties is \[\], expected"),
    "channel": ("whole.h5", {"channels": ["colour"]}, [], r"channels\[0\] is .colour., expected"),
    "no channel of a scan": (
        "whole.h5",
        {"channels": ["submodel_strain"]},
        [],
        "channels names submodel_strain, which a scan does not have",
    ),
    "too few": ("whole.h5", {"split": [1, 1, 98], "seed": 3}, [], "part"),
    "unit": ("whole.h5", {}, ["--scanned=12"], "--scanned: '12' is no length"),
    "noise": ("whole.h5", {}, ["--scanned=12um", "--noise=nan"], "noise is nan"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(ensembles, wanted, tmp_path, capsys, name):
    ensemble, changes, more, message = MISTAKES[name]
    given = {key: value for key, value in (wanted | changes).items() if value is not None}
    scores = tmp_path / "scores.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        status = run(ensembles / ensemble, "locator.json", given, f"--scores={scores}", *more)
    line = capsys.readouterr().err
    assert status == 1
    assert line.startswith("porefail calibrate: error: ") and line.count("\n") == 1, line
    assert re.search(message, line), line
    assert not list(tmp_path.iterdir())
