"""The ranking of held-out specimens by a Bayesian network (paper, section 6.2)."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from porefail import learning
from porefail.dataset.split import Part
from porefail.errors import PorefailError
from porefail.metrics import conformal
from porefail.ranking.choice import Ranking, calibrate_choice, ranking
from porefail.ranking.figures import ranking_figures
from porefail.ranking.results import Ranked
from porefail.ranking.scores import ranking_scores
from porefail.ranking.sites import Known, known_sites
from porefail.ranking.summary import ranking_summary
from porefail.ranking.table import site_table


def ranked(
    model: str | Path,
    dataset: str | Path,
    ensemble: str | Path,
    spacing: float,
    settings: Mapping,
) -> Ranked:
    """The sites of the test part of a data set. settings: of the step `rank`.

    A site is a cluster of the mean field above site_threshold × its maximum; its mass is the share
    of draws in which its average is above mass_threshold × that maximum. The probability that the
    specimen fails there is that of a model of choice fitted to the validation part, which also says
    how far down the list a set must go to hold the true site with probability `coverage`, see
    calibrate_choice(). (The validation part also chose the best epochs of the networks.)
    """
    network = learning.load(model, dataset, bayesian=True)
    known = {
        part: known_sites(network, dataset, ensemble, part, spacing, settings)
        for part in (Part.VALIDATION, Part.TEST)
    }
    validation = known[Part.VALIDATION].sites
    if len(validation) < 2:
        raise PorefailError(f"{dataset}: its validation part needs 2 specimens or more")
    choice, calibration_scores = calibrate_choice(
        [each.features for each in validation],
        [each.failed for each in validation],
        settings["penalty"],
    )
    level = conformal.level(calibration_scores, settings["coverage"])
    test = known[Part.TEST]
    rankings = [ranking(choice.probability(each.features), level) for each in test.sites]
    scores = ranking_scores(network, test, rankings, settings)
    return Ranked(
        {
            **test.moments._asdict(),
            "site": _ranks(test, rankings),
            "realization": test.specimens.realization,
        },
        site_table(test, rankings, spacing, settings["mass_threshold"]),
        scores,
        ranking_summary(scores, test, rankings, level, len(validation), settings),
        ranking_figures(network, test, rankings, settings),
    )


def _ranks(test: Known, rankings: list[Ranking]) -> np.ndarray:
    """Rank of the site that each voxel belongs to, (n, nx, ny, nz), 0 in none."""
    rank = np.zeros(test.moments.mean.shape, np.uint16)
    for field, sites, (_, order, _) in zip(rank, test.sites, rankings, strict=True):
        number = np.zeros(len(order) + 1, np.uint16)
        number[order + 1] = np.arange(1, len(order) + 1)
        field[:] = number[sites.rank]
    return rank
