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


def moved_line(name: str, met: pd.DataFrame) -> str:
    """What a table of moved_failures says, intervals by bootstrap over its specimens."""
    known = met.dropna()
    if known.empty:
        return f"{name}: no failure has moved."
    cells = []
    for values in (known["sites"], known["elastic"], known["sites"] - known["elastic"]):
        low, high = bootstrap(values.to_numpy())
        cells.append(f"{values.mean():.3f} ({low:.3f}, {high:.3f})")
    return (
        f"{name}: {cells[0]}; the elastic solve's highest voxels of the same volume {cells[1]};"
        f" difference {cells[2]}; by chance {known['volume'].mean():.3f}"
        f" ({len(known)} specimens)."
    )
