"""A locator on the held-out specimens of a data set, whose voxels and physics must be its own."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from porefail import learning, store
from porefail.dataset.split import Part
from porefail.errors import PorefailError
from porefail.learning.specimens import datasets
from porefail.ranking.choice import Ranking, ranking
from porefail.verdict.assessment import COARSE, Physics, Sites, sites_of, solves_of
from porefail.verdict.locator import Locator

STEP = ("strain", "newton_tolerance")  # of a section `presolve`, what the coarse step depends on


class HeldOut(NamedTuple):
    """realization: (n,); porosity, likelihood: (n, nx, ny, nz), the second over the likeliest
    voxel's, NaN in voids; sites and rankings: of each specimen."""

    realization: np.ndarray
    porosity: np.ndarray
    likelihood: np.ndarray
    sites: list[Sites]
    rankings: list[Ranking]


def held_out(locator: Locator, dataset: str | Path, part: Part = Part.TEST) -> HeldOut:
    """What a locator says of a part of a data set; PorefailError where it is not made for it."""
    _, source = store.read(dataset, [], kind="data set")
    wanted = {
        "model_version": locator.model_version,
        "spacing": locator.voxel,
        "simulation": locator.simulation,
    }
    _require_same(wanted, source, dataset)
    stored = datasets(locator.channels)
    missing = sorted(set(stored) - set(store.shapes(dataset)))
    if missing:
        raise PorefailError(
            f"{dataset}: lacks /{missing[0]}: presolve.strain must be above 0 where its ensemble is"
            " made"
        )
    if COARSE in solves_of(locator.channels):
        if "presolve" not in source:
            raise PorefailError(f"{dataset}: an older porefail made it: make the data set again")
        ours, theirs = (
            {"presolve": {name: each[name] for name in STEP}}
            for each in (locator.presolve, source["presolve"])
        )
        _require_same(ours, theirs, dataset)
    fields, _ = store.read_where(dataset, ["realization", *stored], learning.part(dataset, part))
    likelihood, found, rankings = [], [], []
    for n, voids in enumerate(fields["porosity"] == 1):
        known = Physics(voids, np.zeros_like(voids), {name: fields[name][n] for name in stored})
        sites, likely = sites_of(known, locator.regression, locator.committee)
        likelihood.append(likely)
        found.append(sites)
        rankings.append(ranking(locator.choice.probability(sites.features), locator.level))
    return HeldOut(fields["realization"], fields["porosity"], np.stack(likelihood), found, rankings)


def _require_same(wanted: Mapping, source: Mapping, path: str | Path) -> None:
    """Refuse a file with other attributes than those of a locator."""
    different = store.difference(source, wanted)
    if different:
        where, theirs, ours = different
        raise PorefailError(
            f"{path}: its {where} is {theirs}, expected {ours}, as of the locator's specimens"
        )
