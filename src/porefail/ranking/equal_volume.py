"""Whether failures that moved are met better than by what costs less: zones of equal volume.

Any zone that is large enough holds them. So sites are judged beside the voxels that one elastic
solve ranks highest, as many as make a zone of the same volume, and beside chance, their volume.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from porefail.metrics.intervals import bootstrap
from porefail.ranking.copies import Specimen
from porefail.ranking.locus import Locus
from porefail.voxels.neighbours import grown

FEWEST = 3  # specimens that an interval is of


def highest_zone(score: np.ndarray, solid: np.ndarray, volume: int, near: int) -> np.ndarray:
    """The highest voxels of a field and all near them, as many as fill `volume` solid ones at most.

    score: (nx, ny, nz), any value in voids; bool of the same shape.
    """
    order = np.argsort(-score[solid], kind="stable")
    rank = np.full(score.shape, order.size)
    rank[solid] = np.argsort(order, kind="stable")

    def zone(count: int) -> np.ndarray:
        return grown(rank < count, near)

    low, high = 0, order.size + 1
    while high - low > 1:
        middle = (low + high) // 2
        if np.count_nonzero(zone(middle) & solid) <= volume:
            low = middle
        else:
            high = middle
    return zone(low)


def moved_failures(
    specimens: Sequence[Specimen], loci: Sequence[Locus], sites: Sequence[np.ndarray], near: int
) -> pd.DataFrame:
    """Of each specimen the share of its moved failures that is met, NaN where none has moved.

    sites: (nx, ny, nz) of each, 0 outside. Columns: sites; elastic, of the same volume; volume, of
    the solid voxels: what chance meets.
    """
    rows = []
    for one, locus, site in zip(specimens, loci, sites, strict=True):
        solid = one.porosity == 0
        zone = grown(site > 0, near)
        volume = np.count_nonzero(zone & solid)
        elastic = highest_zone(one.elastic, solid, volume, near)
        moved = one.places[locus.moved]
        met = [
            (moved & each).any(axis=(1, 2, 3)).mean() if len(moved) else np.nan
            for each in (zone, elastic)
        ]
        rows.append((*met, volume / np.count_nonzero(solid)))
    return pd.DataFrame(rows, columns=["sites", "elastic", "volume"])


def columns(kind: str) -> dict[str, str]:
    """Names in the table of `sensitivity` of what moved_failures has; kind: of sites."""
    return {
        "sites": f"moved_met_by_{kind}",
        "elastic": f"moved_met_by_elastic_as_{kind}",
        "volume": f"volume_of_{kind}",
    }


def moved_words(table: pd.DataFrame, kind: str) -> str:
    """What the table of `sensitivity` says of a kind of sites: means over specimens.

    With intervals by bootstrap over those that have a moved failure, from FEWEST on.
    """
    found = table[list(columns(kind).values())].set_axis(list(columns(kind)), axis=1).dropna()
    if found.empty:
        return "no failure has moved"
    cells = []
    for values in (found["sites"], found["elastic"], found["sites"] - found["elastic"]):
        cell = f"{values.mean():.3f}"
        if len(found) >= FEWEST:
            low, high = bootstrap(values.to_numpy())
            cell += f" ({low:.3f}, {high:.3f})"
        cells.append(cell)
    return (
        f"{cells[0]}; the elastic solve's highest voxels of the same volume {cells[1]}; difference"
        f" {cells[2]}; by chance {found['volume'].mean():.3f} ({len(found)} specimens)"
    )
