"""Small inputs for the tests of the steps: real porosity, made-up simulations."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy import ndimage

from porefail import store
from porefail.fe import MODEL_VERSION
from porefail.steps import porosity
from porefail.store import Status

ROOT = Path(__file__).parents[2]
SHAPE = (8, 8, 8)
CROSSVALIDATED = ("scores", "curves", "distribution", "specimens", "history")


def configuration(name: str) -> dict:
    return yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text())


@pytest.fixture(scope="session")
def settings() -> dict[str, dict]:
    """Settings of each step, small and coarse."""
    default = configuration("default")
    pores = default["porosity"] | {"shape": list(SHAPE), "mean_porosity": 0.03}
    del pores["realizations"], pores["batch_size"]
    seed = {"seed": 7}
    material = {"name": "staged", **configuration("materials")["materials"]["staged"]}
    simulation = default["simulation"] | {
        "material": material,
        "max_strain_step": 5e-3,
        "max_damage_step": 0.2,
    }
    training = seed | default["training"]
    bayesian = training.pop("bayesian")
    return {
        "porosity": seed | pores,
        "simulate": simulation,
        "presolve": {
            "simulation": simulation,
            "presolve": {"strain": 0.01, "newton_tolerance": 0.01, "submodels": 0},
        },
        "gather": {
            "known": 0,
            "porosity": seed | pores,
            "simulation": simulation,
            "model_version": MODEL_VERSION,
        },
        "dataset": seed | default["dataset"],
        "train": {key: value for key, value in training.items() if key != "average"}
        | {"epochs": 2, "batch_size": 8},
        "predict": {
            "site_threshold": default["evaluation"]["site_threshold"],
            "average": default["training"]["average"],
        },
        "crossvalidate": {
            "label": "t",
            "model": "uniform",
            "kind": "heteroencoder",
            "fold": 0,
            "dataset": seed | default["dataset"],
            "training": training | {"epochs": 1, "batch_size": 8},
            "baselines": {"penalties": [1e-3, 1.0], "ranks": [0, 3], "widths": [0.75, 1.5]},
            "evaluation": default["evaluation"]
            | {key: default["study"][key] for key in ("site_recall", "site_volume")},
        },
        "bayesian": bayesian | {"draws": 3, "members": 2},
        "evaluate": default["evaluation"],
        "report": {
            "specimens": 2,
            "loss": default["training"]["loss"],
            **{
                key: default["evaluation"][key]
                for key in ("site_threshold", "near_voxels", "near_z")
            },
        },
    }


@pytest.fixture
def make_porosity(tmp_path, settings):
    """Writes realizations first to last of the porosity process; returns the path."""

    def make(first: int, last: int, **changes) -> Path:
        path = tmp_path / f"porosity-{first}-{last}.h5"
        porosity.run(path, first, last, settings["porosity"] | changes)
        return path

    return make


def write_shard(
    path: Path,
    attributes: dict,
    numbers: list[int],
    statuses: list[Status] | None = None,
    steps: int = 5,
) -> None:
    """A made-up shard: damage is high beside voids; the voxel with the highest has failed."""
    random = np.random.default_rng(numbers)
    statuses = statuses or [Status.FIRST_FAILURE] * len(numbers)
    voxels = (random.random((len(numbers), *SHAPE)) < 0.03).astype(np.uint8)
    voxels[:, 3, 3, 3] = 1
    near = np.stack([ndimage.gaussian_filter(field.astype(float), 1.0) for field in voxels])
    near = near / near.max(axis=(1, 2, 3), keepdims=True) + 0.01 * random.random(near.shape)
    damage = np.where(voxels == 0, 0.5 * near, np.nan).astype(np.float32)
    failed = (damage == np.nanmax(damage, axis=(1, 2, 3), keepdims=True)).astype(np.uint8)
    history = np.linspace(0, 1, len(numbers) * steps).reshape(len(numbers), steps)
    stress = np.where(voxels == 0, near, np.nan).astype(np.float32)
    store.write_atomically(
        path,
        {
            "porosity": voxels,
            "damage": damage,
            "failed": failed,
            "realization": np.array(numbers),
            "status": np.array(statuses, np.uint8),
            "first_failure_strain": np.full(len(numbers), 0.04),
            "elastic/von_mises": stress,
            "elastic/pressure": stress,
            "history/strain": history,
            "history/stress": history,
            "history/max_damage": history,
            "history/failed_fraction": history,
        },
        {"spacing": 0.05, "strain_rate": 0.002, "element": "made up"} | attributes,
    )


@pytest.fixture
def make_shard(tmp_path, settings):
    """Writes a made-up simulation shard with the given statuses; returns its path."""

    def make(numbers: list[int], *arguments, steps: int = 5, **changes) -> Path:
        path = tmp_path / f"shard-{numbers[0]}-{len(numbers)}.h5"
        write_shard(path, settings["gather"] | changes, numbers, *arguments, steps=steps)
        return path

    return make


@pytest.fixture(scope="session")
def variant(made, settings):
    """Cross-validates a variant on the made-up ensemble into a folder; returns the folder."""
    from porefail.steps import crossvalidate

    def run(folder: Path, transfer=(), ensemble=None, **changes) -> Path:
        tables = [folder / f"{name}.csv" for name in CROSSVALIDATED]
        crossvalidate.run(
            ensemble or made["ensemble"],
            *tables,
            folder / "checkpoint.npz",
            settings["crossvalidate"] | changes,
            transfer,
        )
        return folder

    return run


@pytest.fixture(scope="session")
def made(tmp_path_factory, settings) -> dict[str, Path]:
    """Files of a made-up ensemble of 20 and of what the steps make of it, for reading only."""
    from porefail.steps import dataset, evaluate, gather, predict, train

    folder = tmp_path_factory.mktemp("made")
    names = ["ensemble.h5", "account.csv", "dataset.h5", "model.keras", "history.csv"]
    names += ["prediction.h5", "curves.csv", "sites.csv", "specimens.csv", "checkpoint.npz"]
    made = {name.split(".")[0]: folder / name for name in names}
    shard = folder / "shard.h5"
    write_shard(shard, settings["gather"], list(range(20)))
    wanted = settings["gather"] | {"realizations": 20}
    gather.run([shard], made["ensemble"], made["account"], wanted)
    dataset.run(made["ensemble"], made["dataset"], settings["dataset"])
    learnt = [made[name] for name in ("dataset", "model", "history", "checkpoint")]
    train.run(*learnt, settings["train"])
    predict.run(made["model"], made["dataset"], made["prediction"], settings["predict"])
    compared = ("prediction", "dataset", "ensemble", "curves", "sites", "specimens")
    evaluate.run(*(made[name] for name in compared), settings["evaluate"])
    return made


@pytest.fixture(scope="session")
def twin(made, settings, tmp_path_factory) -> Path:
    """A Bayesian network that starts from that of `made`."""
    from porefail.learning import uncertain
    from porefail.steps import train_bayesian

    folder = tmp_path_factory.mktemp("twin")
    paths = folder / "model.keras", folder / "history.csv", folder / "checkpoint.npz"
    wanted = settings["train"] | {"epochs": 1, "bayesian": settings["bayesian"]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uncertain, "UNIFORM", 0.0)  # nothing is learnt in an epoch
        train_bayesian.run(made["dataset"], made["model"], *paths, wanted)
    return paths[0]


@pytest.fixture
def porefail(mpiexec):
    """Runs a verb of the command line, under mpiexec if ranks are given."""

    def run(verb: str, *options, settings: dict | None = None, ranks: int = 0):
        command = [sys.executable, "-m", "porefail", verb, *map(str, options)]
        if ranks:
            command = [mpiexec, "-n", str(ranks), *command]
        if settings is not None:
            command += ["--settings", json.dumps(settings)]
        return subprocess.run(command, capture_output=True, text=True)

    return run


@pytest.fixture
def located(locator, settings, tmp_path):
    """Writes a locator of the physics of `made`, with changes, that needs no solve; its path."""
    from porefail.baselines.site_regression import SiteRegression
    from porefail.verdict.locator import write_locator

    names, coefficients = ("superposed_log_von_mises",), np.array([8.0, 0, 0, 0])
    regression = SiteRegression(names, np.zeros(4), np.ones(4), coefficients, 1.0, 1.0)
    ours = locator._replace(simulation=settings["simulate"], regression=regression)

    def write(**changes) -> str:
        write_locator(tmp_path / "locator.json", ours._replace(**changes))
        return str(tmp_path / "locator.json")

    return write
