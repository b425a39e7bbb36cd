"""What became of each realization: the same table while a campaign runs and in the end.

An account is a mapping {number of the realization: Entry}.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from porefail import files, store
from porefail.errors import PorefailError
from porefail.files import tables
from porefail.store import Collapse, Status

# What a realization is while it has no Status yet.
RUNNING = "RUNNING"  # a rank is at work on it
MISSING = "MISSING"  # not begun, or cut off
OUTDATED = "OUTDATED"  # made with other settings: the next run makes it again
DAMAGED = "DAMAGED"  # its file cannot be read
UNFINISHED = (RUNNING, MISSING, OUTDATED, DAMAGED)
USED = Status.FIRST_FAILURE.name
LISTED = 10  # numbers named on a line
NEEDED = ("realization", "status", "used")  # columns of an account that are read again


class Entry(NamedTuple):
    """One realization."""

    status: str  # a name of Status, or one of UNFINISHED
    seconds: float = math.nan  # wall time of its simulation
    host: str = ""  # machine that simulated it
    file: str = ""  # that holds it
    structural: str = ""  # a name of Collapse: how the run to structural failure ended, if any


Account = Mapping[int, Entry]


def read(path: str | Path, made_with: Mapping) -> dict[int, Entry]:
    """Entries of a shard, or of a part of one.

    made_with: attributes that it must have. Raises StoreError where the file cannot be trusted, was
    made with other settings, or is empty.
    """
    wanted = ["realization", "status"]
    told = ["provenance/seconds", "provenance/host", "structural_status"]
    there = [name for name in told if name in store.shapes(path)]
    rows, attributes = store.read(path, wanted + there, kind="simulation shard")
    store.require_attributes(path, attributes, made_with)
    entries: dict[int, Entry] = {}
    for row, number in enumerate(rows["realization"].tolist()):
        collapse = Collapse(int(rows[told[2]][row]) if told[2] in there else 0)
        entries[number] = Entry(
            Status(int(rows["status"][row])).name,
            float(rows[told[0]][row]) if told[0] in there else math.nan,
            rows[told[1]][row].decode(errors="replace") if told[1] in there else "",
            str(path),
            "" if collapse == Collapse.NOT_RUN else collapse.name,
        )
    if not entries:
        raise store.StoreError(f"{path}: no realization in it")
    return entries


def require_once(numbers: Iterable[tuple[str | Path, Iterable[int]]]) -> set[int]:
    """All realizations of files, given with their numbers; PorefailError where one is in two."""
    seen: dict[int, str | Path] = {}
    for path, each in numbers:
        for number in each:
            if number in seen:
                raise PorefailError(f"realization {number} is in {seen[number]} and in {path}")
            seen[number] = path
    return set(seen)


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
    ways = []
    for way in (Collapse.REACHED, Collapse.MAX_STRAIN, Collapse.NOT_CONVERGED):
        numbers = [number for number, entry in account.items() if entry.structural == way.name]
        if numbers:
            named = "" if way == Collapse.REACHED else f" ({listed(numbers)})"
            ways.append(f"{len(numbers)} {way.name}{named}")
    lines.append(f"{len(account):8d} in all")
    return lines + [f"of these to structural failure: {'; '.join(ways)}"] * bool(ways)


def listed(numbers: Sequence[int]) -> str:
    """The first few numbers, as text."""
    more = " ..." if len(numbers) > LISTED else ""
    return ", ".join(map(str, numbers[:LISTED])) + more


def write(path: str | Path, account: Account) -> None:
    """Write a CSV table with a row for each realization."""
    entries = account.values()
    columns = (
        list(account),
        [entry.status for entry in entries],
        [int(entry.status == USED) for entry in entries],
        [entry.structural for entry in entries],
        [entry.seconds for entry in entries],
        [entry.host for entry in entries],
        [entry.file for entry in entries],
    )
    files.write_table(path, dict(zip(tables.ACCOUNT, columns, strict=True)))


def read_excluded(path: str | Path, ensemble: str | Path) -> list[str]:
    """Statuses of the realizations that an account leaves out of its ensemble.

    Raises StoreError where the account is not such a table or is of another ensemble.
    """
    account = files.read_table(path, {key: tables.ACCOUNT[key] for key in NEEDED})
    used = account["used"] == 1
    held = store.read(ensemble, ["realization"])[0]["realization"]
    if not np.array_equal(np.sort(account["realization"][used]), np.sort(held)):
        raise store.StoreError(f"{path}: the realizations used are not those of {ensemble}")
    return account["status"][~used].tolist()
