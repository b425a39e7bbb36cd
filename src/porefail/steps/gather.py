"""gather: join the shards to one ensemble, with every realization accounted for."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from porefail import __version__, files, store
from porefail.errors import PorefailError
from porefail.parts import stack
from porefail.steps import require_settings
from porefail.store import Collapse, Status

SETTINGS = {"porosity": dict, "simulation": dict, "model_version": int}


def run(
    shards: Sequence[str | Path],
    output: str | Path,
    exclusions: str | Path,
    settings: Mapping,
) -> None:
    """Write the realizations that failed to `output`, all others to the table `exclusions`.

    settings: what every shard must have been made with (the keys of SETTINGS). Rows are sorted by
    realization. Shards are read one at a time. Raises PorefailError where a shard was made with
    other settings, a realization appears twice, or none is usable.
    """
    require_settings(settings, SETTINGS)
    statuses = _statuses(shards, settings)
    order = sorted(shards, key=lambda shard: min(statuses[shard]))
    account = dict(sorted(pair for shard in order for pair in statuses[shard].items()))
    usable = sum(status == Status.FIRST_FAILURE for status in account.values())
    _tell(account)
    _tell_collapses(order)
    if not usable:
        raise PorefailError(
            f"none of {len(account)} realizations reached first failure: nothing to learn from "
            "(raise simulation.max_strain, or porosity.mean_porosity if most are empty)"
        )
    steps = max(store.shapes(shard)["history/strain"][1] for shard in order)
    _, attributes = store.read(order[0], [])
    for name in ("complete", "fingerprint"):
        attributes.pop(name, None)
    with store.appending(output, {**attributes, "porefail_version": __version__}) as ensemble:
        last = -1
        for shard in order:
            datasets, _ = store.read(shard)
            rows = np.argsort(datasets["realization"])
            if datasets["realization"][rows[0]] <= last:
                raise PorefailError(f"{shard}: its realizations overlap with those of another")
            last = datasets["realization"][rows[-1]]
            rows = rows[datasets["status"][rows] == Status.FIRST_FAILURE]
            chosen = {name: values[rows] for name, values in datasets.items()}
            for name in store.HISTORY:
                chosen[name] = stack([chosen[name]], steps)
            ensemble.append(chosen)
    excluded = {n: status for n, status in account.items() if status != Status.FIRST_FAILURE}
    names = [Status(status).name for status in excluded.values()]
    files.write_table(exclusions, {"realization": list(excluded), "status": names})


def _statuses(shards: Sequence[str | Path], settings: Mapping) -> dict:
    """Status of every realization of every shard, after a check of what the shard was made with."""
    statuses: dict[str | Path, dict[int, int]] = {}
    seen: dict[int, str | Path] = {}
    for shard in shards:
        datasets, attributes = store.read(shard, ["realization", "status"])
        store.require_attributes(shard, attributes, settings)
        statuses[shard] = dict(
            zip(datasets["realization"].tolist(), datasets["status"].tolist(), strict=True)
        )
        if not statuses[shard] or len(statuses[shard]) != datasets["status"].size:
            raise PorefailError(f"{shard}: no realization in it, or one appears twice")
        for number in statuses[shard]:
            if number in seen:
                raise PorefailError(f"realization {number} is in {seen[number]} and in {shard}")
            seen[number] = shard
    return statuses


def _tell(account: Mapping[int, int]) -> None:
    print(f"gather: {len(account)} realizations")
    for status in Status:
        numbers = [number for number, found in account.items() if found == status]
        if numbers:
            use = "used" if status == Status.FIRST_FAILURE else "left out: "
            listed = "" if status == Status.FIRST_FAILURE else ", ".join(map(str, numbers[:10]))
            more = " ..." if listed and len(numbers) > 10 else ""
            print(f"  {len(numbers):6d} {status.name:14s} {use}{listed}{more}")


def _tell_collapses(shards: Sequence[str | Path]) -> None:
    """One line on the runs from first to structural failure, if any was asked for."""
    ended: dict[int, int] = {}
    for shard in shards:
        if "structural_status" in store.shapes(shard):
            rows, _ = store.read(shard, ["realization", "structural_status"])
            ended |= zip(*(values.tolist() for values in rows.values()), strict=True)
    ways = []
    for status in (Collapse.REACHED, Collapse.MAX_STRAIN, Collapse.NOT_CONVERGED):
        numbers = sorted(number for number, found in ended.items() if found == status)
        if numbers:
            listed = "" if status == Collapse.REACHED else f" ({', '.join(map(str, numbers[:10]))})"
            more = " ..." if len(numbers) > 10 and listed else ""
            ways.append(f"{len(numbers)} {status.name}{listed}{more}")
    if ways:
        print(f"  of these to structural failure: {'; '.join(ways)}")
