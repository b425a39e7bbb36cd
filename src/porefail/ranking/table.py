"""The table of ranked sites."""

import numpy as np
import pandas as pd

from porefail.ranking import masses
from porefail.ranking.choice import Ranking
from porefail.ranking.sites import Known


def site_table(
    test: Known, rankings: list[Ranking], spacing: float, threshold: float
) -> pd.DataFrame:
    """A row for each site, by specimen and falling probability; threshold: of the masses."""
    parts = []
    for sites, voids, number, (probability, place, member) in zip(
        test.sites, test.specimens.porosity, test.specimens.realization, rankings, strict=True
    ):
        x, y, z = sites.table.centroid[place].T
        rows = {
            "realization": number,
            "rank": np.arange(1, len(place) + 1),
            "probability": probability[place],
            "in_set": member[place].astype(int),
            "mass": masses.mass(sites.relative, threshold)[place],
            "average": sites.average.mean(axis=0)[place],
            "deviation": sites.average.std(axis=0)[place],
            "peak": sites.table.peak[place],
            "voxels": sites.table.voxels[place],
            "x_mm": x,
            "y_mm": y,
            "z_mm": z,
            "pore_mm": pore_distances(sites.table.centroid, voids, spacing)[place],
            "failed": sites.failed[place].astype(int),
        }
        parts.append(pd.DataFrame(rows))
    return pd.concat(parts, ignore_index=True)


def pore_distances(points: np.ndarray, porosity: np.ndarray, spacing: float) -> np.ndarray:
    """From points (m, 3) in mm to the centre of the nearest void voxel, NaN without a void."""
    voids = spacing * (np.argwhere(porosity) + 0.5)
    if not len(voids):
        return np.full(len(points), np.nan)
    return np.linalg.norm(points[:, None] - voids, axis=-1).min(axis=1)
