"""The configuration of tools: the user's file on the defaults, as the workflow resolves it."""

import pytest
import yaml

from porefail import configuration
from porefail.errors import PorefailError


@pytest.fixture
def written(tmp_path):
    def write(text: str):
        (tmp_path / "my.yaml").write_text(text)
        return tmp_path / "my.yaml"

    return write


def test_without_a_file_it_is_the_default():
    text = (configuration.CONFIG / "default.yaml").read_text()
    assert configuration.simulation() == yaml.safe_load(text)["simulation"]
    text = (configuration.CONFIG / "materials.yaml").read_text()
    assert configuration.material("literal") == yaml.safe_load(text)["materials"]["literal"]


def test_a_file_changes_what_it_names(written):
    path = written("simulation: {max_strain: 0.1}\nmaterials: {staged: {void_size: 0.2}}\n")
    assert configuration.simulation([path]) == configuration.simulation() | {"max_strain": 0.1}
    assert configuration.material("staged", [path]) == configuration.material("staged") | {
        "void_size": 0.2
    }


@pytest.mark.parametrize("text", ["name: other\n", "simulation: {}\n", '{"seed": 1}'])
def test_a_file_need_not_have_the_section(written, text):
    assert configuration.simulation([written(text)]) == configuration.simulation()


@pytest.mark.slow
def test_the_configurations_that_ship_are_accepted():
    for path in configuration.CONFIG.glob("*.yaml"):
        if path.name != "schema.yaml":
            configuration.campaign([path])


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "my.yaml: is empty, expected keys of a configuration"),
        ("# nothing\n", "my.yaml: is empty, expected keys of a configuration"),
        ("simulation:\n", "simulation is None, expected a mapping"),
        ("simulation: [1]", r"simulation is \[1\], expected a mapping"),
        ("simulation", "my.yaml: is 'simulation', expected keys of a configuration"),
        ("simulation: {", r"my.yaml: expected YAML or JSON \(while parsing a flow"),
        (
            "seed: 1\nname: a\nseed: 2\n",
            r"my.yaml: expected YAML or JSON \(line 3: 'seed' is there twice",
        ),
        ("porosity: {spacing: 1.0, spacing: 2.0}", r"\(line 1: 'spacing' is there twice"),
        ('{"seed": 1, "seed": 2}', r"my.yaml: expected YAML or JSON \('seed' is there twice"),
        ("seed: " + 3000 * "[" + 3000 * "]", "my.yaml: expected YAML or JSON .*nested"),
        ("seed: 1" + 5000 * "0", "my.yaml: expected YAML or JSON .*digits"),
        ("a: {<<: {b: 1}, <<: {c: 2}}", r"\(line 1: '<<' is there twice"),
        ("seed: 0x1" + 6000 * "f", "more than 30 digits"),
        (
            "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n"
            + "".join(
                f"{x}: &{x} [" + 9 * f"*{y}, " + f"*{y}]\n"
                for x, y in zip("bcdef", "abcde", strict=True)
            ),
            "more than 100000 values",
        ),
        ("seed: \0", "my.yaml: expected YAML or JSON .*special characters are not allowed"),
        ("a: &a [*a, *a]", "my.yaml: expected YAML or JSON .more than 100000 values"),
        ("? [1, 2]\n: 3\n", "my.yaml: expected YAML or JSON .*unhashable key"),
        ("simulation: {max_strain: 2}", "simulation.max_strain is 2, expected a number, at least"),
        ("simulation: {max_strain: .inf}", "simulation.max_strain is inf, expected a number"),
        ("simulation: {snapshot_strains: [-1]}", r"snapshot_strains\[0\] is -1, expected a number"),
        ("simulation: {maximum: 1}", "simulation.maximum is not a known key; "),
    ],
)
def test_mistakes_are_named_in_one_line(written, text, message):
    with pytest.raises(PorefailError, match=message) as raised:
        configuration.simulation([written(text)])
    assert "\n" not in str(raised.value)


def test_later_files_lie_on_earlier_ones(tmp_path):
    texts = (
        "name: one\nporosity: {realizations: 17, batch_size: 3}\n",
        "porosity: {batch_size: 9}\n",
    )
    paths = [tmp_path / "one.yaml", tmp_path / "other.yaml"]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    campaign = configuration.campaign(paths)
    assert campaign.name == "one" and campaign.batches == [(0, 8), (9, 16)]
    assert campaign.made_with["porosity"].keys().isdisjoint({"realizations", "batch_size"})
    assert campaign.made_with["porosity"]["seed"] == 2022


def test_a_name_is_checked_too(written):
    with pytest.raises(PorefailError, match="^configuration: name is "):
        configuration.campaign([written("name: ../elsewhere\n")])


def test_a_whole_number_is_no_float(written):
    with pytest.raises(
        PorefailError, match="porosity.realizations is 10.0, expected a whole number"
    ):
        configuration.campaign([written("porosity: {realizations: 10.0}\n")])


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "my.yaml").write_bytes(b"name: \xff\xfe\n")
    with pytest.raises(PorefailError, match="my.yaml: not a text in UTF-8"):
        configuration.resolve([tmp_path / "my.yaml"])
    for path, reason in ((tmp_path / "no.yaml", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(PorefailError, match=f"{path}: cannot be read: {reason}"):
            configuration.resolve([path])


def test_what_is_merged_in_may_be_laid_over(written):
    text = "study: {models: {one: &one {filters: 4, skips: true}, two: {<<: *one, filters: 8}}}"
    models = configuration.resolve([written(text)])["study"]["models"]
    assert models["two"] == {"filters": 8, "skips": True} and models["one"]["filters"] == 4
    with pytest.raises(PorefailError, match="'filters' is there twice"):
        configuration.resolve([written("a: &a {filters: 4}\nb: {<<: *a, filters: 1, filters: 2}")])


WANTED = {
    "seed": "seed",
    "name?": "name",
    "pores": {"spacing": "porosity.spacing"},
    "of": {"*": "seed"},
}


@pytest.mark.parametrize(
    "settings, message",
    [
        ({}, "of is missing"),
        ({"sed": 1}, "sed is not a known key; did you mean seed"),
        ({"pores": {}}, "pores.spacing is missing"),
        ({"pores": {"spacing": "1"}}, "pores.spacing is '1', expected a number"),
        ({"of": {"any": -1}}, "of.any is -1, expected a whole number"),
        ({"name": "a/b"}, "name is 'a/b', expected text of letters"),
    ],
)
def test_settings_of_a_step(settings, message):
    whole = {"seed": 1, "pores": {"spacing": 0.1}, "of": {"one": 2}}
    configuration.require_settings(whole, WANTED)
    found = whole | settings if settings else {key: whole[key] for key in ("seed", "pores")}
    with pytest.raises(PorefailError, match=f"^settings: {message}"):
        configuration.require_settings(found, WANTED)
    with pytest.raises(PorefailError, match="^settings: at odds$"):
        configuration.require_settings(whole, WANTED, lambda each: ["at odds"])


def test_perturbed_copies_in_batches(written):
    text = "sensitivity: {perturbations: [3, 2, 4], batch_size: 2}"
    whole = configuration.resolve([written(text)])
    assert configuration.perturbed(whole) == [
        *((0, 0, 1), (0, 2, 2)),
        (1, 0, 1),
        *((2, 0, 1), (2, 2, 3)),
    ]


def test_known_realizations_are_not_simulated(tmp_path):
    path = tmp_path / "my.yaml"
    comparisons = configuration.resolve()["study"]["comparisons"]
    changes = {
        "execution": {"known": {"file": "a.h5", "realizations": 40}},
        "presolve": {"strain": 0.01},
        "dataset": {"transform": "site"},
        "training": {"loss": "site_likelihood"},
        "study": {"comparisons": {name: {"models": []} for name in comparisons}},
    }
    path.write_text(yaml.safe_dump(changes))
    found = configuration.campaign([path])
    assert found.known == "a.h5" and found.batches[0] == (40, 59)
    assert configuration.batches_of(configuration.resolve([path]))[0] == (0, 19)
    assert configuration.campaign().known is None
    changes["study"]["comparisons"]["paper"] = {"labels": ["site", "g"], "models": ["uniform"]}
    path.write_text(yaml.safe_dump(changes))
    with pytest.raises(PorefailError, match="comparisons.paper: label g needs damage, which is no"):
        configuration.campaign([path])
