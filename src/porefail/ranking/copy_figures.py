"""Where perturbed copies fail, drawn (paper, Figs 4, 12 and 16)."""

import numpy as np

from porefail.figures.failure_locus import failure_locus
from porefail.figures.predicted_sites import predicted_sites
from porefail.figures.ranked_sites import ranked_sites
from porefail.ranking.copies import Specimen
from porefail.ranking.locus import Locus


def copies_figures(
    specimens: list[Specimen],
    loci: list[Locus],
    cut: list[np.ndarray],
    spacing: float,
    true_threshold: float,
) -> dict:
    """Figs 4, 12 and 16."""
    porosity = np.array([each.porosity for each in specimens])
    failed = np.array([each.failed for each in specimens])
    count = np.array([each.count for each in loci])
    realization = np.array([each.realization for each in specimens])
    true = np.array([np.nan_to_num(each.label) >= true_threshold for each in specimens])
    return {
        "failure_locus": failure_locus(porosity, failed, count, realization, spacing),
        "predicted_sites": predicted_sites(
            porosity, true, np.array(cut) > 0, count, realization, spacing
        ),
        "ranked_sites": ranked_sites(
            porosity,
            np.array([each.site for each in specimens]),
            [each.probability for each in specimens],
            count,
            failed,
            realization,
            spacing,
            "probability of failure",
        ),
    }
