"""sensitivity: counts that follow from made-up failures of perturbed copies."""

import itertools

import numpy as np
import pytest

from porefail import files, store
from porefail.errors import PorefailError
from porefail.steps import perturb, sensitivity
from porefail.store import Status

COPIES = 6
NEAR = 1


@pytest.fixture(scope="module")
def wanted(settings) -> dict:
    made_with = {key: settings["gather"][key] for key in ("simulation", "model_version")}
    thresholds = {"site_threshold": 0.6, "true_threshold": 0.8, "near_voxels": NEAR}
    return made_with | thresholds


@pytest.fixture(scope="module")
def corners(made) -> list[tuple[int, int, int]]:
    """The two corners that are farthest from all failures."""
    failed = np.argwhere(store.read(made["ensemble"])[0]["failed"])[:, 1:]
    every = list(itertools.product((0, 7), repeat=3))
    return sorted(every, key=lambda corner: -np.abs(failed - corner).max(axis=1).min())[:2]


@pytest.fixture(scope="module")
def ranking(made, corners, tmp_path_factory):
    """A ranking of the test part: one site on the failure, one in a corner of the specimen."""
    folder = tmp_path_factory.mktemp("ranking")
    data, source = store.read(made["dataset"])
    ensemble = store.read(made["ensemble"])[0]
    test = data["part"] == 2
    site = np.zeros(data["porosity"][test].shape, np.uint16)
    site[(slice(None), *corners[0])] = 2
    site[ensemble["failed"][test] == 1] = 1
    numbers = data["realization"][test]
    store.write_atomically(
        folder / "prediction.h5",
        {"site": site, "realization": numbers},
        {name: source[name] for name in store.KINDS["data set"]} | {"rank": {}},
    )
    table = {
        "realization": np.repeat(numbers, 2),
        "rank": [1, 2] * len(numbers),
        "probability": [0.7, 0.1] * len(numbers),
    }
    files.write_table(folder / "sites.csv", table)
    return folder


@pytest.fixture(scope="module")
def shards(made, corners, settings, tmp_path_factory) -> list:
    """Two specimens, six copies each: three fail as the specimen, two in a far corner at the second
    site, one not at all."""
    folder = tmp_path_factory.mktemp("shards")
    paths = []
    for specimen in (0, 1):
        pores = folder / f"pores-{specimen}.h5"
        swap = {"seed": 7, "distance": 0.2}
        perturb.run(made["ensemble"], made["dataset"], pores, specimen, 0, COPIES - 1, swap)
        copies, attributes = store.read(pores)
        parent = attributes["porosity"]["perturbed"]
        whole = store.read(made["ensemble"])[0]
        original = whole["failed"][whole["realization"].tolist().index(parent)]
        failed = np.repeat(original[None], COPIES, axis=0)
        failed[3:5] = 0
        failed[(slice(3, 5), *corners[0])] = 1
        failed[5] = 0
        status = np.full(COPIES, Status.FIRST_FAILURE, np.uint8)
        status[5] = Status.NO_FAILURE
        paths.append(folder / f"shard-{specimen}.h5")
        store.write_atomically(
            paths[-1],
            {
                "realization": copies["realization"],
                "status": status,
                "first_failure_strain": np.where(status == 1, 0.03, np.nan),
                "failed": failed,
            },
            {key: settings["gather"][key] for key in ("simulation", "model_version")} | attributes,
        )
    return paths


@pytest.fixture
def run(made, ranking, wanted, tmp_path):
    def go(shards, **changes):
        paths = {name: made[name] for name in ("ensemble", "dataset", "prediction")}
        paths |= {"ranking": ranking / "prediction.h5", "sites": ranking / "sites.csv"}
        sensitivity.run(shards, **(paths | changes), output=tmp_path / "out", settings=wanted)
        return tmp_path / "out"

    return go


def test_the_table_says_what_was_put_in(run, shards, corners):
    folder = run(shards)
    table = files.read_table(folder / "table.csv")
    assert table["copies"].tolist() == [6, 6] and table["failed"].tolist() == [5, 5]
    assert table["moved"].tolist() == [2, 2] and table["places"].tolist() == [2, 2]
    assert table["in_first_site"].tolist() == [3, 3]
    for name in ("in_ranked_sites", "in_first_three"):
        assert table[name].tolist() == [5, 5]
    assert table["places_in_ranked_sites"].tolist() == [2, 2]
    assert table["moved_in_ranked_sites"].tolist() == [2, 2]
    assert table["sites_with_failures"].tolist() == table["ranked_sites"].tolist() == [2, 2]
    assert (table["ranked_volume"] > 0).all() and (table["ranked_volume"] < 0.3).all()
    rows = files.read_table(folder / "failures.csv")
    assert rows["perturbation"].tolist() == 2 * list(range(6))
    assert rows["status"].tolist() == 2 * (["FIRST_FAILURE"] * 5 + ["NO_FAILURE"])
    assert np.isnan(rows["z_mm"][5]) and rows["z_mm"][3] == pytest.approx(
        0.05 * (corners[0][2] + 0.5)
    )
    assert rows["site"][:5].tolist() == [1, 1, 1, 2, 2]
    text = (folder / "summary.txt").read_text()
    assert text.startswith("12 perturbed copies of 2 specimens: 10 FIRST_FAILURE, 2 NO_FAILURE")
    assert "Places of failure that the ranking holds: 4 of 4" in text
    for name in ("failure_locus", "predicted_sites", "ranked_sites"):
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_specimen_of_which_no_copy_failed_is_told(run, shards, tmp_path):
    data, attributes = store.read(shards[0])
    attributes.pop("complete")
    data["status"][:] = Status.NO_FAILURE
    store.write_atomically(tmp_path / "whole.h5", data, attributes)
    folder = run([tmp_path / "whole.h5", shards[1]])
    text = (folder / "summary.txt").read_text()
    number = attributes["porosity"]["perturbed"]
    assert text.startswith("12 perturbed copies of 2 specimens: 5 FIRST_FAILURE, 7 NO_FAILURE")
    assert f"No copy of specimen {number} failed: it is left out." in text
    assert len(files.read_table(folder / "table.csv")["copies"]) == 1


def test_false_positives_of_the_network(run, shards, made, corners, tmp_path):
    """A cluster where nothing fails is a false positive, one where a copy fails a pardoned one."""
    data, attributes = store.read(made["prediction"])
    mean = np.where(np.isnan(data["mean"]), np.nan, 0.0).astype(np.float32)
    for corner, value in zip(corners, (1.0, 0.9), strict=True):
        mean[(slice(None), *corner)] = value
    attributes.pop("complete"), attributes.pop("fingerprint", None)
    store.write_atomically(tmp_path / "other.h5", data | {"mean": mean}, attributes)
    table = files.read_table(run(shards, prediction=tmp_path / "other.h5") / "table.csv")
    assert (table["false_positives"] == table["network_sites"]).all()
    assert table["false_positives_with_failures"].tolist() == [1, 1]


def test_errors(run, shards, made, ranking, tmp_path):
    with pytest.raises(PorefailError, match="is in two shards"):
        run([shards[0], shards[0]])
    with pytest.raises(PorefailError, match=r"prediction\.h5"):
        run(shards, ranking=made["prediction"])
    data, attributes = store.read(shards[0])
    attributes.pop("complete")
    data["status"][:] = Status.NOT_CONVERGED
    store.write_atomically(tmp_path / "none.h5", data, attributes)
    with pytest.raises(PorefailError, match="no perturbed specimen has failed"):
        run([tmp_path / "none.h5"])
    swap = attributes["porosity"]
    attributes["porosity"] = {key: value for key, value in swap.items() if key != "perturbed"}
    store.write_atomically(tmp_path / "plain.h5", data, attributes)
    with pytest.raises(PorefailError, match=r"plain\.h5: not a shard of perturbed specimens"):
        run([tmp_path / "plain.h5"])
    for name, change, expected in (
        ("model_version", 99, "model_version is 99"),
        ("porosity", swap | {"seed": 8}, "porosity.seed is 8"),
        ("porosity", swap | {"distance": 0.3}, "perturbed within 0.3 mm of the failure, others"),
    ):
        path = tmp_path / "other.h5"
        store.write_atomically(path, data, attributes | {"porosity": swap, name: change})
        with pytest.raises(PorefailError, match=expected):
            run([shards[1], path])
    table = files.read_table(ranking / "sites.csv")
    files.write_table(tmp_path / "few.csv", table[::2])
    with pytest.raises(PorefailError, match=r"few\.csv: does not belong to"):
        run(shards, sites=tmp_path / "few.csv")
    place = table["rank"] + (table["rank"] == 2)
    files.write_table(tmp_path / "gap.csv", table.assign(rank=place))
    with pytest.raises(
        PorefailError, match=r"gap\.csv, column rank: of realization \d+, expected 1"
    ):
        run(shards, sites=tmp_path / "gap.csv")
    files.write_table(tmp_path / "nan.csv", table.assign(probability=np.nan))
    with pytest.raises(PorefailError, match=r"nan\.csv, line 2, column probability: 'nan' is not"):
        run(shards, sites=tmp_path / "nan.csv")
    with pytest.raises(PorefailError, match=r"specimens\.csv: missing column rank"):
        run(shards, sites=made["specimens"])
    assert not (tmp_path / "out").exists()
