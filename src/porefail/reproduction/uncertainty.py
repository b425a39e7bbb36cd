"""Sections 5 and 6 of the paper: the Bayesian twin, its variance, its ranking."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from porefail.ranking.equal_volume import moved_words
from porefail.reproduction.claims import Claim, claim, shown
from porefail.reproduction.learning import DISTINCT, EVERY, WEIGHTED, Study, compared

CLEARLY = 0.02  # of recall, or of precision
LAYERS = 3  # that a trend needs


def twin(study: Study) -> list[Claim]:
    """Section 6.1, Fig. 13: beside the best plain network, trained for as many epochs."""
    found = []
    for weighted, plain, bayesian, paper in (
        ("unweighted", EVERY, "bayesian", "slightly better than all plain ones"),
        ("weighted by IH", WEIGHTED, "bayesian-IH", "significantly worse than the best weighted"),
    ):
        best, gain, text = "", np.inf, None
        for name in plain:
            both = [
                compared(study.pair([("t", bayesian)], [("t", name)], f"voxel_{score}", DISTINCT))
                for score in ("recall", "precision")
            ]
            if any(words is None for words, _ in both):
                gain, text = np.nan, None
                break
            total = sum(difference for _, difference in both)
            if total < gain:
                best, gain = name, total
                text = f"{both[0][0]}; {both[1][0]}"
        agrees = gain > 0 if bayesian == "bayesian" else gain < -CLEARLY
        found.append(
            claim(
                "6.1, Fig. 13",
                f"{weighted}: recall; precision of voxels from {DISTINCT:g}, Bayesian mean and"
                " best plain network",
                paper,
                text and f"{text}, beside {best}",
                bool(agrees) if np.isfinite(gain) else None,
                "as many epochs in all",
                "as many epochs in all: half of the twin's are those of the network it starts from",
            )
        )
    noise = np.sqrt([study.score("t", name, "noise") for name in ("bayesian", "bayesian-IH")])
    spread = [study.score("t", name, "epistemic") for name in ("bayesian", "bayesian-IH")]
    nll = [study.score("t", name, "log_score") for name in ("bayesian", "one-sigma", "one-noise")]
    return [
        *found,
        claim(
            "6.1",
            "calibrated noise of the label, unweighted",
            "0.065",
            shown(noise[0]),
            bool(0.045 <= noise[0] <= 0.085),
            "it is the residual of the mean field",
            "it is the residual of the mean field: as large as labels are hard to learn",
        ),
        claim(
            "6.1",
            "the same, weighted by IH",
            "significantly higher",
            shown(noise[1]),
            bool(noise[1] > 1.2 * noise[0]),
            "rare labels, with larger errors, weigh more",
        ),
        claim(
            "6.2, Fig. 14",
            "variance between draws, weighted by IH over unweighted",
            "higher",
            shown(spread[1] / spread[0]),
            bool(spread[1] > spread[0]),
            "weighting the frequent ones down is as having fewer of them",
            "weights have the mean 1 here",
        ),
        claim(
            "beyond",
            "NLL of a voxel: Bayesian; plain with one noise; plain with a noise by its prediction",
            "",
            None if np.isnan(nll).any() else "; ".join(f"{each:.3f}" for each in nll),
            why="less is better; as many epochs in all",
        ),
    ]


def ranked(scores: Mapping[str, float], sensitivity: pd.DataFrame) -> list[Claim]:
    """Section 6.2 and Figs 14-17; scores: of `rank`; the table of `sensitivity`."""
    rare, stable = scores["rare_variance"], scores["stability"]
    found = [
        claim(
            "6.2, Fig. 14",
            "variance between draws where rare labels (above 0.5) are predicted, over elsewhere",
            "higher",
            shown(rare),
            rare > 1,
            "few examples, more doubt",
        ),
        claim(
            "6.2, Fig. 15",
            "order of the masses at other thresholds (Kendall's tau)",
            "fairly invariant",
            shown(stable),
            stable > 0.7,
            f"mean of {scores['stable_specimens']:.0f} specimens with several sites",
            f"mean of {scores['stable_specimens']:.0f} specimens with several sites",
        ),
    ]
    layers = [
        name.removeprefix("variation_")
        for name in scores
        if name.startswith("variation_") and not name.endswith("_bias")
    ]
    for end, words in (("", "weights"), ("_bias", "biases")):
        values = [scores[f"variation_{name}{end}"] for name in layers]
        trend = None
        if len(values) >= LAYERS:
            trend = bool(np.corrcoef(np.arange(len(values)), values)[0, 1] > 0)
        found.append(
            claim(
                "7, Fig. 17",
                f"coefficient of variation of the {words}, from the first layer to the last",
                "grows with depth",
                ", ".join(f"{each:.2g}" for each in values),
                trend,
                "by the trend; means of sizes below the line",
                "by the trend; means of sizes below the line",
            )
        )
    total = sensitivity.select_dtypes("number").sum()
    chance = sensitivity["ranked_volume"].mean()
    return [
        *found,
        claim(
            "6.2, Fig. 16",
            "failure of held-out specimens at the first ranked site, first three",
            "no number",
            f"{scores['first_by_probability']:.3f}, {scores['first_3_by_probability']:.3f}",
            why=f"{scores['specimens']:.0f} specimens, {scores['sites']:.1f} sites each",
        ),
        claim(
            "6.2, Fig. 16",
            "failures of perturbed copies: all, at a ranked site, at the first",
            "at the first (a, c), at all sites (g)",
            f"{total['failed']:.0f}, {total['in_ranked_sites']:.0f}, {total['in_first_site']:.0f}",
            why=f"sites are wide: by chance {chance:.0%} are at one",
        ),
        claim(
            "beyond",
            "share of the moved failures of a specimen that its ranked sites meet",
            "",
            moved_words(sensitivity, "ranking"),
        ),
    ]
