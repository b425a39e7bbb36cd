"""Sites ranked anew by blocks around the likeliest of them, pulled alone: who wins the race.

Which of a few sites fails first is decided by how stresses move as points saturate, which only a
simulation knows; that of a block knows it of its site. What a block says, and what was thought
before, are weighed by a choice of their own, see calibration.py.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from porefail.fe import submodels, tension
from porefail.fe.material import named_material
from porefail.fe.submodels import Submodels
from porefail.learning.candidates import box_about
from porefail.ranking.choice import Ranking, ranking
from porefail.verdict.assessment import Physics, Sites, first_of_solves, solve_ranks
from porefail.verdict.locator import BlockChoice
from porefail.verdict.words import FITS
from porefail.voxels.neighbours import connected

LEAST = 0.02  # of the likelihood, of a site that is worth a block: one with less seldom fails
# Strain, over that at which the first block fails, to which the others are pulled.
BEYOND = submodels.CLOSE


def pull(
    porosity: np.ndarray,
    sites: Sites,
    channels: Sequence[str],
    most: int,
    spacing: float,
    simulation: Mapping,
) -> Submodels:
    """Blocks of a specimen (nx, ny, nz) around its likeliest sites: `most` of them, and some of
    these again; fewer where others have less than LEAST of the likelihood; the first always, and
    after them those of the sites that a solve which channels by name are made from puts first: it
    may know better.

    By likelihoods, not by probabilities: those know the failures that they were calibrated with.
    """
    order = np.argsort(-sites.features[:, 0], kind="stable")
    worth = (_worth_a_block(sites) | first_of_solves(sites, channels))[order]
    return submodels.submodels(
        np.ascontiguousarray(porosity, np.uint8),
        sites.place[order[worth]],
        spacing,
        named_material(simulation["material"]),
        tension.load_settings(simulation),
        BEYOND,
        most,
    )


def _worth_a_block(sites: Sites) -> np.ndarray:
    """Which sites (m,) have LEAST of the likelihood, or are the likeliest; bool."""
    share = sites.features[:, 0]
    return share >= min(np.log(LEAST), share.max(initial=-np.inf))


def even_section(outside: np.ndarray) -> bool:
    """Whether the cross-section of a part (nx, ny, nz) is the same all along it, as nearly as FITS.

    Where it is not, strains of blocks tell no race: what is thinner strains more at the same force.
    """
    area = (~outside).sum(axis=(0, 1))
    return bool(area.min() >= (1 - FITS) * area.max())


def strain_near(found: Submodels, place: np.ndarray) -> np.ndarray:
    """Least strain at which a block failed near each place (m, 3); NaN where none did."""
    boxes = (found.strain[box_about(each)] for each in place)
    near = np.array([np.nanmin(each, initial=np.inf) for each in boxes], float)
    return np.where(np.isfinite(near), near, np.nan)


def lateness(found: Submodels, place: np.ndarray) -> np.ndarray:
    """How much later than the first one each of the sites (m, 3) fails: logarithm of the strain
    over the first one's.

    That of BEYOND at most, which sites have too near which no block failed. 0 for all where there
    is no fair race: one block without a solution, or none that failed.
    """
    strain = strain_near(found, place)
    first = np.nanmin(found.strain, initial=np.inf)
    if found.lost or not np.isfinite(first):
        return np.zeros(len(place))
    return np.log(np.fmin(strain / first, BEYOND))  # of NaN and a number the number


def with_found(sites: Sites, found: Submodels, physics: Physics) -> Sites:
    """The sites, and where a block failed first at none of them, each such place another site.

    As likely before as the nearest with LEAST of the likelihood (or the likeliest). None where a
    block was lost: there is no race, see lateness().
    """
    labels, count = connected(np.isfinite(found.strain))
    if found.lost or not count:
        return sites
    number = range(1, count + 1)
    first = np.append(np.inf, ndimage.minimum(found.strain, labels, number))
    first_there = found.strain <= first[labels]
    known = {
        label for box in map(box_about, sites.place) for label in labels[box][first_there[box]].flat
    }
    new = [each for each in number if each not in known]
    if not new:
        return sites
    place = np.array(ndimage.minimum_position(found.strain, labels, new))
    worth = np.flatnonzero(_worth_a_block(sites))
    nearest = worth[cKDTree(sites.place[worth]).query(place)[1]]
    added = Sites(place, sites.features[nearest], *solve_ranks(physics, place))
    return Sites(*(np.concatenate(each) for each in zip(sites, added, strict=True)))


def features_with(sites: Sites, found: Submodels | None) -> np.ndarray:
    """Features (m, f) of sites, and their lateness; found: None where nothing is seen."""
    late = np.zeros(len(sites.place)) if found is None else lateness(found, sites.place)
    return np.column_stack([sites.features, late])


def ranked_anew(blocks: BlockChoice, sites: Sites, found: Submodels) -> Ranking:
    """The sites by what blocks around them say."""
    return ranking(blocks.choice.probability(features_with(sites, found)), blocks.level)
