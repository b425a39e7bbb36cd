"""Simulations of which only the failures are kept, beside whole ones."""

from collections.abc import Collection, Mapping
from pathlib import Path

from porefail.errors import PorefailError

# What `failures` keeps of a simulation.
KEPT = (
    "realization",
    "porosity",
    "failed",
    "status",
    "first_failure_strain",
    "provenance/seconds",
)


def tells_failures_alone(datasets: Collection[str]) -> bool:
    """Whether a shard with these datasets is what `failures` wrote."""
    return set(datasets) <= set(KEPT)


def joined(shards: Mapping[str | Path, Collection[str]]) -> list[str]:
    """Names of the datasets that all shards have, none of which may lack one by mistake.

    shards: of each its datasets.
    Where one tells failures alone, these. Raises PorefailError where others differ.
    """
    few = [shard for shard, names in shards.items() if tells_failures_alone(names)]
    if few:
        print(f"gather: {few[0]} tells failures alone: no damage in the ensemble", flush=True)
        return [name for name in KEPT if all(name in each for each in shards.values())]
    union = set().union(*shards.values())
    lacking = [shard for shard, names in shards.items() if set(names) != union]
    if lacking:
        missing = min(union - set(shards[lacking[0]]))
        raise PorefailError(
            f"{len(lacking)} of {len(shards)} shards lack /{missing}, which the others have "
            "(an older version of porefail made them): delete "
            f"{' '.join(map(str, lacking))} and run again"
        )
    return list(next(iter(shards.values())))
