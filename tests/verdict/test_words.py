"""Warnings: each is there where it should be, and only there."""

import numpy as np
import pandas as pd
import pytest

from porefail.scans.volume import Scan
from porefail.verdict import words
from porefail.verdict.part import Choices, Part, part, view

from .conftest import VOXEL, quiet


def part_of(scan: Scan, **choices) -> Part:
    chosen = Choices(**choices)
    return part(scan.path, view(scan, scan.spacing, chosen), chosen, VOXEL, quiet)


def warned(scan: Scan, **choices) -> list[str]:
    found = part_of(scan, **choices)
    return words.scan_warnings(found, VOXEL, middle(scan))


def middle(scan: Scan) -> np.ndarray:
    return 0.5 * np.array(scan.values.shape) * scan.spacing


def about(lines: list[str], kind: str) -> bool:
    found = [line for line in lines if line.startswith(kind)]
    assert len(found) < 2
    return bool(found)


@pytest.fixture(scope="module")
def thick():
    """A specimen of a section wide enough to see rings and beam hardening in it."""
    voxels = np.zeros((16, 16, 8), np.uint8)
    voxels[6:9, 7:9, 3:5] = 1
    return voxels


def test_a_good_scan_is_not_warned_of(phantom, thick):
    assert warned(phantom(thick, voxel=0.0125)) == []


@pytest.mark.parametrize(
    "kind, changes",
    [
        ("beam hardening", {"cupping": 0.12}),
        ("rings", {"rings": 0.08, "noise": 0.02}),
        ("tilt", {"tilt": 4.0}),
        ("noise", {"noise": 0.2}),
        ("coarse scan", {"voxel": 0.06, "blur": 0.0, "noise": 0.01}),
    ],
)
def test_what_is_wrong_with_a_scan(phantom, thick, kind, changes):
    assert about(warned(phantom(thick, **{"voxel": 0.0125} | changes)), kind)


def test_rings_are_around_the_middle_of_the_whole_scan(phantom, thick):
    scan = phantom(thick, voxel=0.0125, rings=0.08, noise=0.02)
    half = (slice(0, scan.values.shape[0] // 2), slice(None), slice(None))
    assert about(warned(scan, crop=half), "rings")


def test_unequal_voxels(phantom, thick):
    scan = phantom(thick, voxel=0.0125)
    assert about(warned(scan._replace(spacing=(0.0125, 0.0125, 0.0129))), "voxels")
    assert not about(warned(scan._replace(spacing=(0.0125, 0.0125, 0.0126))), "voxels")


def test_small_pores(phantom, thick):
    scan = phantom(thick, voxel=0.0125, noise=0, blur=0)
    for count, expected in ((11, True), (12, False)):
        values = scan.values.copy()
        values[20 : 20 + count, 20, 20] = 10_000
        assert about(warned(scan._replace(values=values)), "small pores") == expected


def test_lost_pores(phantom, thick):
    """Many pores of a quarter of a voxel of the simulation beside a large one."""
    scan = phantom(thick, voxel=0.0125, noise=0, blur=0)
    values = scan.values.copy()
    values[14:60:8, 14:60:8, 3::8] = 10_000
    values[15:60:8, 14:60:8, 3::8] = values[16:60:8, 14:60:8, 3::8] = 10_000
    assert about(warned(scan._replace(values=values)), "pores lost")
    assert not about(warned(scan), "pores lost")


def test_a_section_that_the_grid_does_not_fit(thick):
    """9 by 9 voxels of the simulation: an even number is taken."""
    solid = np.zeros((52, 52, 32), np.uint8)
    for side, expected in ((32, False), (36, True)):
        values = solid.copy()
        values[8 : 8 + side, 8 : 8 + side] = 1
        values[16:24, 16:24, 8:16] = 0
        scan = Scan("s", "s", values, (0.0125,) * 3, "known")
        assert about(warned(scan), "cross-section") == expected


@pytest.mark.parametrize("hole, expected", [(20, True), (12, False)])
def test_a_tube(hole, expected):
    """A hole along the whole part is one large pore: a --part-mask is asked for."""
    values = np.zeros((44, 44, 32), np.uint8)
    values[6:-6, 6:-6] = 1
    low = 22 - hole // 2
    values[low : low + hole, low : low + hole] = 0
    scan = Scan("tube", "s", values, (0.0125,) * 3, "known")
    lines = warned(scan, metal=1.0)
    assert about(lines, "voids are") == expected
    assert any("--part-mask" in line for line in lines) == expected


def test_a_threshold_that_moves_the_first_site(verdict):
    _, found = verdict
    here = found.assessment
    order = here.ranking.order
    away = here._replace(ranking=here.ranking._replace(order=order[::-1]))
    places = here.sites.place[order[[0, -1]]]
    assert abs(places[0] - places[1]).max() > 1
    first = places[:1]
    assert words.moved_first(first, [(-0.05, here), (0.05, here)]) == []
    assert words.moved_first(places, [(-0.05, here), (0.05, away)]) == []
    (line,) = words.moved_first(first, [(-0.05, here), (0.05, away)])
    assert "+5%" in line and "another first site" in line
    (line,) = words.moved_first(first, [(-0.05, None)])
    assert "-5%" in line and "no pore" in line


def test_a_part_that_is_unlike_those_known(verdict, locator):
    _, found = verdict
    assert words.confidence(found.part, found.assessment, locator) == []
    narrow = locator._replace(ranges=dict(locator.ranges) | {"porosity": (0.2, 0.3)})
    (line,) = words.confidence(found.part, found.assessment, narrow)
    assert line.startswith("porosity: ") and line.endswith("those known have 0.2 to 0.3")


def test_a_scan_that_is_worse_than_those_known(phantom, verdict, locator, thick):
    _, found = verdict
    known = locator._replace(scanned=(0.0125, 0.05))
    assert words.confidence(found.part, found.assessment, known) == []
    (line,) = words.confidence(found.part, found.assessment, known._replace(scanned=(0.009, 0.05)))
    assert line == "scan voxels: 12.5 µm, those known have 9 µm"
    noisy = part_of(phantom(thick, voxel=0.0125, noise=0.2))
    (line,) = words.confidence(noisy, found.assessment, known)
    assert line.startswith("noise: 2") and line.endswith("scans known have 5%")


def test_pores_are_counted_in_the_table_of_all(verdict):
    scan, found = verdict
    few = pd.concat([found.part.pores, found.part.pores.assign(voxels=5)])
    lines = words.scan_warnings(found.part._replace(pores=few), VOXEL, np.array([0.5, 0.5, 0.2]))
    assert about(lines, f"small pores: {len(found.part.pores)} of {len(few)}")
