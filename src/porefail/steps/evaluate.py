"""evaluate: compare predictions and simple predictors with the simulations (paper, section 4.1)."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np

from porefail import files, store
from porefail.baselines.sites import hot_spot
from porefail.command_line.kinds import File, NewFile, Settings
from porefail.configuration import require_settings, section
from porefail.dataset.split import Part
from porefail.errors import PorefailError
from porefail.metrics import clusters, intervals, overlap
from porefail.metrics import sites as site
from porefail.steps import same_origin

SETTINGS = section("evaluation")
ROWS = 256  # realizations of the ensemble in memory at a time
FIELDS = ["realization", "failed", "elastic/von_mises", "elastic/pressure"]


class Specimen(NamedTuple):
    """A held-out specimen; fields (nx, ny, nz), NaN in voids."""

    realization: int
    solid: np.ndarray
    label: np.ndarray
    prediction: np.ndarray
    failed: np.ndarray  # voxels that failed first
    elastic: np.ndarray  # hot spot of one linear elastic solve, see baselines/sites.py


# Where a specimen fails, by predictor; a cluster is above a fraction of its field's maximum.
SITES: dict[str, Callable[[Specimen, float], np.ndarray]] = {
    "network": lambda s, fraction: site.hot_cluster(s.prediction, s.solid, fraction),
    "network, one voxel": lambda s, _: site.hottest_voxel(s.prediction, s.solid),
    "elastic hot spot": lambda s, fraction: site.hot_cluster(s.elastic, s.solid, fraction),
    "elastic hot spot, one voxel": lambda s, _: site.hottest_voxel(s.elastic, s.solid),
    "largest pore": lambda s, _: site.largest_pore(s.solid),
    "most porous cross-section": lambda s, _: site.weakest_section(s.solid),
}
RANDOM = "random voxel"  # its hits are an exact expectation
PREDICTORS = (*SITES, RANDOM)


def run(
    prediction: Annotated[File, "prediction"],
    dataset: Annotated[File, "data set"],
    ensemble: Annotated[File, "ensemble"],
    curves: Annotated[NewFile, "metrics over thresholds to write (CSV)"],
    sites: Annotated[NewFile, "hit rates of all predictors to write (CSV)"],
    specimens: Annotated[NewFile, "failure site of each specimen to write (CSV)"],
    settings: Settings,
) -> None:
    """Write metrics over thresholds, hit rates of all predictors, and the site of each specimen.

    settings: the keys of SETTINGS. Truth: labels of the test part (curves), the voxels that failed
    first (sites, specimens). Positions in mm from the specimen's corner.
    """
    require_settings(settings, SETTINGS)
    source = same_origin(dataset, prediction, ensemble)
    held_out = list(_held_out(prediction, dataset, ensemble))
    if not held_out:
        raise PorefailError(f"{dataset}: its test part is empty: simulate more realizations")
    try:
        over = _curves(held_out, settings["thresholds"])
        table, each = _sites(held_out, settings, source["spacing"])
    except PorefailError as error:
        raise PorefailError(f"{prediction}, {dataset}, {ensemble}: {error}") from None
    for path, columns in ((curves, over), (sites, table), (specimens, each)):
        files.write_table(path, columns)
    print(f"evaluate: {len(held_out)} specimens, {settings['thresholds']} thresholds")


def _held_out(
    prediction: str | Path, dataset: str | Path, ensemble: str | Path
) -> Iterator[Specimen]:
    """The test part, one specimen at a time."""
    predicted, _ = store.read(prediction, ["realization", "mean"])
    rows = {number: row for row, number in enumerate(predicted["realization"].tolist())}
    count = store.shapes(dataset)["realization"][0]
    for first in range(0, count, ROWS):
        block = slice(first, first + ROWS)
        learnt, _ = store.read(dataset, ["realization", "part", "porosity", "label"], block)
        simulated, _ = store.read(ensemble, FIELDS, block)
        if not np.array_equal(learnt["realization"], simulated["realization"]):
            raise PorefailError(f"{dataset} and {ensemble} hold different realizations")
        stresses = simulated["elastic/von_mises"], simulated["elastic/pressure"]
        elastic = hot_spot(*stresses, learnt["porosity"])
        for i in np.flatnonzero(learnt["part"] == Part.TEST):
            number = int(learnt["realization"][i])
            if number not in rows:
                raise PorefailError(f"{prediction}: no prediction of realization {number}")
            yield Specimen(
                number,
                learnt["porosity"][i] == 0,
                learnt["label"][i],
                predicted["mean"][rows[number]],
                simulated["failed"][i] == 1,
                elastic[i],
            )


def _curves(held_out: list[Specimen], thresholds: int) -> dict[str, np.ndarray]:
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


def _sites(held_out: list[Specimen], settings: Mapping, spacing: float) -> tuple[dict, dict]:
    """Table of predictors and table of specimens."""
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
