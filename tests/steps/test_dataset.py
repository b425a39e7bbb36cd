"""dataset: labels in [0, 1] with NaN in voids, and parts that hang on the number alone."""

import numpy as np
import pytest

from porefail import store
from porefail.errors import PorefailError
from porefail.steps import dataset, gather
from porefail.store import Status


def test_contract(made, settings):
    datasets, attributes = store.read(made["dataset"])
    ensemble, _ = store.read(made["ensemble"])
    assert {name: values.dtype.name for name, values in datasets.items()} == {
        "porosity": "uint8",
        "elastic/von_mises": "float32",
        "elastic/pressure": "float32",
        "label": "float32",
        "realization": "int64",
        "part": "uint8",
    }
    for name in ("porosity", "realization", "elastic/von_mises", "elastic/pressure"):
        np.testing.assert_array_equal(datasets[name], ensemble[name])
    np.testing.assert_array_equal(np.isnan(datasets["label"]), datasets["porosity"] == 1)
    for extreme, value in ((np.nanmin, 0), (np.nanmax, 1)):
        np.testing.assert_allclose(extreme(datasets["label"], axis=(1, 2, 3)), value, atol=1e-6)
    assert np.bincount(datasets["part"]).tolist() == [14, 2, 4]
    assert attributes["dataset"] == settings["dataset"] and attributes["spacing"] == 0.05


def test_blocks_do_not_matter(made, settings, monkeypatch, tmp_path):
    monkeypatch.setattr(dataset, "ROWS", 7)
    dataset.run(made["ensemble"], tmp_path / "d.h5", settings["dataset"])
    one, other = store.read(made["dataset"])[0], store.read(tmp_path / "d.h5")[0]
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def test_a_part_stays_when_the_ensemble_changes(made, make_shard, settings, tmp_path):
    whole, _ = store.read(made["dataset"])
    numbers = list(range(25))
    statuses = [Status.EMPTY if n == 3 else Status.FIRST_FAILURE for n in numbers]
    gather.run(
        [make_shard(numbers, statuses)],
        *(tmp_path / name for name in ("e.h5", "e.csv")),
        settings["gather"] | {"realizations": 25},
    )
    dataset.run(tmp_path / "e.h5", tmp_path / "d.h5", settings["dataset"])
    other, _ = store.read(tmp_path / "d.h5")
    parts = dict(zip(other["realization"].tolist(), other["part"].tolist(), strict=True))
    assert 3 not in parts
    for number, part in zip(whole["realization"].tolist(), whole["part"].tolist(), strict=True):
        assert parts.get(number, part) == part


def test_the_transform_matters(made, settings, tmp_path):
    dataset.run(made["ensemble"], tmp_path / "d.h5", settings["dataset"] | {"transform": "id"})
    one, other = (store.read(path, ["label"])[0] for path in (made["dataset"], tmp_path / "d.h5"))
    assert np.nanmax(np.abs(one["label"] - other["label"])) > 0.1


def test_errors(made, make_porosity, settings, tmp_path):
    for change, message in [
        ({"transform": "x"}, "settings: transform is 'x', expected one of"),
        ({"split": [1, 1]}, r"settings: split is \[1, 1\], expected a list, 3 entries"),
        ({"split": [7, 1, 200]}, "part is empty"),
        ({"width": 1}, "settings: width is not a known key"),
    ]:
        with pytest.raises(PorefailError, match=message):
            dataset.run(made["ensemble"], tmp_path / "d.h5", settings["dataset"] | change)
    for path, message in [
        (tmp_path / "none.h5", "none.h5: missing file"),
        (make_porosity(0, 1), "no attribute simulation, which every ensemble has"),
    ]:
        with pytest.raises(PorefailError, match=message):
            dataset.run(path, tmp_path / "d.h5", settings["dataset"])
    assert not (tmp_path / "d.h5").exists()
