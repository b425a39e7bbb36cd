"""A phantom scan whose pores are known, and the verdict on it."""

import numpy as np
import pytest

from porefail.baselines.site_correction import SiteCorrection
from porefail.learning.site_network import REACH
from porefail.scans.phantom import Scanner, scan
from porefail.scans.volume import Scan
from porefail.verdict.judgement import judge
from porefail.verdict.part import Choices

VOXEL = 0.05  # mm, of the simulation


def quiet(text: str) -> None:
    """Progress that nobody reads."""


@pytest.fixture(scope="session")
def porosity() -> np.ndarray:
    """One large pore beside the axis, two small ones; no symmetry."""
    voxels = np.zeros((8, 8, 16), np.uint8)
    voxels[2:5, 4:6, 6:9] = voxels[5:7, 1:3, 12:14] = voxels[1, 1:3, 2:4] = 1
    return voxels


@pytest.fixture(scope="session")
def phantom(porosity):
    """Makes a scan of pores, those above if none are given."""

    def make(voxels=None, **changes) -> Scan:
        scanner = Scanner(0.025)._replace(**changes)
        grey = scan(porosity if voxels is None else voxels, VOXEL, scanner, 3)
        return Scan("phantom.tif", "phantom", grey, (scanner.voxel,) * 3, "known")

    return make


@pytest.fixture(scope="session")
def verdict(phantom, locator):
    """The verdict on the phantom; for reading only."""
    seen = phantom(voxel=0.0125)
    return seen, judge(seen, seen.spacing, Choices(), locator, progress=quiet)


@pytest.fixture(scope="session")
def lying(phantom, locator):
    """The verdict on the same part that lies along x."""
    seen = phantom(voxel=0.0125)
    seen = seen._replace(values=seen.values.transpose(2, 0, 1))
    return seen, judge(seen, seen.spacing, Choices(axis="x"), locator, progress=quiet)


def made_up(size: float) -> SiteCorrection:
    """A network of sites of random weights; size: of its correction."""
    random = np.random.default_rng(0)
    names = ("solid", "log_von_mises", "triaxiality", "log_coarse_damage")
    widths = [len(names), *[2] * REACH]
    return SiteCorrection(
        names,
        np.array([[0.9, 0.3], [0, 1], [0.3, 0.3], [-8, 2]]),
        [
            (random.normal(0.1, 0.2, (6, a, b)), np.zeros(b))
            for a, b in zip(widths[:-1], widths[1:], strict=True)
        ],
        (random.random((3, 4)), np.zeros(4)),
        size * random.random(4),
    )
