"""How far a campaign is, from the files that its runs write; nothing is written here."""

import math
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from porefail import store
from porefail.campaign.accounting import (
    DAMAGED,
    MISSING,
    OUTDATED,
    RUNNING,
    UNFINISHED,
    Account,
    Entry,
    read,
)
from porefail.campaign.queue import Parts
from porefail.store import Status

UNSIMULATED = (Status.EMPTY.name, Status.SEVERED.name)  # take no time


def batch_entries(
    shard: Path, numbers: range, made_with: Mapping, notes: list[str]
) -> dict[int, Entry]:
    """Entries of a batch: of its shard, or else of what its run has finished so far.

    made_with: attributes that its files must have. What is wrong is added to notes, a line each.
    """
    if shard.exists():
        return _readable(shard, numbers, made_with, notes)
    parts = Parts(shard)
    if parts.complete.exists():  # Snakemake deleted the shard; the next run brings it back
        kept = _readable(parts.complete, numbers, made_with, [])
        if all(entry.status not in UNFINISHED for entry in kept.values()):
            return kept
    working = parts.at_work()
    claimed = parts.claimed() if working else {}
    settled = {number: ended for number, ended in claimed.items() if ended}
    batch = dict.fromkeys(numbers, Entry(MISSING)) | dict.fromkeys(claimed, Entry(RUNNING))
    # One part of a run tells what all of them are made with.
    looked_at = [number for number in parts.finished() if number not in claimed]
    for number in [*looked_at, *list(settled)[:1]]:
        batch |= _readable(parts.part(number), [number], made_with, notes)
    outdated = bool(settled) and batch[next(iter(settled))].status == OUTDATED
    for number, (status, seconds) in settled.items():
        state = OUTDATED if outdated else Status(status).name
        batch[number] = Entry(state, seconds, file=str(parts.part(number)))
    if shard.exists():  # the run has just joined its parts
        return _readable(shard, numbers, made_with, notes)
    if looked_at and not working:
        done = sum(entry.status not in UNFINISHED for entry in batch.values())
        notes.append(f"{shard}: nobody is at work on it, {done} of {len(numbers)} are kept")
    return batch


def known_entries(
    path: Path, numbers: range, made_with: Mapping, notes: list[str]
) -> dict[int, Entry]:
    """Entries of realizations that a file of failures is to hold; else as batch_entries()."""
    try:
        entries = read(path, made_with)
    except store.StoreError as error:
        notes.append(str(error))
        state = OUTDATED if isinstance(error, store.OtherSettings) else DAMAGED
        return dict.fromkeys(numbers, Entry(state, file=str(path)))
    return {number: entries.get(number, Entry(MISSING)) for number in numbers}


def _readable(
    path: Path, numbers: Sequence[int], made_with: Mapping, notes: list[str]
) -> dict[int, Entry]:
    """Entries of a file, or what is wrong with all of it."""
    try:
        entries = read(path, made_with)
        if entries.keys() != set(numbers):
            raise store.StoreError(f"{path}: holds other realizations than its name says")
        return entries
    except store.OtherSettings as error:
        state, problem = OUTDATED, str(error)
    except store.StoreError as error:
        state, problem = DAMAGED, f"{error}; delete it and run again"
    if not path.exists():  # a part that its run has just joined with others
        return {}
    notes.append(problem)
    return dict.fromkeys(numbers, Entry(state, file=str(path)))


def outlook(entries: Account) -> str:
    """Cost of a simulation, rate and estimated end, as one line."""
    done = [entry for entry in entries.values() if entry.status not in UNFINISHED]
    times = [
        entry.seconds
        for entry in done
        if entry.status not in UNSIMULATED and not math.isnan(entry.seconds)
    ]
    left = len(entries) - len(done)
    at_work = sum(entry.status == RUNNING for entry in entries.values())
    words = [f"{math.floor(1000 * len(done) / len(entries)) / 10} % done"]
    if times:
        words.append(f"{sum(times) / len(times):.3g} s a simulation (mean of {len(times)})")
    if not left:
        return ", ".join(words)
    each = sum(times) / len(done) if times else math.nan  # s a realization, without a pore or not
    if not at_work:
        words.append("no simulation is running")
        if times:
            words.append(f"the rest takes {_duration(left * each)} on one team of ranks")
    elif times:
        wait = left * each / at_work
        end = datetime.fromtimestamp(time.time() + wait)
        words.append(
            f"{at_work} at a time are {3600 * at_work / each:.0f} an hour: done in "
            f"{_duration(wait)}, {end:%Y-%m-%d %H:%M}"
        )
    return ", ".join(words)


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
