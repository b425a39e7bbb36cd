"""study: what the tables of all folds say, in one table, a summary and the figures."""

import itertools
import shutil

import numpy as np
import pandas as pd
import pytest

from porefail import files, store
from porefail.errors import PorefailError
from porefail.steps import study
from porefail.study import figures
from porefail.study.folds import OVERLAP, in_set
from porefail.study.table import UNCERTAINTY

pytestmark = pytest.mark.slow
FOLDS = 2
LABELS = {"t": {}, "id": {"transform": "id"}, "t-k1": {"filter_width": 1.0}}
MODELS = {"uniform": "elastic_hot_spot", "IH": "porous_section", "elastic": "largest_pore"}


@pytest.fixture(scope="module")
def variants(variant, made, settings, tmp_path_factory):
    """Folds of variants, all of them predictors that need no training."""
    folder = tmp_path_factory.mktemp("study")
    other = folder / "others" / "ensemble.h5"
    data, attributes = store.read(made["ensemble"])
    attributes = {name: value for name, value in attributes.items() if name != "complete"}
    attributes["porosity"]["seed"] += 1
    store.write_atomically(other, data, attributes)
    for (label, change), (model, kind) in itertools.product(LABELS.items(), MODELS.items()):
        dataset = settings["crossvalidate"]["dataset"] | change
        for fold in range(FOLDS):
            place = folder / label / model / f"fold-{fold}"
            variant(place, [other], kind=kind, fold=fold, dataset=dataset)
    training = settings["crossvalidate"]["training"] | {"bayesian": settings["bayesian"]}
    for fold in range(FOLDS):
        place = folder / "t" / "sure" / f"fold-{fold}"
        variant(place, [other], kind="dropout", fold=fold, training=training)
    return folder


@pytest.fixture(scope="module")
def wanted(settings) -> dict:
    ours = settings["crossvalidate"]
    weighting = ours["training"]["weighting"]
    kinds = {"uniform": "uniform", "IH": "inverse_histogram", "elastic": "uniform"}
    kinds["sure"] = "uniform"
    label = {key: value for key, value in ours["dataset"].items() if key != "seed"}
    return {
        "folds": [
            *([label, model, FOLDS] for label in LABELS for model in MODELS),
            ["t", "sure", FOLDS],
        ],
        "dataset": label,
        "evaluation": ours["evaluation"],
        "labels": {name: label | change for name, change in LABELS.items()},
        "weightings": {name: weighting | {"kind": kind} for name, kind in kinds.items()},
        "kinds": MODELS | {"sure": "bayesian"},
        "channels": {
            "uniform": ["von_mises", "pressure"],
            "sure": ["porosity"],
            "IH": ["porosity"],
            "elastic": ["log_coarse_damage"],  # in the ensemble are no seconds of it
        },
        "comparisons": {
            "uncertainty": {"labels": ["t"], "models": ["sure"]},
            "paper": {"labels": ["id", "t"], "models": ["uniform", "IH"]},
            "weightings": {"labels": ["t"], "models": ["uniform", "IH"]},
            "parameters": {"labels": ["t", "t-k1"], "models": ["uniform"]},
            "baselines": {"labels": ["t"], "models": ["elastic"]},
            "ablation": {"labels": ["t"], "models": ["IH"]},
            "frontier": {"labels": ["t"], "models": list(MODELS)},
        },
        "transfer": {"others": ["paper"]},
    }


@pytest.fixture(scope="module")
def timed(made, tmp_path_factory):
    """The ensemble with what its simulations and elastic fields took."""
    data, attributes = store.read(made["ensemble"])
    attributes = {name: value for name, value in attributes.items() if name != "complete"}
    seconds = np.linspace(1, 2, len(data["realization"]))
    path = tmp_path_factory.mktemp("timed") / "ensemble.h5"
    data |= {"provenance/seconds": 10 * seconds, "elastic/seconds": 0.1 * seconds**2}
    store.write_atomically(path, data, attributes)
    return path


@pytest.fixture(scope="module")
def output(timed, variants, wanted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("output")
    study.run(timed, variants, folder, wanted)
    return folder


def test_the_table_has_the_mean_and_spread_of_the_folds(output, variants):
    table = files.read_table(output / "table.csv")
    sets = ("validation", "test", "others")
    assert len(table["label"]) == (len(LABELS) * len(MODELS) + 1) * len(sets)
    for i, (label, model, name) in enumerate(
        zip(table["label"], table["model"], table["set"], strict=True)
    ):
        each = [
            files.read_table(variants / label / model / f"fold-{k}" / "scores.csv")
            for k in range(FOLDS)
        ]
        rows = [scores["set"].tolist().index(name) for scores in each]
        for key in ("mean_squared_error", "site_recall"):
            values = [scores[key][row] for scores, row in zip(each, rows, strict=True)]
            assert table[key][i] == pytest.approx(np.mean(values), nan_ok=True)
            spread = np.std(values, ddof=1)
            assert table[f"{key}_deviation"][i] == pytest.approx(spread, abs=1e-9, nan_ok=True)
        counts = [s["specimens"][row] for s, row in zip(each, rows, strict=True)]
        hits = [
            in_set(files.read_table(variants / label / model / f"fold-{k}" / "specimens.csv"), name)
            for k in range(FOLDS)
        ]
        for key in ("top_1", "top_3", "ceiling_1"):
            whole = np.concatenate([one[key] for one in hits])
            assert table[key][i] == pytest.approx(np.mean(whole))
        assert table["top_1_low"][i] < table["top_1_high"][i]
        assert table["top_1_low"][i] <= table["top_1"][i] <= table["top_1_high"][i]
        # Those of another ensemble are the same for every fold.
        assert table["specimens"][i] == (counts[0] if name == "others" else sum(counts))
        assert table["folds"][i] == FOLDS


def test_scores_from_the_curves(output, variants, settings):
    table = files.read_table(output / "table.csv")
    evaluation = settings["crossvalidate"]["evaluation"]
    row = np.flatnonzero(
        (table["label"] == "t") & (table["model"] == "uniform") & (table["set"] == "test")
    )[0]
    recall, voxel = [], []
    for k in range(FOLDS):
        folder = variants / "t" / "uniform" / f"fold-{k}"
        curves = files.read_table(folder / "curves.csv")
        validation, test = (in_set(curves, name) for name in ("validation", "test"))
        at = np.argmin(np.abs(test["threshold"] - evaluation["site_threshold"]))
        recall.append(test["cluster_found"][at] / test["cluster_true"][at])
        scores = []
        for threshold, positive, false, missed in zip(
            validation["threshold"],
            *(
                validation[f"failure_{n}"]
                for n in ("true_positive", "false_positive", "false_negative")
            ),
            strict=True,
        ):
            f = 2 * positive / max(2 * positive + false + missed, 1)
            scores.append((f, -threshold))
        chosen = np.argmin(np.abs(test["threshold"] + max(scores)[1]))  # of equals the lowest
        positive = test["failure_true_positive"][chosen]
        voxel.append(positive / (positive + test["failure_false_negative"][chosen]))
    assert table["same_cluster_recall"][row] == pytest.approx(np.mean(recall))
    assert table["failure_recall"][row] == pytest.approx(np.mean(voxel))


def test_the_true_label_bounds_what_can_be_found(output):
    """A label that is not filtered has its maximum where the specimen failed; t may not."""
    table = files.read_table(output / "table.csv")
    exact = table["label"] == "id"
    assert (table["ceiling_1"][exact] == 1).all()
    assert (table["ceiling_1"] <= table["ceiling_3"]).all()


def test_gains_are_over_the_elastic_solve(output):
    """`uniform` is one here; on the same specimens."""
    table = files.read_table(output / "table.csv")
    own = (table["model"] == "uniform") & (table["label"] == "t")
    assert (table["gain_1"][own] == 0).all() and (table["gain_1_high"][own] == 0).all()
    test = table[(table["set"] == "test")].set_index(["label", "model"])
    difference = test["top_1"] - test["top_1"]["t", "uniform"]
    np.testing.assert_allclose(test["gain_1"], difference, atol=1e-12)
    assert (test["gain_1_low"] <= test["gain_1"]).all()


def test_the_winner_is_chosen_on_validation_and_scored_on_the_test_part(output, variants):
    best = files.read_table(output / "winners.csv").set_index("comparison")
    assert list(best.index) == ["paper", "weightings", "parameters", "frontier"]
    hits, names = [], []
    for k in range(FOLDS):
        found = {
            model: files.read_table(variants / "t" / model / f"fold-{k}" / "specimens.csv")
            for model in MODELS
        }
        skill = {
            model: tuple(in_set(each, "validation")[["top_1", "top_3"]].mean())
            for model, each in found.items()
        }
        names.append(max(MODELS, key=skill.__getitem__))
        hits += in_set(found[names[-1]], "test")["top_1"].tolist()
    row = best.loc["frontier"]
    assert row["top_1"] == pytest.approx(np.mean(hits)) and row["specimens"] == len(hits)
    assert row["winners"] == "; ".join(f"t {n} {names.count(n)}" for n in dict.fromkeys(names))


def test_skill_against_cost(output, variants, timed):
    table = files.read_table(output / "frontier.csv").set_index("model")
    assert list(table.index) == [*MODELS, "whole simulation"]
    seconds, _ = store.read(timed, ["elastic/seconds", "provenance/seconds"])
    whole = np.median(seconds["provenance/seconds"])
    for model in MODELS:
        hits, cost = [], []
        for k in range(FOLDS):
            folder = variants / "t" / model / f"fold-{k}"
            hits += in_set(files.read_table(folder / "specimens.csv"), "test")["top_3"].tolist()
            scores = in_set(files.read_table(folder / "scores.csv"), "test")
            cost.append(scores["predict_seconds"][0])
        row = table.loc[model]
        assert row["specimens"] == len(hits) and row["top_3"] == pytest.approx(np.mean(hits))
        assert row["top_3_low"] < row["top_3"] <= row["top_3_high"]
        elastic = np.median(seconds["elastic/seconds"]) if model == "uniform" else 0.0
        expected = np.mean(cost) + elastic if model != "elastic" else np.nan
        assert row["seconds"] == pytest.approx(expected, nan_ok=True)
        assert row["share"] == pytest.approx(expected / whole, nan_ok=True)
    assert table["gain"].isna().all()  # no regression among them
    assert table["top_1"]["whole simulation"] == 1 and table["seconds"].iloc[-1] == whole


def test_gain_over_the_regression_is_paired(variants, timed, wanted, tmp_path):
    kinds = wanted["kinds"] | {"IH": "site_regression"}
    study.run(timed, variants, tmp_path, wanted | {"kinds": kinds})
    table = files.read_table(tmp_path / "frontier.csv").set_index("model")
    hits = {
        model: pd.concat(
            in_set(files.read_table(variants / "t" / model / f"fold-{k}" / "specimens.csv"), "test")
            for k in range(FOLDS)
        ).set_index("realization")["top_1"]
        for model in ("uniform", "IH")
    }
    row = table.loc["uniform"]
    assert row["gain"] == pytest.approx((hits["uniform"] - hits["IH"]).mean())
    assert row["gain_low"] <= row["gain"] <= row["gain_high"]
    assert list(table.loc["IH", ["gain", "gain_low", "gain_high"]]) == [0, 0, 0]


def test_overlap_over_thresholds_is_the_mean_of_the_folds(output, variants):
    table = files.read_table(output / "curves.csv")
    mine = (table["label"] == "t") & (table["model"] == "IH")
    dice = []
    for k in range(FOLDS):
        curves = files.read_table(variants / "t" / "IH" / f"fold-{k}" / "curves.csv")
        test = in_set(curves, "test")
        twice = 2 * test["voxel_true_positive"]
        dice.append(twice / (twice + test["voxel_false_positive"] + test["voxel_false_negative"]))
    assert mine.sum() == len(dice[0])
    np.testing.assert_allclose(table["voxel_dice"][mine], np.mean(dice, axis=0))
    np.testing.assert_allclose(
        table["voxel_dice_deviation"][mine], np.std(dice, axis=0, ddof=1), atol=1e-12
    )
    for kind, score in itertools.product(("voxel", "cluster"), OVERLAP):
        assert np.isfinite(table[f"{kind}_{score}"]).any()


def test_uncertainty_is_told_where_it_is_known(output, variants):
    table = files.read_table(output / "table.csv")
    sure = table["model"] == "sure"
    for name in UNCERTAINTY:
        assert np.isnan(table[name][~sure]).all()
    assert np.isfinite(table["log_score"][sure]).all()
    row = np.flatnonzero(sure & (table["set"] == "others"))[0]
    pairs = []
    for k in range(FOLDS):
        each = files.read_table(variants / "t" / "sure" / f"fold-{k}" / "specimens.csv")
        ours, test = (each["epistemic"][each["set"] == name] for name in ("others", "test"))
        pairs.append(np.mean([a > b for a, b in itertools.product(ours, test)]))
    assert table["larger_variance"][row] == pytest.approx(
        np.mean(pairs), abs=0.05
    )  # ties count half
    assert table["larger_variance"][sure & (table["set"] == "test")].item() == pytest.approx(0.5)
    text = (output / "summary.txt").read_text()
    part = text[text.index("How sure they are") :]
    assert part.count("\nsure ") == 2  # the test part and the others


def test_the_summary_has_a_line_for_each_variant(output):
    text = (output / "summary.txt").read_text()
    for label, model in itertools.product(LABELS, MODELS):
        assert any(line.split()[:2] == [label, model] for line in text.splitlines())
    assert "±" in text and "threshold chosen on the validation part" in text


def test_all_figures_are_drawn_and_not_empty(output):
    assert {path.stem for path in output.glob("*.png")} == {
        "label_transforms",
        "cross_validation",
        "damage_frequency",
        "loss_distribution",
        "loss_weightings",
        "label_parameters",
        "variant_skill",
        "operating_curves",
        "transfer_skill",
        "bayesian_overlap",
        "coverage_by_damage",
        "frontier",
    }
    assert all(path.stat().st_size > 10_000 for path in output.glob("*.png"))


def test_what_is_not_compared_is_not_drawn(made, variants, wanted, tmp_path):
    few = wanted | {
        "folds": [["t", "elastic", 1]],
        "comparisons": {"baselines": {"labels": ["t"], "models": ["elastic"]}},
        "transfer": {},
    }
    study.run(made["ensemble"], variants, tmp_path, few)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "curves.csv",
        "summary.txt",
        "table.csv",
        "winners.csv",
    ]
    assert len(files.read_table(tmp_path / "table.csv")["label"]) == 3


def test_variants_of_fewer_folds_are_compared_on_their_folds(
    made, variants, wanted, monkeypatch, tmp_path
):
    fewer = {("id", "uniform"), ("t-k1", "uniform"), ("t", "elastic")}
    folds = [[*v, 1 if tuple(v) in fewer else FOLDS] for *v, _ in wanted["folds"]]
    drawn = {}
    draw = figures.label_parameters

    def seen(width, by_width, *others, **used):
        drawn.update(by_width)
        return draw(width, by_width, *others, **used)

    monkeypatch.setattr(figures, "label_parameters", seen)
    study.run(made["ensemble"], variants, tmp_path, wanted | {"folds": folds})
    assert {scores.shape for scores in drawn.values()} == {(2, 1)}
    assert len(list(tmp_path.glob("*.png"))) == 12


def test_errors(made, variants, wanted, tmp_path):
    with pytest.raises(PorefailError, match=r"t/uniform/fold-2/scores\.csv: missing file"):
        study.run(made["ensemble"], variants, tmp_path, wanted | {"folds": [["t", "uniform", 3]]})
    with pytest.raises(PorefailError, match=r"folds is \[\], expected a list, at least 1 entries"):
        study.run(made["ensemble"], variants, tmp_path, wanted | {"folds": []})
    with pytest.raises(PorefailError, match="settings: folds is missing"):
        study.run(made["ensemble"], variants, tmp_path, {})
    copy = tmp_path / "variants" / "t" / "elastic" / "fold-0"
    shutil.copytree(variants / "t" / "elastic" / "fold-0", copy)
    few = wanted | {"folds": [["t", "elastic", 1]], "transfer": {}}
    curves = files.read_table(copy / "curves.csv")
    files.write_table(copy / "curves.csv", curves[::-1])
    with pytest.raises(PorefailError, match=r"fold-0/curves\.csv: expected threshold to rise"):
        study.run(made["ensemble"], tmp_path / "variants", tmp_path / "out", few)
    odd = {"paper": {"labels": ["sigma"], "models": ["IH"]}}
    with pytest.raises(PorefailError, match="comparisons.paper has sigma IH, which folds do not n"):
        study.run(made["ensemble"], variants, tmp_path / "out", wanted | {"comparisons": odd})
    # The table can be made, the figures of an ensemble that is not there cannot.
    with pytest.raises(PorefailError, match=r"none\.h5: missing file"):
        study.run(tmp_path / "none.h5", variants, tmp_path / "out", wanted)
    assert [path.name for path in tmp_path.iterdir()] == ["variants"]
