"""A row of a simulation shard: what a simulation of one realization gave, and where it ran."""

import platform
import socket
from importlib.metadata import version

import numpy as np
from mpi4py import MPI

from porefail import __version__
from porefail.fe import tension
from porefail.store import Collapse, Status

LAYOUT = 3  # raised when the datasets of a row change, so that no shard mixes two


def row(
    number: int, voxels: np.ndarray, result: tension.Tension | None, strains: list[float]
) -> dict[str, np.ndarray]:
    """Datasets (1, ...) of a realization; one without a pore (no result) has fields of NaN.

    voxels: (nx, ny, nz), 1 = void. strains: at which the damage was to be kept.
    """
    nothing = np.full(voxels.shape, np.nan, np.float32)
    fields = {
        "porosity": voxels,
        "damage": nothing if result is None else result.damage,
        "failed": np.zeros_like(voxels) if result is None else result.failed,
        "realization": np.int64(number),
        "status": np.uint8(Status.EMPTY if result is None else result.status),
        "first_failure_strain": np.float64(result.first_failure_strain if result else np.nan),
        "structural_status": np.uint8(result.structural_status if result else Collapse.NOT_RUN),
        "structural_failure_strain": np.float64(
            result.structural_failure_strain if result else np.nan
        ),
        "final_failed": np.zeros_like(voxels)
        if result is None or result.final_failed is None
        else result.final_failed,
        "elastic/von_mises": nothing if result is None else result.mises,
        "elastic/pressure": nothing if result is None else result.pressure,
    }
    for name in tension.HISTORY:
        values = np.asarray(result.history[name], np.float64) if result else np.empty(0)
        fields[f"history/{name}"] = values if values.size else np.array([np.nan])
    if strains:
        fields["snapshots/strain"] = np.asarray(strains, np.float64)
        fields["snapshots/damage"] = (
            np.stack([nothing] * len(strains)) if result is None else result.snapshots
        )
    return {name: np.asarray(values)[None] for name, values in fields.items()}


def provenance(started: float, seconds: float, ranks: int) -> dict[str, np.ndarray]:
    """Datasets (1,) that tell where and when (s since 1970) a row was made, and by what."""
    packages = [f"{name} {version(name)}" for name in ("numpy", "numba", "mpi4py", "petsc4py")]
    library = MPI.Get_library_version().split("\n")[0].split(",")[0]
    own = [f"porefail {__version__}", f"Python {platform.python_version()}"]
    software = "; ".join([*own, *packages, " ".join(library.split())])
    return {
        "provenance/host": np.array([socket.gethostname()], "S64"),
        "provenance/started": np.array([started]),
        "provenance/seconds": np.array([seconds]),
        "provenance/ranks": np.array([ranks], np.int32),
        "provenance/software": np.array([software], "S256"),
    }
