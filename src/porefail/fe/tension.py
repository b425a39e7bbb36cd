"""A tension test of a porous specimen to its first failure (paper, sections 2.1-2.4)."""

from typing import NamedTuple

import numpy as np
from mpi4py import MPI

from porefail.errors import PorefailError
from porefail.fe.equilibrium import Specimen
from porefail.fe.grid import load_bearing
from porefail.fe.material import Material

# How a simulation ends; the same numbers as in the HDF5 contract.
FIRST_FAILURE, NO_FAILURE, NOT_CONVERGED, SEVERED = 1, 2, 3, 5

HISTORY = ("strain", "stress", "max_damage", "failed_fraction")


class LoadSettings(NamedTuple):
    """Loading and tolerances, see config/schema.yaml. Rates in 1/s, strains as fractions."""

    strain_rate: float
    max_strain: float
    max_strain_step: float
    min_strain_step: float
    max_damage_step: float
    newton_tolerance: float
    newton_iterations: int
    linear_tolerance: float


class Tension(NamedTuple):
    """Result of a tension test; fields are None but on the first rank.

    status: how it ended. damage: (nx, ny, nz) float32, φ at the end (first failure if reached),
    NaN in voids. failed: uint8, voxels at φ ≥ φ_max. mises, pressure: float32, linear elastic
    element means per unit nominal stress, NaN in voids. first_failure_strain: nominal strain at
    which the first voxel reached φ_max, interpolated in the last step, else NaN. history: strain,
    stress (MPa, nominal), max_damage, failed_fraction (of the solid voxels), one entry a step.
    """

    status: int
    damage: np.ndarray | None
    failed: np.ndarray | None
    mises: np.ndarray | None
    pressure: np.ndarray | None
    first_failure_strain: float
    history: dict[str, np.ndarray]


class _Ramp:
    """Load steps: grow and shrink with the largest growth of a voxel's damage."""

    def __init__(self, settings: LoadSettings):
        self.settings = settings
        self.step = settings.max_strain_step

    def retry(self, factor: float) -> bool:
        """Shorten the step; False if it may not get any shorter."""
        if self.step <= self.settings.min_strain_step:
            return False
        self.step = max(self.step * factor, self.settings.min_strain_step)
        return True

    def advance(self, growth: float) -> None:
        """Choose the next step from the damage growth of the one just accepted."""
        factor = 0.9 * self.settings.max_damage_step / max(growth, 1e-12)
        self.step = min(self.step * min(max(factor, 0.2), 1.5), self.settings.max_strain_step)


def simulate(
    porosity: np.ndarray,
    spacing: float,
    material: Material,
    settings: LoadSettings,
    comm: MPI.Comm = MPI.COMM_SELF,
) -> Tension:
    """Pull a specimen along z until its first voxel reaches φ_max.

    porosity: (nx, ny, nz), 1 = void, each side divisible by 4; spacing: voxel edge in mm.
    Collective over comm; the ranks share the specimen, and their number changes the result by no
    more than the tolerances. Never raises for a specimen that cannot be loaded or does not
    converge: the status tells.
    """
    if any(side % 4 for side in porosity.shape):
        raise PorefailError(f"grid {porosity.shape}: each side must be divisible by 4")
    solid = porosity.transpose(2, 1, 0) == 0
    bearing = load_bearing(solid)
    if bearing is None:
        return _unloaded(SEVERED, porosity, material)
    specimen = Specimen(bearing, spacing, material, comm)
    try:
        return _pull(specimen, np.count_nonzero(solid), porosity, settings)
    except ArithmeticError:
        return _unloaded(NOT_CONVERGED, porosity, material)
    finally:
        specimen.destroy()


def _unloaded(status: int, porosity: np.ndarray, material: Material) -> Tension:
    """Result of a specimen that could not be loaded at all: no stress, initial damage."""
    solid = porosity == 0
    damage = np.where(solid, material.initial_damage, np.nan).astype(np.float32)
    stress = np.where(solid, 0.0, np.nan).astype(np.float32)
    failed = np.zeros(porosity.shape, np.uint8)
    history = {name: np.empty(0) for name in HISTORY}
    return Tension(status, damage, failed, stress, stress.copy(), np.nan, history)


def _pull(specimen: Specimen, solids: int, porosity: np.ndarray, settings: LoadSettings) -> Tension:
    limit = specimen.material.maximum_damage
    unit, mises, pressure = specimen.elastic_fields()
    ramp = _Ramp(settings)
    strain, previous, previous_step = 0.0, unit, 1.0
    damage = specimen.damage()
    largest = specimen.largest(damage)
    history: list[tuple[float, float, float, float]] = []
    status, first_failure_strain = NO_FAILURE, np.nan
    while strain < settings.max_strain:
        # Guess by extrapolation; the held displacements are proportional to the step, so right.
        change = previous * (ramp.step / previous_step)
        converged = specimen.equilibrate(
            change,
            ramp.step / settings.strain_rate,
            settings.newton_tolerance,
            settings.newton_iterations,
            settings.linear_tolerance,
        )
        if not converged:
            if ramp.retry(0.5):
                continue
            status = NOT_CONVERGED
            break
        reached = specimen.damage(pending=True)
        growth = specimen.largest(reached - damage)
        failing = specimen.count(reached >= limit)
        if growth > 1.5 * settings.max_damage_step and ramp.retry(
            min(0.5, settings.max_damage_step / growth)
        ):
            continue
        # Tell the first voxel from the next: only voxels that fail together share a step.
        if failing > 1 and ramp.retry(0.5):
            continue
        specimen.accept()
        largest_before, largest = largest, specimen.largest(reached)
        damage, previous, previous_step = reached, change, ramp.step
        strain += ramp.step
        history.append((strain, specimen.nominal_stress(), largest, failing / solids))
        if failing:
            status = FIRST_FAILURE
            excess = (largest - limit) / (largest - largest_before)
            first_failure_strain = strain - ramp.step * excess
            break
        ramp.advance(growth)

    columns = np.array(history).reshape(-1, 4).T
    fields = [specimen.gather(field) for field in (damage, mises, pressure)]
    failed = None
    if fields[0] is not None:
        failed = ((fields[0] >= limit) & (porosity == 0)).astype(np.uint8)
        fields = [np.where(porosity == 0, f, np.nan).astype(np.float32) for f in fields]
    return Tension(
        status,
        fields[0],
        failed,
        fields[1],
        fields[2],
        first_failure_strain,
        dict(zip(HISTORY, columns, strict=True)),
    )
