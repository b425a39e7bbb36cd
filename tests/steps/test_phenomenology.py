"""phenomenology: the table says what was put into the ensemble, and what is missing is said."""

import numpy as np
import pytest
from scipy import ndimage

from porefail import files, store
from porefail.errors import PorefailError
from porefail.steps import phenomenology
from porefail.store import Collapse, Status

SETTINGS = {"specimens": 6, "strains": [0.01, 0.02, 0.03], "levels": [0.4, 0.6]}
FIGURES = ["damage_histograms", "damage_sequence", "ensemble_curves", "failure_spread"]
SNAPSHOTS = np.arange(1, 10) / 100
LIMIT, SPACING = 0.5, 0.05


def specimen(random, shape, first: float, collapse: float) -> dict[str, np.ndarray]:
    """A made-up test: damage grows around pores; the layer of the first failed voxel breaks."""
    voids = (random.random(shape) < 0.004).astype(np.uint8)
    voids[tuple(np.array(shape) // 2)] = 1
    heat = ndimage.gaussian_filter(voids.astype(float), 1.0) * (1 + 0.3 * random.random(shape))
    heat = np.where(voids == 0, heat, np.nan)
    heat /= np.nanmax(heat)
    layer = np.unravel_index(np.nanargmax(heat), shape)[2]

    def damage(strain: float) -> np.ndarray:
        field = 0.008 + LIMIT * (strain / first) ** 2 * (0.1 + 0.884 * heat**2)
        broken = max(0.0, (strain - first) / collapse) * (random.random(shape) < 0.97)
        near = np.abs(np.arange(shape[2]) - layer) <= 1
        return np.minimum(field + LIMIT * broken * near, 1.2 * LIMIT).astype(np.float32)

    end = first + collapse
    strain = np.linspace(end / 60, end, 60)
    fields = [damage(at) for at in strain]
    failed = damage(first) == np.nanmax(damage(first))
    solid = np.count_nonzero(voids == 0)
    snapshots = [damage(at) if at <= end else np.full(shape, np.nan) for at in SNAPSHOTS]
    return {
        "porosity": voids,
        "damage": damage(first),
        "failed": failed.astype(np.uint8),
        "status": np.uint8(Status.FIRST_FAILURE),
        "first_failure_strain": first,
        "history/strain": strain,
        "history/stress": 1300
        * np.tanh(strain / 0.004)
        * np.clip((end - strain) / collapse, 0.2, 1),
        "history/max_damage": np.array([np.nanmax(field) for field in fields]),
        "history/failed_fraction": np.array([(f >= LIMIT).sum() / solid for f in fields]),
        "final_failed": (fields[-1] >= LIMIT).astype(np.uint8),
        "structural_status": np.uint8(Collapse.REACHED),
        "structural_failure_strain": end,
        "snapshots/strain": SNAPSHOTS,
        "snapshots/damage": np.array(snapshots, np.float32),
    }


def ensemble(shape=(6, 6, 16), count: int = 8) -> dict[str, np.ndarray]:
    """Rows 0 to count - 1; specimen 2 does not collapse before the largest strain."""
    random = np.random.default_rng(3)
    first = np.linspace(0.025, 0.06, count)
    rows = [specimen(random, shape, at, 0.4 * at) for at in first]
    datasets = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    datasets["realization"] = np.arange(count) + 10
    datasets["structural_status"][2:3] = Collapse.MAX_STRAIN
    datasets["structural_failure_strain"][2:3] = np.nan
    datasets["final_failed"][2:3] = 0
    return datasets


@pytest.fixture(scope="module")
def datasets() -> dict[str, np.ndarray]:
    return ensemble()


@pytest.fixture
def run(tmp_path, settings):
    """Writes an ensemble and its exclusions, and runs the step; returns its folder."""

    def run(datasets, excluded=("NO_FAILURE", "EMPTY"), folder="out", **changes):
        source = settings["gather"] | {"spacing": SPACING}
        store.write_atomically(tmp_path / "ensemble.h5", datasets, source)
        columns = {"realization": np.arange(len(excluded)), "status": list(excluded)}
        files.write_table(tmp_path / "exclusions.csv", columns)
        inputs = (tmp_path / "ensemble.h5", tmp_path / "exclusions.csv")
        phenomenology.run(*inputs, tmp_path / folder, SETTINGS | changes)
        return tmp_path / folder

    return run


def values(folder) -> dict[str, dict]:
    table = files.read_table(folder / "table.csv")
    return {
        name: {key: column[row] for key, column in table.items()}
        for row, name in enumerate(table["quantity"].tolist())
    }


def test_contract(run, datasets, capsys):
    folder = run(datasets)
    names = [f"{name}.png" for name in FIGURES] + ["summary.txt", "table.csv"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    for path in folder.glob("*.png"):
        assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and path.stat().st_size > 5000
    text = (folder / "summary.txt").read_text()
    assert capsys.readouterr().out == text and max(map(len, text.splitlines())) <= 110
    assert "Left out" not in text
    for line in (
        "8 specimens of 10 realizations, material staged",
        "left out, no first failure: 1 NO_FAILURE, 1 EMPTY",
        "still whole at 25 % strain",
        "runs to structural failure: 7 REACHED, 1 MAX_STRAIN",
    ):
        assert line in text


def test_the_table_says_what_was_put_in(run, datasets):
    got = values(run(datasets))
    first, end = datasets["first_failure_strain"], datasets["structural_failure_strain"]
    for name, expected in (
        ("strain at first failure", 100 * first),
        ("strain at structural failure", 100 * end),
        ("strain from first to structural failure", 100 * (end - first)),
    ):
        known = expected[np.isfinite(expected)]
        assert got[name]["unit"] == "%" and got[name]["n"] == len(known)
        assert got[name]["mean"] == pytest.approx(known.mean())
        assert got[name]["deviation"] == pytest.approx(known.std(ddof=1))
        quartiles = [got[name][key] for key in ("lower", "median", "upper")]
        np.testing.assert_allclose(quartiles, np.quantile(known, [0.25, 0.5, 0.75]))
    assert got["strain at first failure"]["paper"] == "4 to 5"
    assert got["|dz| of first and final failure"]["paper"] == "0.04"
    assert got["voxels failed at first failure"]["mean"] == 1
    solid = (datasets["porosity"] == 0).sum(axis=(1, 2, 3))
    assert got["failed share at first failure"]["mean"] == pytest.approx((1 / solid).mean())
    above = (datasets["damage"] >= 0.4 * LIMIT).sum(axis=(1, 2, 3))
    assert got["voxels above 0.4 phi_max, first failure"]["mean"] == above.mean()


def test_distance_of_first_and_final_failure(run, datasets):
    """Moving all final failure up by one voxel moves it by the spacing."""
    exact = dict(datasets)
    exact["final_failed"] = datasets["failed"].copy()
    exact["final_failed"][2] = 0
    got = values(run(exact))
    assert got["|dz| of first and final failure"]["mean"] == 0
    assert got["correlation of z, first and final"]["mean"] == pytest.approx(1)
    exact["final_failed"] = np.roll(exact["final_failed"], 1, axis=3)
    got = values(run(exact))
    for name in ("|dz| of first and final failure", "|dz| of first failure, final layer"):
        assert got[name]["mean"] == pytest.approx(SPACING) and got[name]["n"] == 7


def test_damage_at_a_strain_is_of_the_specimens_not_failed_by_then(run, datasets):
    got = values(run(datasets, strains=[0.03, 0.035]))
    first, strain = datasets["first_failure_strain"], datasets["history/strain"]
    for at, name in (
        (0.03, "largest damage at 3 % strain"),
        (0.035, "largest damage at 3.5 % strain"),
    ):
        rows = np.flatnonzero(first > at)
        largest = [
            np.interp(at, strain[row], datasets["history/max_damage"][row]) / LIMIT for row in rows
        ]
        assert 0 < len(rows) < 8 and got[name]["n"] == len(rows)
        assert got[name]["median"] == pytest.approx(np.median(largest))


def test_without_a_run_to_structural_failure(run, datasets):
    few = {
        name: array
        for name, array in datasets.items()
        if not name.startswith(("snapshots", "structural", "final"))
    }
    folder = run(few)
    text = (folder / "summary.txt").read_text()
    assert "simulation.until: structural_failure" in text and "simulation.snapshot_strains" in text
    assert len(list(folder.glob("*.png"))) == 4
    got = values(folder)
    assert got["strain at first failure"]["n"] == 8 and got["failed share at the end"]["n"] == 0

    not_run = datasets | {
        "structural_status": np.full(8, Collapse.NOT_RUN, np.uint8),
        "structural_failure_strain": np.full(8, np.nan),
        "final_failed": np.zeros_like(datasets["failed"]),
    }
    text = (run(not_run) / "summary.txt").read_text()
    assert "simulation.until" in text and "snapshot_strains" not in text


def test_one_specimen(run):
    folder = run(ensemble(count=1), excluded=())
    text = (folder / "summary.txt").read_text()
    assert text.startswith("1 specimens of 1 realizations") and "left out" not in text


def test_the_same_twice(run, datasets):
    one, other = run(datasets), run(datasets, folder="other")
    for path in one.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"specimens": 0}, "settings: specimens is 0, expected at least 1"),
        ({"strains": [0.0]}, r"settings: strains is \[0.0\], expected numbers in \(0, 1\]"),
        ({"levels": ["a"]}, r"settings: levels is \['a'\], expected numbers in \(0, 1\]"),
        ({"strain": 1}, "settings: unknown strain"),
    ],
)
def test_bad_settings(run, datasets, tmp_path, changes, message):
    with pytest.raises(PorefailError, match=message):
        run(datasets, **changes)
    assert not (tmp_path / "out").exists()


def test_bad_files(run, datasets, tmp_path):
    run(datasets)
    for name, message in (
        ("none.h5", "none.h5: missing file"),
        ("exclusions.csv", "exclusions.csv: not an HDF5 file"),
    ):
        with pytest.raises(PorefailError, match=message):
            phenomenology.run(
                tmp_path / name, tmp_path / "exclusions.csv", tmp_path / "no", SETTINGS
            )
    inputs = (tmp_path / "ensemble.h5", tmp_path / "none.csv")
    with pytest.raises(PorefailError, match="none.csv: missing file"):
        phenomenology.run(*inputs, tmp_path / "no", SETTINGS)
    with pytest.raises(PorefailError, match="table.csv: no column status"):
        table = tmp_path / "out" / "table.csv"
        phenomenology.run(inputs[0], table, tmp_path / "no", SETTINGS)
    assert not (tmp_path / "no").exists()


def test_command_line(porefail, run, datasets, tmp_path):
    run(datasets)
    ended = porefail(
        "phenomenology",
        *("--ensemble", tmp_path / "ensemble.h5", "--exclusions", tmp_path / "exclusions.csv"),
        *("--output", tmp_path / "again"),
        settings=SETTINGS,
    )
    assert ended.returncode == 0, ended.stderr
    for path in (tmp_path / "out").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()
