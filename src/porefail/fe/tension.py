"""A tension test of a porous specimen, to first or structural failure (paper, sections 2.1-2.4)."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from mpi4py import MPI

from porefail.configuration.codes import Collapse, Status
from porefail.errors import PorefailError
from porefail.fe.equilibrium import Specimen
from porefail.fe.grid import load_bearing
from porefail.fe.material import Material

# After first failure a step may bring this many times the damage: many voxels fail in turn.
COLLAPSE_PACE = 5.0
# and equilibrium may be this much less exact: what is unbalanced is balanced in the next step.
COLLAPSE_TOLERANCE = 100.0

MOST_STEPS = 1e7  # to the largest strain, of the largest size
RESOLUTION = 1e13  # the same of the smallest size: a strain still changes by a thousandth of it

# Whether the stresses of a step feel the damage of its start or of its end.
# ASSUME: the default is the start; the paper does not say, and the two have one limit.
DAMAGE_IN_STRESS = ("start_of_step", "end_of_step")

HISTORY = ("strain", "stress", "max_damage", "failed_fraction", "saturated_points")


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
    kinematics: str  # "small" or "finite"
    element: str  # "full" or "b_bar"
    damage_in_stress: str  # "start_of_step" or "end_of_step"
    max_damage_share: float
    until: str = "first_failure"  # or "structural_failure"
    final_stress_fraction: float = 0.2
    snapshot_strains: tuple[float, ...] = ()


def load_settings(simulation: Mapping) -> LoadSettings:
    """The load settings in a section `simulation`."""
    return LoadSettings(**{key: simulation[key] for key in LoadSettings._fields})


class Tension(NamedTuple):
    """Result of a tension test; fields are None but on the first rank.

    status: how it ended, see Status. damage: (nx, ny, nz) float32, φ at the end (first failure if
    reached), NaN in voids. failed: uint8, voxels at φ ≥ φ_max. mises, pressure: float32, linear
    elastic element means per unit nominal stress, NaN in voids. first_failure_strain: nominal
    strain at which the first voxel reached φ_max, interpolated in the last step, else NaN.
    structural_status: see Collapse. structural_failure_strain: nominal strain at which the nominal
    stress had fallen to the asked fraction of its peak, else NaN. final_failed: as failed, at
    structural failure, None if that was not reached. snapshots: (s, nx, ny, nz) float32, φ at the
    strains asked for, NaN in voids and where the test ended before. history: strain, stress (MPa,
    nominal), max_damage, failed_fraction (of the solid voxels), saturated_points (see
    Specimen.saturated_points), one entry a step, to the end.
    """

    status: Status
    damage: np.ndarray | None
    failed: np.ndarray | None
    mises: np.ndarray | None
    pressure: np.ndarray | None
    first_failure_strain: float
    history: dict[str, np.ndarray]
    structural_status: Collapse = Collapse.NOT_RUN
    structural_failure_strain: float = np.nan
    final_failed: np.ndarray | None = None
    snapshots: np.ndarray | None = None


def check_grid(shape: tuple[int, ...]) -> None:
    """Raise PorefailError on a grid (nx, ny, nz) that cannot be halved."""
    if len(shape) != 3 or any(side < 4 or side % 2 for side in shape):
        raise PorefailError(f"grid {shape}: expected three sides, each an even number from 4")


def check_steps(settings: LoadSettings) -> None:
    """Raise PorefailError on load steps so small that a test would not end.

    That is, where there would be more than MOST_STEPS of the largest size, or where the smallest is
    lost in the rounding of the strain.
    """
    for key, most in (("max_strain_step", MOST_STEPS), ("min_strain_step", RESOLUTION)):
        step = getattr(settings, key)
        if not settings.max_strain <= most * step:
            raise PorefailError(
                f"simulation.{key} is {step:g}, expected {settings.max_strain / most:g} or more: at"
                f" most {most:g} steps to max_strain, {settings.max_strain:g}"
            )


class _Ramp:
    """Load steps: grow and shrink with the largest growth of a voxel's damage."""

    def __init__(self, settings: LoadSettings):
        self.settings = settings
        self.step = settings.max_strain_step
        self.max_growth = settings.max_damage_step

    def retry(self, factor: float) -> bool:
        """Shorten the step; False if it may not get any shorter."""
        if self.step <= self.settings.min_strain_step:
            return False
        self.step = max(self.step * factor, self.settings.min_strain_step)
        return True

    def too_long(self, growth: float) -> bool:
        """Whether the step must be repeated, shortened, because damage grew too much."""
        return growth > 1.5 * self.max_growth and self.retry(min(0.5, self.max_growth / growth))

    def advance(self, growth: float) -> None:
        """Choose the next step from the damage growth of the one just accepted."""
        factor = 0.9 * self.max_growth / max(growth, 1e-12)
        self.step = min(self.step * min(max(factor, 0.2), 1.5), self.settings.max_strain_step)


# Called after each load step with the nominal strain and the specimen.
Observer = Callable[[float, Specimen], None]


def simulate(
    porosity: np.ndarray,
    spacing: float,
    material: Material,
    settings: LoadSettings,
    comm: MPI.Comm = MPI.COMM_SELF,
    observe: Observer | None = None,
) -> Tension:
    """Pull a specimen along z until its first voxel reaches φ_max, or until it has lost its load.

    porosity: (nx, ny, nz), 1 = void, each side even and at least 4; spacing: voxel edge in mm;
    observe: called with the nominal strain and the specimen after each load step. Collective over
    comm; the ranks share the specimen, and their number changes the result by no more than the
    tolerances.
    Raises PorefailError as check_grid() and check_steps() do, and on an unknown setting, but never
    for a specimen that cannot be loaded or does not converge: the status tells.
    """
    check_grid(porosity.shape)
    check_steps(settings)
    if settings.damage_in_stress not in DAMAGE_IN_STRESS:
        raise PorefailError(
            f"damage_in_stress {settings.damage_in_stress}: expected one of"
            f" {', '.join(DAMAGE_IN_STRESS)}"
        )
    solid = porosity.transpose(2, 1, 0) == 0
    bearing = load_bearing(solid)
    if bearing is None:
        return _unloaded(Status.SEVERED, porosity, material, settings)
    specimen = Specimen(bearing, spacing, material, comm, settings.kinematics, settings.element)
    specimen.lag = settings.damage_in_stress == "start_of_step"
    try:
        return _Test(specimen, porosity, settings, observe).run()
    except ArithmeticError:
        return _unloaded(Status.NOT_CONVERGED, porosity, material, settings)
    finally:
        specimen.destroy()


def _unloaded(
    status: Status, porosity: np.ndarray, material: Material, settings: LoadSettings
) -> Tension:
    """Result of a specimen that could not be loaded at all: no stress, initial damage."""
    solid = porosity == 0
    damage = np.where(solid, material.initial_damage, np.nan).astype(np.float32)
    stress = np.where(solid, 0.0, np.nan).astype(np.float32)
    failed = np.zeros(porosity.shape, np.uint8)
    history = {name: np.empty(0) for name in HISTORY}
    snapshots = np.full((len(settings.snapshot_strains), *porosity.shape), np.nan, np.float32)
    return Tension(
        status, damage, failed, stress, stress.copy(), np.nan, history, snapshots=snapshots
    )


class _Test:
    """A tension test under way."""

    def __init__(self, specimen, porosity, settings: LoadSettings, observe: Observer | None):
        self.specimen, self.porosity, self.settings = specimen, porosity, settings
        self.limit = specimen.material.maximum_damage
        self.observe = observe
        self.ramp = _Ramp(settings)
        self.strain = 0.0
        self.tolerance = settings.newton_tolerance
        self.damage = specimen.damage()
        self.history: list[tuple[float, ...]] = []
        nothing = np.full(porosity.shape, np.nan, np.float32)
        self.snapshots = [nothing for _ in settings.snapshot_strains]

    def run(self) -> Tension:
        specimen, settings = self.specimen, self.settings
        unit, mises, pressure = specimen.elastic_fields()
        self.previous, self.previous_step = unit, 1.0
        ended = None
        while ended is None:
            ended = self._step(first=True)
        first_failure_strain = np.nan
        if ended == Status.FIRST_FAILURE:
            before, after = self.largest_before, specimen.largest(self.damage)
            excess = (after - self.limit) / (after - before)
            first_failure_strain = self.strain - self.previous_step * excess
        damage = self._whole(self.damage)
        failed = self._failed()
        collapse, strain = Collapse.NOT_RUN, np.nan
        final_failed = None
        if ended == Status.FIRST_FAILURE and settings.until == "structural_failure":
            collapse = self._collapse()
            if collapse == Collapse.REACHED:
                strain, final_failed = self.strain, self._failed()
        columns = np.array(self.history).reshape(-1, len(HISTORY)).T
        return Tension(
            ended,
            damage,
            failed,
            self._whole(mises),
            self._whole(pressure),
            first_failure_strain,
            dict(zip(HISTORY, columns, strict=True)),
            collapse,
            strain,
            final_failed,
            None if damage is None else np.array(self.snapshots).reshape(-1, *damage.shape),
        )

    def _collapse(self) -> Collapse:
        """From first to structural failure: failed voxels carry no load any more."""
        self.specimen.lag = True
        self.ramp.max_growth = COLLAPSE_PACE * self.settings.max_damage_step
        self.tolerance *= COLLAPSE_TOLERANCE
        peak = max(stress for _, stress, *_ in self.history)
        while self.specimen.remove(self.specimen.bearing & (self.damage >= self.limit)):
            ended = self._step(first=False)
            if ended is not None:
                return {Status.NO_FAILURE: Collapse.MAX_STRAIN}.get(ended, Collapse.NOT_CONVERGED)
            peak = max(peak, self.history[-1][1])
            if self.history[-1][1] <= self.settings.final_stress_fraction * peak:
                break
        return Collapse.REACHED

    def _step(self, first: bool) -> Status | None:
        """One load step, shortened as often as needed; how the test ends, if it does.

        first: until first failure, which ends the test.
        """
        specimen, settings, ramp = self.specimen, self.settings, self.ramp
        if self.strain >= settings.max_strain:
            return Status.NO_FAILURE
        while True:
            # Guess by extrapolation; the held displacements are proportional to the step, so right.
            change = self.previous * (ramp.step / self.previous_step)
            converged = specimen.equilibrate(
                change,
                ramp.step / settings.strain_rate,
                self.tolerance,
                settings.newton_iterations,
                settings.linear_tolerance,
            )
            if not converged:
                if ramp.retry(0.5):
                    continue
                return Status.NOT_CONVERGED
            reached = specimen.damage(pending=True)
            growth = specimen.largest(self._growth(reached))
            if ramp.too_long(growth):
                continue
            failing = specimen.count(reached >= self.limit)
            # Tell the first voxel from the next: only voxels that fail together share a step.
            if not (first and failing > 1 and ramp.retry(0.5)):
                break
        specimen.accept()
        self._take_snapshots(self.strain, self.strain + ramp.step, reached)
        self.strain += ramp.step
        self.largest_before = specimen.largest(self.damage)
        self.damage, self.previous, self.previous_step = reached, change, ramp.step
        fraction = failing / np.count_nonzero(self.porosity == 0)
        stress = specimen.nominal_stress()
        saturated = specimen.saturated_points(reached)
        self.history.append((self.strain, stress, specimen.largest(reached), fraction, saturated))
        if self.observe:
            self.observe(self.strain, specimen)
        if first and failing:
            return Status.FIRST_FAILURE
        ramp.advance(growth)
        return None

    def _growth(self, reached: np.ndarray) -> np.ndarray:
        """Growth of the damage in a step, in parts of what is let pass times max_damage_step.

        A voxel far from failure may grow by a share of what it has left after the step: in fully
        integrated elements single points saturate and let the mean jump, which decides nothing yet.
        After first failure all that is let pass is COLLAPSE_PACE times as much.
        """
        least = self.settings.max_damage_step
        allowed = self.settings.max_damage_share * (self.limit - reached)
        return (reached - self.damage) * least / np.maximum(allowed, least)

    def _take_snapshots(self, before: float, after: float, reached: np.ndarray) -> None:
        """Damage at the strains asked for that lie in a step, interpolated."""
        for n, wanted in enumerate(self.settings.snapshot_strains):
            if before < wanted <= after:
                share = (wanted - before) / (after - before)
                self.snapshots[n] = self._whole(share * reached + (1.0 - share) * self.damage)

    def _whole(self, field: np.ndarray) -> np.ndarray | None:
        """A local voxel field as that of the whole specimen, NaN in voids; on the first rank."""
        whole = self.specimen.gather(field)
        if whole is None:
            return None
        return np.where(self.porosity == 0, whole, np.nan).astype(np.float32)

    def _failed(self) -> np.ndarray | None:
        """Voxels at the largest damage, uint8, on the first rank."""
        whole = self.specimen.gather(self.damage)
        if whole is None:
            return None
        return ((whole >= self.limit) & (self.porosity == 0)).astype(np.uint8)
