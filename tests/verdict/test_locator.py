"""Locators: written and read back; one line for a damaged one; the one that ships."""

import base64
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from porefail import configuration
from porefail.configuration.locators import LOCATORS
from porefail.errors import PorefailError
from porefail.ranking.choice import Choice
from porefail.verdict.assessment import SOLVES, solves_of
from porefail.verdict.locator import (
    SHIPPED,
    SKILL,
    BlockChoice,
    is_locator,
    read_locator,
    write_locator,
)
from porefail.verdict.measures import MEASURES

from .conftest import made_up


@pytest.fixture
def written(locator, tmp_path):
    path = tmp_path / "locator.json"
    write_locator(path, locator)
    return path


def same(found, expected) -> None:
    for name in ("voxel", "simulation", "presolve", "level", "coverage", "ranges", "source"):
        assert getattr(found, name) == getattr(expected, name), name
    assert found.skill == expected.skill
    assert found.regression.names == expected.regression.names
    for name in ("centre", "scale", "coefficients", "penalty", "validation_loss"):
        found_, wanted = getattr(found.regression, name), getattr(expected.regression, name)
        np.testing.assert_array_equal(found_, wanted)
    np.testing.assert_array_equal(found.choice.coefficient, expected.choice.coefficient)
    assert found.choice.none == expected.choice.none


def test_what_was_written_is_read(written, locator):
    same(read_locator(written), locator)


def test_odd_numbers_are_read_to_the_last_digit(locator, tmp_path):
    random = np.random.default_rng(0)
    count = locator.regression.coefficients.size
    odd = locator._replace(
        regression=locator.regression._replace(
            centre=random.standard_normal(count),
            scale=random.random(count) + 1e-9,
            coefficients=1e6 * random.standard_normal(count),
        ),
        level=np.inf,
        ranges={name: (1 / 3, 1e9 / 7) for name in MEASURES},
    )
    write_locator(tmp_path / "a.json", odd)
    same(read_locator(tmp_path / "a.json"), odd)
    json.loads(
        (tmp_path / "a.json").read_text(),
        parse_constant=lambda name: pytest.fail(f"{name} is no JSON"),
    )


@pytest.fixture
def with_network(locator, tmp_path):
    path = tmp_path / "network.json"
    write_locator(path, locator._replace(committee=(made_up(1 / 3),)))
    return path


def test_a_network_is_read_to_the_last_digit_of_its_numbers(with_network, locator):
    whole, wanted = read_locator(with_network), made_up(1 / 3)
    same(whole, locator)
    (found,) = whole.committee
    assert found.names == wanted.names and found.reach == wanted.reach
    pairs = [*zip(found.convolutions, wanted.convolutions, strict=True)]
    pairs.append((found.hidden, wanted.hidden))
    for one, other in pairs:
        for ours, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(ours, theirs.astype(np.float32))
    for name in ("scales", "correct"):
        theirs = getattr(wanted, name).astype(np.float32)
        np.testing.assert_array_equal(getattr(found, name), theirs)


def test_members_that_see_different_things_are_refused(locator, tmp_path):
    one = made_up(1 / 3)
    other = one._replace(convolutions=one.convolutions[:2], hidden=(np.ones((3, 4)), np.zeros(4)))
    path = tmp_path / "network.json"
    write_locator(path, locator._replace(committee=(one, other)))
    with pytest.raises(PorefailError, match="committee: members that see different things"):
        read_locator(path)
    write_locator(path, locator._replace(committee=(other,)))
    assert read_locator(path).committee[0].reach == 2


def test_one_of_version_1_has_no_network(written, locator):
    text = json.loads(written.read_text())
    del text["committee"]
    written.write_text(json.dumps(text | {"locator": 1}))
    same(read_locator(written), locator)
    assert read_locator(written).committee == ()


@pytest.fixture
def with_blocks(locator, tmp_path):
    choice = Choice(np.array([1 / 3, 0.5, -40.0]), -1.0)
    skill = dict.fromkeys(SKILL, 0.9)
    path = tmp_path / "blocks.json"
    write_locator(path, locator._replace(blocks=BlockChoice(4, choice, -0.25, skill)))
    return path


def test_a_choice_by_blocks_is_read_too(with_blocks, locator):
    whole = read_locator(with_blocks)
    same(whole, locator)
    assert whole.blocks.most == 4 and whole.blocks.level == -0.25
    assert whole.blocks.choice.coefficient.tolist() == [1 / 3, 0.5, -40.0]
    assert whole.blocks.choice.none == -1.0 and set(whole.blocks.skill) == set(SKILL)


def test_one_of_version_2_has_no_blocks(written, locator):
    text = json.loads(written.read_text())
    del text["blocks"]
    written.write_text(json.dumps(text | {"locator": 2}))
    same(read_locator(written), locator)
    assert read_locator(written).blocks is None


def test_one_of_version_3_has_other_blocks(with_blocks, written, locator):
    text = change("locator", 3)(json.loads(with_blocks.read_text()))
    with_blocks.write_text(json.dumps(text))
    with pytest.raises(PorefailError, match=r"blocks\.json: ranks sites by blocks of an older"):
        read_locator(with_blocks)
    written.write_text(json.dumps(change("locator", 3)(json.loads(written.read_text()))))
    same(read_locator(written), locator)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("most", 0, "blocks.most 0"),
        ("most", 4.0, "blocks.most 4.0"),
        ("most", 99, "blocks.most 99"),
        ("choice.coefficient", [1.0, 2.0], "3 finite numbers"),
        ("level", None, "KeyError 'level'"),
        ("skill.top_1", None, "KeyError 'top_1'"),
    ],
)
def test_damaged_blocks(with_blocks, place, value, message):
    damaged = change(f"blocks.{place}", value)(json.loads(with_blocks.read_text()))
    with_blocks.write_text(json.dumps(damaged))
    with pytest.raises(PorefailError, match=f"a damaged locator: .*{message}"):
        read_locator(with_blocks)


def change(place: str, value):
    """A change of the JSON at a place as a.b; None removes it."""

    def changed(text: dict) -> dict:
        *parents, last = place.split(".")
        inner = text
        for each in parents:
            inner = inner[int(each) if each.isdigit() else each]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
        return text

    return changed


@pytest.mark.parametrize(
    "damage, message",
    [
        (change("locator", 5), "not a locator of version 4"),
        (change("locator", None), "not a locator of version 4"),
        (lambda text: [text], "not a locator of version 4"),
        (change("regression", None), "a damaged locator: KeyError 'regression'"),
        (change("regression.names", ["nothing"]), "a damaged locator: .*nothing"),
        (change("regression.names", []), "a damaged locator"),
        (change("regression.names", ["log_von_mises"]), "a damaged locator: .*4 finite numbers"),
        (change("regression.centre", [0.0] * 12), "a damaged locator: .*13 finite numbers"),
        (change("regression.coefficients", "far"), "a damaged locator"),
        (change("regression.scale", [0.0] * 13), "a damaged locator: .*regression.scale"),
        (change("regression.coefficients", [float("nan")] * 13), "a damaged locator"),
        (change("choice.coefficient", [1.0]), "a damaged locator: .*2 finite numbers"),
        (change("choice.none", "much"), "a damaged locator"),
        (change("voxel_mm", -0.05), "a damaged locator: .*voxel_mm"),
        (change("voxel_mm", [0.05]), "a damaged locator"),
        (change("coverage", 1.0), "a damaged locator: .*coverage"),
        (change("level", float("nan")), "a damaged locator"),
        (change("ranges.porosity", None), "a damaged locator: KeyError 'porosity'"),
        (change("ranges.porosity", [1.0]), "a damaged locator: .*2 finite numbers"),
        (change("skill.top_1", None), "a damaged locator: KeyError 'top_1'"),
        (change("simulation", "default"), "a damaged locator: .*simulation"),
        (change("simulation.strain_rate", None), "a damaged locator"),
        (change("presolve", {}), "a damaged locator"),
        (change("presolve.strain", 1e308), "a damaged locator"),
    ],
)
def test_damaged_ones(written, damage, message):
    written.write_text(json.dumps(damage(json.loads(written.read_text()))))
    with pytest.raises(PorefailError, match=f"^{written}: {message}") as caught:
        read_locator(written)
    assert "\n" not in str(caught.value)


def text_of(values, *shape: int) -> dict:
    return {
        "shape": list(shape),
        "values": base64.b64encode(np.full(shape, values, "<f4")).decode(),
    }


@pytest.mark.parametrize(
    "damage, message",
    [
        (change("committee.0.names", ["log_von_mises"]), "committee names"),
        (change("committee.0.names", ["solid", "submodel_strain"]), "committee names .*submodel"),
        (change("committee.0.convolutions", []), "committee names .* of 0 convolutions"),
        (change("committee.0.convolutions", None), "KeyError 'convolutions'"),
        (change("committee.0.correct", text_of(0, 5)), "finite numbers of shape"),
        (change("committee.0.correct", text_of(np.nan, 4)), "finite numbers of shape"),
        (change("committee.0.correct", {"shape": [4], "values": "%%%%"}), ""),
        (change("committee.0.correct", {"shape": [-1], "values": ""}), ""),
        (
            change("committee.0.hidden", [text_of(0, 7, 4), text_of(0, 4)]),
            "finite numbers of shape",
        ),
        (change("committee.0.scales", text_of(0, 4, 2)), "committee scales"),
        (change("committee", 3), ""),
    ],
)
def test_damaged_networks(with_network, damage, message):
    with_network.write_text(json.dumps(damage(json.loads(with_network.read_text()))))
    wanted = f"^{with_network}: a damaged locator: .*{message}"
    with pytest.raises(PorefailError, match=wanted) as caught:
        read_locator(with_network)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "not a locator"),
        (b"{", "not a locator"),
        (b"\xff\xfe\x00", "not a locator"),
        (b"[" * 100_000, "not a locator"),
        (b"3", "not a locator of version 4"),
        (b"null", "not a locator of version 4"),
    ],
)
def test_files_that_are_none(tmp_path, data, message):
    path = tmp_path / "locator.json"
    path.write_bytes(data)
    with pytest.raises(PorefailError, match=f"^{path}: {message}"):
        read_locator(path)


def test_every_half_of_a_locator_is_refused(written):
    """Cut anywhere, in one line."""
    whole = written.read_bytes()
    for size in np.linspace(0, len(whole) - 3, 40).astype(int):
        written.write_bytes(whole[:size])
        with pytest.raises(PorefailError, match=f"^{written}: "):
            read_locator(written)


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(PorefailError, match=f"^{path}: cannot be read: "):
            read_locator(path)


@pytest.mark.parametrize("name", LOCATORS)
def test_shipped_locators(name, locator):
    """Each is small, of the default physics, and did well on specimens that chose nothing."""
    found = read_locator(name)
    assert set(found.skill) == set(SKILL)
    card = (Path(__file__).parents[2] / "docs" / "results" / "locators.md").read_text()
    content = SHIPPED[name].read_bytes()
    assert hashlib.sha256(content).hexdigest() in card and len(content) < 2e6
    assert f"{found.skill['top_1']:.1%}".replace("%", " %") in card
    assert found.skill["specimens"] >= 80
    assert 0.5 < found.skill["top_1"] <= found.skill["top_3"] <= 1
    assert solves_of(found.channels) == SOLVES[: LOCATORS.index(name)]
    assert found.skill["in_set"] > found.coverage - 0.1
    assert 1 <= found.skill["set_size"] < 6
    assert found.simulation == locator.simulation  # the default's
    default = yaml.safe_load((configuration.CONFIG / "default.yaml").read_text())
    assert found.voxel == pytest.approx(default["porosity"]["spacing"])
    for name, (low, high) in found.ranges.items():
        assert 0 < low <= high, name


def test_names_are_locators():
    assert all(map(is_locator, LOCATORS)) and is_locator("mine.json")
    assert not is_locator("network.keras") and not is_locator("./elastic")
