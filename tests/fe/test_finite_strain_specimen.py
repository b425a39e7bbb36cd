"""Specimens at finite strain: equilibrium, its cost, and first failure beside small strain."""

import subprocess
import sys

import numpy as np
import pytest
from mpi4py import MPI

from porefail.configuration.codes import Status
from porefail.errors import PorefailError
from porefail.fe import equilibrium
from porefail.fe.constitutive import PHI
from porefail.fe.equilibrium import Specimen
from porefail.fe.grid import FREE, HELD
from porefail.fe.material_point import Path, follow
from porefail.fe.tension import LoadSettings, simulate

SPACING, RATE = 0.05, 0.002
NUMBERS = (RATE, 0.25, 1e-3, 1e-6, 0.02, 1e-6, 20, 1e-3)
SETTINGS = LoadSettings(*NUMBERS, "finite", "b_bar", "end_of_step", 0.0)


def test_patch_test(named, monkeypatch):
    """A linear displacement of the boundary, 30 % strain: inner nodes follow it."""
    shape, steps = (4, 4, 4), 6
    kinds = np.full((5, 5, 5, 3), HELD, np.uint8)
    kinds[1:-1, 1:-1, 1:-1] = FREE
    monkeypatch.setattr(equilibrium, "degrees_of_freedom", lambda bearing: kinds.copy())
    # Without voids: softening by damage would allow other solutions than the linear one.
    solid = named("staged")._replace(initial_damage=0.0, void_size=0.0)
    specimen = Specimen(np.ones(shape, bool), SPACING, solid, MPI.COMM_SELF, "finite", "b_bar")
    z, y, x = np.meshgrid(*(np.arange(5.0),) * 3, indexing="ij")
    gradient = np.array([[-0.12, 0.2, 0.0], [0.0, -0.12, 0.1], [0.1, 0.0, 0.3]])
    part = SPACING * np.stack([x, y, z], axis=-1) @ gradient.T / steps
    noise = 0.1 * SPACING / steps * np.random.default_rng(0).normal(size=part.shape)
    for _ in range(steps):
        change = part + np.where(kinds == FREE, noise, 0.0)
        assert specimen.equilibrate(change, 10.0, 1e-10, 100, 1e-3)
        specimen.accept()
    error = np.abs(specimen.displacement - steps * part).max() / (SPACING * 0.3)
    specimen.destroy()
    print("error of the displacement over that of an element:", error)
    assert error < 1e-7


def test_pore_free_block_is_the_material_point_in_logarithmic_strain(named):
    """To 15 % nominal strain: force over the initial area = Cauchy stress × area ratio."""
    material, shape, steps = named("literal"), (8, 4, 4), 60
    strain = np.linspace(0, 0.15, steps + 1)
    goal = np.zeros((steps + 1, 6))
    goal[:, 2] = np.log1p(strain)
    stressed = np.array([True, True, False, True, True, True])
    point = follow(Path(strain / RATE, goal, stressed), material, max_strain_step=1.0)
    expected = point.stress[:, 2] * np.exp(point.strain[:, 0] + point.strain[:, 1])

    specimen = Specimen(np.ones(shape, bool), SPACING, material, MPI.COMM_SELF, "finite", "b_bar")
    u = np.zeros((*(n + 1 for n in shape), 3))
    u[..., 2] = 0.15 / steps * SPACING * np.arange(shape[0] + 1)[:, None, None]
    for row in range(1, steps + 1):
        before = specimen.iterations
        assert specimen.equilibrate(u, 0.15 / steps / RATE, 1e-8, 40, 1e-3)
        specimen.accept()
        u = u.copy()
        assert specimen.nominal_stress() == pytest.approx(expected[row], rel=1e-5)
        if row % 20 == 0:
            print("strain", strain[row], "linear solves of the step", specimen.iterations - before)
    np.testing.assert_allclose(specimen.damage(), point.state[-1, PHI], rtol=1e-5)
    specimen.destroy()
    assert expected[-1] < 0.95 * point.stress[-1, 2]


def porous():
    return (np.random.default_rng(1).random((8, 8, 16)) < 0.02).astype(np.uint8)


@pytest.mark.parametrize(
    "material, element, damage_in_stress",
    [("staged", "b_bar", "end_of_step"), ("deviator_norm", "full", "start_of_step")],
)
def test_first_failure_at_finite_and_small_strain(named, material, element, damage_in_stress):
    settings = SETTINGS._replace(
        element=element,
        damage_in_stress=damage_in_stress,
        newton_tolerance=1e-4,
        linear_tolerance=1e-2,
    )
    finite = simulate(porous(), SPACING, named(material), settings)
    small = simulate(porous(), SPACING, named(material), settings._replace(kinematics="small"))
    print("strain at first failure:", finite.first_failure_strain, small.first_failure_strain)
    assert finite.status == small.status == Status.FIRST_FAILURE
    ratio = finite.first_failure_strain / small.first_failure_strain
    assert 0.5 < ratio < 1.5
    assert abs(ratio - 1) > 1e-3
    # So far strains are small: the same curve.
    assert finite.history["stress"][0] == pytest.approx(small.history["stress"][0], rel=5e-3)


def test_unknown_kinematics_are_refused(named):
    with pytest.raises(PorefailError, match="kinematics large: expected one of small, finite"):
        Specimen(
            np.ones((4, 4, 4), bool), SPACING, named("staged"), MPI.COMM_SELF, "large", "b_bar"
        )


SCRIPT = """
import sys
import numpy as np
from mpi4py import MPI
from porefail.fe.material import Material
from porefail.fe.tension import LoadSettings, simulate
given = np.load(sys.argv[1], allow_pickle=False)
settings = LoadSettings(
    *given["settings"][:6], int(given["settings"][6]), given["settings"][7],
    "finite", "b_bar", "end_of_step", 0.0
)
result = simulate(
    given["porosity"], 0.05, Material(*given["material"]), settings, MPI.COMM_WORLD
)
if MPI.COMM_WORLD.rank == 0:
    np.savez(
        sys.argv[2], damage=result.damage, failed=result.failed,
        strain=result.first_failure_strain, status=result.status, stress=result.history["stress"],
    )
"""


@pytest.mark.slow
def test_two_ranks_give_the_result_of_one(named, mpiexec, tmp_path):
    alone = simulate(porous(), SPACING, named("staged"), SETTINGS)
    script, given, out = (tmp_path / name for name in ("run.py", "given.npz", "out.npz"))
    script.write_text(SCRIPT)
    np.savez(given, porosity=porous(), settings=SETTINGS[:8], material=named("staged"))
    command = [mpiexec, "-n", "2", sys.executable, str(script), str(given), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    with np.load(out, allow_pickle=False) as shared:
        assert shared["status"] == alone.status == Status.FIRST_FAILURE
        np.testing.assert_array_equal(shared["failed"], alone.failed)
        np.testing.assert_allclose(shared["damage"], alone.damage, atol=1e-4)
        np.testing.assert_allclose(shared["stress"], alone.history["stress"], rtol=1e-5)
        assert shared["strain"] == pytest.approx(alone.first_failure_strain, rel=1e-4)
