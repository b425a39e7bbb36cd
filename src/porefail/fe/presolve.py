"""What is known of a specimen before its simulation: one coarse load step."""

from typing import NamedTuple

import numpy as np
from mpi4py import MPI

from porefail.configuration.codes import Status
from porefail.fe import tension
from porefail.fe.material import Material

HALVINGS = 4  # of a strain that does not converge
NEWTON_ITERATIONS = 50


class CoarseStep(NamedTuple):
    """damage: (nx, ny, nz) float32, φ after the step, NaN in voids; on the first rank, else None.
    strain: nominal, NaN where no step converged."""

    status: Status  # SOLVED, NOT_CONVERGED or SEVERED
    damage: np.ndarray | None
    strain: float


def coarse_step(
    porosity: np.ndarray,
    spacing: float,
    material: Material,
    settings: tension.LoadSettings,
    strain: float,
    tolerance: float,
    comm: MPI.Comm = MPI.COMM_SELF,
) -> CoarseStep:
    """Pull a specimen along z to a nominal strain in one load step; collective over comm.

    tolerance: of Newton's method, unbalanced force over reaction. Of the settings the strain rate,
    kinematics, element and damage in stress count. Where the step does not converge, half the
    strain is tried, and so on. Raises as tension.simulate().
    """
    for halvings in range(HALVINGS + 1):
        reached = strain / 2**halvings
        result = tension.simulate(
            porosity,
            spacing,
            material,
            settings._replace(
                max_strain=reached,
                max_strain_step=reached,
                min_strain_step=reached,
                max_damage_step=1.0,  # never too much
                max_damage_share=0.0,
                newton_tolerance=tolerance,
                newton_iterations=NEWTON_ITERATIONS,
                until="first_failure",
                snapshot_strains=(),
            ),
            comm,
        )
        if result.status == Status.SEVERED:
            break
        if result.status != Status.NOT_CONVERGED:
            return CoarseStep(Status.SOLVED, result.damage, reached)
    return CoarseStep(result.status, result.damage, np.nan)
