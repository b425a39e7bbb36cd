"""Locators that need less of a part: nothing is solved that they do not ask for."""

import h5py
import numpy as np
import pytest

from porefail.baselines.site_regression import SiteRegression
from porefail.configuration import LOCATORS
from porefail.errors import PorefailError
from porefail.fe.submodels import Submodels
from porefail.learning.candidates import MOST
from porefail.ranking.choice import Choice
from porefail.verdict import assessment, judgement, pulled
from porefail.verdict.assessment import solves_of
from porefail.verdict.judgement import PHYSICS, facts, judge, sentences
from porefail.verdict.locator import SKILL, BlockChoice, read_locator
from porefail.verdict.output import write_verdict
from porefail.verdict.part import Choices
from porefail.verdict.physics import solve
from porefail.verdict.pulled import features_with

from .conftest import quiet

GIVEN = {
    "pores": ("superposed_log_von_mises", "superposed_triaxiality"),
    "elastic": ("log_von_mises", "triaxiality"),
}
SOLVED = {"elastic": {"elastic_rank", "stress_concentration", "fine_elastic_rank"}, "pores": set()}


def needing(locator, names):
    coefficients = np.array([8.0, 2.0, *[0.0] * 6])
    regression = SiteRegression(names, np.zeros(8), np.ones(8), coefficients, 1.0, 1.0)
    return locator._replace(regression=regression)


@pytest.fixture(scope="module", params=GIVEN)
def cheap(request, locator, phantom):
    """Name of a locator, the locator, a scan, the verdict, what it told of its progress."""
    used = needing(locator, GIVEN[request.param])
    seen, told = phantom(voxel=0.0125), []
    return (
        request.param,
        used,
        seen,
        judge(seen, seen.spacing, Choices(), used, progress=told.append),
        told,
    )


def test_only_what_it_needs_is_solved(cheap, verdict):
    name, _, _, found, told = cheap
    assert any("elastic" in each for each in told) == (name == "elastic")
    assert not any("coarse load step" in each for each in told)
    whole = verdict[1].sites
    missing = {"elastic_rank", "coarse_step_rank", "stress_concentration", "fine_elastic_rank"}
    assert set(whole.columns) - set(found.sites.columns) == missing - SOLVED[name]
    assert ("stress_concentration" in found.assessment.measures) == (name == "elastic")


def test_its_first_site_is_that_of_the_whole_physics(cheap, verdict):
    """Of one large pore; places are voxels."""
    found, whole = cheap[3], verdict[1]
    first, other = (each.sites.iloc[0][["x_mm", "y_mm", "z_mm"]] for each in (found, whole))
    assert first["z_mm"] == pytest.approx(other["z_mm"], abs=0.1)
    assert (found.sites["pore"].iloc[0]) == whole.sites["pore"].iloc[0]


def test_its_files(cheap, tmp_path, monkeypatch):
    name, used, seen, found, _ = cheap
    for place in ("porefail.files.png", "porefail.files.pictures.png"):
        monkeypatch.setattr(place, lambda figure: b"picture")
    write_verdict(tmp_path / "out", seen, seen.spacing, found, used)
    with h5py.File(tmp_path / "out" / "part.vtkhdf") as file:
        fields = set(file["VTKHDF/CellData"])
    assert "likelihood" in fields and "coarse_damage" not in fields
    assert ("von_mises" in fields) == (name == "elastic")


def test_blocks_and_the_simulation_need_no_more(locator, phantom):
    seen = phantom(voxel=0.0125)
    used = needing(locator, GIVEN["pores"])
    found = judge(seen, seen.spacing, Choices(), used, simulate=True, blocks=1, progress=quiet)
    assert found.submodels.pulled == 1 and found.simulated.failed.any()


def test_sites_are_ranked_anew_by_blocks_where_the_locator_knows_how(locator, phantom, monkeypatch):
    """By as many as it was calibrated with. Here only they count: the first to fail is first. Of a
    part as short as a block it is one."""
    asked = []

    def pull(porosity, sites, channels, most, *given):
        asked.append(most)
        return pulled.pull(porosity, sites, channels, most, *given)

    monkeypatch.setattr(judgement, "pull", pull)
    seen, choice = phantom(voxel=0.0125), Choice(np.array([0.0, 0.0, -40.0]), -9.0)
    blocks = BlockChoice(2, choice, -0.5, dict.fromkeys(SKILL, 0.9) | {"specimens": 7})
    used = locator._replace(blocks=blocks)
    one, two = (
        judge(seen, seen.spacing, Choices(), used, blocks=n, progress=quiet) for n in (1, 2)
    )
    plain = judge(seen, seen.spacing, Choices(), locator, progress=quiet)
    columns = ["probability", "in_set", "z_mm"]
    assert one.by_blocks is None and one.submodels.pulled == 1
    assert one.sites[columns].equals(plain.sites[columns])
    unused = "These blocks change no probability: the locator was calibrated with"
    assert f"{unused} 2." in sentences(one, used)
    without = judge(seen, seen.spacing, Choices(), locator, blocks=2, progress=quiet)
    assert f"{unused}out." in sentences(without, locator)
    assert two.by_blocks == blocks
    features = features_with(plain.assessment.sites, two.submodels)
    np.testing.assert_allclose(
        two.sites["probability"], np.sort(choice.probability(features))[::-1]
    )
    assert not any(unused in each for each in sentences(two, used))
    many = judge(seen, seen.spacing, Choices(), used, blocks=5, progress=quiet)
    assert asked == [1, 2, 2, 2] and many.sites[columns].equals(two.sites[columns])
    assert "pulled to first failure: 1" in facts(seen, seen.spacing, many, used)["physics"]
    assert any(each.startswith("Of one block, pulled alone") for each in sentences(many, used))
    told = facts(seen, seen.spacing, two, used)["locator"]
    assert "ranked anew by blocks, on 7 that chose nothing its first site was right in 90%" in told


def test_a_place_that_a_block_finds_is_a_site_of_the_report(
    locator, phantom, verdict, monkeypatch, tmp_path
):
    """The first one here, in all tables and words; other thresholds have their first site there."""
    seen, place = phantom(voxel=0.0125), (0, 7, 15)
    assert np.abs(verdict[1].assessment.sites.place - place).max(axis=1).min() > 1

    def pull(porosity, *_):
        strain = np.full(porosity.shape, np.nan, np.float32)
        strain[place] = 0.05
        return Submodels(strain, 3, 0, 2)

    monkeypatch.setattr(judgement, "pull", pull)
    choice = Choice(np.array([0.0, 0.0, -400.0]), -9.0)
    blocks = BlockChoice(2, choice, -0.5, dict.fromkeys(SKILL, 0.9) | {"specimens": 7})
    used = locator._replace(blocks=blocks)
    found = judge(seen, seen.spacing, Choices(), used, blocks=2, progress=quiet)
    first = found.sites.iloc[0]
    assert len(found.sites) == len(verdict[1].sites) + 1
    assert first["probability"] > 0.9 and first["submodel_strain"] == pytest.approx(0.05)
    mm = first[["x_mm", "y_mm", "z_mm"]].to_numpy(float) - found.part.corner
    np.testing.assert_allclose(mm, 0.05 * (np.array(place) + 0.5), atol=0.05)
    assert found.warnings == verdict[1].warnings
    assert (
        "pulled to first failure: 3, 2 of them longer"
        in facts(seen, seen.spacing, found, used)["physics"]
    )
    told = "Of 3 blocks around the likeliest sites (2 of them longer, for a close race), pulled"
    assert any(each.startswith(told) and "at site 1," in each for each in sentences(found, used))
    write_verdict(tmp_path / "out", seen, seen.spacing, found, used)


def test_shipped_locators_by_name_and_what_they_say_they_did(phantom):
    """On a part that is unlike those known: they rank it, and say that they are not sure."""
    seen = phantom(voxel=0.0125)
    for name in LOCATORS:
        used = read_locator(name)
        found = judge(seen, seen.spacing, Choices(), used, progress=quiet)
        assert found.doubts and 0 < len(found.sites) <= MOST
        solved = PHYSICS[solves_of(used.channels)]
        assert facts(seen, seen.spacing, found, used)["physics"] == solved
    assert len({*PHYSICS.values()}) == len(PHYSICS)


def test_shipped_locators_doubt_coarse_and_noisy_scans(phantom):
    for name in LOCATORS:
        used = read_locator(name)
        for changes, words in (({"voxel": 0.025}, "scan voxels"), ({"noise": 0.3}, "noise")):
            seen = phantom(**{"voxel": 0.0125, **changes})
            doubts = judge(seen, seen.spacing, Choices(), used, progress=quiet).doubts
            assert any(each.startswith(words) for each in doubts), (name, changes)


def test_a_round_part_is_no_pore(locator, phantom):
    """What is outside of it is free, and no void whose stresses are superposed."""
    pores = np.zeros((12, 12, 16), bool)
    pores[5:7, 6, 8] = True
    x, y = np.indices((12, 12)) - 5.5
    outside = np.broadcast_to((x**2 + y**2 > 36)[..., None], pores.shape)
    used = needing(locator, GIVEN["pores"])
    given = used.voxel, used.simulation, used.presolve, quiet, ()
    found = assessment.assess(solve(pores, outside, *given), used)
    place = found.sites.place
    assert np.abs(place[found.ranking.order[0]] - [5.5, 6, 8]).max() <= 1.5
    assert not (pores | outside)[tuple(place.T)].any()
    bare = assessment.assess(solve(pores, np.zeros_like(pores), *given), used)
    likely = (~outside) & ~pores
    np.testing.assert_allclose(
        found.physics.fields["porosity"][likely], bare.physics.fields["porosity"][likely]
    )


def test_memory_is_asked_for_as_it_is_needed(locator, phantom, monkeypatch):
    """A part whose coarse step does not fit is judged from its pores."""
    seen = phantom(voxel=0.025)
    enough = 25 * seen.values.size + 500 * 8 * 8 * 16
    monkeypatch.setattr("porefail.store.memory.available", lambda: enough)
    with pytest.raises(PorefailError, match="memory"):
        judge(seen, seen.spacing, Choices(), locator, progress=quiet)
    used = needing(locator, GIVEN["pores"])
    assert len(judge(seen, seen.spacing, Choices(), used, progress=quiet).sites)


def test_solves_by_their_datasets():
    assert assessment.solves_of(["superposed_lode", "porosity"]) == ()
    assert assessment.solves_of(["lode"]) == ("elastic",)
    assert assessment.solves_of(["log_coarse_damage", "lode"]) == ("elastic", "presolve")
