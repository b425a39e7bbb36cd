"""Tables of an evaluation: scores over thresholds, hits of predictors, sites of specimens."""

from collections.abc import Mapping

import numpy as np

from porefail.evaluation.predictors import RANDOM, SITES, Specimen
from porefail.metrics import clusters, intervals, overlap
from porefail.metrics import sites as site


def curve_table(held_out: list[Specimen], thresholds: int) -> dict[str, np.ndarray]:
    """Scores of voxels and of clusters over thresholds, see tables.CURVES."""
    threshold = overlap.thresholds(thresholds)
    truth, prediction, solid = (
        np.stack([getattr(specimen, name) for specimen in held_out])
        for name in ("label", "prediction", "solid")
    )
    voxels = overlap.overlap(truth, prediction, solid, threshold)
    pieces = clusters.cluster_overlap(truth, prediction, solid, threshold)
    columns = {
        f"{kind}_{name}": getattr(scores, name)
        for kind, scores in (("voxel", voxels), ("cluster", pieces))
        for name in ("precision", "recall", "f", "jaccard", "dice")
    }
    return {"threshold": threshold, **columns}


def site_tables(held_out: list[Specimen], settings: Mapping, spacing: float) -> tuple[dict, dict]:
    """Hits of each predictor and the site of each specimen, see tables.PREDICTORS, .SPECIMENS.

    settings: site_threshold, near_voxels, near_z (mm). Positions in mm from the specimen's corner.
    """
    fraction = settings["site_threshold"]
    near = settings["near_voxels"], settings["near_z"], spacing
    hits = {
        name: [site.hits(predict(s, fraction), s.failed, *near) for s in held_out]
        for name, predict in SITES.items()
    }
    hits[RANDOM] = [site.random_hits(s.solid, s.failed, *near) for s in held_out]
    pooled = {name: site.pool(each) for name, each in hits.items()}
    table: dict = {"predictor": list(pooled)}
    for name in ("holds", "near", "near_z"):
        count = np.array([getattr(hit, name) for hit in pooled.values()])
        low, high = intervals.wilson(count, len(held_out))
        low[-1] = high[-1] = np.nan  # the random voxel: an exact expectation
        table |= {name: count, f"{name}_low": low, f"{name}_high": high}
    table["specimens"] = [len(held_out)] * len(pooled)
    table["mean_voxels"] = [hit.voxels for hit in pooled.values()]

    failed = np.array([site.position(s.failed, spacing) for s in held_out])
    network = [SITES["network"](s, fraction)[0] for s in held_out]
    predicted = np.array([site.position(each, spacing) for each in network])
    each = {"realization": [s.realization for s in held_out]}
    for name, position in (("failed", failed), ("predicted", predicted)):
        each |= {f"{name}_{axis}": position[:, i] for i, axis in enumerate("xyz")}
    for name in ("holds", "near", "near_z"):
        each[name] = [getattr(hit, name) for hit in hits["network"]]
    each["peak"] = [np.nanmax(s.prediction) for s in held_out]
    return table, each
