"""failures: where specimens failed first, and nothing else, of many simulations in one small file.

No rule of the workflow calls it; `execution.known` takes such a file in the place of simulations.
"""

from typing import Annotated

import numpy as np

from porefail import __version__, store
from porefail.campaign import accounting
from porefail.campaign.known import KEPT
from porefail.command_line.kinds import Files, NewFile
from porefail.errors import PorefailError
from porefail.store import Status

NEEDED = ("realization", "porosity", "failed", "status")
MADE_WITH = ("porosity", "simulation", "model_version", "spacing")


def run(
    shards: Annotated[Files, "simulation shards, and files that this verb wrote"],
    output: Annotated[NewFile, "failures to write (HDF5)"],
) -> None:
    """Write pores, failed voxels, status and strain of all realizations of the shards, sorted.

    A specimen takes some hundred bytes. Raises PorefailError where shards were made with different
    settings, hold perturbed specimens, or hold a realization twice.
    """
    parts, attributes = [], {}
    there = [store.shapes(shard) for shard in shards]
    names = [name for name in KEPT if name in NEEDED or all(name in each for each in there)]
    for shard in shards:
        rows, found = store.read(shard, names, kind="simulation shard")
        if "perturbed" in found["porosity"]:
            raise PorefailError(f"{shard}: a shard of perturbed specimens, not of realizations")
        store.require_attributes(shard, found, attributes)
        attributes = {name: found[name] for name in MADE_WITH}
        parts.append(rows)
    whole = {name: np.concatenate([rows[name] for rows in parts]) for name in names}
    numbers = (rows["realization"].tolist() for rows in parts)
    accounting.require_once(zip(shards, numbers, strict=True))
    order = np.argsort(whole["realization"])
    store.write_atomically(
        output,
        {name: values[order] for name, values in whole.items()},
        attributes | {"porefail_version": __version__},
    )
    failed = np.count_nonzero(whole["status"] == Status.FIRST_FAILURE)
    print(f"failures: {len(order)} realizations, {failed} of them failed")
