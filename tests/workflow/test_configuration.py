"""The configuration: documented in full, and refused in one line where it is wrong."""

import copy
import errno
import os
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from porefail import configuration, learning
from porefail.baselines import linear_heteroencoder, local_statistics, site_regression
from porefail.dataset.symmetry import ELEMENTS
from porefail.dataset.transforms import PIPELINES
from porefail.dataset.weighting import KINDS
from porefail.errors import PorefailError
from porefail.fe.hexahedron import ELEMENTS as HEXAHEDRA
from porefail.fe.material import Material
from porefail.fe.tension import DAMAGE_IN_STRESS, LoadSettings
from porefail.learning import predictors, site_network, uncertain
from porefail.nn.losses import LOSSES

ROOT = Path(__file__).parents[2]
CONFIGURATIONS = ["default", "smoke", "paper", "phenomenology", "collapse"]
CONFIGURATIONS += [f"phenomenology-{name}" for name in ("printed", "1.5", "1.75", "b_bar")]
CONFIGURATIONS += [f"phenomenology-printed-{name}" for name in ("1.5", "1.75", "b_bar")]
CONFIGURATIONS += ["study", "larger", "sparse", "porous", "ranking", "fewer", "frontier"]


def load(name: str) -> dict:
    return yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text())


def merged(*parts: dict) -> dict:
    """Lay configurations over each other, as Snakemake does."""
    result: dict = {}
    for part in parts:
        for key, value in part.items():
            both = isinstance(value, dict) and isinstance(result.get(key), dict)
            result[key] = merged(result[key], value) if both else copy.deepcopy(value)
    return result


def problem(changes: dict) -> str | None:
    """What the Snakefile says of the default configuration with changes."""
    config = merged(load("default"), load("materials"), load("variants"), changes)
    try:
        configuration.require_valid(config)
        configuration.require_writable(f"results/{config['name']}")
    except PorefailError as error:
        return f"porefail: error: {error}"
    return None


@pytest.fixture(autouse=True)
def working_directory(tmp_path, monkeypatch):
    """The check of the results folder looks here, not in the checkout."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_our_configurations_are_valid(name):
    assert problem(load(name)) is None


def properties(schema: dict, path: str = ""):
    """Every key that a schema documents, with its path."""
    for key, part in schema.get("properties", {}).items():
        if "$ref" in part:
            part = SCHEMA["$defs"][part["$ref"].removeprefix("#/$defs/")]
        yield f"{path}{key}", part
        yield from properties(part, f"{path}{key}.")


SCHEMA = load("schema")
DOCUMENTED = dict(properties(SCHEMA)) | {
    f"material.{key}": part for key, part in SCHEMA["$defs"]["material"]["properties"].items()
}


def test_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("key", DOCUMENTED)
def test_every_key_is_documented(key):
    part = DOCUMENTED[key]
    assert len(part["description"]) > 5
    if part["type"] == "object":
        assert part["additionalProperties"] is not True and "additionalProperties" in part
        assert set(part.get("required", [])) == set(part.get("properties", {}))
    for number in (part, part.get("items", {})):
        if number.get("type") in ("number", "integer"):
            assert key == "seed" or "unit" in number or "unit" in part
            assert {"minimum", "exclusiveMinimum"} & number.keys()
            assert {"maximum", "exclusiveMaximum"} & number.keys()


def test_schema_names_what_the_code_knows():
    parts = SCHEMA["properties"]
    simulation = parts["simulation"]["properties"]
    assert set(simulation) - {"material"} == set(LoadSettings._fields)
    assert set(SCHEMA["$defs"]["material"]["properties"]) == set(Material._fields)
    assert simulation["element"]["enum"] == list(HEXAHEDRA)
    assert simulation["damage_in_stress"]["enum"] == list(DAMAGE_IN_STRESS)
    assert parts["dataset"]["properties"]["transform"]["enum"] == list(PIPELINES)
    training = parts["training"]["properties"]
    assert sorted(training["symmetries"]["items"]["enum"]) == sorted(ELEMENTS)
    assert training["weighting"]["properties"]["kind"]["enum"] == list(KINDS)
    assert SCHEMA["$defs"]["channels"]["items"]["enum"] == list(learning.CHANNELS)
    # The likelihood is what networks that say how sure they are make of the squared error.
    assert training["loss"]["enum"] == [name for name in LOSSES if name != "likelihood"]
    # Of prediction alone is the average over symmetries.
    assert set(training) | {"seed"} == set(uncertain.SETTINGS) | {"average"}
    kinds = {"heteroencoder", *uncertain.KINDS, linear_heteroencoder.KIND, local_statistics.KIND}
    kinds |= {site_regression.KIND, site_network.KIND}
    assert set(SCHEMA["$defs"]["model_kind"]["enum"]) == kinds | set(predictors.UNTRAINED)


BAD = yaml.safe_load((Path(__file__).parent / "bad_configurations.yaml").read_text())


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"porosity": {"realizations": 10**400}}, "porosity.realizations is 10000000"),
        ({"study": {"models": {300 * "a": {}}}}, "study.models has the name 'aaaa"),
        ({"seed": [[[]]]}, "seed is [[[]]], expected a whole number"),
    ],
)
def test_a_huge_value_gives_a_short_line(changes, message):
    line = problem(changes)
    assert message in line and "\n" not in line and len(line) < 300


def test_an_average_of_all_trainings_is_none_of_networks_that_say_how_sure_they_are():
    assert problem({"training": {"average": True}}) is None


@pytest.mark.parametrize("changes, message", BAD)
def test_a_bad_value_gives_one_line(changes, message):
    line = problem(changes)
    assert line.startswith("porefail: error: configuration: ") and "\n" not in line
    assert message in line


def test_a_bad_configuration_starts_nothing(tmp_path, snakemake):
    ended = snakemake(tmp_path, "default", {"porosity": {"batch_size": 0}})
    lines = [line for line in ended.stderr.splitlines() if "error" in line]
    assert ended.returncode == 1 and lines == [
        "porefail: error: configuration: porosity.batch_size is 0, "
        "expected a whole number, at least 1 and at most 1000000 (specimens)"
    ]
    assert "Traceback" not in ended.stderr and not (tmp_path / "results").exists()


def test_results_that_are_a_file(tmp_path, snakemake):
    (tmp_path / "results").write_text("")
    ended = snakemake(tmp_path, "default", {})
    lines = [line for line in ended.stderr.splitlines() if "error" in line]
    assert ended.returncode == 1 and lines == [
        "porefail: error: cannot write to results/default: results: Not a directory"
    ]
    assert "Traceback" not in ended.stderr
    assert [path.name for path in tmp_path.iterdir() if path.name[0] != "."] == ["results"]


def test_results_that_lead_nowhere(tmp_path):
    (tmp_path / "results").symlink_to(tmp_path / "unmounted")
    line = problem({})
    assert line.endswith("cannot write to results/default: results: No such file or directory")


def test_a_full_disk(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    line = problem({"name": "mine"})
    assert line == "porefail: error: cannot write to results/mine: .: No space left on device"
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
@pytest.mark.parametrize("folder", [".", "results", "results/default"])
def test_a_read_only_folder(tmp_path, folder):
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / folder).chmod(0o500)
    line = problem({})
    (tmp_path / folder).chmod(0o700)
    assert line.endswith(f"cannot write to results/default: {folder}: Permission denied")


def test_the_check_of_the_folder_leaves_nothing(tmp_path):
    (tmp_path / "results" / "default").mkdir(parents=True)
    assert problem({}) is None and problem({"name": "mine"}) is None
    assert [path.name for path in tmp_path.rglob("*")] == ["results", "default"]


@pytest.mark.parametrize(
    "name, profile, batches",
    [("default", "", None), ("smoke", "", None), ("paper", "", 185), ("paper", "slurm", 185)],
)
def test_dry_run(tmp_path, snakemake, name, profile, batches):
    config = merged(load("default"), load(name))["porosity"]
    options = ["--profile", profile] if profile else []
    ended = snakemake(tmp_path, name, {}, "-n", *options)
    assert ended.returncode == 0, ended.stderr
    counts = dict(re.findall(r"^(\w+) +(\d+)$", ended.stdout + ended.stderr, re.M))
    expected = -(-config["realizations"] // config["batch_size"])
    assert batches in (None, expected)
    assert counts["porosity"] == counts["simulate"] == str(expected)
    assert all(
        counts[rule] == "1"
        for rule in ("gather", "dataset", "train", "predict", "evaluate", "report")
    )
    assert not (tmp_path / "results").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, batches",
    [("smoke", 4), ("phenomenology", 14), ("collapse", 14), ("phenomenology-b_bar", 4)],
)
def test_dry_run_of_the_phenomenology(tmp_path, snakemake, name, batches):
    """It is asked for by its name, needs no learning, and is no part of a plain run."""
    ended = snakemake(tmp_path, name, {}, "-n", "phenomenology")
    assert ended.returncode == 0, ended.stderr
    counts = dict(re.findall(r"^(\w+) +(\d+)$", ended.stdout + ended.stderr, re.M))
    expected = {"porosity": batches, "simulate": batches, "gather": 1, "phenomenology": 1}
    assert counts == {rule: str(n) for rule, n in expected.items()} | {
        "total": str(sum(expected.values()))
    }
    plain = snakemake(tmp_path, name, {}, "-n")
    assert "report" in plain.stdout + plain.stderr
    assert not re.search(r"^phenomenology +\d", plain.stdout + plain.stderr, re.M)


@pytest.mark.slow
def test_dry_run_of_the_study(tmp_path, snakemake):
    """It is asked for by its name; a label learnt by a model is one job for each fold."""
    ended = snakemake(tmp_path, "smoke", {}, "-n", "study")
    assert ended.returncode == 0, ended.stderr
    counts = dict(re.findall(r"^(\w+) +(\d+)$", ended.stdout + ended.stderr, re.M))
    assert counts["crossvalidate"] == "21" and counts["study"] == counts["gather"] == "1"
    few = {"study": {"folds": 1, "comparisons": {"mine": {"labels": ["g"], "models": ["IHpr"]}}}}
    few["study"]["comparisons"] |= {
        name: {"models": []}
        for name in yaml.safe_load((ROOT / "config" / "variants.yaml").read_text())["study"][
            "comparisons"
        ]
    }
    for split, folds in (([7, 1, 2], 5), ([3, 1, 1], 5), ([2, 1, 1], 4), ([4, 1, 2], 1)):
        changes = merged(few, {"study": {"folds": 9}, "dataset": {"split": split}})
        ended = snakemake(tmp_path, "smoke", changes, "-n", "study")
        counts = dict(re.findall(r"^(\w+) +(\d+)$", ended.stdout + ended.stderr, re.M))
        assert counts["crossvalidate"] == str(folds)


@pytest.mark.slow
def test_a_target_of_two_comparisons_that_share_a_variant_is_given_once(tmp_path, snakemake):
    target = tmp_path / "results" / "porous" / "ensemble.h5"
    target.parent.mkdir(parents=True)
    target.touch()
    transfer = {"porous": ["weightings", "parameters"], "none": ["widths"]}
    ended = snakemake(tmp_path, "smoke", {"study": {"transfer": transfer}}, "-n", "-p", "study")
    assert ended.returncode == 0, ended.stderr
    given = re.findall(r"--transfer (.*?) --scores (\S+)", ended.stdout + ended.stderr)
    assert {files for files, _ in given} == {"results/porous/ensemble.h5"}
    assert any("study/t/uniform/fold-0" in scores for _, scores in given)
    figure = "results/smoke/study/transfer_skill.png"
    asked = snakemake(tmp_path, "smoke", {"study": {"transfer": transfer}}, "-n", figure)
    assert asked.returncode == 0, asked.stderr
    unused = {"study": {"transfer": {"none": ["widths"]}}}  # of which no model is asked for
    refused = snakemake(tmp_path, "smoke", unused, "-n", figure)
    assert refused.returncode and "MissingRule" in refused.stdout + refused.stderr
    assert snakemake(tmp_path, "smoke", unused, "-n", "study").returncode == 0


@pytest.mark.slow
def test_dry_run_of_the_sensitivity_study(tmp_path, snakemake):
    """It is asked for by its name; perturbed copies are simulated in batches, by specimen."""
    ended = snakemake(tmp_path, "smoke", {}, "-n", "sensitivity")
    assert ended.returncode == 0, ended.stderr
    counts = dict(re.findall(r"^(\w+) +(\d+)$", ended.stdout + ended.stderr, re.M))
    assert counts["perturb"] == "3" and counts["simulate"] == str(4 + 3)
    once = ("train", "train_bayesian", "predict", "rank", "sensitivity", "gather")
    assert all(counts[rule] == "1" for rule in once) and "crossvalidate" not in counts
    paper = {"sensitivity": {"perturbations": [100] * 9 + [500] * 3, "batch_size": 50}}
    ended = snakemake(tmp_path, "smoke", paper, "-n", "sensitivity")
    counts = dict(re.findall(r"^(\w+) +(\d+)$", ended.stdout + ended.stderr, re.M))
    assert counts["perturb"] == str(9 * 2 + 3 * 10)
    ranking = snakemake(tmp_path, "smoke", {}, "-n", "rank")
    assert "perturb" not in dict(re.findall(r"^(\w+) +(\d+)$", ranking.stdout, re.M))
