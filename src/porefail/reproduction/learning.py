"""Sections 3 and 4 of the paper: the network, its labels and weightings, false positives."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from porefail.ranking.equal_volume import moved_words
from porefail.reproduction.claims import Claim, claim, shown

SMOOTH, ROUGH = ("g", "t"), ("id", "sigma")
LABELS = (*ROUGH, *SMOOTH)
WEIGHTED = ("IH", "IHpr")
EVERY = ("uniform", *WEIGHTED)
UPPER = 0.8  # thresholds from here on are the upper end
DISTINCT = 0.5  # and from here on clusters are distinct

# Label, model and words of what the paper does not ask: who finds the site.
SITES = (
    ("t", "uniform", "the paper's network"),
    ("t", "IHpr", "the paper's network, weighted by IHpr"),
    ("t", "pore", "the largest pore"),
    ("t", "elastic", "one elastic solve"),
    ("site", "regression", "a regression on it"),
    ("site", "regression-points", "a regression on it, largest values of Gauss points too"),
    ("site", "coarse", "one coarse load step"),
    ("site", "pores-site", "a network that learns the site, from pores"),
    ("site", "physics-site", "a network that learns the site, given the elastic solve"),
    ("site", "sites-pores", "sites ranked anew by networks, from pores"),
    ("site", "sites-points", "sites ranked anew by networks, given the elastic solve"),
    ("site", "sites-coarse", "sites ranked anew by networks, given the coarse step"),
)

Variant = tuple[str, str]


class Study(NamedTuple):
    """The tables of `study`, by label and model: on the test parts, and over thresholds."""

    scores: pd.DataFrame
    curves: pd.DataFrame

    def score(self, label: str, model: str, column: str) -> float:
        """NaN where the variant was not run."""
        if (label, model) not in self.scores.index:
            return np.nan
        return float(self.scores.loc[(label, model), column])

    def curve(self, variant: Variant, column: str) -> pd.Series:
        """By threshold, NaN where it is not defined: no precision where nothing is predicted."""
        rows = self.curves.loc[[variant]]
        return pd.Series(rows[column].to_numpy(), rows["threshold"].to_numpy())

    def pair(
        self,
        one: Sequence[Variant],
        other: Sequence[Variant],
        column: str,
        low: float,
        high: float = 1.0,
    ) -> pd.DataFrame | None:
        """Means of two groups of variants at the thresholds in [low, high] where both have one.

        A variant that predicts nothing there has no precision, and does not count. None where one
        was not run.
        """
        if not set(one) | set(other) <= set(self.curves.index):
            return None
        means = [
            pd.concat([self.curve(each, column) for each in group], axis=1).mean(axis=1)
            for group in (one, other)
        ]
        table = pd.concat(means, axis=1, keys=["one", "other"]).dropna()
        return table[(table.index >= low - 1e-9) & (table.index <= high + 1e-9)]


def studied(table: pd.DataFrame, curves: pd.DataFrame) -> Study:
    """From table.csv and curves.csv."""
    names = ["label", "model"]
    test = table[table["set"] == "test"]
    return Study(test.set_index(names).sort_index(), curves.set_index(names).sort_index())


def product(labels: Sequence[str], models: Sequence[str]) -> list[Variant]:
    """Every label learnt by every model."""
    return list(itertools.product(labels, models))


def compared(pair: pd.DataFrame | None) -> tuple[str | None, float]:
    """Both means and their number of thresholds in words, None if not run; their difference."""
    if pair is None:
        return None, np.nan
    if pair.empty:
        return "undefined: one of them predicts nothing", np.nan
    one, other = pair.mean()
    return f"{one:.3f}, {other:.3f} (at {len(pair)} thresholds)", one - other


def holds(difference: float, least: float = 0.0) -> bool | None:
    """Whether a difference is above a value; None where there is none."""
    return None if np.isnan(difference) else bool(difference > least)


def network(study: Study) -> list[Claim]:
    """Fig. 8, and the Bayesian twin of section 5."""
    numbers, twin = (study.score("t", name, "parameters") for name in ("uniform", "bayesian"))
    return [
        claim(
            "3.3, Fig. 8",
            "weights of the network",
            "7,385 (224 + 4 x 1,736 + 217)",
            None if np.isnan(numbers) else f"{numbers:,.0f}",
            numbers == 7385,
            why_not="another network is configured",
        ),
        claim(
            "5, Fig. 8",
            "numbers of the Bayesian one",
            "14,770",
            None if np.isnan(twin) else f"{twin:,.0f}",
            14_770 <= twin <= 14_771,
            "the noise is one more",
            "another network is configured",
        ),
    ]


def variants(study: Study, cut: float) -> list[Claim]:
    """Fig. 10; cut: of clusters, truth and prediction alike."""
    found = []
    for model, words in (("IHpr", "IHpr"), ("IHpr-uncut", "IHpr, its weights not cut")):
        recall, precision = (
            study.score("t", model, f"same_cluster_{name}") for name in ("recall", "precision")
        )
        found += [
            claim(
                "4.2, Fig. 10",
                f"t with {words}, both cut at {cut:g}: recall of clusters",
                "above 0.9",
                shown(recall),
                bool(recall > 0.9),
                why_not="learnt from fewer than 12,916 specimens, in fewer steps",
            ),
            claim(
                "4.2, Fig. 10",
                "the same: precision of clusters",
                "about 0.3",
                shown(precision),
                bool(0.2 <= precision <= 0.4),
                why_not="fewer clusters are predicted, more of them are true",
            ),
        ]
    for name in ("recall", "precision"):
        words, more = compared(
            study.pair(product(SMOOTH, EVERY), product(ROUGH, EVERY), f"voxel_{name}", DISTINCT)
        )
        found.append(
            claim(
                "4.2, Fig. 10",
                f"{name} of voxels, thresholds from {DISTINCT:g}: smooth labels (g, t), others",
                "smooth labels are better",
                words,
                holds(more),
                "a filter moves the label to where a network can follow",
                "rough labels are above the threshold in few voxels",
            )
        )
    known = set(product(LABELS, ["uniform"])) <= set(study.curves.index)
    order = []
    if known:
        order = sorted(
            LABELS, key=lambda label: study.curve((label, "uniform"), "voxel_recall").mean()
        )
    found.append(
        claim(
            "4.2, Fig. 10",
            "unweighted: labels by rising recall of voxels, all thresholds",
            "sigma is the worst",
            ", ".join(order) if known else None,
            order[:1] == ["sigma"],
            "nearly all voxels have the same value: a uniform field is learnt",
            "mean over thresholds, most of them low",
        )
    )
    pair = _by_label(study, "voxel_recall", DISTINCT, 1.0)
    words, _ = compared(pair)
    found.append(
        claim(
            "4.2, Fig. 10",
            f"recall of voxels, thresholds from {DISTINCT:g}: weighted, unweighted",
            "weightings raise it everywhere",
            words,
            None if pair is None or pair.empty else bool((pair["one"] >= pair["other"]).all()),
            "more voxels are predicted high",
            "not at every threshold of every label",
        )
    )
    (ends, upper), (below, lower) = (
        compared(_by_label(study, "voxel_precision", *window))
        for window in ((UPPER, 1.0), (DISTINCT, UPPER - 0.01))
    )
    known = not np.isnan(upper + lower)
    found.append(
        claim(
            "4.2, Fig. 10",
            f"precision of voxels, weighted, unweighted: from {DISTINCT:g} to {UPPER:g}; above",
            "better at the upper end alone",
            None if ends is None or below is None else f"{below}; {ends}",
            bool(upper > 0 >= lower) if known else None,
            "the price of recall is false positives",
            "the price of recall is false positives, here at other thresholds",
        )
    )
    return found


def _by_label(study: Study, column: str, low: float, high: float) -> pd.DataFrame | None:
    """Weighted and unweighted ones, label by label, at the thresholds where both have a value."""
    pairs = [
        study.pair(product([label], WEIGHTED), [(label, "uniform")], column, low, high)
        for label in LABELS
    ]
    return None if any(each is None for each in pairs) else pd.concat(pairs)


def sites(study: Study) -> list[Claim]:
    """What the paper does not ask: how often the network finds the site, beside cheap physics."""
    found = []
    for label, model, words in SITES:
        one, low, high = (study.score(label, model, f"top_1{end}") for end in ("", "_low", "_high"))
        three = study.score(label, model, "top_3")
        if not np.isnan(one):
            ours = f"{one:.3f} ({low:.3f}-{high:.3f}), {three:.3f}"
            found.append(
                claim("beyond", f"site found first (95 %), among three: {words}", "", ours)
            )
    ceiling = shown(study.score("t", "uniform", "ceiling_1"))
    why = "what a perfect network would have: the filter moves the maximum"
    words = "site found first by the true label t itself"
    return [*found, claim("beyond", words, "", ceiling, why=why)]


def false_positives(table: pd.DataFrame, weighting: str, cut: float) -> list[Claim]:
    """Section 4.3, Fig. 12, from the table of `sensitivity`; of the trained network.

    weighting: of its loss; cut: of its clusters, of each field's maximum.
    """
    wrong, pardoned = (
        int(table[name].sum()) for name in ("false_positives", "false_positives_with_failures")
    )
    return [
        claim(
            "4.3, Fig. 12",
            "clusters that miss the failure, and at how many of them a moved failure lies",
            "some of them (IHpr, above 0.8)",
            f"{wrong}, {pardoned} ({weighting.replace('_', ' ')}, above {cut:g} of the maximum)",
            pardoned > 0 if wrong else None,
            "what is nearly the weakest site",
        ),
        claim(
            "beyond",
            "share of the moved failures of a specimen that its clusters meet",
            "",
            moved_words(table, "network"),
        ),
    ]
