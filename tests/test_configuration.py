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


@pytest.mark.parametrize("text", ["", "name: other\n", "simulation:\n", "simulation: {}\n"])
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
        ("simulation: [1]", r"my.yaml: expected YAML with `simulation: .*` \(found \[1\]\)"),
        ("simulation", r"my.yaml: expected YAML with `simulation: .*` \(found 'simulation'\)"),
        ("simulation: {", "my.yaml: expected YAML with `simulation: "),
        ("simulation: {max_strain: 2}", "simulation.max_strain: 2 is greater than the maximum"),
        ("simulation: {max_strain: .inf}", "simulation.max_strain: inf is not of type 'number'"),
        ("simulation: {snapshot_strains: [-1]}", "simulation.snapshot_strains.0: -1 is less than"),
        ("simulation: {maximum: 1}", r"simulation: Additional .*\('maximum' was unexpected\)"),
    ],
)
def test_mistakes_are_named_in_one_line(written, text, message):
    with pytest.raises(PorefailError, match=message) as raised:
        configuration.simulation([written(text)])
    assert "\n" not in str(raised.value)


def test_later_files_lie_on_earlier_ones(tmp_path):
    texts = (
        "name: one\nporosity: {realizations: 7, batch_size: 3}\n",
        "porosity: {batch_size: 4}\n",
    )
    paths = [tmp_path / "one.yaml", tmp_path / "other.yaml"]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    campaign = configuration.campaign(paths)
    assert campaign.name == "one" and campaign.batches == [(0, 3), (4, 6)]
    assert campaign.made_with["porosity"].keys().isdisjoint({"realizations", "batch_size"})
    assert campaign.made_with["porosity"]["seed"] == 2022


def test_a_name_is_checked_too(written):
    with pytest.raises(PorefailError, match="^name: "):
        configuration.campaign([written("name: ../elsewhere\n")])


def test_a_whole_number_is_no_float(written):
    with pytest.raises(PorefailError, match="^porosity.realizations: 10.0 is not of type"):
        configuration.campaign([written("porosity: {realizations: 10.0}\n")])
