"""Elastic fields: against the simulation's solver, closed forms, symmetry, ranks, hard shapes."""

import subprocess
import sys

import numpy as np
import pytest
from mpi4py import MPI
from scipy import ndimage

from porefail.errors import PorefailError
from porefail.fe.elastic.fields import NAMES, elastic_fields
from porefail.fe.equilibrium import Specimen
from porefail.fe.grid import load_bearing
from porefail.fe.hexahedron import ELEMENTS

NU = 0.27


def pores(shape, share, seed=0):
    return (np.random.default_rng(seed).random(shape) < share).astype(np.uint8)


def sphere(size, radius):
    """One spherical void in the middle of a block of size³ voxels, by the voxels' centres."""
    axes = np.ogrid[:size, :size, :size]
    distance = sum((axis + 0.5 - size / 2) ** 2 for axis in axes)
    return (distance < radius**2).astype(np.uint8)


@pytest.mark.parametrize("element", ELEMENTS)
def test_fields_are_those_of_the_simulation(named, element):
    porosity = pores((8, 12, 16), 0.05)
    material = named("deviator_norm")
    bearing = load_bearing(porosity.transpose(2, 1, 0) == 0)
    specimen = Specimen(bearing, 0.05, material, MPI.COMM_SELF, "small", element)
    _, mises, pressure = specimen.elastic_fields()
    found = elastic_fields(porosity, material.poisson_ratio, element)
    solid = porosity == 0
    np.testing.assert_allclose(found.von_mises[solid], mises.transpose(2, 1, 0)[solid], atol=1e-5)
    np.testing.assert_allclose(found.pressure[solid], pressure.transpose(2, 1, 0)[solid], atol=1e-5)
    assert np.isnan(found.von_mises[~solid]).all()


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 30), (7, 5, 9), (20, 3, 11)], ids=str)
def test_a_specimen_without_pores_is_in_uniaxial_tension(shape):
    found = elastic_fields(np.zeros(shape, np.uint8), NU, "full")
    for name, value in zip(NAMES, (1, 1 / 3, 1, 1 / 3, 1), strict=True):
        np.testing.assert_allclose(getattr(found, name), value, rtol=1e-5)


def test_a_prism_carries_its_load_in_its_section():
    porosity = np.ones((9, 9, 20), np.uint8)
    porosity[:3, 2:7] = 0
    found = elastic_fields(porosity, NU, "full")
    np.testing.assert_allclose(found.von_mises[porosity == 0], 81 / 15, rtol=1e-5)


def test_a_mirrored_specimen_has_mirrored_fields():
    porosity = pores((11, 6, 15), 0.1)
    found = elastic_fields(porosity, NU, "full")
    for axis in range(3):
        mirrored = elastic_fields(np.flip(porosity, axis), NU, "full")
        for name in NAMES:
            expected = np.flip(getattr(found, name), axis)
            np.testing.assert_allclose(getattr(mirrored, name), expected, atol=2e-5)


def test_a_spherical_void_disturbs_the_pressure_as_goodier_says():
    """tr σ / σ = 1 − 10 (1 + ν) / (7 − 5ν) · (a/r)³ · P2(cos θ) around a sphere in an infinite body
    (from Goodier 1933: a harmonic function with 12 / (7 − 5ν) at the equator)."""
    errors = []
    for size in (32, 64):
        porosity = sphere(size, size / 10)
        found = elastic_fields(porosity, NU, "full")
        radius = (0.75 * porosity.sum() / np.pi) ** (1 / 3)
        axes = np.ogrid[:size, :size, :size]
        x, y, z = (axis + 0.5 - size / 2 for axis in axes)
        distance = np.sqrt(x**2 + y**2 + z**2)
        shell = (distance > 1.3 * radius) & (distance < 2 * radius)
        legendre = 1.5 * (z / distance) ** 2 - 0.5
        exact = 1 - 10 * (1 + NU) / (7 - 5 * NU) * (radius / distance) ** 3 * legendre
        wrong = (3 * found.pressure - exact)[shell]
        errors.append(np.sqrt(np.mean(wrong**2) / np.mean((exact[shell] - 1) ** 2)))
    assert errors[1] < 0.05
    assert errors[1] < 0.7 * errors[0]


def test_iterations_do_not_grow_with_the_grid():
    porosity = sphere(12, 4)
    for factor in (1, 2, 4):
        finer = porosity.repeat(factor, 0).repeat(factor, 1).repeat(factor, 2)
        assert elastic_fields(finer, NU, "full").iterations <= 12


@pytest.mark.parametrize("shape", [(31, 31, 63), (33, 32, 65), (32, 32, 65), (34, 38, 66)], ids=str)
def test_iterations_do_not_grow_where_sides_cannot_be_halved(shape):
    assert elastic_fields(pores(shape, 0.001), NU, "full").iterations <= 14


def hanging():
    porosity = np.zeros((20, 20, 40), np.uint8)
    porosity[4:16, 4:16, 10:30] = 1
    porosity[8:12, 8:12, 15:20] = 0
    return porosity


def ligament():
    porosity = np.zeros((21, 21, 40), np.uint8)
    porosity[:, :, 20:22] = 1
    porosity[10, 10, 20:22] = 0
    return porosity


def blobs():
    field = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((24, 24, 48)), 1.5)
    return (field < np.quantile(field, 0.35)).astype(np.uint8)


def lattice():
    porosity = np.ones((21, 21, 40), np.uint8)
    porosity[::5, ::5] = 0
    for section in (np.s_[::5, :, ::10], np.s_[:, ::5, ::10], np.s_[:, :, 0], np.s_[:, :, -1]):
        porosity[section] = 0
    return porosity


@pytest.mark.parametrize("shape", [hanging, ligament, blobs, lattice])
def test_hard_shapes_are_solved(shape):
    """The mean axial stress of a section is what one of its voxels must carry, about."""
    porosity = shape()
    found = elastic_fields(porosity, NU, "full")
    assert found.unbalanced <= 1e-6
    section = (porosity == 0).mean(axis=(0, 1)).min()
    assert np.nanmax(found.von_mises) > 0.5 / section
    if shape is hanging:
        assert not found.von_mises[8:12, 8:12, 15:20].any()


def test_what_joins_no_grips_is_refused():
    porosity = np.zeros((4, 4, 12), np.uint8)
    porosity[:, :, 5] = 1
    with pytest.raises(PorefailError, match="no single piece of the specimen joins the grips"):
        elastic_fields(porosity, NU, "full")


def test_a_solve_that_does_not_converge_is_told():
    with pytest.raises(PorefailError, match="did not converge"):
        elastic_fields(ligament(), NU, "full", tolerance=1e-16)


SCRIPT = """
import sys
import numpy as np
from mpi4py import MPI
from porefail.fe.elastic.fields import NAMES, elastic_fields
found = elastic_fields(np.load(sys.argv[1]), 0.27, "full", MPI.COMM_WORLD)
if MPI.COMM_WORLD.rank == 0:
    np.savez(sys.argv[2], **{name: getattr(found, name) for name in NAMES})
else:
    assert found is None
"""


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_do_not_change_the_fields(mpiexec, tmp_path, ranks):
    """161 layers: two grids are shared out, the others are whole on each rank."""
    porosity = pores((39, 40, 161), 0.02)
    np.save(tmp_path / "porosity.npy", porosity)
    command = [sys.executable, "-c", SCRIPT, tmp_path / "porosity.npy", tmp_path / "found.npz"]
    subprocess.run([mpiexec, "-n", str(ranks), *command], check=True)
    expected = elastic_fields(porosity, NU, "full")
    with np.load(tmp_path / "found.npz") as found:
        for name in NAMES:
            np.testing.assert_allclose(found[name], getattr(expected, name), atol=2e-5)
