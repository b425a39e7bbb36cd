"""What a ranking of held-out specimens is worth, in words."""

from collections.abc import Mapping

import numpy as np

from porefail.metrics import uncertainty
from porefail.ranking import masses
from porefail.ranking.choice import Ranking
from porefail.ranking.sites import Known

STABILITY = np.linspace(0.05, 1, 20)  # thresholds at which the order of the masses is compared
PROBABILITY_BINS = 5


def ranking_summary(
    test: Known, rankings: list[Ranking], level: float, calibration: int, settings: Mapping
) -> str:
    sites = test.sites
    count = len(sites)
    orders = {
        "probability": [each.order for each in rankings],
        "mass, then average": [
            masses.order(each.relative, settings["mass_threshold"]) for each in sites
        ],
        "peak of the mean field": [np.arange(len(each.failed)) for each in sites],
    }
    number = sum(len(each.failed) for each in sites) / count
    there = np.mean([each.failed.any() for each in sites])
    lines = [
        f"{count} held-out specimens, {number:.1f} sites each: clusters above"
        f" {settings['site_threshold']:g} of the mean field's maximum.",
        f"The first failure is at one of them in {there:.3f} of the specimens (within"
        f" {settings['near_voxels']} voxel).",
        "",
        f"{'sites in the order of their':30s}{'first':>8s}{'first 3':>9s}",
    ]
    for name, places in orders.items():
        hits = [
            np.mean([each.failed[o[:k]].any() for each, o in zip(sites, places, strict=True)])
            for k in (1, 3)
        ]
        lines.append(f"{name:30s}{hits[0]:8.3f}{hits[1]:9.3f}")
    members = [each.member for each in rankings]
    held = np.mean([each.failed[m].any() for each, m in zip(sites, members, strict=True)])
    size = np.mean([m.sum() for m in members])
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
    stable = [
        masses.stability(each.relative, settings["mass_threshold"], STABILITY)
        for each in sites
        if len(each.failed) > 1
    ]
    if np.isfinite(stable).any():
        lines.append(
            "Order of the masses at other thresholds against that at the chosen one, Kendall's tau:"
            f" {np.nanmean(stable):.2f} (mean of {np.isfinite(stable).sum()} specimens)."
        )
    lines += ["", "Probabilities, and how often the specimen did fail there:"]
    chance = np.concatenate([each.probability for each in rankings])
    true = np.concatenate([each.failed for each in sites])
    bins, mean, share = uncertainty.by_bin(chance, PROBABILITY_BINS, chance, true)
    for k in range(PROBABILITY_BINS):
        if bins[k]:
            low, high = k / PROBABILITY_BINS, (k + 1) / PROBABILITY_BINS
            lines.append(
                f"  {low:.1f} to {high:.1f}: said {mean[k]:.3f}, true {share[k]:.3f}"
                f" ({bins[k]} sites)"
            )
    return "\n".join(lines) + "\n"
