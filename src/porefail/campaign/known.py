"""Simulations of which only the failures are kept, beside whole ones."""

from collections.abc import Sequence
from pathlib import Path

from porefail import store
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


def tells_failures_alone(shard: str | Path) -> bool:
    """Whether a shard is what `failures` wrote."""
    return store.shapes(shard).keys() <= set(KEPT)


def joined(shards: Sequence[str | Path]) -> list[str]:
    """Names of the datasets that all shards have, none of which may lack one by mistake.

    Where one tells failures alone, these. Raises PorefailError where others differ.
    """
    names = {shard: store.shapes(shard).keys() for shard in shards}
    few = list(filter(tells_failures_alone, shards))
    if few:
        print(f"gather: {few[0]} tells failures alone: no damage in the ensemble", flush=True)
        return [name for name in KEPT if all(name in each for each in names.values())]
    union = set().union(*names.values())
    lacking = [shard for shard in shards if names[shard] != union]
    if lacking:
        missing = min(union - names[lacking[0]])
        raise PorefailError(
            f"{len(lacking)} of {len(shards)} shards lack /{missing}, which the others have "
            "(an older version of porefail made them): delete "
            f"{' '.join(map(str, lacking))} and run again"
        )
    return list(names[shards[0]])
