"""The table of likely sites of a part, in the coordinates of its scan."""

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from porefail.fe.submodels import Submodels
from porefail.learning.candidates import failed_at
from porefail.scans.pores import COLUMNS
from porefail.verdict.assessment import Assessment
from porefail.verdict.part import Part
from porefail.verdict.pulled import strain_near


def site_table(
    part: Part,
    found: Assessment,
    voxel: float,
    failed: np.ndarray | None = None,
    fine: np.ndarray | None = None,
    pulled: Submodels | None = None,
) -> pd.DataFrame:
    """Sites by falling probability; failed: bool (nx, ny, nz), where a simulation failed first.

    fine: (m,) stress of each site in the voxels of the scan, which ranks them; pulled: sub-models
    of the likeliest sites.

    Places are in mm from the corner of the scan, and in scan voxels (the first one's centre is 0),
    along the axes of the scan. pore: id in pores.csv of the nearest pore.
    """
    order = found.ranking.order
    place = found.sites.place[order]
    inside = (place + 0.5) * voxel
    mm = part.view.places(inside + part.corner)
    pore, distance = _nearest(part, inside + part.coarse.corner)
    table = {
        "rank": np.arange(1, len(order) + 1),
        "probability": found.ranking.probability[order],
        "in_set": found.ranking.member[order].astype(int),
        **dict(zip(("x_mm", "y_mm", "z_mm"), mm.T, strict=True)),
        **dict(zip(("x_voxel", "y_voxel", "z_voxel"), part.view.voxels(mm).T, strict=True)),
        **_solved(found, order),
        "pore": pore,
        "pore_distance_mm": distance,
    }
    if fine is not None:
        ranks = np.empty(len(fine), int)
        ranks[np.argsort(-fine, kind="stable")] = np.arange(1, len(fine) + 1)
        table["fine_elastic_rank"] = ranks[order]
    if pulled is not None:
        table["submodel_strain"] = strain_near(pulled, place)
    if failed is not None:
        table["simulated_failure"] = failed_at(place, failed).astype(int)
    return pd.DataFrame(table)


def _solved(found: Assessment, order: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of what was solved for the locator."""
    sites, fields, columns = found.sites, found.physics.fields, {}
    stress = fields.get("elastic/largest_von_mises")
    if stress is not None:
        columns["elastic_rank"] = sites.elastic_rank[order]
    if "presolve/damage" in fields:
        columns["coarse_step_rank"] = sites.coarse_rank[order]
    if stress is not None:
        columns["stress_concentration"] = stress[tuple(sites.place[order].T)]
    return columns


def _nearest(part: Part, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Id of the pore nearest to places (m, 3) mm in the part's box, and the distance to it, mm."""
    voxels = np.argwhere(part.labels)
    tree = cKDTree((voxels + 0.5) * part.view.spacing)
    distance, index = tree.query(inside)
    return part.labels[tuple(voxels[index].T)].astype(int), distance


def pore_columns(part: Part) -> pd.DataFrame:
    """The table of pores along the axes of the scan, whichever of them was the tensile one."""
    table = part.pores.copy()
    mm = part.pores[["x_mm", "y_mm", "z_mm"]].to_numpy()
    along = part.view.places(mm) if len(mm) else mm
    table[["x_mm", "y_mm", "z_mm"]] = along
    table[["x_voxel", "y_voxel", "z_voxel"]] = part.view.voxels(along)
    return table[list(COLUMNS)]
