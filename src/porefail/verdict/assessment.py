"""The likely sites of a part, from its cheap physics, with their probabilities."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from porefail.baselines import site_regression, sites
from porefail.learning import site_network
from porefail.learning.candidates import box_about, candidates
from porefail.learning.site_network import Committee
from porefail.learning.specimens import channels, datasets
from porefail.metrics import peaks
from porefail.ranking.choice import Ranking, ranking
from porefail.verdict.locator import Locator, needed_channels
from porefail.verdict.measures import measured

ELASTIC, COARSE = SOLVES = ("elastic", "presolve")  # groups of datasets, each of one solve


class Physics(NamedTuple):
    """What is known of a part (nx, ny, nz) before its simulation: datasets by name as stored.

    Stresses are over the nominal stress of the cross-section that is there. Those of the elastic
    solve and of the coarse step are there where they were asked for.
    """

    pores: np.ndarray
    outside: np.ndarray
    fields: Mapping[str, np.ndarray]


class Sites(NamedTuple):
    """Likely sites (m,): place (m, 3) in voxels; features (m, FEATURES); ranks of other predictors.

    A rank of another predictor is that of its best maximum within NEAR voxels, 0 where there is
    none, -1 where the predictor was not asked.
    """

    place: np.ndarray
    features: np.ndarray
    elastic_rank: np.ndarray
    coarse_rank: np.ndarray


NO_SITES = Sites(np.zeros((0, 3), int), np.zeros((0, 2)), np.zeros(0, int), np.zeros(0, int))


class Assessment(NamedTuple):
    """Sites and their ranking; likelihood (nx, ny, nz) over the likeliest voxel's; measures."""

    physics: Physics
    sites: Sites
    ranking: Ranking
    likelihood: np.ndarray
    measures: Mapping[str, float]


def solves_of(names: Sequence[str]) -> tuple[str, ...]:
    """Which of SOLVES channels by name are made from."""
    wanted = {name.partition("/")[0] for name in datasets(names)}
    return tuple(each for each in SOLVES if each in wanted)


def sites_of(
    found: Physics,
    regression: site_regression.SiteRegression,
    committee: Committee = (),
) -> tuple[Sites, np.ndarray]:
    """The likeliest sites, and how likely each voxel is one, over the likeliest; (nx, ny, nz), NaN
    in voids.

    features: log likelihood of a site, by the regression or by the committee that ranks its sites
    anew, and the same over the first one's.
    """
    solid = ~(found.pores | found.outside)
    porosity = (~solid).astype(np.uint8)[None]
    fields = {name: each[None] for name, each in found.fields.items()}
    given = channels(fields, needed_channels(regression, committee))
    likely = site_regression.predict(regression, given, porosity, found.outside[None])[0]
    if not committee:
        place, logs = candidates(likely)
    else:
        first = {name: each[0] for name, each in given.items()}
        (place, logs), anew = site_network.ranked(committee, likely, first)
        likely = anew.astype(np.float32)
    features = np.column_stack([logs, logs - logs.max()])
    return Sites(place, features, *solve_ranks(found, place)), likely


def solve_ranks(found: Physics, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """elastic_rank and coarse_rank of places (m, 3), see Sites."""
    solid = ~(found.pores | found.outside)
    elastic_rank = coarse_rank = np.full(len(place), -1)
    if "elastic/von_mises" in found.fields:
        stresses = (found.fields[f"elastic/{name}"][None] for name in ("von_mises", "pressure"))
        elastic_rank = _ranks(sites.hot_spot(*stresses, ~solid[None])[0], solid, place)
    if "presolve/damage" in found.fields:
        coarse_rank = _ranks(found.fields["presolve/damage"], solid, place)
    return elastic_rank, coarse_rank


def first_of_solves(found: Sites, names: Sequence[str]) -> np.ndarray:
    """Which sites (m,) a solve that channels by name are made from puts first, bool."""
    ranks = dict(zip(SOLVES, (found.elastic_rank, found.coarse_rank), strict=True))
    first = np.zeros(len(found.place), bool)
    for each in solves_of(names):
        first |= ranks[each] == 1
    return first


def _ranks(field: np.ndarray, solid: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Rank of the best maximum of a field near each place (m, 3), 0 where there is none."""
    rank = peaks.local_maxima(np.where(solid, field, 0.0), solid).rank
    found = np.zeros(len(place), int)
    for k, middle in enumerate(place):
        box = rank[box_about(middle)]
        found[k] = box[box > 0].min(initial=np.iinfo(int).max)
    return np.where(found == np.iinfo(int).max, 0, found)


def assess(found: Physics, locator: Locator) -> Assessment:
    """The sites of a part, ranked by probability."""
    likeliest, likely = sites_of(found, locator.regression, locator.committee)
    probability = locator.choice.probability(likeliest.features)
    return Assessment(
        found,
        likeliest,
        ranking(probability, locator.level),
        likely,
        measured(
            found.pores,
            found.outside,
            found.fields.get("elastic/largest_von_mises"),
            locator.voxel,
        ),
    )
