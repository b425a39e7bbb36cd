"""status: tell what became of every realization, while the workflow runs and after it."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

from porefail import configuration
from porefail.campaign import accounting
from porefail.campaign.progress import batch_entries, known_entries, outlook
from porefail.command_line.kinds import Files, NewFile
from porefail.fe import MODEL_VERSION

RESULTS = Path("results")
NOTES = 10  # lines on what is wrong


def run(
    configfile: Annotated[Files, "the configurations that Snakemake was given (YAML)"] = (),
    account: Annotated[NewFile, "table with a row for each realization, to write (CSV)"]
    | None = None,
) -> None:
    """Print how many realizations are done, excluded, running and missing, the rate and the end.

    configfile: as given to Snakemake, in whose folder this runs. account: table of all
    realizations to write (CSV). Only reads what simulations have written, so it may run at any time
    and disturbs none. Raises PorefailError where the configuration is wrong.
    """
    campaign = configuration.campaign(configfile)
    folder = RESULTS / campaign.name
    made_with = campaign.made_with | {"model_version": MODEL_VERSION}
    entries: dict[int, accounting.Entry] = {}
    notes: list[str] = []
    if campaign.known:
        known = range(campaign.known_realizations)
        entries |= known_entries(Path(campaign.known), known, made_with, notes)
    for first, last in campaign.batches:
        shard = folder / "simulation" / f"{first:05d}-{last:05d}.h5"
        batch = batch_entries(shard, range(first, last + 1), made_with, notes)
        entries |= sorted(batch.items())
    print(f"status: {folder}, {datetime.now():%Y-%m-%d %H:%M:%S}")
    more = [f"... and {len(notes) - NOTES} more such lines"] if len(notes) > NOTES else []
    print("\n".join([*accounting.table(entries), outlook(entries), *notes[:NOTES], *more]))
    if account is not None:
        accounting.write(account, entries)
