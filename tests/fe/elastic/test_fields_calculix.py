"""Elastic fields on a porous mesh against stored results of CalculiX (see ../reference/README.md).

Its C3D8 integrates fully where geometry is linear.
"""

import importlib
from pathlib import Path

import numpy as np
import pytest

from porefail.fe.elastic.fields import elastic_fields

TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bench():
    """Imports a module of tests/bench."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TESTS / "bench")
        yield importlib.import_module


@pytest.fixture(scope="module")
def problem(bench):
    return bench("calculix_reference").elastic_problem()


@pytest.fixture(scope="module")
def found(problem):
    porosity = (~problem.bearing).astype(np.uint8).transpose(2, 1, 0)
    return elastic_fields(porosity, problem.poisson_ratio, "full", tolerance=1e-7)


@pytest.fixture(scope="module")
def stresses(bench, problem):
    """CalculiX's, per unit nominal stress (elements, 8 points, 6): xx, yy, zz, xy, xz, yz."""
    printed, calculix = bench("calculix_reference").elastic_results(), bench("calculix")
    _, ny, nx = problem.bearing.shape
    nominal = calculix.forces(printed)[0] / (ny * nx * problem.spacing**2)
    return calculix.stresses(printed) / nominal


def test_the_stored_deck_is_this_problem(bench, problem):
    stored = (bench("calculix_reference").REFERENCE / "elastic.inp").read_text()
    assert stored == bench("calculix").elastic_deck(problem)


def test_fields_are_those_of_calculix(problem, found, stresses):
    """CalculiX prints seven digits."""
    pressure = stresses[..., :3].mean(axis=-1)
    deviator = stresses.copy()
    deviator[..., :3] -= pressure[..., None]
    xx, yy, zz, xy, xz, yz = np.moveaxis(deviator, -1, 0)
    j2 = 0.5 * (xx**2 + yy**2 + zz**2) + xy**2 + xz**2 + yz**2
    j3 = np.linalg.det(np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]).transpose(2, 3, 0, 1))
    mises = np.sqrt(3 * j2)
    expected = {
        "von_mises": mises.mean(axis=1),
        "pressure": pressure.mean(axis=1),
        "largest_von_mises": mises.max(axis=1),
        "largest_pressure": pressure.max(axis=1),
        "lode": (27 / 4 * j3**2 / j2**3).mean(axis=1),
    }
    for name, value in expected.items():
        mine = getattr(found, name).transpose(2, 1, 0)[problem.bearing]
        print(name, "largest difference", np.abs(mine - value).max(), "of", value.max())
        np.testing.assert_allclose(mine, value, atol=1e-5)
    assert expected["von_mises"].max() > 1.3  # pores concentrate stress
