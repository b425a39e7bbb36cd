"""rank: sites that follow from the fields, probabilities that add up, a true site in the set."""

import numpy as np
import pytest

from porefail import files, store
from porefail.dataset.split import Part
from porefail.errors import PorefailError
from porefail.files import tables
from porefail.nn import bayesian, training
from porefail.nn.prediction import moments
from porefail.steps import rank
from porefail.voxels.neighbours import connected

pytestmark = pytest.mark.slow
WANTED = {
    "seed": 7,
    "draws": 4,
    "site_threshold": 0.6,
    "mass_threshold": 0.7,
    "coverage": 0.5,
    "penalty": 0.01,
    "near_voxels": 1,
    "specimens": 2,
}


@pytest.fixture(scope="module")
def ranked(twin, made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranked")
    rank.run(twin, made["dataset"], made["ensemble"], folder, WANTED)
    return folder


def test_contract(ranked, made):
    found, source = store.read(ranked / "prediction.h5", kind="ranking")
    assert sorted(found) == ["epistemic", "mean", "noise", "realization", "site"]
    assert source["rank"] == WANTED
    part = store.read(made["dataset"])[0]
    test = part["part"] == 2
    assert found["realization"].tolist() == part["realization"][test].tolist()
    voids = part["porosity"][test] == 1
    assert np.isnan(found["mean"][voids]).all() and np.isfinite(found["mean"][~voids]).all()
    assert (found["site"][voids] == 0).all()
    for name in ("damage_variance", "cluster_distributions", "weight_variation"):
        assert (ranked / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_moments_are_those_of_the_draws(ranked, made, twin):
    found = store.read(ranked / "prediction.h5")[0]
    network = training.load(twin)
    data = store.read(made["dataset"])[0]
    channels = {"porosity": data["porosity"][data["part"] == 2]}
    said = moments(bayesian.draws(network, WANTED["draws"], WANTED["seed"]), channels)
    solid = channels["porosity"] == 0
    for name in ("mean", "epistemic", "noise"):
        np.testing.assert_allclose(found[name][solid], getattr(said, name)[solid], rtol=1e-5)


def test_the_table_follows_from_the_fields(ranked, made):
    found = store.read(ranked / "prediction.h5")[0]
    data = store.read(made["ensemble"])[0]
    table = files.read_table(ranked / "sites.csv", tables.SITES)
    assert list(files.read_table(ranked / "sites.csv")) == list(tables.SITES)
    for k, number in enumerate(found["realization"].tolist()):
        mine = table[table["realization"] == number].reset_index()
        field, site = found["mean"][k], found["site"][k]
        row = data["realization"].tolist().index(number)
        solid = data["porosity"][row] == 0
        above = solid & (np.nan_to_num(field) >= 0.6 * np.nanmax(field))
        np.testing.assert_array_equal(site > 0, above)
        assert mine["rank"].tolist() == list(range(1, site.max() + 1))
        assert site.max() == connected(above)[1]
        assert (np.diff(mine["probability"]) <= 0).all() and mine["probability"].sum() < 1
        voids = 0.05 * (np.argwhere(~solid) + 0.5)
        for i, place in enumerate(mine["rank"]):
            mask = site == place
            assert mine["voxels"][i] == mask.sum()
            assert mine["peak"][i] == pytest.approx(field[mask].max())
            assert mine["average"][i] == pytest.approx(field[mask].mean(), rel=1e-4)
            centre = 0.05 * (np.argwhere(mask).mean(axis=0) + 0.5)
            assert [mine[f"{axis}_mm"][i] for axis in "xyz"] == pytest.approx(centre.tolist())
            nearest = np.linalg.norm(voids - centre, axis=1).min()
            assert mine["pore_mm"][i] == pytest.approx(nearest)
            failed = np.argwhere(data["failed"][row] == 1)
            apart = np.abs(np.argwhere(mask)[:, None] - failed).max(axis=2)
            assert mine["failed"][i] == (apart.min() <= 1)
        assert mine["in_set"][0] == 1 and (np.diff(mine["in_set"]) <= 0).all()


def test_the_same_twice(ranked, twin, made, tmp_path):
    rank.run(twin, made["dataset"], made["ensemble"], tmp_path, WANTED)
    for name in ("sites.csv", "summary.txt"):
        assert (tmp_path / name).read_text() == (ranked / name).read_text()


def test_summary(ranked):
    text = (ranked / "summary.txt").read_text()
    assert text.startswith("4 held-out specimens, ")
    for words in ("mass, then average", "Sets for a coverage of 0.5", "Probabilities, and how"):
        assert words in text


def test_errors(made, twin, tmp_path):
    with pytest.raises(PorefailError, match=r"model\.keras: not a Bayesian network"):
        rank.run(made["model"], made["dataset"], made["ensemble"], tmp_path, WANTED)
    fields, source = store.read(made["dataset"])
    fields["part"][fields["part"] == Part.VALIDATION] = Part.TRAIN
    store.write_atomically(tmp_path / "d.h5", fields, source)
    with pytest.raises(PorefailError, match=r"d\.h5: its validation part is empty"):
        rank.run(twin, tmp_path / "d.h5", made["ensemble"], tmp_path / "out", WANTED)
    with pytest.raises(PorefailError, match="coverage is missing"):
        less = {name: value for name, value in WANTED.items() if name != "coverage"}
        rank.run(twin, made["dataset"], made["ensemble"], tmp_path, less)
    data, attributes = store.read(made["ensemble"])
    attributes.pop("complete")
    rows = {name: values[:-1] for name, values in data.items()}
    store.write_atomically(tmp_path / "fewer.h5", rows, attributes)
    with pytest.raises(PorefailError, match="hold different realizations"):
        rank.run(twin, made["dataset"], tmp_path / "fewer.h5", tmp_path / "out", WANTED)
    attributes["porosity"]["seed"] += 1
    store.write_atomically(tmp_path / "other.h5", data, attributes)
    with pytest.raises(PorefailError, match=r"other\.h5: made with other settings: porosity.seed"):
        rank.run(twin, made["dataset"], tmp_path / "other.h5", tmp_path / "out", WANTED)
    assert not (tmp_path / "out").exists()


def test_a_locator_in_the_place_of_a_network(located, made, tmp_path):
    rank.run(located(), made["dataset"], made["ensemble"], tmp_path / "ranked", {})
    found, source = store.read(tmp_path / "ranked" / "prediction.h5", kind="ranking")
    assert source["rank"] == {}
    table = files.read_table(tmp_path / "ranked" / "sites.csv")
    known = store.read(made["ensemble"])[0]
    for k, number in enumerate(found["realization"].tolist()):
        mine = table[table["realization"] == number].reset_index()
        assert (np.diff(mine["probability"]) <= 0).all() and mine["probability"].sum() < 1
        failed = known["failed"][known["realization"].tolist().index(number)] == 1
        for i, place in enumerate(mine["rank"]):
            (at,) = np.argwhere(found["site"][k] == place)
            np.testing.assert_allclose(
                mine.loc[i, ["x_mm", "y_mm", "z_mm"]].astype(float), 0.05 * (at + 0.5)
            )
            near = np.abs(np.argwhere(failed) - at).max(axis=1).min() <= 1
            assert mine["failed"][i] == near
    scores = files.read_table(tmp_path / "ranked" / "scores.csv")
    scores = dict(zip(scores["score"], scores["value"].astype(float), strict=True))
    first = table[table["rank"] == 1]
    assert scores["first"] == pytest.approx(first["failed"].mean())
    assert scores["set_size"] * len(first) == pytest.approx(table["in_set"].sum())
    assert scores["specimens"] == len(first) <= scores["sites"] * len(first)
    text = (tmp_path / "ranked" / "summary.txt").read_text()
    assert f"{scores['first']:.3f}" in text and f"{len(first)} held-out specimens" in text
    assert (tmp_path / "ranked" / "reliability.png").read_bytes().startswith(b"\x89PNG")


def test_a_locator_of_other_voxels_is_refused(located, made, tmp_path):
    with pytest.raises(PorefailError, match="its spacing is 0.05, expected 0.025, as of the loc"):
        rank.run(located(voxel=0.025), made["dataset"], made["ensemble"], tmp_path / "r", {})
    assert not (tmp_path / "r").exists()


def test_a_locator_takes_no_settings(located, made, tmp_path):
    with pytest.raises(PorefailError, match="settings: seed is not a known key"):
        rank.run(located(), made["dataset"], made["ensemble"], tmp_path / "r", WANTED)
