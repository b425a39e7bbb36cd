"""Sections 3 and 4 of the paper: the network, its labels and weightings, false positives."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from porefail.reproduction.claims import Claim, claim, shown

SMOOTH, ROUGH = ("g", "t"), ("id", "sigma")
WEIGHTED = ("IH", "IHpr")
UPPER = 0.8  # thresholds from here on are the upper end
DISTINCT = 0.5  # and from here on clusters are distinct


class Study(NamedTuple):
    """The tables of `study`, by label and model: on the test parts, and over thresholds."""

    scores: pd.DataFrame
    curves: pd.DataFrame

    def score(self, label: str, model: str, column: str) -> float:
        """NaN where the variant was not run."""
        if (label, model) not in self.scores.index:
            return np.nan
        return float(self.scores.loc[(label, model), column])

    def curve(
        self, labels: Sequence[str], models: Sequence[str], column: str, low: float
    ) -> np.ndarray:
        """Mean over the variants at thresholds from `low` on, empty where one was not run."""
        each = []
        for variant in itertools.product(labels, models):
            if variant not in self.curves.index:
                return np.empty(0)
            rows = self.curves.loc[[variant]]
            each.append(rows.loc[rows["threshold"] >= low, column].to_numpy())
        return np.mean(each, axis=0)


def studied(table: pd.DataFrame, curves: pd.DataFrame) -> Study:
    """From table.csv and curves.csv."""
    names = ["label", "model"]
    test = table[table["set"] == "test"]
    return Study(test.set_index(names).sort_index(), curves.set_index(names).sort_index())


def network(study: Study) -> list[Claim]:
    """Fig. 8."""
    numbers = study.score("t", "uniform", "parameters")
    return [
        claim(
            "3.3, Fig. 8",
            "weights of the network",
            "7,385 (224 + 4 x 1,736 + 217)",
            None if np.isnan(numbers) else f"{numbers:,.0f}",
            numbers == 7385,
            "the same layers",
        )
    ]


def variants(study: Study, cut: float) -> list[Claim]:
    """Figs 10 and 11; cut: of clusters, truth and prediction alike."""
    recall, precision = (
        study.score("t", "IHpr", f"same_cluster_{name}") for name in ("recall", "precision")
    )
    every = ("uniform", *WEIGHTED)
    found = [
        claim(
            "4.2, Fig. 10",
            f"t with IHpr, both cut at {cut:g}: recall of clusters",
            "above 0.9",
            shown(recall),
            recall > 0.9,
            "fewer specimens to learn from, and fewer epochs",
        ),
        claim(
            "4.2, Fig. 10",
            "the same: precision of clusters",
            "about 0.3",
            shown(precision),
            0.2 <= precision <= 0.4,
            "clusters that are predicted and not true",
        ),
    ]
    for name in ("recall", "precision"):
        smooth = study.curve(SMOOTH, every, f"voxel_{name}", DISTINCT)
        rough = study.curve(ROUGH, every, f"voxel_{name}", DISTINCT)
        found.append(
            claim(
                "4.2, Fig. 10",
                f"{name} of voxels, thresholds from {DISTINCT:g}: smooth labels (g, t), others",
                "smooth labels are better",
                _pair(smooth, rough),
                _mean(smooth) > _mean(rough),
                "a filter moves the label to where a network can follow",
            )
        )
    plain = {
        label: study.curve((label,), ("uniform",), "voxel_recall", 0.0)
        for label in (*ROUGH, *SMOOTH)
    }
    order = sorted(plain, key=lambda label: _mean(plain[label]))
    found.append(
        claim(
            "4.2, Fig. 10",
            "unweighted: label with the least recall of voxels",
            "sigma",
            order[0] if all(each.size for each in plain.values()) else None,
            order[0] == "sigma",
            "in order: " + ", ".join(order),
        )
    )
    labels = (*ROUGH, *SMOOTH)
    weighted = study.curve(labels, WEIGHTED, "voxel_recall", DISTINCT)
    uniform = study.curve(labels, ("uniform",), "voxel_recall", DISTINCT)
    found.append(
        claim(
            "4.2, Fig. 10",
            f"recall of voxels, thresholds from {DISTINCT:g}: weighted, unweighted",
            "weightings raise it at every threshold",
            _pair(weighted, uniform),
            bool(weighted.size) and bool((weighted > uniform).mean() > 0.9),
            "more voxels are predicted high",
        )
    )
    upper, all_of = (
        _mean(study.curve(labels, WEIGHTED, "voxel_precision", low))
        - _mean(study.curve(labels, ("uniform",), "voxel_precision", low))
        for low in (UPPER, DISTINCT)
    )
    found.append(
        claim(
            "4.2, Fig. 10",
            f"precision of voxels, weighted less unweighted: from {UPPER:g}, from {DISTINCT:g}",
            "better at the upper end alone",
            None if np.isnan(upper) else f"{upper:+.3f}, {all_of:+.3f}",
            upper > 0 and upper > all_of,
            "the price of recall is false positives",
        )
    )
    return found


def sites(study: Study) -> list[Claim]:
    """What the paper does not ask: how often the network finds the site, beside cheap physics."""
    found = []
    for label, model, words in (
        ("t", "uniform", "the paper's network"),
        ("t", "IHpr", "the same, weighted by IHpr"),
        ("t", "elastic", "one elastic solve"),
        ("site", "regression", "a regression on it"),
        ("site", "pores-site", "a network that learns the site, from pores"),
        ("site", "physics-site", "the same, given the elastic solve"),
    ):
        one, low, high = (study.score(label, model, f"top_1{end}") for end in ("", "_low", "_high"))
        three = study.score(label, model, "top_3")
        ours = None if np.isnan(one) else f"{one:.3f} ({low:.3f}-{high:.3f}), {three:.3f}"
        found.append(
            claim("beyond", f"site found first (95 %), among three: {words}", "", ours, None, "")
        )
    ceiling = study.score("t", "uniform", "ceiling_1")
    return [
        *found,
        claim(
            "beyond",
            "site found first by the true label t itself",
            "",
            shown(ceiling),
            None,
            "what a perfect network would have: the filter moves the maximum",
        ),
    ]


def false_positives(table: pd.DataFrame) -> list[Claim]:
    """Section 4.3, Fig. 12, from the table of `sensitivity`."""
    wrong, pardoned = (
        int(table[name].sum()) for name in ("false_positives", "false_positives_with_failures")
    )
    met = table[["moved_met_by_network", "moved_met_by_elastic_as_network", "volume_of_network"]]
    met = met.dropna()
    said, elastic, chance = met.mean() if len(met) else [np.nan] * 3
    return [
        claim(
            "4.3, Fig. 12",
            "clusters of the network that miss the failure: at how many a moved failure lies",
            "some",
            f"{pardoned} of {wrong}",
            pardoned > 0,
            "what is nearly the weakest site",
        ),
        claim(
            "4.3, Fig. 12",
            "moved failures at its clusters; at the elastic solve's voxels of equal volume; chance",
            "",
            None if np.isnan(said) else f"{said:.3f}; {elastic:.3f}; {chance:.3f}",
            None,
            f"means of {len(met)} specimens",
        ),
    ]


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if values.size else np.nan


def _pair(one: np.ndarray, other: np.ndarray) -> str | None:
    if not (one.size and other.size):
        return None
    return f"{_mean(one):.3f}, {_mean(other):.3f}"
