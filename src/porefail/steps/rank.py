"""rank: rank the likely failure sites of the held-out specimens, with their probabilities.

Paper, section 6.2.
"""

from pathlib import Path
from typing import Annotated

from porefail import __version__, files, store
from porefail.command_line.kinds import File, NewFolder, Settings
from porefail.configuration import require_settings, section
from porefail.ranking import by_network
from porefail.steps import same_specimens
from porefail.verdict import ranked as by_locator
from porefail.verdict.locator import is_locator, read_locator

SETTINGS = {
    "seed": "seed",
    "draws": "training.bayesian.draws",
    **section("ranking"),
    "near_voxels": "evaluation.near_voxels",
    "specimens": "report.specimens",
}


def run(
    model: Annotated[File, "Bayesian network; or pores, elastic, coarse, a locator's file"],
    dataset: Annotated[File, "data set"],
    ensemble: Annotated[File, "ensemble"],
    output: Annotated[NewFolder, "folder of prediction.h5, the tables, summary.txt and figures"],
    settings: Settings,
) -> None:
    """Write prediction.h5, tables, summary.txt and figures for the test part to `output`.

    settings: the keys of SETTINGS for a network, see ranking.by_network; none for a locator, which
    brings its own. Raises PorefailError where files do not belong together.
    """
    located = is_locator(model)
    require_settings(settings, {} if located else SETTINGS)
    source = same_specimens(dataset, ensemble)
    if located:
        found = by_locator.ranked(read_locator(model), dataset, ensemble)
    else:
        found = by_network.ranked(model, dataset, ensemble, source["spacing"], settings)
    scores = {"score": list(found.scores), "value": list(found.scores.values())}
    files.write_table(Path(output) / "sites.csv", found.table)
    files.write_table(Path(output) / "scores.csv", scores)
    files.write_text(Path(output) / "summary.txt", found.text)
    files.write_figures(output, found.figures)
    attributes = {name: source[name] for name in store.KINDS["data set"]}
    store.write_atomically(
        Path(output) / "prediction.h5",
        found.prediction,
        {"rank": dict(settings), **attributes, "porefail_version": __version__},
    )
    print(found.text, end="")
