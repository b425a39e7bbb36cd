"""Parts of a row of a presolve shard: elastic fields, sub-models around their hot spots."""

import time
from collections.abc import Mapping

import numpy as np
from mpi4py import MPI

from porefail.baselines.sites import hot_spot
from porefail.fe import tension
from porefail.fe.elastic import fields as elastic
from porefail.fe.material import named_material
from porefail.fe.submodels import submodels
from porefail.metrics import peaks
from porefail.store import Status


def elastic_row(voxels: np.ndarray, simulation: Mapping, team: MPI.Comm) -> dict:
    """Elastic fields of a specimen (nx, ny, nz), of NaN where there is no pore or no solution."""
    start = time.monotonic()
    status, found = Status.EMPTY, None
    if voxels.any():
        try:
            found = elastic.elastic_fields(
                voxels, simulation["material"]["poisson_ratio"], simulation["element"], team
            )
            status = Status.SOLVED
        except elastic.Severed:
            status = Status.SEVERED
        except elastic.NotConverged:
            status = Status.NOT_CONVERGED
    nothing = np.full(voxels.shape, np.nan, np.float32)
    row = {f"elastic/{name}": getattr(found, name, nothing) for name in elastic.NAMES}
    row["elastic/iterations"] = np.int32(getattr(found, "iterations", 0))
    return row | {"status": np.uint8(status), "elastic/seconds": time.monotonic() - start}


def submodel_row(
    voxels: np.ndarray, fields: Mapping, spacing: float, simulation: Mapping, count: int
) -> dict:
    """Datasets of a specimen (nx, ny, nz); fields: those of its elastic solution, NaN if none."""
    start = time.monotonic()
    strain, pulled = np.full(voxels.shape, np.nan, np.float32), 0
    solid = voxels == 0
    if np.isfinite(fields["elastic/von_mises"][solid]).any():
        score = hot_spot(
            *(fields[name][None] for name in ("elastic/von_mises", "elastic/pressure")),
            voxels[None],
        )[0]
        maxima = peaks.local_maxima(np.where(solid, score, 0.0), solid)
        strain, pulled, *_ = submodels(
            voxels,
            peaks.first_voxels(maxima, count),
            spacing,
            named_material(simulation["material"]),
            tension.load_settings(simulation),
        )
    return {
        "submodels/strain": strain,
        "submodels/pulled": np.int32(pulled),
        "submodels/seconds": time.monotonic() - start,
    }
