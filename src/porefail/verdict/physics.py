"""The cheap physics of a part, solved as far as a locator needs it."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from porefail.configuration.codes import Status
from porefail.errors import PorefailError
from porefail.fe import tension
from porefail.fe.elastic import fields as elastic
from porefail.fe.material import named_material
from porefail.fe.presolve import coarse_step
from porefail.verdict.assessment import COARSE, ELASTIC, SOLVES, Physics


def solve(
    pores: np.ndarray,
    outside: np.ndarray,
    voxel: float,
    simulation: Mapping,
    presolve: Mapping,
    progress: Callable[[str], None] = print,
    solves: Sequence[str] = SOLVES,
) -> Physics:
    """What is solved of a part; pores, outside: (nx, ny, nz) bool.

    voxel: edge, mm; simulation, presolve: sections of the configuration; solves: of SOLVES. Raises
    PorefailError where nothing bears load or no solution is found.
    """
    voids = (pores | outside).astype(np.uint8)
    material = simulation["material"]
    fields = {"porosity": pores.astype(np.uint8)}
    if ELASTIC in solves:
        progress(f"elastic fields of {voids.size:,} voxels")
        found = elastic.elastic_fields(voids, material["poisson_ratio"], simulation["element"])
        share = 1.0 - outside.mean()
        stress = {"von_mises", "pressure", "largest_von_mises", "largest_pressure"}
        fields |= {
            f"elastic/{name}": getattr(found, name) * np.float32(share if name in stress else 1.0)
            for name in elastic.NAMES
        }
    if COARSE in solves:
        progress(f"one coarse load step to a strain of {presolve['strain']:g}")
        step = coarse_step(
            voids,
            voxel,
            named_material(material),
            tension.load_settings(simulation),
            presolve["strain"],
            presolve["newton_tolerance"],
        )
        if step.status != Status.SOLVED:
            raise PorefailError("the coarse load step found no solution")
        fields["presolve/damage"] = step.damage
    return Physics(pores, outside, fields)
