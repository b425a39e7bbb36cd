"""Figures of a ranking (paper, Figs 14, 15 and 17)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from porefail.figures.cluster_distributions import cluster_distributions
from porefail.figures.damage_variance import damage_variance
from porefail.figures.weight_variation import weight_variation
from porefail.metrics import uncertainty
from porefail.ranking.choice import Ranking
from porefail.ranking.scores import layer_variation
from porefail.ranking.sites import Known

if TYPE_CHECKING:
    import keras

BINS = 25  # of the predicted label, in the figure


def ranking_figures(
    network: "keras.Model", test: Known, rankings: list[Ranking], settings: Mapping
) -> dict[str, object]:
    """Figs 14, 15 and 17; of the first specimens, and those with the most sites."""
    shown = range(min(settings["specimens"], len(test.sites)))
    many = np.argsort([-len(each.failed) for each in test.sites], kind="stable")
    many = np.sort(many[: min(settings["specimens"], 4)])
    edges = np.linspace(0, 1, BINS + 1)
    parts: dict[str, dict] = {"epistemic": {}, "noise": {}, "frequency": {}}
    for k in shown:
        solid = test.specimens.porosity[k] == 0
        fields = (each[k][solid] for each in test.moments)
        by, epistemic, noise = fields
        voxels, *means = uncertainty.by_bin(by, BINS, epistemic, noise)
        name = f"specimen {test.specimens.realization[k]}"
        for part, values in zip(parts.values(), (*means, voxels / voxels.sum()), strict=True):
            part[name] = values
    variation = layer_variation(network)
    return {
        "damage_variance": damage_variance(edges, *parts.values()),
        "cluster_distributions": cluster_distributions(
            [test.sites[k].relative[:, rankings[k].order] for k in many],
            test.specimens.realization[many],
            settings["mass_threshold"],
        ),
        "weight_variation": weight_variation(
            list(variation), *np.array(list(variation.values())).T
        ),
    }
