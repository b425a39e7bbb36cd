"""One specimen shared by several ranks: the same result as on one."""

import json
import subprocess
import sys

import numpy as np
import pytest

from porefail.configuration.codes import Status
from porefail.fe.tension import LoadSettings, simulate

SCRIPT = """
import json
import sys
import numpy as np
from mpi4py import MPI
from porefail.fe.material import Material
from porefail.fe.tension import LoadSettings, simulate
given = np.load(sys.argv[1], allow_pickle=False)
settings = LoadSettings(**json.loads(sys.argv[3]))
result = simulate(
    given["porosity"], 0.05, Material(*given["material"]), settings, MPI.COMM_WORLD
)
if MPI.COMM_WORLD.rank == 0:
    np.savez(
        sys.argv[2], damage=result.damage, failed=result.failed, mises=result.mises,
        strain=result.first_failure_strain, status=result.status, stress=result.history["stress"],
        saturated=result.history["saturated_points"],
    )
else:
    assert result.damage is None
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ranks", "shape", "element", "name", "until"),
    [
        (2, (8, 8, 16), "full", "deviator_norm", "first_failure"),
        (4, (8, 8, 16), "b_bar", "staged", "first_failure"),
        (9, (4, 4, 8), "full", "deviator_norm", "first_failure"),
        (2, (6, 6, 10), "full", "deviator_norm", "structural_failure"),
    ],
    ids=str,
)
def test_rank_count_does_not_change_the_result(
    named, mpiexec, tmp_path, ranks, shape, element, name, until
):
    """The last of nine ranks has a plane of nodes, and no layer of its own."""
    porosity = (np.random.default_rng(1).random(shape) < 0.02).astype(np.uint8)
    settings = LoadSettings(
        strain_rate=0.002,
        max_strain=0.25,
        max_strain_step=1e-3,
        min_strain_step=1e-6,
        max_damage_step=0.02,
        newton_tolerance=1e-7,
        newton_iterations=20,
        linear_tolerance=1e-5,
        kinematics="small",
        element=element,
        damage_in_stress="start_of_step" if element == "full" else "end_of_step",
        max_damage_share=0.3 if element == "full" else 0.0,
        until=until,
    )
    alone = simulate(porosity, 0.05, named(name), settings)
    assert alone.status == Status.FIRST_FAILURE
    script, given, out = (tmp_path / name for name in ("run.py", "given.npz", "out.npz"))
    script.write_text(SCRIPT)
    np.savez(given, porosity=porosity, material=named(name))
    command = [mpiexec, "-n", str(ranks), sys.executable, str(script), str(given), str(out)]
    command.append(json.dumps(settings._asdict()))
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    with np.load(out, allow_pickle=False) as shared:
        assert shared["status"] == Status.FIRST_FAILURE
        np.testing.assert_array_equal(shared["failed"], alone.failed)
        np.testing.assert_allclose(shared["damage"], alone.damage, atol=1e-5)
        np.testing.assert_allclose(shared["mises"], alone.mises, rtol=1e-5)
        np.testing.assert_array_equal(shared["saturated"], alone.history["saturated_points"])
        np.testing.assert_allclose(shared["stress"], alone.history["stress"], rtol=1e-6)
        assert shared["strain"] == pytest.approx(alone.first_failure_strain, rel=1e-5)
