"""What became of each realization: the same table while a campaign runs and in the end.

An account is a mapping {number of the realization: Entry}.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from porefail import files, store
from porefail.store import Status

# What a realization is while it has no Status yet.
RUNNING = "RUNNING"  # a rank is at work on it
MISSING = "MISSING"  # not begun, or cut off
OUTDATED = "OUTDATED"  # made with other settings: the next run makes it again
DAMAGED = "DAMAGED"  # its file cannot be read
UNFINISHED = (RUNNING, MISSING, OUTDATED, DAMAGED)
USED = Status.FIRST_FAILURE.name
LISTED = 10  # numbers named on a line


class Entry(NamedTuple):
    """One realization."""

    status: str  # a name of Status, or one of UNFINISHED
    seconds: float = math.nan  # wall time of its simulation
    host: str = ""  # machine that simulated it
    file: str = ""  # that holds it


Account = Mapping[int, Entry]


def read(path: str | Path, made_with: Mapping) -> dict[int, Entry]:
    """Entries of a shard, or of a part of one.

    made_with: attributes that it must have. Raises StoreError where the file cannot be trusted, was
    made with other settings, is empty or names a realization twice.
    """
    wanted = ["realization", "status"]
    told = ["provenance/seconds", "provenance/host"]
    with_provenance = set(told) <= store.shapes(path).keys()
    rows, attributes = store.read(path, wanted + told * with_provenance)
    store.require_attributes(path, attributes, made_with)
    numbers, statuses = (rows[name].tolist() for name in wanted)
    nothing = [np.full(len(numbers), math.nan), np.full(len(numbers), b"")]
    seconds, hosts = (rows.get(name, blank) for name, blank in zip(told, nothing, strict=True))
    entries = {
        number: Entry(Status(status).name, float(time), host.decode(), str(path))
        for number, status, time, host in zip(numbers, statuses, seconds, hosts, strict=True)
    }
    if not entries or len(entries) != len(numbers):
        raise store.StoreError(f"{path}: no realization in it, or one appears twice")
    return entries


def table(account: Account) -> list[str]:
    """A line for each thing that became of realizations: how many, and which are not used."""
    lines = []
    for name in (*(status.name for status in Status), *UNFINISHED):
        numbers = [number for number, entry in account.items() if entry.status == name]
        if not numbers:
            continue
        text = f"{len(numbers):8d} {name:14s} "
        if name == USED:
            text += "used"
        elif name not in UNFINISHED:
            text += f"left out: {listed(numbers)}"
        elif name in (OUTDATED, DAMAGED):
            text += listed(numbers)
        lines.append(text.rstrip())
    return [*lines, f"{len(account):8d} in all"]


def listed(numbers: Sequence[int]) -> str:
    """The first few numbers, as text."""
    more = " ..." if len(numbers) > LISTED else ""
    return ", ".join(map(str, numbers[:LISTED])) + more


def write(path: str | Path, account: Account) -> None:
    """Write a CSV table with a row for each realization."""
    entries = account.values()
    files.write_table(
        path,
        {
            "realization": list(account),
            "status": [entry.status for entry in entries],
            "used": [int(entry.status == USED) for entry in entries],
            "seconds": [entry.seconds for entry in entries],
            "host": [entry.host for entry in entries],
            "file": [entry.file for entry in entries],
        },
    )
