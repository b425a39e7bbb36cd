"""A specimen without pores is one material point under uniaxial stress."""

import numpy as np
import pytest
from mpi4py import MPI

from porefail.fe.constitutive import ETA, KAPPA, PHI
from porefail.fe.equilibrium import Specimen
from porefail.fe.material_point import Path, follow

RATE = 0.002
SPACING = 0.05
TOLERANCE = 1e-10  # of Newton's method: unbalanced force over reaction


@pytest.mark.parametrize(
    "name, element", [("staged", "b_bar"), ("literal", "full"), ("deviator_norm", "full")]
)
def test_pore_free_block_is_the_material_point(name, element, named, point_states):
    """The same steps: loading through first flow, unloading, and loading again."""
    material, shape = named(name), (8, 4, 4)
    strain = np.concatenate([np.linspace(0, 0.02, 11), [0.019, 0.018, 0.02], [0.022, 0.026, 0.03]])
    time = np.concatenate([[0], np.cumsum(np.abs(np.diff(strain)))]) / RATE
    goal = np.zeros((len(time), 6))
    goal[:, 2] = strain
    stressed = np.array([True, True, False, True, True, True])
    point = follow(Path(time, goal, stressed), material, max_strain_step=1.0)

    specimen = Specimen(
        np.ones(shape, dtype=bool), SPACING, material, MPI.COMM_SELF, "small", element
    )
    height = SPACING * np.arange(shape[0] + 1)[:, None, None]
    for row in range(1, len(time)):
        u = np.zeros((*(n + 1 for n in shape), 3))
        u[..., 2] = (strain[row] - strain[row - 1]) * height
        assert specimen.equilibrate(u, time[row] - time[row - 1], TOLERANCE, 50, 1e-3)
        specimen.accept()
        stress = point.stress[row, 2]
        assert specimen.nominal_stress() == pytest.approx(stress, rel=1e-7, abs=1e-6)
        np.testing.assert_allclose(specimen.damage(), point.state[row, PHI], rtol=1e-7)
        states = point_states(specimen)
        np.testing.assert_allclose(states[..., :6] - point.state[row, :6], 0, atol=1e-9)
        for variable in (KAPPA, ETA):
            np.testing.assert_allclose(states[..., variable], point.state[row, variable], rtol=1e-7)
        lateral = (u[..., -1, 0] - u[..., 0, 0]) / (shape[2] * SPACING)
        np.testing.assert_allclose(lateral, np.diff(point.strain[:, 0])[row - 1], rtol=1e-6)
    specimen.destroy()
    assert point.plastic_strain[-1] > 0.02
