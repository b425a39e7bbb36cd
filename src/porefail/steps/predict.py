"""predict: predict the held-out specimens and rank their likely failure sites."""

from typing import Annotated

import numpy as np

from porefail import __version__, learning, store
from porefail.command_line.kinds import File, NewFile, Settings
from porefail.configuration import require_settings
from porefail.dataset.split import Part
from porefail.metrics.clusters import cluster_table, site_threshold

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
    test = learning.part(dataset, Part.TEST)
    network = learning.load(model, dataset)
    channels = [each.name for each in network.inputs]
    held_out, _ = store.read_where(dataset, ["realization", *learning.datasets(channels)], test)
    mean = learning.predict(
        network,
        learning.channels(held_out, channels),
        held_out["porosity"],
        settings["average"],
    )
    rows = []
    for field, voids, number in zip(
        mean, held_out["porosity"], held_out["realization"], strict=True
    ):
        threshold = site_threshold(field, voids == 0, settings["site_threshold"])
        _, table = cluster_table(field, voids == 0, threshold, source["spacing"])
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
            "realization": held_out["realization"],
            **clusters,
        },
        {
            "predict": dict(settings),
            **{name: source[name] for name in store.KINDS["data set"]},
            "porefail_version": __version__,
        },
    )
    print(f"predict: {len(mean)} specimens, {len(clusters['clusters/rank'])} likely failure sites")
