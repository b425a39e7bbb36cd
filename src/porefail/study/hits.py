"""Whether the sites of single specimens were found: intervals, paired differences, the winner.

Specimens are what a study draws: intervals are over them, and variants are compared on those that
both met. Of a set of other specimens, which every fold meets, a specimen counts once, with the mean
of its folds.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

import porefail.study.folds as cv
from porefail.configuration.study import compared
from porefail.metrics.intervals import bootstrap, wilson
from porefail.study.folds import Fold
from porefail.study.scores import RANKS

Name = tuple[str, str]  # of a variant: label, model

# Kinds of models that learn nothing of the pores but know the stresses: what learning is measured
# against, the best one first.
BARS = ("site_regression", "elastic_hot_spot")
ENDS = ("", "_low", "_high")
WINNERS = ("comparison", "variants", "winners", "specimens")  # and scores, of winners()


def hits(each: Sequence[Fold], name: str) -> pd.DataFrame:
    """Hits of the specimens of a set, by realization."""
    rows = pd.concat([cv.in_set(fold.specimens, name) for fold in each])
    return rows.groupby("realization").mean()


def rate(found: pd.Series, name: str) -> dict[str, float]:
    """Mean of the hits of specimens, and its Wilson interval of 95 %."""
    low, high = wilson(found.sum(), len(found))
    return dict(
        zip((name + end for end in ENDS), map(float, (found.mean(), low, high)), strict=True)
    )


def gain(found: pd.Series, bar: pd.Series | None, name: str) -> dict[str, float]:
    """Mean difference on the specimens that both met, and its bootstrap interval; NaN of none."""
    difference = np.empty(0) if bar is None else (found - bar).dropna().to_numpy()
    values = (np.nan,) * 3
    if difference.size:
        values = (float(difference.mean()), *map(float, bootstrap(difference)))
    return dict(zip((name + end for end in ENDS), values, strict=True))


def bar(variants: Sequence[Name], kinds: Mapping[str, str]) -> Name | None:
    """The variant that others are measured against: the first of the best kind that there is."""
    for kind in BARS:
        for variant in variants:
            if kinds[variant[1]] == kind:
                return variant
    return None


def found_sites(
    folds: Mapping[Name, Sequence[Fold]], variant: Name, name: str, against: Name | None
) -> dict[str, float]:
    """Of a variant on a set: top_k, gain_k, ceiling_k (the true label as a prediction)."""
    mine = hits(folds[variant], name)
    ceilings = {f"ceiling_{rank}": mine[f"ceiling_{rank}"].mean() for rank in RANKS}
    return _skill(mine, None if against is None else hits(folds[against], name)) | ceilings


def _skill(mine: pd.DataFrame, theirs: pd.DataFrame | None) -> dict[str, float]:
    """top_k and gain_k, with their intervals, from hits."""
    row = {}
    for rank in RANKS:
        name = f"top_{rank}"
        row |= rate(mine[name], name)
        row |= gain(mine[name], None if theirs is None else theirs[name], f"gain_{rank}")
    return row


def winners(
    folds: Mapping[Name, Sequence[Fold]], comparisons: Mapping, against: Name | None
) -> pd.DataFrame:
    """A row for each comparison of several variants: the winner's skill, by rank.

    In each fold the variant that finds most sites first on the validation part wins (of equals the
    one that finds more among three, then the first), and is scored on the test part, which chose
    nothing.
    """
    rows = []
    theirs = None if against is None else hits(folds[against], "test")
    for comparison, wanted in comparisons.items():
        variants = compared(wanted)
        if len(variants) < 2:
            continue
        count = min(len(folds[variant]) for variant in variants)
        chosen = [_best(folds, variants, k) for k in range(count)]
        test = hits([folds[variant][k] for k, variant in enumerate(chosen)], "test")
        row = {
            "comparison": comparison,
            "variants": len(variants),
            "winners": "; ".join(
                f"{' '.join(variant)} {chosen.count(variant)}" for variant in dict.fromkeys(chosen)
            ),
            "specimens": len(test),
        }
        rows.append(row | _skill(test, theirs))
    return pd.DataFrame(rows if rows else {name: [] for name in WINNERS})


def _best(folds: Mapping[Name, Sequence[Fold]], variants: Sequence[Name], fold: int) -> Name:
    """The winner on the validation part of a fold."""

    def skill(variant: Name) -> tuple[float, float]:
        found = hits([folds[variant][fold]], "validation")
        return found["top_1"].mean(), found["top_3"].mean()

    return max(variants, key=skill)
