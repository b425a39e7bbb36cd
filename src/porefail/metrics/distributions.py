"""How damage values are distributed, and which of them the error comes from (Figs. 6, 7, 11)."""

from typing import NamedTuple

import numpy as np

from porefail.errors import PorefailError
from porefail.metrics.overlap import check_fields, ratio
from porefail.voxels.rounding import bin_of


class Distribution(NamedTuple):
    """Damage values of solid voxels by equal bins of [0, 1], and the squared error in each.

    edges: (bins + 1,). true, predicted: (bins,), numbers of voxels by their true and by their
    predicted value. squared_error: (bins,), sum of (predicted - true)² over the voxels whose TRUE
    value is in the bin. A bin holds its left edge, the last one also 1. Values outside [0, 1]
    count as 0 or 1 in the choice of a bin; the error is of the values as they are.
    """

    edges: np.ndarray
    true: np.ndarray
    predicted: np.ndarray
    squared_error: np.ndarray

    @property
    def mean_squared_error(self) -> np.ndarray:
        """Mean over the voxels of each true bin (frequency-normalised), NaN where there is none."""
        return ratio(self.squared_error, self.true)

    @property
    def component(self) -> np.ndarray:
        """Part of each true bin in the mean squared error of all voxels, which is their sum."""
        return ratio(self.squared_error, np.full(self.true.shape, self.true.sum()))


def damage_distribution(
    truth: np.ndarray, prediction: np.ndarray, solid: np.ndarray, bins: int
) -> Distribution:
    """Distribution of true and predicted damage, and of the error, over the solid voxels.

    truth, prediction, solid (bool): same shape, (n, nx, ny, nz) or any other. Raises PorefailError
    as overlap() does, and on no bin.
    """
    check_fields(truth, prediction, solid)
    if bins < 1:
        raise PorefailError(f"a distribution needs at least one bin, not {bins}")
    edges = np.linspace(0.0, 1.0, bins + 1)
    true, predicted = truth[solid].astype(float), prediction[solid].astype(float)
    true_bin, predicted_bin = (bin_of(values, bins) for values in (true, predicted))
    return Distribution(
        edges,
        np.bincount(true_bin, minlength=bins),
        np.bincount(predicted_bin, minlength=bins),
        np.bincount(true_bin, (predicted - true) ** 2, bins),
    )


def pool(each: list[Distribution]) -> Distribution:
    """Distribution of all the voxels of several (batches, folds), which must have the same bins."""
    edges = each[0].edges
    if any(not np.array_equal(one.edges, edges) for one in each):
        raise PorefailError("distributions of different bins cannot be pooled")
    counts = (np.sum([one[i] for one in each], axis=0) for i in range(1, 4))
    return Distribution(edges, *counts)
