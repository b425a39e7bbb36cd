"""Warnings about a scan: of what a phantom was made with, and of nothing else."""

import numpy as np
import pytest

from porefail.scans import quality
from porefail.scans.phantom import AIR, METAL, Scanner, scan

SPACING, VOXEL = 0.05, 0.0125
CUBE = (VOXEL,) * 3
CONTRAST = METAL - AIR
SHAPE = (20, 20, 24)
SCANNER = Scanner(voxel=VOXEL)
CASES = {
    "beam hardening": {"cupping": 0.1},
    "rings": {"rings": 0.1},
    "tilt": {"tilt": 3.0},
}


def scanned(
    share: float = 0.01, seed: int = 1, shape: tuple[int, ...] = SHAPE, **changes
) -> tuple[np.ndarray, ...]:
    """Grey values and the masks of metal and of the part."""
    porosity = (np.random.default_rng(3).random(shape) < share).astype(np.uint8)
    values = scan(porosity, SPACING, SCANNER._replace(**changes), seed)
    solid = scan(np.zeros_like(porosity), SPACING, SCANNER._replace(**changes), seed)
    middle = (METAL + AIR) / 2
    return values, values > middle, solid > middle


def starts(values, metal, part, spacing=CUBE) -> list[str]:
    lines = quality.warnings(values, metal, part, spacing, CONTRAST)
    assert not any("\n" in line for line in lines)
    return [line.partition(":")[0] for line in lines]


@pytest.mark.parametrize("section", ["square", "round"])
@pytest.mark.parametrize("changes", [{}, {"blur": 1.5}, {"noise": 0.1}, {"tilt": 0.3}])
@pytest.mark.parametrize("share", [0.0, 0.05])
def test_no_warning_of_a_clean_scan(section, changes, share):
    assert starts(*scanned(share, section=section, **changes)) == []


@pytest.mark.parametrize("section", ["square", "round"])
@pytest.mark.parametrize("told", CASES)
def test_one_warning_of_one_thing(section, told):
    assert starts(*scanned(section=section, **CASES[told])) == [told]


def test_all_warnings():
    changes = {key: value for case in CASES.values() for key, value in case.items()}
    values, metal, part = scanned(**changes)
    assert starts(values, metal, part, (VOXEL, VOXEL, 2 * VOXEL)) == [*CASES, "voxels"]


def test_a_line_tells_the_measure():
    values, metal, part = scanned(0.0, cupping=0.08, section="round")
    (line,) = quality.warnings(values, metal, part, CUBE, CONTRAST)
    assert line == (
        "beam hardening: metal is 8 % of the contrast fainter in the middle than at its skin, so a"
        " single threshold makes pores larger there"
    )


@pytest.mark.parametrize("asked", [0.0, 0.02, 0.1, 0.3])
def test_cupping_of_a_round_section(asked):
    values, metal, _ = scanned(section="round", cupping=asked)
    assert quality.cupping(values, metal, CONTRAST) == pytest.approx(asked, abs=0.005)
    turned = 60_000 - values.astype(int)  # metal is the darker one
    assert quality.cupping(turned, metal, -CONTRAST) == pytest.approx(asked, abs=0.005)


@pytest.mark.parametrize("asked", [0.0, 0.02, 0.05, 0.1])
def test_rings_as_asked(asked):
    found = [quality.rings(*scanned(0.0, seed, rings=asked)[:2], CONTRAST) for seed in range(4)]
    assert np.mean(found) == pytest.approx(asked, rel=0.12, abs=0.002)


def test_rings_about_another_axis():
    values, metal, _ = scanned(rings=0.1)
    middle = (values.shape[0] - 1) / 2
    values, metal = values[12:], metal[12:]
    about = quality.rings(values, metal, CONTRAST, (middle - 12, middle))
    assert about > 0.07 > 2 * quality.rings(values, metal, CONTRAST)


@pytest.mark.parametrize("asked", [0.0, 0.5, 3.0, 10.0])
def test_tilt_as_asked(asked):
    _, metal, part = scanned(shape=(10, 10, 60), tilt=asked)
    assert quality.tilt(part, CUBE) == pytest.approx(asked, abs=0.1)
    assert quality.tilt(metal, CUBE) == pytest.approx(asked, abs=0.2)


def test_a_step_of_a_voxel_is_no_tilt():
    """Ten slices whose upper half stands one voxel aside: nothing that an angle can tell."""
    part = np.zeros((20, 20, 10), bool)
    part[5:15, 5:15, :5] = part[6:16, 5:15, 5:] = True
    assert quality.tilt(part, CUBE) > 5
    assert starts(np.where(part, METAL, AIR), part, part) == []


def test_tilt_of_unequal_voxels():
    """Leaning along x and y, in voxels that are twice as long along z; empty slices at the ends."""
    part = np.zeros((30, 30, 24), bool)
    for k in range(2, 22):
        part[k // 2 : k // 2 + 8, k : k + 5, k] = True
    slope = np.hypot(0.5, 1.0) / 2
    found = quality.tilt(part, (1.0, 1.0, 2.0))
    assert found == pytest.approx(np.degrees(np.arctan(slope)), abs=0.2)


def test_too_little_metal_is_not_judged():
    values = np.full((10, 10, 4), METAL, np.uint16)
    nothing = np.zeros(values.shape, bool)
    assert np.isnan(quality.cupping(values, nothing, CONTRAST))
    assert np.isnan(quality.rings(values, nothing, CONTRAST))
    assert np.isnan(quality.tilt(nothing, CUBE))
    assert starts(values, nothing, nothing) == []


def test_mapped_files(tmp_path):
    """Arrays of a file give the same numbers."""
    arrays = scanned(rings=0.1, cupping=0.1)
    mapped = []
    for i, array in enumerate(arrays):
        np.save(tmp_path / f"{i}.npy", array)
        mapped.append(np.load(tmp_path / f"{i}.npy", mmap_mode="r"))
    lines = [quality.warnings(*each, CUBE, CONTRAST) for each in (arrays, mapped)]
    assert lines[0] == lines[1] and len(lines[0]) == 2
