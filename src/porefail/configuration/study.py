"""What the study does: folds of its variants, other ensembles that they meet, figures."""

import itertools
from collections.abc import Mapping

Variant = tuple[str, str]  # label and model

# What a comparison is drawn as; others are in the table alone.
FIGURES = {
    "paper": ["label_transforms", "cross_validation", "damage_frequency"],
    "weightings": ["loss_distribution", "loss_weightings"],
    "parameters": ["label_parameters"],
    "ablation": ["variant_skill", "operating_curves"],
    "uncertainty": ["bayesian_overlap", "coverage_by_damage"],
    "frontier": ["frontier"],
}


def compared(comparison: Mapping | None) -> list[Variant]:
    """The variants of a comparison, each label learnt by each model; none if there is none."""
    if comparison is None:
        return []
    return list(itertools.product(comparison["labels"], comparison["models"]))


def study_folds(config: Mapping) -> dict[Variant, int]:
    """Number of folds of each variant.

    As many as are asked for, and as test parts make up the whole; one if none do.
    """
    split, study = config["dataset"]["split"], config["study"]
    most, rest = divmod(sum(split), split[2])
    folds: dict[Variant, int] = {}
    for comparison in study["comparisons"].values():
        asked = min(comparison.get("folds", study["folds"]), 1 if rest else most)
        for variant in compared(comparison):
            folds[variant] = max(asked, folds.get(variant, 0))
    return folds


def study_targets(config: Mapping) -> dict[Variant, list[str]]:
    """Names of the other ensembles that each variant is tested on, sorted."""
    comparisons, targets = config["study"]["comparisons"], config["study"]["transfer"]
    return {
        variant: sorted(
            target
            for target, names in targets.items()
            if any(variant in compared(comparisons[name]) for name in names)
        )
        for variant in study_folds(config)
    }


def study_figures(config: Mapping) -> list[str]:
    """Names of the figures of the comparisons that have a variant."""
    comparisons = config["study"]["comparisons"]
    drawn = [
        figure
        for name, figures in FIGURES.items()
        if compared(comparisons.get(name))
        for figure in figures
    ]
    return drawn + ["transfer_skill"] * any(study_targets(config).values())
