"""gather: join the shards to one ensemble, with every realization accounted for."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from porefail import __version__, accounting, store
from porefail.errors import PorefailError
from porefail.parts import stack
from porefail.steps import require_settings
from porefail.store import Collapse, Status

SETTINGS = {"porosity": dict, "simulation": dict, "model_version": int, "realizations": int}


def run(
    shards: Sequence[str | Path],
    output: str | Path,
    account: str | Path,
    settings: Mapping,
) -> None:
    """Write the realizations that failed to `output`, what became of each to `account`.

    settings: what every shard must have been made with, and how many realizations there are (the
    keys of SETTINGS). Rows are sorted by realization. Shards are read one at a time. Raises
    PorefailError where a shard was made with other settings, a realization appears twice or not at
    all, or none is usable.
    """
    require_settings(settings, SETTINGS)
    made_with = {key: settings[key] for key in SETTINGS if key != "realizations"}
    entries = {shard: accounting.read(shard, made_with) for shard in shards}
    order = sorted(shards, key=lambda shard: min(entries[shard]))
    whole = dict(sorted(pair for shard in order for pair in entries[shard].items()))
    _require_each_once(entries, settings["realizations"])
    print("\n".join([f"gather: {len(whole)} realizations", *accounting.table(whole)]), flush=True)
    _tell_collapses(order)
    if not any(entry.status == accounting.USED for entry in whole.values()):
        raise PorefailError(
            f"none of {len(whole)} realizations reached first failure: nothing to learn from "
            "(raise simulation.max_strain, or porosity.mean_porosity if most are empty)"
        )
    _require_same_datasets(order)
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
    accounting.write(account, whole)


def _require_each_once(entries: Mapping[str | Path, Mapping], realizations: int) -> None:
    seen: dict[int, str | Path] = {}
    for shard, numbers in entries.items():
        for number in numbers:
            if number in seen:
                raise PorefailError(f"realization {number} is in {seen[number]} and in {shard}")
            seen[number] = shard
    missing = sorted(set(range(realizations)) - seen.keys())
    if missing:
        raise PorefailError(
            f"{len(missing)} of {realizations} realizations are in no shard: "
            f"{accounting.listed(missing)}"
        )
    extra = sorted(seen.keys() - set(range(realizations)))
    if extra:
        raise PorefailError(
            f"{len(extra)} realizations are in a shard, but not among the {realizations} asked "
            f"for: {accounting.listed(extra)}"
        )


def _require_same_datasets(shards: Sequence[str | Path]) -> None:
    first = store.shapes(shards[0]).keys()
    for shard in shards[1:]:
        names = store.shapes(shard).keys()
        if names != first:
            raise PorefailError(
                f"{shard}: /{min(names ^ first)} is not in it and in {shards[0]} alike: one of "
                "them was made by another version of porefail; delete it and run again"
            )


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
            named = "" if status == Collapse.REACHED else f" ({accounting.listed(numbers)})"
            ways.append(f"{len(numbers)} {status.name}{named}")
    if ways:
        print(f"  of these to structural failure: {'; '.join(ways)}")
