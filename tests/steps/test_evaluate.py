"""evaluate: the tables, and predictions whose scores are known."""

import numpy as np
import pytest

from porefail import files, store
from porefail.dataset.split import Part
from porefail.errors import PorefailError
from porefail.files import tables
from porefail.steps import evaluate


@pytest.fixture
def score(made, settings, tmp_path):
    """Evaluates a given prediction (n, nx, ny, nz) of the test part."""

    def score(mean, realization, **changes):
        attributes = store.read(made["prediction"], [])[1] | changes
        store.write_atomically(
            tmp_path / "p.h5", {"mean": mean, "realization": realization}, attributes
        )
        paths = [tmp_path / f"{name}.csv" for name in ("curves", "sites", "specimens")]
        inputs = (tmp_path / "p.h5", made["dataset"], made["ensemble"])
        evaluate.run(*inputs, *paths, settings["evaluate"])
        return [files.read_table(path) for path in paths]

    return score


@pytest.fixture
def held_out(made):
    part = store.read(made["dataset"], ["part"])[0]["part"]
    fields, _ = store.read_where(
        made["dataset"], ["label", "porosity", "realization"], part == Part.TEST
    )
    return fields


def test_tables(made, settings):
    curves, sites, specimens = (
        files.read_table(made[name]) for name in ("curves", "sites", "specimens")
    )
    expected = tables.CURVES, tables.PREDICTORS, tables.SPECIMENS
    for name, columns in zip(("curves", "sites", "specimens"), expected, strict=True):
        assert list(files.read_table(made[name], columns)) == list(files.read_table(made[name]))
    assert len(curves["threshold"]) == settings["evaluate"]["thresholds"]
    assert {"network", "elastic hot spot", "largest pore", "most porous cross-section"} <= set(
        sites["predictor"]
    )
    for name in ("holds", "near", "near_z"):
        assert ((sites[name] >= 0) & (sites[name] <= sites["specimens"])).all()
        rate = sites[name] / sites["specimens"]
        low, high = (sites[f"{name}_{end}"] for end in ("low", "high"))
        assert sites["predictor"][np.isnan(low)].tolist() == ["random voxel"]
        assert not (rate < low - 1e-9).any() and not (rate > high + 1e-9).any()
    assert (sites["holds"] <= sites["near"] + 1e-9).all()
    assert len(specimens["realization"]) == 4
    for end in "xyz":
        assert ((specimens[f"failed_{end}"] > 0) & (specimens[f"failed_{end}"] < 0.4)).all()


def test_the_truth_scores_best(score, held_out):
    curves, sites, specimens = score(held_out["label"], held_out["realization"])
    for name in ("voxel_precision", "voxel_recall", "voxel_jaccard", "cluster_f"):
        np.testing.assert_allclose(curves[name][np.isfinite(curves[name])], 1)


def test_the_damage_itself_finds_every_failure(score, made, held_out):
    rows = np.isin(
        store.read(made["ensemble"], ["realization"])[0]["realization"], held_out["realization"]
    )
    damage = store.read_where(made["ensemble"], ["damage"], rows)[0]["damage"]
    _, sites, specimens = score(damage, held_out["realization"])
    holds = dict(zip(sites["predictor"], sites["holds"], strict=True))
    assert holds["network"] == holds["network, one voxel"] == 4
    assert (specimens["holds"] == 1).all()


def test_a_uniform_prediction_tells_nothing(score, held_out):
    flat = np.where(held_out["porosity"] == 0, np.float32(0.5), np.nan).astype(np.float32)
    _, sites, _ = score(flat, held_out["realization"])
    table = {name: row for row, name in enumerate(sites["predictor"])}
    one, chance = table["network, one voxel"], table["random voxel"]
    for name in ("holds", "near", "near_z"):  # all voxels tie
        assert sites[name][one] == pytest.approx(sites[name][chance])


def test_a_refusal_leaves_no_table(made, settings, tmp_path):
    """The curves can be made of a specimen without pores, the hits of its largest pore cannot."""
    paths = [tmp_path / "out" / f"{name}.csv" for name in ("curves", "sites", "specimens")]
    copies = []
    for name in ("dataset", "ensemble"):
        fields, attributes = store.read(made[name])
        fields["porosity"][:] = 0
        for key in ("label", "elastic/von_mises", "elastic/pressure", "damage"):
            fields |= {key: np.nan_to_num(fields[key])} if key in fields else {}
        copies.append(tmp_path / f"{name}.h5")
        store.write_atomically(copies[-1], fields, attributes)
    fields, attributes = store.read(made["prediction"])
    filled = fields | {"mean": np.nan_to_num(fields["mean"])}
    store.write_atomically(tmp_path / "p.h5", filled, attributes)
    with pytest.raises(PorefailError, match="no pore"):
        evaluate.run(tmp_path / "p.h5", *copies, *paths, settings["evaluate"])
    assert not (tmp_path / "out").exists()


def test_an_empty_test_part(made, settings, tmp_path):
    fields, attributes = store.read(made["dataset"])
    fields["part"][fields["part"] == Part.TEST] = Part.TRAIN
    store.write_atomically(tmp_path / "d.h5", fields, attributes)
    paths = [tmp_path / "out" / f"{name}.csv" for name in "abc"]
    with pytest.raises(PorefailError, match=r"d\.h5: its test part is empty"):
        inputs = made["prediction"], tmp_path / "d.h5", made["ensemble"]
        evaluate.run(*inputs, *paths, settings["evaluate"])
    assert not (tmp_path / "out").exists()


def test_the_elastic_hot_spot_is_that_of_the_baseline(made, settings, tmp_path):
    """In compression nothing is hot: where all voxels are compressed, all tie."""
    fields, attributes = store.read(made["ensemble"])
    fields["elastic/pressure"] = -np.abs(fields["elastic/pressure"])
    attributes = {name: value for name, value in attributes.items() if name != "complete"}
    store.write_atomically(tmp_path / "e.h5", fields, attributes)
    tables = [tmp_path / f"{name}.csv" for name in "cst"]
    inputs = made["prediction"], made["dataset"], tmp_path / "e.h5"
    evaluate.run(*inputs, *tables, settings["evaluate"])
    sites = files.read_table(tables[1])
    table = {name: row for row, name in enumerate(sites["predictor"])}
    one, chance = table["elastic hot spot, one voxel"], table["random voxel"]
    for name in ("holds", "near", "near_z"):
        assert sites[name][one] == pytest.approx(sites[name][chance])


def test_errors(score, held_out):
    with pytest.raises(PorefailError, match="no prediction of realization"):
        score(held_out["label"][1:], held_out["realization"][1:])


def test_files_that_do_not_belong_together(score, made, held_out, settings, tmp_path):
    given = held_out["label"], held_out["realization"]
    with pytest.raises(PorefailError, match="p.h5: made with other settings: dataset.seed is 8"):
        score(*given, dataset=settings["dataset"] | {"seed": 8})
    material = {"simulation": settings["simulate"] | {"max_strain": 0.1}}
    with pytest.raises(PorefailError, match="p.h5: .* simulation.max_strain is 0.1, expected"):
        score(*given, **material)
    fields, attributes = store.read(made["ensemble"])
    store.write_atomically(tmp_path / "e.h5", fields, attributes | material)
    outputs = [tmp_path / name for name in "cst"]
    for prediction, ensemble, message in [
        (made["prediction"], tmp_path / "e.h5", "e.h5: .* simulation.max_strain is 0.1, expected"),
        (made["dataset"], made["ensemble"], "no attribute predict, which every prediction has"),
    ]:
        with pytest.raises(PorefailError, match=message):
            evaluate.run(prediction, made["dataset"], ensemble, *outputs, settings["evaluate"])
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".h5"] == []
