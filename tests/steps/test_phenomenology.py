"""phenomenology: the table says what was put into the ensemble, and what is missing is said."""

import numpy as np
import pytest
from scipy import ndimage

from porefail import files, store
from porefail.errors import PorefailError
from porefail.steps import phenomenology
from porefail.store import Collapse, Status

SETTINGS = {"specimens": 6, "strains": [0.01, 0.02, 0.03], "levels": [0.4, 0.6]}
FIGURES = ["damage_histograms", "damage_sequence", "damage_stages", "ensemble_curves"]
FIGURES += ["failure_spread"]
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
        "history/saturated_points": np.array([8 * np.nanmax(f) for f in fields]),
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


@pytest.fixture(scope="module")
def write(tmp_path_factory, settings):
    """Writes an ensemble and what became of each realization; returns both paths."""

    def write(datasets, excluded=("NO_FAILURE", "EMPTY")):
        folder = tmp_path_factory.mktemp("ensemble")
        pores = settings["porosity"] | {"shape": list(datasets["porosity"].shape[1:])}
        source = settings["gather"] | {"porosity": pores, "spacing": SPACING}
        store.write_atomically(folder / "ensemble.h5", datasets, source)
        statuses = ["FIRST_FAILURE"] * len(datasets["realization"]) + list(excluded)
        used = [int(status == "FIRST_FAILURE") for status in statuses]
        numbers = [*datasets["realization"], *range(len(excluded))]
        columns = {"realization": numbers, "status": statuses, "used": used}
        files.write_table(folder / "account.csv", columns)
        return folder / "ensemble.h5", folder / "account.csv"

    return write


@pytest.fixture(scope="module")
def written(write, datasets):
    return write(datasets)


@pytest.fixture(scope="module")
def made(written, tmp_path_factory):
    """The folder that the step makes of the whole ensemble, for reading only."""
    folder = tmp_path_factory.mktemp("made") / "out"
    phenomenology.run(*written, folder, SETTINGS)
    return folder


@pytest.fixture
def run(tmp_path, write):
    """Runs the step on an ensemble, with few pictures; returns its folder."""

    def run(datasets, excluded=(), **changes):
        phenomenology.run(
            *write(datasets, excluded), tmp_path / "out", SETTINGS | {"specimens": 1} | changes
        )
        return tmp_path / "out"

    return run


def values(folder) -> dict[str, dict]:
    table = files.read_table(folder / "table.csv")
    return {
        name: {key: column[row] for key, column in table.items()}
        for row, name in enumerate(table["quantity"].tolist())
    }


def test_contract(made):
    names = [f"{name}.png" for name in FIGURES] + ["summary.txt", "table.csv"]
    assert sorted(path.name for path in made.iterdir()) == sorted(names)
    for path in made.glob("*.png"):
        assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and path.stat().st_size > 5000
    text = (made / "summary.txt").read_text()
    assert max(map(len, text.splitlines())) <= 115 and "Left out" not in text
    for line in (
        "8 specimens of 10 realizations, material staged, small strain",
        "left out, no first failure: 1 NO_FAILURE, 1 EMPTY",
        "still whole at 25 % strain",
        "runs to structural failure: 7 REACHED, 1 MAX_STRAIN",
    ):
        assert line in text


def test_the_table_says_what_was_put_in(made, datasets):
    got = values(made)
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


@pytest.mark.slow
def test_distance_of_first_and_final_failure(run, datasets):
    """Moving all final failure up by one voxel moves it by the spacing."""
    final = np.roll(datasets["failed"], 1, axis=3)
    final[2] = 0
    got = values(run(datasets | {"final_failed": final}))
    assert got["correlation of z, first and final"]["mean"] == pytest.approx(1)
    for name in ("|dz| of first and final failure", "|dz| of first failure, final layer"):
        assert got[name]["mean"] == pytest.approx(SPACING) and got[name]["n"] == 7


@pytest.mark.slow
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


def test_without_a_run_to_structural_failure_and_without_snapshots(run, datasets):
    few = {
        name: array
        for name, array in datasets.items()
        if not name.startswith(("snapshots", "structural", "final"))
    }
    folder = run(few)
    text = (folder / "summary.txt").read_text()
    assert "simulation.until: structural_failure" in text and "simulation.snapshot_strains" in text
    assert len(list(folder.glob("*.png"))) == 5
    got = values(folder)
    assert got["strain at first failure"]["n"] == 8 and got["failed share at the end"]["n"] == 0


def test_without_a_run_to_structural_failure_but_with_snapshots(run, datasets):
    not_run = datasets | {
        "structural_status": np.full(8, Collapse.NOT_RUN, np.uint8),
        "structural_failure_strain": np.full(8, np.nan),
        "final_failed": np.zeros_like(datasets["failed"]),
    }
    text = (run(not_run) / "summary.txt").read_text()
    assert "simulation.until" in text and "snapshot_strains" not in text


@pytest.mark.slow
def test_one_specimen(run):
    folder = run(ensemble(count=1))
    text = (folder / "summary.txt").read_text()
    assert text.startswith("1 specimens of 1 realizations") and "left out" not in text


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"specimens": 0}, "settings: specimens is 0, expected a whole number, at least 1"),
        ({"strains": [0.0]}, r"settings: strains\[0\] is 0.0, expected a number, above 0"),
        ({"levels": ["a"]}, r"settings: levels\[0\] is 'a', expected a number, above 0"),
        ({"strain": 1}, "settings: strain is not a known key; did you mean strains"),
    ],
)
def test_bad_settings(written, tmp_path, changes, message):
    with pytest.raises(PorefailError, match=message):
        phenomenology.run(*written, tmp_path / "out", SETTINGS | changes)
    assert not (tmp_path / "out").exists()


def test_bad_files(written, tmp_path):
    ensemble, account = written
    files.write_table(tmp_path / "other.csv", {"realization": [1]})
    columns = files.read_table(account)
    few = {name: column[1:] for name, column in columns.items()}
    files.write_table(tmp_path / "few.csv", few)
    (tmp_path / "text.csv").write_text(account.read_text().replace(",1", ",yes", 1))
    for inputs, message in (
        ((tmp_path / "none.h5", account), "none.h5: missing file"),
        ((account, account), "account.csv: not an HDF5 file"),
        ((ensemble, tmp_path / "none.csv"), "none.csv: missing file"),
        ((ensemble, tmp_path / "other.csv"), "other.csv: missing column status"),
        ((ensemble, tmp_path / "text.csv"), "text.csv, line 2, column used: 'yes' is not a whole"),
        ((ensemble, tmp_path / "few.csv"), "few.csv: the realizations used are not those of"),
    ):
        with pytest.raises(PorefailError, match=message):
            phenomenology.run(*inputs, tmp_path / "out", SETTINGS)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_command_line_writes_the_same_and_tells_the_summary(porefail, written, made, tmp_path):
    options = zip(("--ensemble", "--account", "--output"), (*written, tmp_path), strict=True)
    pairs = [word for option in options for word in option]
    ended = porefail("phenomenology", *pairs, settings=SETTINGS)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == (made / "summary.txt").read_text()
    for path in made.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path
