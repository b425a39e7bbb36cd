"""export: simulate realizations again and write their fields at each load step for ParaView.

No rule of the workflow calls it. Shards hold neither displacement nor stress, and a simulation
takes seconds: so the realizations are simulated again.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np

from porefail import configuration, store
from porefail.command_line.kinds import File, Files, NewFileOrFolder, Numbers, Reals
from porefail.errors import PorefailError
from porefail.fe import fields, tension
from porefail.fe.equilibrium import Specimen
from porefail.fe.material import material
from porefail.files import StoreError
from porefail.store import Collapse, Status
from porefail.store.vtkhdf import SUFFIX, image_series

# Units; where no load is borne, stresses are 0, and in voids all but the first three is NaN.
UNITS = {
    "porosity": "1",  # 1 in a void, else 0
    "bearing": "1",  # 1 where the voxel bears load in this step
    "failed": "1",  # 1 where the damage has reached φ_max
    "damage": "1",
    "equivalent_plastic_strain": "1",  # √(2/3 Δεp·Δεp) summed up over the load steps
    "plastic_strain": "1",  # (xx, yy, zz, xy, yz, xz), tensor shears
    "stress": "MPa",  # Cauchy, (xx, yy, zz, xy, yz, xz)
    "von_mises": "MPa",  # mean of that of the Gauss points
    "displacement": "mm",  # at the nodes; total, (x, y, z)
}


class Frame(NamedTuple):
    """All fields after one load step: nominal strain, cell and point fields in VTK's order."""

    strain: float
    cells: dict[str, np.ndarray]
    points: dict[str, np.ndarray]


def run(
    porosity: Annotated[File, "porosity shard"],
    realization: Annotated[Numbers, "numbers of the realizations"],
    output: Annotated[NewFileOrFolder, "file to write (.vtkhdf), or a folder for a file of each"],
    configfile: Annotated[Files, "configurations on top of config/default.yaml (YAML)"] = (),
    strains: Annotated[Reals, "write only the load steps nearest to these nominal strains"] = (),
) -> None:
    """Simulate realizations of the shard `porosity` and write fields of their load steps.

    porosity: shard, or ensemble, that holds the realizations. output: a name that ends in .vtkhdf,
    or an existing folder, which gets realization-<number>.vtkhdf for each. configfile: lies on
    config/default.yaml; of it the sections simulation and materials count. strains: nominal ones;
    the nearest load step of each is written, without any every load step. The time of a step in
    the file is its nominal strain. Says so
    where the file was simulated with other settings. Raises PorefailError that tells what is wrong.
    """
    settings = configuration.simulation(configfile)
    if settings["kinematics"] != "small":
        raise PorefailError(
            f"simulation.kinematics is {settings['kinematics']}, export knows small strains only"
        )
    named = configuration.material(settings["material"], configfile)
    parameters = material(named)
    load = tension.LoadSettings(**{key: settings[key] for key in tension.LoadSettings._fields})
    for strain in strains:
        if not (math.isfinite(strain) and strain > 0):
            raise PorefailError(f"strains: {strain:g}, expected positive numbers")
    paths = _paths(Path(output), sorted(set(realization)))
    specimens, attributes = _specimens(porosity, list(paths))
    spacing = attributes["spacing"]
    if "simulation" in attributes:
        ours = {"simulation": settings | {"material": {"name": settings["material"], **named}}}
        other = store.difference(attributes, ours)
        if other:
            key, there, here = other
            print(f"export: {porosity} was simulated with {key} {there}, here it is {here}")
    for number, path in paths.items():
        voxels = specimens[number]
        with image_series(path, voxels.shape[::-1], spacing, UNITS) as series:
            steps = _Steps(voxels, strains, lambda frame, series=series: series.add(*frame))
            result = tension.simulate(voxels, spacing, parameters, load, observe=steps.observe)
            ending = _ending(result)
            if not steps.written or steps.wanted:
                missing = f"strain {steps.wanted[0]:g} is" if steps.wanted else "a load step is"
                raise PorefailError(
                    f"realization {number}: {missing} never reached, the test ended at strain "
                    f"{steps.strain:.4g}: {ending}"
                )
        print(
            f"export: realization {number:05d}: {steps.written} of {steps.count} load steps to "
            f"strain {steps.strain:.4g} ({ending}) -> {path}",
            flush=True,
        )


def _paths(output: Path, numbers: list[int]) -> dict[int, Path]:
    """The file of each realization; refuses what would fail after the simulation."""
    if output.suffix != SUFFIX:
        if not output.is_dir():
            raise StoreError(f"{output}: no such folder, nor a name that ends in {SUFFIX}")
        return {number: output / f"realization-{number:05d}{SUFFIX}" for number in numbers}
    if len(numbers) > 1:
        raise StoreError(f"{output}: one file for {len(numbers)} realizations: name a folder")
    if not output.parent.is_dir():
        raise StoreError(f"{output}: no folder {output.parent}")
    return {numbers[0]: output}


def _specimens(path: str | Path, numbers: list[int]) -> tuple[dict[int, np.ndarray], dict]:
    """Porosity (nx, ny, nz) of each realization, and the attributes of the file."""
    datasets, attributes = store.read(path, ["realization"], kind="porosity shard")
    rows = {number: row for row, number in enumerate(datasets["realization"].tolist())}
    for number in numbers:
        if number not in rows:
            raise StoreError(
                f"{path}: no realization {number}, it holds {len(rows)} from {min(rows)} to "
                f"{max(rows)}"
            )
    chosen = {}
    for number in numbers:
        row = slice(rows[number], rows[number] + 1)
        chosen[number] = store.read(path, ["porosity"], row)[0]["porosity"][0]
    return chosen, attributes


def _ending(result: tension.Tension) -> str:
    """How a test ended, in words."""
    name = Status(result.status).name
    if result.structural_status != Collapse.NOT_RUN:
        name += f", structural failure {Collapse(result.structural_status).name}"
    return name.lower().replace("_", " ")


class _Steps:
    """Follows a test and hands the wanted load steps to `write`.

    wanted: strains not reached yet; written, count: load steps so far; strain: of the last one.
    """

    def __init__(
        self,
        voxels: np.ndarray,
        strains: Sequence[float] | None,
        write: Callable[[Frame], None],
    ):
        self.void = voxels.transpose(2, 1, 0) != 0
        self.every = not strains
        self.wanted = sorted(set(strains or ()))
        self.write = write
        self.written, self.count, self.strain = 0, 0, 0.0
        self._last: Frame | None = None
        self._last_written: float | None = None
        self._plastic = fields.undeformed(self.void.shape)
        self._damage: np.ndarray | None = None

    def observe(self, strain: float, specimen: Specimen) -> None:
        """Take a load step, see tension.simulate."""
        self._plastic = fields.deformed(
            self._plastic,
            specimen.displacement,
            specimen.state,
            specimen.bearing,
            specimen.element,
        )
        frame = self._frame(strain, specimen)
        self.count, self.strain = self.count + 1, strain
        if self.every:
            self._write(frame)
        while self.wanted and self.wanted[0] <= strain:
            goal = self.wanted.pop(0)
            nearer = self._last and goal - self._last.strain < strain - goal
            self._write(self._last if nearer else frame)
        self._last = frame

    def _write(self, frame: Frame) -> None:
        if frame.strain != self._last_written:
            self.write(frame)
            self.written, self._last_written = self.written + 1, frame.strain

    def _frame(self, strain: float, specimen: Specimen) -> Frame:
        damage, limit = specimen.damage(), specimen.material.maximum_damage
        now = fields.point_damage(specimen.state)
        start = np.full_like(now, specimen.material.initial_damage)
        before, self._damage = start if self._damage is None else self._damage, now
        felt = before if specimen.lag else now
        stress = fields.cauchy_stress(
            specimen.state, felt, specimen.bearing, specimen.material, specimen.element
        )
        means = {
            "damage": damage,
            "equivalent_plastic_strain": self._plastic.equivalent.mean(axis=-1),
            "plastic_strain": fields.tensor(self._plastic.strain.mean(axis=-1)),
            "stress": stress.mean(axis=-1),
            "von_mises": fields.von_mises(stress).mean(axis=-1),
        }
        masks = {
            "porosity": self.void,
            "bearing": specimen.bearing,
            "failed": (damage >= limit) & ~self.void,
        }
        cells = {name: mask.astype(np.uint8) for name, mask in masks.items()}
        for name, values in means.items():
            values[self.void] = np.nan
            cells[name] = values.astype(np.float32)
        return Frame(strain, cells, {"displacement": specimen.displacement.astype(np.float32)})
