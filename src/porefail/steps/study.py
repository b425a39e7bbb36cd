"""study: compare the cross-validated variants in a table and figures (sections 3 and 4)."""

import itertools
from pathlib import Path
from typing import Annotated

import porefail.study.folds as cv
from porefail import files
from porefail.command_line.kinds import File, Folder, NewFolder, Settings
from porefail.configuration import require_settings
from porefail.configuration.sections import EVALUATION
from porefail.configuration.study import compared
from porefail.errors import PorefailError
from porefail.learning import uncertain
from porefail.study.figures import figures
from porefail.study.frontier import frontier_table
from porefail.study.hits import bar, winners
from porefail.study.summary import study_summary
from porefail.study.table import overlap_curves, variant_table

SETTINGS = {
    "folds": "$defs.study_folds",
    "dataset": "dataset",
    "evaluation": EVALUATION,
    "labels": {"*": "dataset"},
    "weightings": {"*": "training.weighting"},  # of the loss, of each model
    "kinds": {"*": "$defs.model_kind"},
    "channels": {"*": "training.channels"},
    "comparisons": "study.comparisons",
    "transfer": "study.transfer",
}


def run(
    ensemble: Annotated[File, "ensemble"],
    variants: Annotated[Folder, "folder of what crossvalidate wrote"],
    output: Annotated[NewFolder, "folder of the figures, tables and summary.txt, to write"],
    settings: Settings,
) -> None:
    """Write table.csv, winners.csv, curves.csv, summary.txt and the figures into `output`.

    variants: folder of what `crossvalidate` wrote, <label>/<model>/fold-<k>/. settings: the keys of
    SETTINGS. The table has a row for each variant and set of specimens; winners.csv one for each
    comparison: the variant that is best on the validation part, on the test part.
    """
    require_settings(settings, SETTINGS)
    folds = {
        (label, model): cv.read(
            [Path(variants, label, model, f"fold-{k}") for k in range(count)],
            settings["kinds"].get(model) in uncertain.KINDS,
        )
        for label, model, count in settings["folds"]
    }
    if not folds:
        raise PorefailError("settings: folds name no variant")
    for name, comparison in settings["comparisons"].items():
        for variant in itertools.product(comparison["labels"], comparison["models"]):
            if variant not in folds:
                raise PorefailError(
                    f"settings: comparisons.{name} has {' '.join(variant)}, which folds do not name"
                )
    against = bar(list(folds), settings["kinds"])
    table = variant_table(folds, settings["evaluation"], against)
    best = winners(folds, settings["comparisons"], against)
    curves, text = overlap_curves(folds), study_summary(table, best, settings)
    costs = None
    if compared(settings["comparisons"].get("frontier")):
        costs = frontier_table(ensemble, folds, settings)
    drawn = figures(ensemble, folds, settings, costs)
    files.write_table(Path(output) / "table.csv", table)
    files.write_table(Path(output) / "winners.csv", best)
    files.write_table(Path(output) / "curves.csv", curves)
    files.write_text(Path(output) / "summary.txt", text)
    if costs is not None:
        files.write_table(Path(output) / "frontier.csv", costs)
    files.write_figures(output, drawn)
    print(f"study: {len(folds)} variants")
