"""predict: predict the held-out specimens and rank their likely failure sites."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np

from porefail import __version__, learning, store
from porefail.command_line.kinds import File, NewFile, Settings
from porefail.configuration import require_settings
from porefail.dataset.split import Part
from porefail.metrics.clusters import cluster_table
from porefail.verdict.held_out import held_out
from porefail.verdict.locator import is_locator, read_locator

SETTINGS = {"site_threshold": "evaluation.site_threshold", "average": "training.average"}


def run(
    model: Annotated[File, "trained network; or pores, elastic, coarse, a locator's file"],
    dataset: Annotated[File, "data set"],
    output: Annotated[NewFile, "prediction to write (HDF5)"],
    settings: Settings,
) -> None:
    """Write the predicted label of every specimen of the test part, and a table of its clusters.

    settings: the keys of SETTINGS; a cluster reaches that fraction of its field's maximum; a
    network's prediction is the average over the specimen's symmetries, or not. That of a locator is
    how likely each voxel is the site, over the likeliest one.
    """
    require_settings(settings, SETTINGS)
    _, source = store.read(dataset, [], kind="data set")
    if is_locator(model):
        numbers, porosity, mean, _, _ = held_out(read_locator(model), dataset)
    else:
        numbers, porosity, mean = _predicted(model, dataset, settings)
    rows = []
    for field, voids, number in zip(mean, porosity, numbers, strict=True):
        fraction, spacing = settings["site_threshold"], source["spacing"]
        _, table = cluster_table(field, voids == 0, fraction, spacing)
        rows.append((np.full(len(table.rank), number), *table))
    names = ("realization", "rank", "peak", "mean", "voxels", "centroid_mm")
    clusters = {
        f"clusters/{name}": np.concatenate(column)
        for name, column in zip(names, zip(*rows, strict=True), strict=True)
    }
    store.write_atomically(
        output,
        {
            "mean": mean,
            # This network does not estimate how sure it is.
            "variance": np.full(mean.shape, np.nan, np.float32),
            "realization": numbers,
            **clusters,
        },
        {
            "predict": dict(settings),
            **{name: source[name] for name in store.KINDS["data set"]},
            "porefail_version": __version__,
        },
    )
    print(f"predict: {len(mean)} specimens, {len(clusters['clusters/rank'])} likely failure sites")


def _predicted(
    model: str | Path, dataset: str | Path, settings: Mapping
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers, pores and predicted labels of the test part, by a network."""
    network = learning.load(model, dataset)
    test = learning.read(dataset, Part.TEST, [each.name for each in network.inputs])
    mean = learning.predict(network, test.channels, test.porosity, settings["average"])
    return test.realization, test.porosity, mean
