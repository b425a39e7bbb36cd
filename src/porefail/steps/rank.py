"""rank: rank the likely failure sites of the held-out specimens, with their probabilities.

Paper, section 6.2.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np

from porefail import __version__, files, learning, store
from porefail.command_line.kinds import File, NewFolder, Settings
from porefail.configuration import require_settings, section
from porefail.dataset.split import Part
from porefail.errors import PorefailError
from porefail.metrics import conformal
from porefail.ranking.choice import Ranking, fit_choice, ranking
from porefail.ranking.figures import ranking_figures
from porefail.ranking.scores import ranking_scores
from porefail.ranking.sites import Known, known_sites
from porefail.ranking.summary import ranking_summary
from porefail.ranking.table import site_table
from porefail.steps import same_specimens

SETTINGS = {
    "seed": "seed",
    "draws": "training.bayesian.draws",
    **section("ranking"),
    "near_voxels": "evaluation.near_voxels",
    "specimens": "report.specimens",
}


def run(
    model: Annotated[File, "Bayesian network"],
    dataset: Annotated[File, "data set"],
    ensemble: Annotated[File, "ensemble"],
    output: Annotated[NewFolder, "folder of prediction.h5, the tables, summary.txt and figures"],
    settings: Settings,
) -> None:
    """Write prediction.h5, tables, summary.txt and figures for the test part to `output`.

    settings: the keys of SETTINGS. model: a Bayesian network. A site is a cluster of the mean field
    above site_threshold × its maximum; its mass is the share of draws in which its average is above
    mass_threshold × that maximum. The probability that the specimen fails there is that of a model
    of choice fitted to one half of the validation part; the other half says how far down the list
    a set must go to hold the true site with probability `coverage`. (The validation part also chose
    the best epochs of the networks.) Raises PorefailError where files do not belong together.
    """
    require_settings(settings, SETTINGS)
    source = same_specimens(dataset, ensemble)
    network = learning.load(model, dataset, bayesian=True)
    spacing = source["spacing"]
    known = {
        part: known_sites(network, dataset, ensemble, part, spacing, settings)
        for part in (Part.VALIDATION, Part.TEST)
    }
    validation = known[Part.VALIDATION].sites
    if len(validation) < 2:
        raise PorefailError(f"{dataset}: its validation part needs 2 specimens or more")
    fitted, calibration = validation[::2], validation[1::2]
    choice = fit_choice(
        [each.features for each in fitted], [each.failed for each in fitted], settings["penalty"]
    )
    level = conformal.level(
        [conformal.score(choice.probability(each.features), each.failed) for each in calibration],
        settings["coverage"],
    )
    test = known[Part.TEST]
    rankings = [ranking(choice.probability(each.features), level) for each in test.sites]
    table = site_table(test, rankings, spacing, settings["mass_threshold"])
    scores = ranking_scores(network, test, rankings, settings)
    text = ranking_summary(scores, test, rankings, level, len(calibration), settings)
    figures = ranking_figures(network, test, rankings, settings)
    files.write_table(Path(output) / "sites.csv", table)
    files.write_table(
        Path(output) / "scores.csv", {"score": list(scores), "value": list(scores.values())}
    )
    files.write_text(Path(output) / "summary.txt", text)
    files.write_figures(output, figures)
    _write(Path(output) / "prediction.h5", test, rankings, source, settings)
    print(text, end="")


def _write(
    path: Path, test: Known, rankings: list[Ranking], source: Mapping, settings: Mapping
) -> None:
    rank = np.zeros(test.moments.mean.shape, np.uint16)
    for field, sites, (_, order, _) in zip(rank, test.sites, rankings, strict=True):
        number = np.zeros(len(order) + 1, np.uint16)
        number[order + 1] = np.arange(1, len(order) + 1)
        field[:] = number[sites.rank]
    store.write_atomically(
        path,
        {**test.moments._asdict(), "site": rank, "realization": test.specimens.realization},
        {
            "rank": dict(settings),
            **{name: source[name] for name in store.KINDS["data set"]},
            "porefail_version": __version__,
        },
    )
