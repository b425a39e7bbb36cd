"""All fields of a specimen after a load step, as a viewer takes them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from porefail.fe import fields
from porefail.fe.equilibrium import Specimen

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


class LoadSteps:
    """Follows a test and hands the wanted load steps to `write`: all, or those nearest to strains.

    wanted: strains not reached yet; written, count: load steps so far; strain: of the last one.
    """

    def __init__(
        self,
        voxels: np.ndarray,
        strains: Sequence[float],
        write: Callable[[Frame], None],
    ):
        self.void = voxels.transpose(2, 1, 0) != 0
        self.every = not strains
        self.wanted = sorted(set(strains))
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
