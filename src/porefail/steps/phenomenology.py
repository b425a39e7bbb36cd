"""phenomenology: compare how the ensemble is damaged and fails with section 2.4 of the paper."""

from pathlib import Path
from typing import Annotated

import pandas as pd

from porefail import files, store
from porefail.campaign import accounting
from porefail.command_line.kinds import File, NewFolder, Settings
from porefail.configuration import require_settings, section
from porefail.figures.ensemble_curves import ensemble_curves
from porefail.figures.failure_spread import failure_spread
from porefail.phenomenology import measures as ph
from porefail.phenomenology.comparison import Row, compare
from porefail.phenomenology.ensemble import measured
from porefail.phenomenology.figures import has_snapshots, histograms, sequence, stages
from porefail.phenomenology.summary import summary

SETTINGS = section("phenomenology")


def run(
    ensemble: Annotated[File, "ensemble"],
    account: Annotated[File, "what became of each realization (CSV, from gather)"],
    output: Annotated[NewFolder, "folder of the figures, table.csv and summary.txt, to write"],
    settings: Settings,
) -> None:
    """Write figures (PNG), table.csv and summary.txt to the folder `output`; print the summary.

    settings: the keys of SETTINGS. What the ensemble does not hold is left out, and the summary
    tells which setting gives it.
    """
    require_settings(settings, SETTINGS)
    _, source = store.read(ensemble, [], kind="ensemble")
    excluded = accounting.read_excluded(account, ensemble)
    found, ended = measured(ensemble, source, settings["levels"])
    rows = compare(found, settings["strains"], settings["levels"])
    text = summary(rows, source, excluded, ended, has_snapshots(ensemble))
    length = source["spacing"] * store.shapes(ensemble)["porosity"][3]
    figures = {
        "damage_sequence": sequence(ensemble, source, found, ended),
        "damage_histograms": histograms(ensemble, source, found, settings["specimens"]),
        "damage_stages": stages(found),
        "ensemble_curves": ensemble_curves(*found[:4], found.first_strain),
        "failure_spread": failure_spread(
            found.first_strain,
            found.final_strain,
            found.first_height,
            found.final_height,
            length,
            source["spacing"],
        ),
    }
    names = [*Row._fields[:-1], *ph.Spread._fields]
    table = pd.DataFrame([row[:-1] + row.found for row in rows], columns=names)
    files.write_figures(output, figures)
    files.write_table(Path(output) / "table.csv", table)
    files.write_text(Path(output) / "summary.txt", text)
    print(text, end="")
