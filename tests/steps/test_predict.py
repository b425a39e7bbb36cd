"""predict: the test part alone, NaN in voids, clusters that agree with the field."""

import numpy as np
import pytest

from porefail import learning, store
from porefail.configuration import LOCATORS
from porefail.dataset.split import Part
from porefail.errors import PorefailError
from porefail.nn import training
from porefail.nn.heteroencoder import heteroencoder
from porefail.steps import predict


def test_contract(made):
    learnt, _ = store.read(made["dataset"])
    found, attributes = store.read(made["prediction"])
    held_out = learnt["part"] == Part.TEST
    np.testing.assert_array_equal(found["realization"], learnt["realization"][held_out])
    assert found["mean"].dtype == found["variance"].dtype == np.float32
    np.testing.assert_array_equal(np.isnan(found["mean"]), learnt["porosity"][held_out] == 1)
    assert np.isnan(found["variance"]).all() and attributes["spacing"] == 0.05
    source = store.read(made["dataset"], [])[1]
    for key in ("porosity", "simulation", "model_version", "dataset"):
        assert attributes[key] == source[key]


def test_clusters_are_ranked_by_their_peak(made, settings):
    found, _ = store.read(made["prediction"])
    columns = {name: found[f"clusters/{name}"] for name in ("realization", "rank", "peak", "mean")}
    assert found["clusters/centroid_mm"].shape == (len(columns["rank"]), 3)
    for number, field in zip(found["realization"], found["mean"], strict=True):
        mine = columns["realization"] == number
        assert columns["rank"][mine].tolist() == list(range(1, 1 + mine.sum()))
        assert (np.diff(columns["peak"][mine]) <= 0).all()
        assert columns["peak"][mine][0] == pytest.approx(np.nanmax(field))
        limit = settings["predict"]["site_threshold"] * np.nanmax(field)
        assert found["clusters/voxels"][mine].sum() == np.sum(np.nan_to_num(field) >= limit)


def test_the_same_twice(made, settings, tmp_path):
    predict.run(made["model"], made["dataset"], tmp_path / "p.h5", settings["predict"])
    one, other = store.read(made["prediction"])[0], store.read(tmp_path / "p.h5")[0]
    np.testing.assert_allclose(one["mean"], other["mean"], rtol=1e-5)


@pytest.fixture
def refused(made, settings, tmp_path):
    """Predicts with a network of ours that does not fit; returns the error."""

    def go(dataset=None, **options) -> str:
        training.save(heteroencoder(**options), tmp_path / "other.keras")
        given = tmp_path / "other.keras", dataset or made["dataset"], tmp_path / "p.h5"
        with pytest.raises(PorefailError) as raised:
            predict.run(*given, settings["predict"])
        assert "\n" not in str(raised.value) and not (tmp_path / "p.h5").exists()
        return str(raised.value)

    return go


def test_networks_of_other_inputs_kinds_and_grids(refused):
    options = {"prior": 1.0, "scale": 0.01, "divergence_weight": 0.0}
    for changes, message in [
        ({"channels": ["stress"]}, "other.keras: its input stress is unknown, known are porosity,"),
        ({"shape": (8, 8, 16)}, "(8, 8, 16, 1), expected (8, 8, 8, 1) for"),
        ({"variational": {"damage": options}}, "other.keras: a Bayesian network, expected a plain"),
    ]:
        assert message in refused(**changes)


@pytest.mark.parametrize("part", Part)
def test_an_empty_part(made, refused, tmp_path, part):
    fields, attributes = store.read(made["dataset"])
    fields["part"][fields["part"] == part] = (part + 1) % 3
    store.write_atomically(tmp_path / "d.h5", fields, attributes)
    if part == Part.TEST:
        message = refused(tmp_path / "d.h5")
        assert message == f"{tmp_path}/d.h5: its test part is empty: simulate more realizations"
    with pytest.raises(PorefailError, match=rf"d\.h5: its {part.name.lower()} part is empty"):
        learning.part(tmp_path / "d.h5", part)


def test_errors(made, settings, tmp_path):
    (tmp_path / "bad.keras").write_text("no model")
    for model, message in (("bad.keras", "not a model"), ("none.keras", "missing file")):
        with pytest.raises(PorefailError, match=message) as raised:
            predict.run(tmp_path / model, made["dataset"], tmp_path / "p.h5", settings["predict"])
        assert "\n" not in str(raised.value)
    with pytest.raises(PorefailError, match="no attribute dataset, which every data set has"):
        predict.run(made["model"], made["ensemble"], tmp_path / "p.h5", settings["predict"])
    assert not (tmp_path / "p.h5").exists()


def test_a_locator_in_the_place_of_a_network(located, made, settings, tmp_path):
    predict.run(located(), made["dataset"], tmp_path / "p.h5", settings["predict"])
    found, _ = store.read(tmp_path / "p.h5", kind="prediction")
    data = store.read(made["dataset"])[0]
    test = data["part"] == Part.TEST
    np.testing.assert_array_equal(found["realization"], data["realization"][test])
    np.testing.assert_array_equal(np.isnan(found["mean"]), data["porosity"][test] == 1)
    np.testing.assert_array_equal(np.nanmax(found["mean"], axis=(1, 2, 3)), 1)
    assert found["clusters/rank"].min() == 1


@pytest.mark.parametrize(
    "where",
    ["model_version", "spacing", "simulation.strain_rate", "simulation.material.yield_strength"],
)
def test_a_locator_of_other_voxels_or_physics_is_refused(located, made, settings, tmp_path, where):
    own = settings["simulate"]
    changes = {
        "model_version": {"model_version": 1},
        "spacing": {"voxel": 0.025},
        "simulation.strain_rate": {"simulation": own | {"strain_rate": 0.5}},
        "simulation.material.yield_strength": {
            "simulation": own | {"material": own["material"] | {"yield_strength": 601}}
        },
    }
    path = located(**changes[where])
    words = f"its {where} is .*, expected .*, as of the locator's specimens"
    with pytest.raises(PorefailError, match=f"^{made['dataset']}: {words}$"):
        predict.run(path, made["dataset"], tmp_path / "p.h5", settings["predict"])
    assert not (tmp_path / "p.h5").exists()


def test_a_data_set_without_what_a_locator_needs(locator, located, made, settings, tmp_path):
    path = located(regression=locator.regression)
    with pytest.raises(PorefailError, match="lacks /presolve/damage: presolve.strain must be ab"):
        predict.run(path, made["dataset"], tmp_path / "p.h5", settings["predict"])
    names = ("log_largest_von_mises", "lode")
    path = located(regression=locator.regression._replace(names=names, **changed(8)))
    with pytest.raises(PorefailError, match="lacks /elastic/largest_von_mises: presolve.strain "):
        predict.run(path, made["dataset"], tmp_path / "p.h5", settings["predict"])


def changed(count: int) -> dict[str, np.ndarray]:
    return {name: np.ones(count) for name in ("centre", "scale", "coefficients")}


def test_shipped_locators_by_name(made, settings, tmp_path):
    """The physics of these specimens is another one."""
    for name in LOCATORS:
        with pytest.raises(PorefailError, match="as of the locator's specimens$"):
            predict.run(name, made["dataset"], tmp_path / "p.h5", settings["predict"])
