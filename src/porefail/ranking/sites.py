"""Likely sites of specimens, from draws of a Bayesian network, and where they failed."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from porefail import learning, store
from porefail.dataset.split import Part
from porefail.metrics import clusters
from porefail.nn import bayesian
from porefail.nn.prediction import Moments, moments, predict
from porefail.ranking import masses
from porefail.voxels.neighbours import grown

if TYPE_CHECKING:
    import keras


class Sites(NamedTuple):
    """Clusters of a specimen's mean field, m of them, by falling peak.

    rank: (nx, ny, nz), 0 outside; table: sizes and places; average: (draws, m), each one's mean in
    each draw; failed: bool (m,), whether the first failure is at it.
    """

    rank: np.ndarray
    table: clusters.ClusterTable
    average: np.ndarray
    failed: np.ndarray

    @property
    def relative(self) -> np.ndarray:
        """The averages beside the largest value of the mean field, (draws, m)."""
        return self.average / max(self.table.peak[0], np.finfo(float).tiny)

    @property
    def features(self) -> np.ndarray:
        """What their probabilities are learnt from, (m, 3): of few specimens, so few."""
        peak = self.table.peak / max(self.table.peak[0], np.finfo(float).tiny)
        return np.column_stack([peak, self.relative.mean(axis=0), np.log(self.table.voxels)])


class Known(NamedTuple):
    """Held-out specimens, the moments of their predictions, their sites."""

    specimens: learning.Specimens
    moments: Moments
    sites: list[Sites]


def known_sites(
    network: "keras.Model",
    dataset: str | Path,
    ensemble: str | Path,
    part: Part,
    spacing: float,
    settings: Mapping,
) -> Known:
    specimens = learning.read(dataset, part, [each.name for each in network.inputs])
    simulated, _ = store.read_where(ensemble, ["failed"], learning.part(dataset, part))

    def draws():
        return bayesian.draws(network, settings["draws"], settings["seed"])

    predicted = moments(draws(), specimens.channels)
    predicted.mean[specimens.porosity != 0] = np.nan
    found = [
        clusters.cluster_table(field, voids == 0, settings["site_threshold"], spacing)
        for field, voids in zip(predicted.mean, specimens.porosity, strict=True)
    ]
    averages: list[list[np.ndarray]] = [[] for _ in found]
    for drawn in draws():  # the same ones a second time: no field of a draw is kept
        fields = predict(drawn, specimens.channels)
        for mine, field, (rank, each) in zip(averages, fields, found, strict=True):
            mine.append(masses.averages(field, rank, len(each.rank)))
    sites = []
    for (rank, each), average, failed in zip(
        found, averages, simulated["failed"] == 1, strict=True
    ):
        hit = np.isin(each.rank, rank[grown(failed, settings["near_voxels"])])
        sites.append(Sites(rank, each, np.array(average), hit))
    return Known(specimens, predicted, sites)
