"""One specimen shared by several ranks: the same result as on one."""

import subprocess
import sys

import numpy as np
import pytest

from porefail.fe.tension import FIRST_FAILURE, LoadSettings, simulate

SCRIPT = """
import sys
import numpy as np
from mpi4py import MPI
from porefail.fe.material import Material
from porefail.fe.tension import LoadSettings, simulate
given = np.load(sys.argv[1], allow_pickle=False)
settings = LoadSettings(*given["settings"][:6], int(given["settings"][6]), given["settings"][7])
result = simulate(
    given["porosity"], 0.05, Material(*given["material"]), settings, MPI.COMM_WORLD
)
if MPI.COMM_WORLD.rank == 0:
    np.savez(
        sys.argv[2], damage=result.damage, failed=result.failed, mises=result.mises,
        strain=result.first_failure_strain, status=result.status, stress=result.history["stress"],
    )
else:
    assert result.damage is None
"""


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 4])
def test_rank_count_does_not_change_the_result(named, mpiexec, tmp_path, ranks):
    porosity = (np.random.default_rng(1).random((8, 8, 16)) < 0.02).astype(np.uint8)
    settings = LoadSettings(0.002, 0.25, 1e-3, 1e-6, 0.02, 1e-7, 20, 1e-5)
    alone = simulate(porosity, 0.05, named("staged"), settings)
    assert alone.status == FIRST_FAILURE
    script, given, out = (tmp_path / name for name in ("run.py", "given.npz", "out.npz"))
    script.write_text(SCRIPT)
    np.savez(given, porosity=porosity, settings=settings, material=named("staged"))
    command = [mpiexec, "-n", str(ranks), sys.executable, str(script), str(given), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    with np.load(out, allow_pickle=False) as shared:
        assert shared["status"] == FIRST_FAILURE
        np.testing.assert_array_equal(shared["failed"], alone.failed)
        np.testing.assert_allclose(shared["damage"], alone.damage, atol=1e-5)
        np.testing.assert_allclose(shared["mises"], alone.mises, rtol=1e-5)
        np.testing.assert_allclose(shared["stress"], alone.history["stress"], rtol=1e-6)
        assert shared["strain"] == pytest.approx(alone.first_failure_strain, rel=1e-5)
