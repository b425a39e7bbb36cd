"""reproduction: each figure, table and number of the paper beside ours, whether they agree and why.

Paper: all of it. `snakemake reproduction` runs what it needs.
"""

from pathlib import Path
from typing import Annotated

import pandas as pd

from porefail import files, store
from porefail.command_line.kinds import File, NewFolder, Settings
from porefail.configuration import require_settings
from porefail.errors import PorefailError
from porefail.microstructure.karhunen_loeve import expansion
from porefail.reproduction import learning, mechanics, uncertainty
from porefail.reproduction.claims import page

SETTINGS = {"site_threshold": "evaluation.site_threshold"}
PROCESS = ("shape", "spacing", "correlation_length", "exponent", "energy")


def run(
    ensemble: Annotated[File, "ensemble"],
    phenomenology: Annotated[File, "table.csv of phenomenology"],
    study: Annotated[File, "table.csv of study"],
    curves: Annotated[File, "curves.csv of study"],
    ranking: Annotated[File, "scores.csv of rank"],
    sensitivity: Annotated[File, "table.csv of sensitivity"],
    output: Annotated[NewFolder, "folder of reproduction.md and table.csv, to write"],
    settings: Settings,
    collapse: Annotated[File, "table.csv of phenomenology, of specimens pulled to collapse"]
    | None = None,
) -> None:
    """Write reproduction.md and table.csv: a row for each statement of the paper.

    settings: the keys of SETTINGS. What a table has nothing of is told as not run. Raises
    PorefailError where a table is none of these.
    """
    require_settings(settings, SETTINGS)
    fields, source = store.read(ensemble, ["porosity"], kind="ensemble")
    process = source["porosity"]
    modes = expansion(*(process[key] for key in PROCESS)).modes
    voids = fields["porosity"]
    tables = [_table(path) for path in (phenomenology, sensitivity, ranking)]
    stages, copies, scores = tables
    try:
        known = learning.studied(_table(study), _table(curves))
        claims = [
            *mechanics.pores(
                voids.shape[1:], modes, voids.mean(), len(voids), process["mean_porosity"]
            ),
            *mechanics.stages(stages, None if collapse is None else _table(collapse)),
            *mechanics.moved_pores(copies),
            *learning.network(known),
            *learning.variants(known, settings["site_threshold"]),
            *learning.false_positives(copies),
            *uncertainty.twin(known),
            *uncertainty.ranked(dict(zip(scores["score"], scores["value"], strict=True)), copies),
            *learning.sites(known),
        ]
    except KeyError as error:
        raise PorefailError(
            f"a table lacks {error}: give table.csv of phenomenology, of study and of sensitivity,"
            " curves.csv of study, scores.csv of rank"
        ) from None
    head = (
        f"# The paper beside {len(voids)} specimens that failed\n\nMedians and quartiles of"
        " specimens, or means over those held out."
    )
    files.write_table(Path(output) / "table.csv", pd.DataFrame(claims))
    files.write_text(Path(output) / "reproduction.md", page(claims, head))
    print(page(claims, head), end="")


def _table(path: str | Path) -> pd.DataFrame:
    return files.read_table(path)
