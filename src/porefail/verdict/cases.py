"""Specimens whose failure is known, as a locator sees them: their physics, their sites, hits.

They calibrate a locator, test it, or judge it later.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from porefail import store
from porefail.baselines import site_regression
from porefail.errors import PorefailError
from porefail.fe.submodels import Submodels
from porefail.learning.candidates import failed_at
from porefail.learning.site_network import Committee
from porefail.learning.specimens import datasets
from porefail.ranking.choice import Ranking
from porefail.scans.phantom import Scanner
from porefail.verdict import assessment
from porefail.verdict.assessment import Physics
from porefail.verdict.measures import measured
from porefail.verdict.part import of_phantom
from porefail.verdict.physics import solve
from porefail.verdict.pulled import pull, with_found
from porefail.verdict.skill import hits

# Of an ensemble, whatever the channels are.
FIELDS = (
    *("realization", "porosity", "failed", "first_failure_strain", "presolve/damage"),
    *(f"elastic/{name}" for name in ("von_mises", "pressure", "largest_von_mises")),
)


class Case(NamedTuple):
    """A specimen: its row of an ensemble, by dataset; what is seen of it, None where nothing is;
    its sites, and which of them failed, bool (m,)."""

    known: Mapping[str, np.ndarray]
    seen: Physics | None
    sites: assessment.Sites
    failed: np.ndarray


def read_known(
    ensemble: str | Path, mask: np.ndarray, names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Rows of an ensemble where a mask (n,) is true, with what channels by name are made of.

    Rows whose coarse step found no solution are left out: they are no examples. Raises
    PorefailError where the ensemble lacks a dataset.
    """
    wanted = list(dict.fromkeys([*FIELDS, *datasets(names)]))
    missing = sorted(set(wanted) - set(store.shapes(ensemble)))
    if missing:
        raise PorefailError(
            f"{ensemble}: lacks /{missing[0]}: presolve.strain must be above 0 where it is made"
        )
    fields, _ = store.read_where(ensemble, wanted, mask)
    solved = np.isfinite(fields["presolve/damage"]).any(axis=(1, 2, 3))
    return {name: field[solved] for name, field in fields.items()}


def stored_physics(known: Mapping[str, np.ndarray]) -> Physics:
    """Physics of a row of an ensemble."""
    pores = known["porosity"] == 1
    return Physics(pores, np.zeros_like(pores), known)


def scanned_physics(
    known: Mapping[str, np.ndarray],
    spacing: float,
    scanner: Scanner,
    simulation: Mapping,
    presolve: Mapping,
    shift: float = 0.0,
) -> Physics | None:
    """Physics of a row of an ensemble as a phantom scan shows it; None where that shows nothing.

    shift: of the threshold, over the contrast. What is stored, if all is, is taken where all voxels
    are right.
    """
    seen = of_phantom(known["porosity"], spacing, scanner, int(known["realization"]), shift)
    if seen is None:
        return None
    pores, outside = seen
    stored = set(FIELDS) <= set(known)
    if stored and np.array_equal(pores | outside, known["porosity"] == 1):
        return stored_physics(known)
    try:
        return solve(pores, outside, spacing, simulation, presolve, progress=lambda text: None)
    except PorefailError:
        return None


def stored_measures(known: Mapping[str, np.ndarray], spacing: float) -> dict[str, float]:
    """MEASURES of a row of an ensemble."""
    pores = known["porosity"] == 1
    return measured(pores, np.zeros_like(pores), known["elastic/largest_von_mises"], spacing)


def case(
    known: Mapping[str, np.ndarray],
    seen: Physics | None,
    regression: site_regression.SiteRegression,
    committee: Committee = (),
) -> Case:
    """A row of an ensemble, with the sites of what is seen of it: none where nothing is."""
    if seen is None:
        return Case(known, seen, assessment.NO_SITES, np.zeros(0, bool))
    sites, _ = assessment.sites_of(seen, regression, committee)
    return Case(known, seen, sites, failed_at(sites.place, known["failed"] == 1))


def scored(each: Case, ranked: Ranking) -> dict:
    """Hits of the ranked sites of a specimen, and of the elastic solve and the coarse step."""
    return {
        "realization": int(each.known["realization"]),
        **hits(ranked, each.failed),
        "probability": float(ranked.probability.max(initial=0.0)),
        "elastic_top_1": int(each.failed[each.sites.elastic_rank == 1].any()),
        "coarse_top_1": int(each.failed[each.sites.coarse_rank == 1].any()),
    }


def blocks_of(
    each: Case, names: Sequence[str], most: int, spacing: float, simulation: Mapping
) -> Submodels | None:
    """Blocks around the sites of a specimen, see pulled.pull(); None where nothing is seen."""
    if each.seen is None:
        return None
    voids = each.seen.pores | each.seen.outside
    return pull(voids, each.sites, names, most, spacing, simulation)


def raced(each: Case, found: Submodels | None) -> Case:
    """A specimen with what blocks of it found among its sites, see pulled.with_found()."""
    if found is None or each.seen is None:
        return each
    sites = with_found(each.sites, found, each.seen)
    return each._replace(sites=sites, failed=failed_at(sites.place, each.known["failed"] == 1))


def first_block(each: Case, found: Submodels | None) -> dict:
    """What blocks of a specimen tell: how many there were; block_top_1, whether the first to fail
    did where the specimen did; block_strain, at which, over the specimen's (NaN: none failed)."""
    told = {"blocks": 0, "block_top_1": 0, "block_strain": np.nan}
    if found is None:
        return told
    told["blocks"] = found.pulled
    if not np.isfinite(found.strain).any():
        return told
    first = np.nanmin(found.strain)
    hit = failed_at(np.argwhere(found.strain <= first), each.known["failed"] == 1)
    told["block_top_1"] = int(hit.any())
    told["block_strain"] = float(first / each.known["first_failure_strain"])
    return told
