"""crossvalidate: scores that follow from the fields, on realizations that were not learnt from."""

import numpy as np
import pytest

from porefail import files, learning, store
from porefail.baselines import sites
from porefail.dataset.split import Part, split
from porefail.errors import PorefailError
from porefail.files import tables
from porefail.learning import uncertain
from porefail.metrics import clusters, peaks
from porefail.study.folds import in_set
from porefail.study.scores import RANKS

SETS = ["validation", "test"]


@pytest.fixture(scope="module")
def elastic(variant, tmp_path_factory):
    return variant(tmp_path_factory.mktemp("elastic"), kind="elastic_hot_spot")


def read_set(folder, table, name):
    return in_set(files.read_table(folder / f"{table}.csv"), name)


def test_contract(elastic, settings):
    scores = files.read_table(elastic / "scores.csv")
    assert scores["set"].tolist() == SETS and scores["specimens"].tolist() == [2, 4]
    assert (scores["parameters"] == 0).all() and scores["threshold"][0] == scores["threshold"][1]
    for name, columns in tables.FOLD.items():
        assert list(files.read_table(elastic / f"{name}.csv")) == list(columns)
    count = settings["evaluate"]["thresholds"]
    for name in SETS:
        assert len(read_set(elastic, "curves", name)["threshold"]) == count
        spread = read_set(elastic, "distribution", name)
        assert len(spread["low"]) == count + 1 and spread["low"][0] == 0
        assert spread["true"].sum() == spread["predicted"].sum()
    assert list(files.read_table(elastic / "history.csv")) == [
        "epoch",
        "loss",
        "validation_loss",
        "divergence",
        "seconds",
    ]


def test_every_number_follows_from_the_fields(elastic, made, settings):
    wanted = settings["crossvalidate"]["evaluation"]
    dataset = settings["crossvalidate"]["dataset"]
    known, failed = learning.specimens(made["ensemble"], dataset, ["von_mises", "pressure"])
    part = split(known.realization, [7, 1, 2], dataset["seed"])
    for name, mask in zip(SETS, (part == Part.VALIDATION, part == Part.TEST), strict=True):
        held_out = known.where(mask)
        numbers = read_set(elastic, "specimens", name)["realization"]
        assert numbers.tolist() == list(held_out.realization)
        stress = held_out.channels["von_mises"], held_out.channels["pressure"]
        prediction = sites.hot_spot(*stress, held_out.porosity)
        solid = held_out.porosity == 0
        curves, score = read_set(elastic, "curves", name), read_set(elastic, "scores", name)
        at = np.argmin(np.abs(curves["threshold"] - score["threshold"][0]))
        counts = clusters.cluster_overlap(
            held_out.label, prediction, solid, [curves["threshold"][at]], wanted["site_threshold"]
        )
        assert curves["site_found"][at] == counts.found and curves["site_hit"][at] == counts.hit
        assert score["site_recall"][0] == pytest.approx(counts.recall[0])
        assert score["site_precision"][0] == pytest.approx(counts.precision[0])
        above = prediction[solid] >= curves["threshold"][at]
        assert score["site_volume"][0] == pytest.approx(above.mean())
        error = (prediction - held_out.label)[solid].astype(float) ** 2
        assert score["mean_squared_error"][0] == pytest.approx(error.mean())
        fields = zip(prediction, solid, failed[mask], strict=True)
        top = [peaks.top_hits(*each, [1, 3], wanted["near_voxels"]) for each in fields]
        for k, rank in enumerate(("top_1", "top_3")):
            hits = read_set(elastic, "specimens", name)[rank]
            np.testing.assert_allclose(hits, [each[k] for each in top])
            assert score[rank][0] == pytest.approx(hits.mean())


def test_the_threshold_is_chosen_on_the_validation_part(elastic, settings):
    wanted = settings["crossvalidate"]["evaluation"]
    curves = read_set(elastic, "curves", "validation")
    recall = curves["site_found"] / curves["site_true"]
    precision = curves["site_hit"] / np.maximum(curves["site_predicted"], 1)
    allowed = (curves["predicted_volume"] <= wanted["site_volume"]) & (
        recall >= wanted["site_recall"]
    )
    chosen = read_set(elastic, "scores", "validation")["threshold"][0]
    assert allowed[np.argmin(np.abs(curves["threshold"] - chosen))]
    best = precision[allowed].max()
    assert read_set(elastic, "scores", "validation")["site_precision"][0] == pytest.approx(best)


def test_folds_hold_out_every_realization_once(variant, made, tmp_path):
    numbers = []
    for fold in range(5):
        folder = variant(tmp_path / str(fold), kind="porous_section", fold=fold)
        numbers += read_set(folder, "specimens", "test")["realization"].tolist()
    assert (
        sorted(numbers) == store.read(made["ensemble"], ["realization"])[0]["realization"].tolist()
    )


@pytest.mark.parametrize("kind", ["linear_heteroencoder", "local_statistics", "largest_pore"])
def test_models_without_a_network(variant, tmp_path, kind):
    scores = files.read_table(variant(tmp_path, kind=kind) / "scores.csv")
    assert (scores["parameters"] > 0).all() == (kind != "largest_pore")
    assert np.isfinite(scores["mean_squared_error"]).all()


def test_a_regression_of_the_site_takes_its_channels_and_its_label(
    variant, made, settings, tmp_path
):
    data, attributes = store.read(made["ensemble"])
    attributes = {name: value for name, value in attributes.items() if name != "complete"}
    data["damage"][data["failed"] == 1] = 0.5  # φ_max
    growth = {"presolve/damage": 0.1 * data["damage"] + np.float32(0.08)}
    store.write_atomically(tmp_path / "e.h5", data | growth, attributes)
    training, dataset = (settings["crossvalidate"][key] for key in ("training", "dataset"))
    changes = {
        "ensemble": tmp_path / "e.h5",
        "dataset": dataset | {"transform": "site"},
        "training": training | {"channels": ["log_von_mises", "triaxiality", "log_coarse_damage"]},
    }
    folder = variant(tmp_path / "regression", kind="site_regression", **changes)
    scores = files.read_table(folder / "scores.csv")
    assert (scores["parameters"] == 13).all() and (scores["top_1"] > 0.5).all()
    # What ranks its sites anew has its numbers too, and epochs.
    folder = variant(tmp_path / "sites", kind="site_network", **changes)
    scores = files.read_table(folder / "scores.csv")
    assert (scores["parameters"] > 13 + 1000).all() and (scores["products"] > 1e5).all()
    assert (scores["top_1"] > 0.5).all() and (scores["fit_seconds"] > 0).all()
    assert len(files.read_table(folder / "history.csv")) == training["epochs"]
    coarse = variant(tmp_path / "coarse", kind="coarse_step", **changes)
    # It grew where it failed in the end: the coarse step knows all sites.
    assert (files.read_table(coarse / "scores.csv")["top_1"] == 1).all()
    for kind in ("site_regression", "site_network"):
        with pytest.raises(PorefailError, match="needs dataset.transform site, not t"):
            variant(tmp_path / "bad", kind=kind)
    with pytest.raises(PorefailError, match="no dataset /presolve/damage"):
        variant(tmp_path / "bad", kind="coarse_step")


@pytest.mark.slow
def test_what_is_held_out_is_not_learnt_from(variant, made, tmp_path, settings):
    """Other labels of the test part change no model, so no prediction of it."""
    data, attributes = store.read(made["ensemble"])
    part = split(data["realization"], [7, 1, 2], settings["crossvalidate"]["dataset"]["seed"])
    changed = data["damage"].copy()
    changed[part == Part.TEST] = changed[part == Part.TEST] ** 2
    attributes = {name: value for name, value in attributes.items() if name != "complete"}
    store.write_atomically(tmp_path / "e.h5", data | {"damage": changed}, attributes)
    kinds = {"local": {"kind": "local_statistics"}, "network": {}}
    for name, changes in kinds.items():
        one = variant(tmp_path / name / "one", **changes)
        other = variant(tmp_path / name / "other", ensemble=tmp_path / "e.h5", **changes)
        for table in ("scores", "curves"):
            left, right = (read_set(folder, table, "validation") for folder in (one, other))
            for key in set(left) - {"set", "fit_seconds", "predict_seconds"}:
                np.testing.assert_array_equal(left[key], right[key])
        left, right = (read_set(folder, "distribution", "test") for folder in (one, other))
        np.testing.assert_array_equal(left["predicted"], right["predicted"])
        assert (left["true"] != right["true"]).any()


@pytest.mark.slow
def test_a_network_goes_on_from_its_checkpoint_and_is_tested_on_other_specimens(
    variant, made, tmp_path, settings, capsys
):
    other = tmp_path / "larger" / "ensemble.h5"
    data, attributes = store.read(made["ensemble"])
    fields = {
        name: np.repeat(values, 2, axis=3) if values.ndim == 4 else values
        for name, values in data.items()
    }
    attributes = {name: value for name, value in attributes.items() if name != "complete"}
    attributes["porosity"]["shape"][2] *= 2
    store.write_atomically(other, fields, attributes)
    training = settings["crossvalidate"]["training"]
    whole = variant(tmp_path / "whole", [other], training=training | {"epochs": 2})
    variant(tmp_path / "stopped")
    capsys.readouterr()
    resumed = variant(tmp_path / "stopped", [other], training=training | {"epochs": 2})
    assert "goes on after epoch 1/2" in capsys.readouterr().out
    for table in ("scores", "curves"):
        one, two = (files.read_table(folder / f"{table}.csv") for folder in (whole, resumed))
        assert set(one["set"]) == {"validation", "test", "larger"}
        for key in set(one) - {"set", "fit_seconds", "predict_seconds"}:
            np.testing.assert_allclose(one[key], two[key], rtol=1e-5, err_msg=key)
    scores = files.read_table(whole / "scores.csv")
    assert (scores["parameters"] == 7385).all() and (scores["products"] > 1e5).all()
    assert scores["specimens"].tolist() == [2, 4, 20]
    with pytest.raises(PorefailError, match="two sets of specimens are called larger"):
        variant(tmp_path / "whole", [other, other], training=training | {"epochs": 2})


@pytest.mark.slow
def test_averaging_predictions_trains_nothing_anew(variant, tmp_path, settings, capsys):
    training = settings["crossvalidate"]["training"]
    folder = variant(tmp_path, training=training)
    curves, once = (files.read_table(folder / f"{name}.csv") for name in ("history", "scores"))
    capsys.readouterr()
    variant(tmp_path, training=training | {"average": True})
    told = capsys.readouterr().out
    assert "goes on after epoch 1/1" in told and "validation" not in told.split("validation:")[0]
    again, averaged = (files.read_table(folder / f"{name}.csv") for name in ("history", "scores"))
    for name, values in curves.items():  # its seconds too
        np.testing.assert_array_equal(again[name], values)
    assert (averaged["mean_squared_error"] != once["mean_squared_error"]).all()
    assert (averaged["products"] == 16 * once["products"]).all()


def test_errors(variant, made, tmp_path):
    for changes, message in [
        ({"kind": "oracle"}, "settings: kind is 'oracle', expected one of"),
        ({"fold": 5}, "fold is 5, expected 0 to 4"),
        ({"colour": 3}, "settings: colour is not a known key"),
        ({"ensemble": tmp_path / "none.h5"}, "none.h5: missing file"),
        ({"ensemble": made["dataset"]}, "no dataset /failed"),
    ]:
        with pytest.raises(PorefailError, match=message):
            variant(tmp_path / "bad", **changes)
    assert not (tmp_path / "bad").exists()
    assert RANKS == (1, 3, 5)


def test_other_ensembles_are_refused_before_anything_is_learnt(variant, made, tmp_path):
    for other, message in [
        (tmp_path / "none" / "ensemble.h5", "ensemble.h5: missing file"),
        (made["ensemble"], "its pores are at the places of those learnt from"),
    ]:
        with pytest.raises(PorefailError, match=message):
            variant(tmp_path / "out", [other])
    assert not (tmp_path / "out").exists()


def test_specimens_with_pores_at_the_places_of_those_learnt_from_are_refused(
    variant, made, tmp_path
):
    """Less or more porosity with the same seed: subsets and supersets of the same voids."""
    data, attributes = store.read(made["ensemble"])
    attributes = {name: value for name, value in attributes.items() if name != "complete"}
    attributes["porosity"]["mean_porosity"] /= 2
    twin = tmp_path / "sparse" / "ensemble.h5"
    store.write_atomically(twin, data, attributes)
    with pytest.raises(PorefailError, match=r"sparse/ensemble\.h5: its pores are at the places"):
        variant(tmp_path, [twin], kind="largest_pore")
    assert not (tmp_path / "scores.csv").exists()


@pytest.mark.slow
@pytest.mark.parametrize("kind", uncertain.KINDS)
def test_a_network_that_says_how_sure_it_is(variant, settings, tmp_path, kind, monkeypatch):
    monkeypatch.setattr(uncertain, "UNIFORM", 0.0)  # nothing is learnt in one epoch
    training = settings["crossvalidate"]["training"] | {"bayesian": settings["bayesian"]}
    training |= {"epochs": 2}  # which a plain network and its twin share, and two of an ensemble
    folder = variant(tmp_path / "one", kind=kind, training=training)
    epochs = len(files.read_table(folder / "history.csv"))
    assert epochs == (1 if kind in ("bayesian", "deep_ensemble") else 2)
    scores = files.read_table(folder / "scores.csv")
    for name, columns in tables.SURE.items():
        found = files.read_table(folder / f"{name}.csv")
        assert set(found) == set(tables.FOLD[name]) | set(columns)
    for name in ("log_score", "crps", "sharpness", "interval_sharpness"):
        assert np.isfinite(scores[name]).all()
    for name in ("coverage", "interval_coverage"):
        assert ((scores[name] > 0.5) & (scores[name] <= 1)).all()
    spread = read_set(folder, "distribution", "test")
    known = np.isfinite(spread["coverage"])
    # Of all voxels: the mean of the bins, each with its voxels.
    total = (spread["coverage"] * spread["true"])[known].sum() / spread["true"].sum()
    assert total == pytest.approx(scores["coverage"][1])
    known = np.isfinite(spread["predicted_coverage"])
    total = (spread["predicted_coverage"] * spread["predicted"])[known].sum()
    assert total / spread["predicted"].sum() == pytest.approx(scores["coverage"][1])
    drawn = kind != "one_network"
    assert ((spread["epistemic"][known] > 0) == drawn).all() and (spread["noise"][known] > 0).all()
    again = variant(tmp_path / "two", kind=kind, training=training)
    other = files.read_table(again / "scores.csv")
    for name in ("log_score", "crps", "coverage", "top_1"):
        np.testing.assert_allclose(scores[name], other[name], rtol=1e-4)


@pytest.mark.slow
def test_a_bayesian_network_that_predicts_the_same_everywhere(variant, settings, tmp_path):
    training = settings["crossvalidate"]["training"] | {"bayesian": settings["bayesian"]}
    with pytest.raises(PorefailError, match="predicts nearly the same everywhere"):
        variant(tmp_path, kind="bayesian", training=training | {"learning_rate": 1e-9})
