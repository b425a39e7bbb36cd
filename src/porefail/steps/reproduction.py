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
from porefail.files.tables import REPRODUCED
from porefail.microstructure.karhunen_loeve import ARGUMENTS, expansion
from porefail.reproduction import learning, mechanics, uncertainty
from porefail.reproduction.claims import page

SETTINGS = {
    "site_threshold": "evaluation.site_threshold",
    "cut": "ranking.site_threshold",
    "weighting": "training.weighting.kind",
}


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
    voids, process = fields["porosity"], source["porosity"]
    given = {"phenomenology": phenomenology, "study": study, "curves": curves}
    given |= {"ranking": ranking, "sensitivity": sensitivity}
    table = {name: files.read_table(path, REPRODUCED[name]) for name, path in given.items()}
    ended = None
    if collapse is not None:
        ended = files.read_table(collapse, REPRODUCED["phenomenology"])
    known = learning.studied(table["study"], table["curves"])
    copies = table["sensitivity"]
    scores = dict(zip(table["ranking"]["score"], table["ranking"]["value"], strict=True))
    try:
        modes = expansion(*(process[key] for key in ARGUMENTS)).modes
        claims = [
            *mechanics.pores(voids.shape[1:], modes, voids.mean(), len(voids)),
            *mechanics.stages(table["phenomenology"], ended),
            *mechanics.moved_pores(copies),
            *learning.network(known),
            *learning.variants(known, settings["site_threshold"]),
            *learning.false_positives(copies, settings["weighting"], settings["cut"]),
            *uncertainty.twin(known),
            *uncertainty.ranked(scores, copies),
            *learning.sites(known),
        ]
    except KeyError as error:
        raise PorefailError(
            f"{ranking}, or the ensemble's attribute porosity, lacks {error}: expected scores.csv"
            " of rank, and an ensemble of this porefail"
        ) from None
    head = (
        f"# The paper beside {len(voids)} specimens that failed\n\nMedians and quartiles of"
        " specimens, or means over those held out."
    )
    files.write_table(Path(output) / "table.csv", pd.DataFrame(claims))
    text = page(claims, head)
    files.write_text(Path(output) / "reproduction.md", text)
    print(text, end="")
