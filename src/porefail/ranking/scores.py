"""What a ranking of held-out specimens is worth, in numbers (paper, sections 6.1 and 6.2)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from porefail.nn.flipout import Flipout
from porefail.ranking import masses
from porefail.ranking.choice import Ranking
from porefail.ranking.sites import Known

if TYPE_CHECKING:
    import keras

STABILITY = np.linspace(0.05, 1, 20)  # thresholds at which the order of the masses is compared
RARE = 0.5  # predicted labels above it are of few voxels
# What sites are put in order by, each with its words.
ORDERS = {
    "probability": "probability",
    "mass": "mass, then average",
    "peak": "peak of the mean field",
}


def ranking_scores(
    network: "keras.Model", test: Known, rankings: list[Ranking], settings: Mapping
) -> dict[str, float]:
    """Of the held-out specimens, by name.

    specimens; sites: of each, mean; holds: share whose first failure is at one of them; first_by_X,
    first_3_by_X: at the first one, or three, in the order X; in_set, set_size: of the conformal
    sets; stability: see masses.stability; noise, epistemic: root of the mean variance of the
    label's noise, and between draws; rare_variance: mean variance between draws where the label is
    predicted above RARE, over that elsewhere; variation_X: of a layer's weights, then biases.
    """
    sites = test.sites
    threshold = settings["mass_threshold"]
    orders = {
        "probability": [each.order for each in rankings],
        "mass": [masses.order(each.relative, threshold) for each in sites],
        "peak": [np.arange(len(each.failed)) for each in sites],
    }
    found = {
        "specimens": len(sites),
        "sites": np.mean([len(each.failed) for each in sites]),
        "holds": np.mean([each.failed.any() for each in sites]),
    }
    for name, places in orders.items():
        for key, k in ((f"first_by_{name}", 1), (f"first_3_by_{name}", 3)):
            found[key] = np.mean(
                [each.failed[o[:k]].any() for each, o in zip(sites, places, strict=True)]
            )
    members = [each.member for each in rankings]
    stable = [
        masses.stability(each.relative, threshold, STABILITY)
        for each in sites
        if len(each.failed) > 1
    ]
    known = np.isfinite(test.moments.mean)
    epistemic, rare = test.moments.epistemic[known], test.moments.mean[known] >= RARE
    found |= {
        "in_set": np.mean([each.failed[m].any() for each, m in zip(sites, members, strict=True)]),
        "set_size": np.mean([m.sum() for m in members]),
        "stability": np.nanmean(stable) if np.isfinite(stable).any() else np.nan,
        "stable_specimens": np.isfinite(stable).sum(),
        "noise": np.sqrt(test.moments.noise[known].mean()),
        "epistemic": np.sqrt(epistemic.mean()),
        "rare_variance": epistemic[rare].mean() / epistemic[~rare].mean() if rare.any() else np.nan,
    }
    for layer, (weights, biases) in layer_variation(network).items():
        found |= {f"variation_{layer}": weights, f"variation_{layer}_bias": biases}
    return {name: float(value) for name, value in found.items()}


def layer_variation(network: "keras.Model") -> dict[str, list[float]]:
    """Coefficients of variation of the weights and of the biases, by layer (Fig. 17).

    # ASSUME: of the means' sizes. The paper divides by the mean of the means, which may be zero.
    """
    return {
        layer.name: [
            float(np.mean(np.exp(scale)) / np.mean(np.abs(mean)))
            for mean, scale in layer.distributed
        ]
        for layer in network.layers
        if isinstance(layer, Flipout)
    }
