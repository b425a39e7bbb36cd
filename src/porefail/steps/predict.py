"""predict: predict the held-out specimens and rank their likely failure sites."""

from typing import Annotated

import numpy as np

from porefail import __version__, learning, store
from porefail.command_line.kinds import File, NewFile, Settings
from porefail.configuration import require_settings
from porefail.dataset.split import Part
from porefail.metrics.clusters import cluster_table

SETTINGS = {"site_threshold": "evaluation.site_threshold", "average": "training.average"}


def run(
    model: Annotated[File, "trained network"],
    dataset: Annotated[File, "data set"],
    output: Annotated[NewFile, "prediction to write (HDF5)"],
    settings: Settings,
) -> None:
    """Write the predicted label of every specimen of the test part, and a table of its clusters.

    settings: the keys of SETTINGS; a cluster reaches that fraction of its field's maximum; the
    prediction is the average over the specimen's symmetries, or not.
    """
    require_settings(settings, SETTINGS)
    _, source = store.read(dataset, [], kind="data set")
    network = learning.load(model, dataset)
    held_out = learning.read(dataset, Part.TEST, [each.name for each in network.inputs])
    porosity, numbers = held_out.porosity, held_out.realization
    mean = learning.predict(network, held_out.channels, porosity, settings["average"])
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
