"""status: what became of every realization, while the workflow runs and after it."""

import math
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from porefail import accounting, configuration, store
from porefail.accounting import DAMAGED, MISSING, OUTDATED, RUNNING, UNFINISHED, Entry
from porefail.fe import MODEL_VERSION
from porefail.parts import Parts
from porefail.store import Status

RESULTS = Path("results")
NOTES = 10  # lines on what is wrong


def run(configfile: Sequence[str | Path] = (), account: str | Path | None = None) -> None:
    """Print how many realizations are done, excluded, running and missing, the rate and the end.

    configfile: as given to Snakemake, in whose folder this runs. account: table of all
    realizations to write (CSV). Only reads what simulations have written, so it may run at any time
    and disturbs none. Raises PorefailError where the configuration is wrong.
    """
    campaign = configuration.campaign(configfile)
    folder = RESULTS / campaign.name
    made_with = campaign.made_with | {"model_version": MODEL_VERSION}
    entries: dict[int, Entry] = {}
    notes: list[str] = []
    for first, last in campaign.batches:
        shard = folder / "simulation" / f"{first:05d}-{last:05d}.h5"
        batch = _batch(shard, range(first, last + 1), made_with, notes)
        entries |= batch
    print(f"status: {folder}, {datetime.now():%Y-%m-%d %H:%M:%S}")
    more = [f"... and {len(notes) - NOTES} more such lines"] if len(notes) > NOTES else []
    print("\n".join([*accounting.table(entries), *_outlook(entries), *notes[:NOTES], *more]))
    if account is not None:
        accounting.write(account, entries)


def _batch(shard: Path, numbers: range, made_with: dict, notes: list[str]) -> dict[int, Entry]:
    """Entries of a batch: of its shard, or else of what a run of it has finished so far."""
    parts = Parts(shard)
    claimed = parts.claimed() if parts.at_work() else {}
    batch = dict.fromkeys(numbers, Entry(MISSING))
    if not claimed:
        for path in (shard, parts.complete):
            if path.exists():
                return batch | _readable(path, numbers, made_with, notes)
    for number, ended in claimed.items():
        batch[number] = Entry(RUNNING)
        if ended:
            batch[number] = Entry(Status(ended[0]).name, ended[1], "", str(parts.part(number)))
    finished = [number for number in parts.finished() if number not in claimed]
    for number in finished:
        batch |= _readable(parts.part(number), [number], made_with, notes)
    if finished and not claimed:
        done = sum(entry.status not in UNFINISHED for entry in batch.values())
        notes.append(f"{shard}: interrupted, {done} of {len(numbers)} are kept")
    return batch


def _readable(
    path: Path, numbers: Sequence[int], made_with: dict, notes: list[str]
) -> dict[int, Entry]:
    """Entries of a file, or what is wrong with all of it."""
    try:
        return accounting.read(path, made_with)
    except store.OtherSettings as error:
        state, problem = OUTDATED, error
    except store.StoreError as error:
        if not path.exists():  # its run has just joined it with others
            return {}
        state, problem = DAMAGED, error
    notes.append(str(problem))
    return dict.fromkeys(numbers, Entry(state, file=str(path)))


def _outlook(entries: accounting.Account) -> list[str]:
    """Cost of a simulation, rate and estimated end."""
    counts = Counter(entry.status for entry in entries.values())
    seconds = [entry.seconds for entry in entries.values() if not math.isnan(entry.seconds)]
    left, at_work = sum(counts[name] for name in UNFINISHED), counts[RUNNING]
    lines = [f"{100 * (1 - left / len(entries)):.1f} % done"]
    mean = sum(seconds) / len(seconds) if seconds else math.nan
    if seconds:
        lines.append(f"{mean:.3g} s a simulation (mean of {len(seconds)})")
    if not left:
        return [", ".join(lines)]
    if not at_work:
        lines.append("no simulation is running")
        if seconds:
            lines.append(f"the rest takes {_duration(left * mean)} on one team of ranks")
    elif seconds:
        wait = left * mean / at_work
        end = datetime.fromtimestamp(time.time() + wait)
        lines.append(
            f"{at_work} at a time are {3600 * at_work / mean:.0f} an hour: done in "
            f"{_duration(wait)}, {end:%Y-%m-%d %H:%M}"
        )
    return [", ".join(lines)]


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
