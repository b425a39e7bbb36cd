"""What a ranking of held-out specimens is worth, in words."""

from collections.abc import Mapping

import numpy as np

from porefail.metrics import uncertainty
from porefail.ranking.choice import Ranking
from porefail.ranking.scores import ORDERS
from porefail.ranking.sites import Known

PROBABILITY_BINS = 5


def ranking_summary(
    scores: Mapping[str, float],
    test: Known,
    rankings: list[Ranking],
    level: float,
    calibration: int,
    settings: Mapping,
) -> str:
    """scores: of ranking_scores."""
    lines = [
        f"{scores['specimens']:.0f} held-out specimens, {scores['sites']:.1f} sites each: clusters"
        f" above {settings['site_threshold']:g} of the mean field's maximum.",
        f"The first failure is at one of them in {scores['holds']:.3f} of the specimens (within"
        f" {settings['near_voxels']} voxel).",
        "",
        f"{'sites in the order of their':30s}{'first':>8s}{'first 3':>9s}",
    ]
    for name, words in ORDERS.items():
        first, three = scores[f"first_by_{name}"], scores[f"first_3_by_{name}"]
        lines.append(f"{words:30s}{first:8.3f}{three:9.3f}")
    held, size = scores["in_set"], scores["set_size"]
    lines += [
        "",
        f"Sets for a coverage of {settings['coverage']:g}, calibrated on {calibration} specimens:"
        + (
            f" they hold the failure in {held:.3f}, {size:.1f} sites each."
            if np.isfinite(level)
            else " not to be had, for the failure is too often at no site, or the specimens are too"
            f" few. All sites together hold it in {held:.3f}."
        ),
    ]
    if scores["stable_specimens"]:
        lines.append(
            "Order of the masses at other thresholds against that at the chosen one, Kendall's tau:"
            f" {scores['stability']:.2f} (mean of {scores['stable_specimens']:.0f} specimens)."
        )
    lines += ["", "Probabilities, and how often the specimen did fail there:"]
    chance = np.concatenate([each.probability for each in rankings])
    true = np.concatenate([each.failed for each in test.sites])
    found = uncertainty.probability_bins(chance, true, PROBABILITY_BINS)
    for k in np.flatnonzero(found.count):
        low, high = k / PROBABILITY_BINS, (k + 1) / PROBABILITY_BINS
        lines.append(
            f"  {low:.1f} to {high:.1f}: said {found.said[k]:.3f}, true {found.true[k]:.3f}"
            f" ({found.count[k]} sites)"
        )
    lines.append(f"Mean difference of the two, weighted by sites: {found.error:.3f}.")
    return "\n".join(lines) + "\n"
