"""Sections 5 and 6 of the paper: the Bayesian twin, its variance, its ranking."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from porefail.reproduction.claims import Claim, claim, shown
from porefail.reproduction.learning import DISTINCT, Study


def twin(study: Study) -> list[Claim]:
    """Section 6.1, Fig. 13: beside plain networks that were trained for as many epochs."""
    found = []
    for weighted, plain, bayesian, paper in (
        ("unweighted", "uniform", "bayesian", "the Bayesian mean is slightly better"),
        ("weighted by IH", "IH", "bayesian-IH", "the Bayesian mean is clearly worse"),
    ):
        means = {
            name: [
                float(np.nanmean(curve)) if curve.size else np.nan
                for curve in (
                    study.curve(("t",), (model,), f"voxel_{name}", DISTINCT)
                    for model in (bayesian, plain)
                )
            ]
            for name in ("recall", "precision")
        }
        gain = sum(ours - theirs for ours, theirs in means.values())
        texts = [f"{a:.3f} and {b:.3f}" for a, b in means.values()]
        found.append(
            claim(
                "6.1, Fig. 13",
                f"{weighted}: recall, precision of voxels from {DISTINCT:g}, Bayesian and plain",
                paper,
                None if np.isnan(gain) else "; ".join(texts),
                gain > 0 if bayesian == "bayesian" else gain < 0,
                "with as many epochs in all",
            )
        )
    noise = np.sqrt([study.score("t", name, "noise") for name in ("bayesian", "bayesian-IH")])
    found += [
        claim(
            "6.1",
            "calibrated noise of the label, unweighted",
            "0.065",
            shown(noise[0]),
            0.045 <= noise[0] <= 0.085,
            "the residual of the mean, so it tells how good that is",
        ),
        claim(
            "6.1",
            "the same, weighted by IH",
            "significantly higher",
            shown(noise[1]),
            noise[1] > 1.2 * noise[0],
            "rare labels, with larger errors, weigh more",
        ),
    ]
    nll = [study.score("t", name, "log_score") for name in ("bayesian", "one-sigma", "one-noise")]
    found.append(
        claim(
            "beyond",
            "NLL of a voxel: Bayesian, plain with one noise, plain with a noise by its prediction",
            "",
            None if np.isnan(nll).any() else ", ".join(f"{each:.3f}" for each in nll),
            None,
            "less is better; as many epochs in all",
        )
    )
    return found


def ranked(scores: Mapping[str, float], sensitivity: pd.DataFrame) -> list[Claim]:
    """Section 6.2 and Figs 14-17; scores: of `rank`; the table of `sensitivity`."""
    rare = scores["rare_variance"]
    layers = [
        name.removeprefix("variation_")
        for name in scores
        if name.startswith("variation_") and not name.endswith("_bias")
    ]
    found = [
        claim(
            "6.2, Fig. 14",
            "variance between draws where rare labels are predicted, over that elsewhere",
            "higher",
            shown(rare),
            rare > 1,
            "few examples, more doubt",
        ),
        claim(
            "6.2, Fig. 15",
            "order of the masses at other thresholds (Kendall's tau)",
            "fairly invariant",
            shown(scores["stability"]),
            scores["stability"] > 0.7,
            f"mean of {scores['stable_specimens']:.0f} specimens with several sites",
        ),
    ]
    for end, words in (("", "weights"), ("_bias", "biases")):
        values = [scores[f"variation_{name}{end}"] for name in layers]
        grows = float(np.corrcoef(np.arange(len(values)), values)[0, 1])
        found.append(
            claim(
                "7, Fig. 17",
                f"coefficient of variation of the {words}, from the first layer to the last",
                "grows with depth",
                ", ".join(f"{each:.2g}" for each in values),
                grows > 0.5,
                "means of sizes below the line",
            )
        )
    total = sensitivity.select_dtypes("number").sum()
    found += [
        claim(
            "6.2, Fig. 16",
            "failure of held-out specimens at the first ranked site, first three",
            "insensitive specimens at the first",
            f"{scores['first_by_probability']:.3f}, {scores['first_3_by_probability']:.3f}",
            None,
            f"{scores['specimens']:.0f} specimens, {scores['sites']:.1f} sites each",
        ),
        claim(
            "6.2, Fig. 16",
            "failures of perturbed copies at a ranked site, at the first",
            "all clusters of failures are ranked sites",
            f"{total['in_ranked_sites']:.0f} of {total['failed']:.0f},"
            f" {total['in_first_site']:.0f}",
            total["in_ranked_sites"] / total["failed"] > 0.9,
            f"sites are wide: by chance {sensitivity['ranked_volume'].mean():.2f}",
        ),
    ]
    met = sensitivity[
        ["moved_met_by_ranking", "moved_met_by_elastic_as_ranking", "volume_of_ranking"]
    ].dropna()
    ours = "; ".join(f"{each:.3f}" for each in met.mean()) if len(met) else None
    return [
        *found,
        claim(
            "beyond",
            "moved failures at ranked sites; at the elastic solve's voxels of equal volume; chance",
            "",
            ours,
            None,
            f"means of {len(met)} specimens",
        ),
    ]
