"""The HDF5 contract with external tools: every dataset, every kind of file.

Arrays of fields are (n, nx, ny, nz), z the tensile axis; units mm, N, MPa, s.
"""

from typing import NamedTuple

import numpy as np

from porefail.configuration.codes import Collapse, Part, Status

# Datasets stored as an HDF5 enumeration, so that every tool can name the codes.
CODES = {
    name: {code.name: code.value for code in codes}
    for name, codes in (("status", Status), ("structural_status", Collapse), ("part", Part))
}

# Shape of a row: one number; a field of voxels; a history, padded with NaN; values and fields at s
# configured strains (not there if s = 0); a point.
ROW, GRID, STEPS = (), ("nx", "ny", "nz"), ("steps",)
STRAINS, SNAPSHOTS, POINT = ("s",), ("s", *GRID), (3,)


class Field(NamedTuple):
    """One dataset: unit and meaning, written beside it; type; shape of a row; smallest and largest
    value, all finite; whether NaN may stand where there is none."""

    unit: str
    meaning: str
    dtype: str
    row: tuple = ROW
    low: float = -np.inf
    high: float = np.inf
    nan: bool = False


FIELDS = {
    "realization": Field("1", "number of the realization", "i8", low=0),
    "porosity": Field("1", "explicit pores: 1 in a void, else 0", "u1", GRID, 0, 1),
    "damage": Field(
        "1",
        "void fraction φ of the material at first failure (without one, at the end of the "
        "simulation), mean of a voxel's Gauss points, NaN in voids",
        "f4",
        GRID,
        0,
        1,
        True,
    ),
    "failed": Field(
        "1", "1 in voxels at the maximum damage at first failure, else 0", "u1", GRID, 0, 1
    ),
    "final_failed": Field(
        "1", "1 in voxels at the maximum damage at structural failure, else 0", "u1", GRID, 0, 1
    ),
    "status": Field("1", "what became of the realization", "u1"),
    "first_failure_strain": Field(
        "1", "nominal strain along z at first failure, NaN if none", "f8", low=0, nan=True
    ),
    "structural_status": Field("1", "how the run from first to structural failure ended", "u1"),
    "structural_failure_strain": Field(
        "1",
        "nominal strain along z at which the nominal stress had fallen below the configured "
        "fraction of its peak, NaN if not run or not reached",
        "f8",
        low=0,
        nan=True,
    ),
    "history/strain": Field(
        "1", "nominal strain along z at each load step", "f8", STEPS, 0, nan=True
    ),
    "history/stress": Field(
        "MPa", "nominal stress along z at each load step", "f8", STEPS, nan=True
    ),
    "history/max_damage": Field(
        "1", "largest damage of a voxel at each load step", "f8", STEPS, 0, 1, True
    ),
    "history/failed_fraction": Field(
        "1",
        "share of solid voxels at the maximum damage at each load step",
        "f8",
        STEPS,
        0,
        1,
        True,
    ),
    "history/saturated_points": Field(
        "1",
        "Gauss points with a void fraction of 0.9 and more, of the 8 of the voxel with the largest "
        "damage that bears load, at each load step",
        "f8",
        STEPS,
        0,
        8,
        True,
    ),
    "snapshots/strain": Field("1", "nominal strain along z of each snapshot", "f8", STRAINS, 0),
    "snapshots/damage": Field(
        "1",
        "void fraction of the material at each snapshot, failed voxels as they failed, NaN in "
        "voids and where the run did not get there",
        "f4",
        SNAPSHOTS,
        0,
        1,
        True,
    ),
    "elastic/von_mises": Field(
        "1", "linear elastic von Mises stress per unit nominal stress", "f4", GRID, 0, nan=True
    ),
    "elastic/pressure": Field(
        "1", "linear elastic mean stress, tension positive, per unit nominal", "f4", GRID, nan=True
    ),
    "elastic/largest_von_mises": Field(
        "1",
        "largest von Mises stress of the Gauss points, as elastic/von_mises",
        "f4",
        GRID,
        0,
        nan=True,
    ),
    "elastic/largest_pressure": Field(
        "1", "largest mean stress of the Gauss points, as elastic/pressure", "f4", GRID, nan=True
    ),
    "elastic/lode": Field(
        "1",
        "27/4 J3²/J2³ of the elastic stress: 1 in uniaxial tension, 0 in shear",
        "f4",
        GRID,
        0,
        nan=True,
    ),
    "elastic/iterations": Field("1", "iterations of the elastic solver", "i4", low=0),
    "elastic/seconds": Field("s", "wall time of the elastic fields", "f8", low=0),
    "presolve/damage": Field(
        "1",
        "void fraction of the material after one coarse load step, NaN in voids",
        "f4",
        GRID,
        0,
        1,
        True,
    ),
    "presolve/strain": Field(
        "1",
        "nominal strain along z of the coarse load step, NaN if none converged",
        "f8",
        low=0,
        nan=True,
    ),
    "presolve/seconds": Field("s", "wall time of the coarse load step", "f8", low=0),
    "submodels/strain": Field(
        "1",
        "nominal strain at first failure of a block cut out around a hot spot, in the voxels that "
        "failed first in it, NaN elsewhere",
        "f4",
        GRID,
        0,
        nan=True,
    ),
    "submodels/pulled": Field("1", "blocks that were pulled", "i4", low=0),
    "submodels/seconds": Field("s", "wall time of all blocks", "f8", low=0),
    "provenance/host": Field("1", "machine that simulated the realization", "S"),
    "provenance/started": Field(
        "s", "when its simulation began, since 1970-01-01 00:00 UTC", "f8", nan=True
    ),
    "provenance/seconds": Field("s", "wall time of its simulation", "f8", low=0, nan=True),
    "provenance/ranks": Field("1", "MPI ranks that shared its simulation", "i4", low=1),
    "provenance/software": Field("1", "versions of what simulated it", "S"),
    "label": Field(
        "1", "damage as the network learns it, in [0, 1], NaN in voids", "f4", GRID, 0, 1, True
    ),
    "part": Field("1", "part of the data set that the realization belongs to", "u1"),
    "mean": Field("1", "predicted label, NaN in voids", "f4", GRID, nan=True),
    "variance": Field(
        "1",
        "variance of the predicted label, NaN where it is not estimated",
        "f4",
        GRID,
        0,
        nan=True,
    ),
    "epistemic": Field(
        "1",
        "variance of the predicted label between draws of the weights",
        "f4",
        GRID,
        0,
        nan=True,
    ),
    "noise": Field(
        "1",
        "variance of the label about a draw's prediction, mean of the draws",
        "f4",
        GRID,
        0,
        nan=True,
    ),
    "site": Field(
        "1", "rank of the likely failure site that the voxel belongs to, 0 in none", "u2", GRID, 0
    ),
    "clusters/realization": Field("1", "realization that the cluster belongs to", "i8", low=0),
    "clusters/rank": Field(
        "1", "rank of the cluster in its realization, 1 has the highest peak", "i8", low=1
    ),
    "clusters/peak": Field("1", "largest predicted label in the cluster", "f8"),
    "clusters/mean": Field("1", "mean predicted label of the cluster", "f8"),
    "clusters/voxels": Field("voxels", "size of the cluster", "i8", low=1),
    "clusters/centroid_mm": Field(
        "mm", "centroid (x, y, z) from the corner of the specimen", "f8", POINT, 0
    ),
}
HISTORY = tuple(name for name in FIELDS if name.startswith("history/"))
# Who simulated a realization, and when: all else is the same wherever and whenever it is made.
PROVENANCE = tuple(name for name in FIELDS if name.startswith("provenance/"))

# Root attributes and datasets that readers of each kind of file rely on.
_SOURCE = ("porosity", "simulation", "model_version", "spacing")
KINDS = {
    "porosity shard": ("porosity", "spacing"),
    "simulation shard": _SOURCE,
    "presolve shard": (*_SOURCE, "presolve"),
    "ensemble": _SOURCE,
    "data set": (*_SOURCE, "dataset"),
    "prediction": (*_SOURCE, "dataset", "predict"),
    "ranking": (*_SOURCE, "dataset", "rank"),
}
DATASETS = {
    "porosity shard": ("realization", "porosity"),
    "simulation shard": ("realization", "status"),
    "presolve shard": (
        *("realization", "porosity", "status"),
        *("elastic/von_mises", "elastic/pressure"),
    ),
    "ensemble": ("realization", "porosity", "failed"),
    "data set": ("realization", "porosity", "label", "part"),
    "prediction": ("realization", "mean"),
    "ranking": ("realization", "site"),
}
