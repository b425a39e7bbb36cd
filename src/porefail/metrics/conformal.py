"""Sets and intervals that hold the truth with a known frequency: split conformal prediction.

Angelopoulos and Bates 2023, sections 1, 2.1 and 4.1. The guarantee holds, whatever the prediction
is worth, for new specimens of the same kind as those of the calibration, if nothing else was chosen
with these. Where they also stopped a training early it holds nearly.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from porefail.errors import PorefailError

SMALLEST = 400  # voxels of a class: 10 above the upper bound of a 95 % interval


def score(probability: np.ndarray, failed: np.ndarray) -> float:
    """How improbable the true site was called: -probability, infinite if none of them is true.

    probability, failed (bool): (sites,). Of several true ones the most probable counts.
    """
    return -float(probability[failed].max()) if failed.any() else np.inf


def level(scores: Sequence[float], coverage: float) -> float:
    """The score up to which sites belong to a set that holds a true one at least so often.

    scores: of n calibration specimens; the ⌈(n + 1) coverage⌉-th smallest, infinite where there
    are too few or too many have no true site among theirs: then no set is large enough.
    """
    rank = int(np.ceil((len(scores) + 1) * coverage))
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else np.inf


def members(probability: np.ndarray, level: float) -> np.ndarray:
    """Which sites (bool) are in the set: those that score no worse, and always the first."""
    chosen = -probability <= level
    chosen[np.argsort(-probability, kind="stable")[:1]] = True
    return chosen


class Bounds(NamedTuple):
    """Bounds of a label by the prediction: edges (b - 1,) between its classes; low, high (b,)."""

    edges: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def interval(self, prediction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds of the labels, in the prediction's shape; in voids too."""
        place = np.searchsorted(self.edges, np.nan_to_num(prediction), side="right")
        return self.low[place], self.high[place]


def bounds(prediction: np.ndarray, label: np.ndarray, coverage: float) -> Bounds:
    """Between which values labels lie so often, of voxels that are predicted alike.

    prediction, label: of one shape, NaN where there is no label. Classes of the prediction: its
    lower half, half of the rest, and so on, as long as a class has enough voxels: high damage is
    rare. The guarantee is of voxels as if they were drawn one by one; those of a specimen are not.
    Raises PorefailError where there are too few.
    """
    known = ~np.isnan(label)
    prediction, label = prediction[known], label[known].astype(float)
    if prediction.size < SMALLEST:
        raise PorefailError(f"bounds need {SMALLEST} voxels or more, not {prediction.size}")
    halvings = int(np.log2(prediction.size / SMALLEST))
    edges = np.unique(np.quantile(prediction, 1 - 0.5 ** np.arange(1, halvings + 1)))
    place = np.searchsorted(edges, prediction, side="right")
    tail = (1 - coverage) / 2
    found = []
    for k in range(len(edges) + 1):
        inside = np.sort(label[place == k])
        beyond = int(np.floor((inside.size + 1) * tail))  # entries outside, on each side
        inside = np.concatenate([[-np.inf], inside, [np.inf]])
        found.append((inside[beyond], inside[-1 - beyond]))
    low, high = np.array(found).T
    return Bounds(edges, low, high)
