"""gather: join the shards to one ensemble, with every realization accounted for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np

from porefail import __version__, store
from porefail.campaign import accounting
from porefail.campaign.known import joined, tells_failures_alone
from porefail.campaign.presolved import Presolved
from porefail.campaign.queue import stack
from porefail.command_line.kinds import Files, NewFile, Settings
from porefail.configuration import require_settings
from porefail.configuration.sections import PORES, SIMULATION
from porefail.errors import PorefailError
from porefail.store import Status

SETTINGS = {
    "porosity": PORES,
    "simulation": SIMULATION,
    "model_version": "$defs.model_version",
    "realizations": "porosity.realizations",
    "known": "execution.known.realizations",
}


def run(
    shards: Annotated[Files, "simulation shards, or what `failures` made of some"],
    output: Annotated[NewFile, "ensemble to write (HDF5)"],
    account: Annotated[NewFile, "what became of each realization, to write (CSV)"],
    settings: Annotated[Settings, "what all shards must be made with; number of realizations"],
    presolve: Annotated[Files, "presolve shards of the same realizations"] = (),
) -> None:
    """Write the realizations that failed to `output`, what became of each to `account`.

    presolve: what their datasets tell of a realization stands beside its simulation. Where one of
    the shards tells failures alone (see `failures`), its first settings.known realizations are
    taken, and the ensemble holds no more of any.

    settings: what every shard must have been made with, and how many realizations there are (the
    keys of SETTINGS). Rows are sorted by realization. Shards are read one at a time. Raises
    PorefailError where a shard was made with other settings, a realization appears twice or not at
    all, or none is usable.
    """
    require_settings(settings, SETTINGS)
    made_with = {key: settings[key] for key in ("porosity", "simulation", "model_version")}
    made_with["spacing"] = settings["porosity"]["spacing"]
    entries = {shard: accounting.read(shard, made_with) for shard in shards}
    there = {shard: store.shapes(shard) for shard in shards}
    for shard in shards:
        if not tells_failures_alone(there[shard]):
            continue
        taken = {n: entry for n, entry in entries[shard].items() if n < settings["known"]}
        if len(taken) < settings["known"]:
            raise PorefailError(
                f"{shard}: holds {len(taken)} of the realizations below {settings['known']}"
                " (execution.known.realizations)"
            )
        entries[shard] = taken
    order = sorted(shards, key=lambda shard: min(entries[shard]))
    whole = dict(sorted(pair for shard in order for pair in entries[shard].items()))
    _require_each_once(entries, settings["realizations"])
    print("\n".join([f"gather: {len(whole)} realizations", *accounting.table(whole)]), flush=True)
    if not any(entry.status == accounting.USED for entry in whole.values()):
        raise PorefailError(
            f"none of {len(whole)} realizations reached first failure: nothing to learn from "
            "(raise simulation.max_strain, or porosity.mean_porosity if most are empty); "
            "`python -m porefail status --account FILE` lists them all"
        )
    names = joined({shard: there[shard] for shard in order})
    before = Presolved(presolve, made_with, names)
    steps = 0
    if "history/strain" in names:
        steps = max(there[shard]["history/strain"][1] for shard in order)
    _, attributes = store.read(order[0], [])
    for name in ("complete", "fingerprint"):
        attributes.pop(name, None)
    attributes |= before.attributes
    with store.appending(output, {**attributes, "porefail_version": __version__}) as ensemble:
        last, unsolved = -1, 0
        for shard in order:
            datasets, _ = store.read(shard, names)
            rows = np.argsort(datasets["realization"])
            rows = rows[np.isin(datasets["realization"][rows], list(entries[shard]))]
            if datasets["realization"][rows[0]] <= last:
                raise PorefailError(f"{shard}: its realizations overlap with those of another")
            last = datasets["realization"][rows[-1]]
            rows = rows[datasets["status"][rows] == Status.FIRST_FAILURE]
            chosen = {name: values[rows] for name, values in datasets.items()}
            for name in chosen.keys() & set(store.HISTORY):
                chosen[name] = stack([chosen[name]], steps)
            added = before.rows(chosen["realization"], chosen["porosity"])
            unsolved += int(np.isnan(added.get("presolve/strain", 0.0)).sum())
            ensemble.append(chosen | added)
    if unsolved:
        print(f"gather: {unsolved} of them failed, but have no coarse step", flush=True)
    accounting.write(account, whole)


def _require_each_once(entries: Mapping[str | Path, Mapping], realizations: int) -> None:
    seen = accounting.require_once(entries.items())
    missing = sorted(set(range(realizations)) - seen)
    if missing:
        raise PorefailError(
            f"{len(missing)} of {realizations} realizations are in no shard: "
            f"{accounting.listed(missing)}"
        )
    extra = sorted(seen - set(range(realizations)))
    if extra:
        raise PorefailError(
            f"{len(extra)} realizations are in a shard, but not among the {realizations} asked "
            f"for: {accounting.listed(extra)}"
        )
