"""What specimens to simulate next: skill of a regression of the site against how many it knows.

All specimens were simulated already; those that a regression has not "simulated" yet are a pool of
which only pores and elastic fields are known. Two ways to draw from it: at random, and those whose
two likeliest sites are closest to each other (margin sampling, Scheffer et al. 2001).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from porefail.baselines import site_regression
from porefail.baselines.site_regression import SiteRegression
from porefail.errors import PorefailError
from porefail.learning.candidates import box_about
from porefail.metrics import peaks
from porefail.metrics.intervals import crossed_bootstrap

RANDOM, UNSURE = "random", "least sure"
RANKS = (1, 3)
SCORES = (*(f"top_{k}" for k in RANKS), "log_likelihood")  # the last of the true site


class Known(NamedTuple):
    """Of n specimens: names of the fields; rows, sites: features, and which voxels are the site, of
    the solid voxels; porosity, failed (bool): (n, nx, ny, nz)."""

    names: tuple[str, ...]
    rows: list[np.ndarray]
    sites: list[np.ndarray]
    porosity: np.ndarray
    failed: np.ndarray


def known(channels: Mapping[str, np.ndarray], porosity: np.ndarray, failed: np.ndarray) -> Known:
    """What the regression takes of specimens (n, nx, ny, nz); failed: bool, solid where true."""
    return Known(
        tuple(channels),
        site_regression.feature_rows(channels, porosity),
        site_regression.site_rows(failed, porosity),
        porosity,
        failed,
    )


def skill_curves(
    pool: Known,
    test: Known,
    sizes: Sequence[int],
    repeats: int,
    penalty: float,
    near: int,
    seed: int,
    progress: Callable[[str], None] = print,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Skill on test specimens against how many of the pool were simulated, a row a way and size.

    sizes: rising, the whole pool is added; repeats: each begins with other random specimens, the
    same for both ways; penalty: of the regression; near: voxels from a site to a failed voxel.
    Columns: choice; specimens; SCORES, means over repeats; of each, an interval over repeats and
    test specimens, and gain, the mean difference from random choice of as many, with its interval.
    Returns also the gains of choosing over all sizes that leave a choice, with their intervals.
    Raises PorefailError where no size does.
    """
    count = len(pool.rows)
    steps = [*(size for size in sizes if size < count), count]
    if len(steps) < 3:
        raise PorefailError(
            f"campaign.sizes has {len(steps) - 1} below the {count} specimens to choose from,"
            " expected two or more"
        )
    whole = _scored(_fitted(pool, np.arange(count), penalty), test, near)
    found: dict[tuple[str, int], list[np.ndarray]] = {}
    for repeat in range(repeats):
        order = np.random.default_rng([seed, repeat]).permutation(count)
        for way in (RANDOM, UNSURE):
            chosen = order[: steps[0]]
            for size, further in zip(steps[:-1], steps[1:], strict=True):
                model = _fitted(pool, chosen, penalty)
                found.setdefault((way, size), []).append(_scored(model, test, near))
                left = order[~np.isin(order, chosen)]
                if way == UNSURE and further < count:
                    margins = [margin(model, pool.rows[n], pool.porosity[n], near) for n in left]
                    left = left[np.argsort(margins, kind="stable")]
                chosen = np.concatenate([chosen, left[: further - size]])
            found.setdefault((way, count), []).append(whole)
            progress(f"repeat {repeat + 1} of {repeats}, {way}: {count} specimens")
    values = {key: np.array(each) for key, each in found.items()}  # (repeats, n, SCORES)
    table = [
        {"choice": way, "specimens": size} | _summary(each, each - values[RANDOM, size])
        for (way, size), each in values.items()
    ]
    inner = [values[UNSURE, size] - values[RANDOM, size] for size in steps[1:-1]]
    return pd.DataFrame(table), _gains(np.mean(inner, axis=0))


def margin(model: SiteRegression, rows: np.ndarray, porosity: np.ndarray, near: int) -> float:
    """Logarithm of the likelihood of the likeliest site over that of the next one.

    That is the highest maximum which no voxel within `near` of the first is within `near` of;
    infinite where there is none. rows: (solid voxels, f); porosity: (nx, ny, nz).
    """
    maxima = peaks.local_maxima(*_field(model, rows, porosity))
    first = np.argwhere(maxima.rank == 1)[0]
    away = maxima.rank.copy()
    away[box_about(first, 2 * near)] = 0
    others = away[away > 1]
    return float(maxima.value[0] - maxima.value[others.min() - 1]) if others.size else np.inf


def _fitted(pool: Known, chosen: np.ndarray, penalty: float) -> SiteRegression:
    rows, sites = ([each[n] for n in chosen] for each in (pool.rows, pool.sites))
    # One penalty: nothing is chosen on what is held out, so one specimen does.
    return site_regression.fit_rows(pool.names, rows, sites, rows[:1], sites[:1], [penalty])


def _field(
    model: SiteRegression, rows: np.ndarray, porosity: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    solid = porosity == 0
    score = np.zeros(porosity.shape)
    score[solid] = site_regression.scores(model, rows)
    return score, solid


def _scored(model: SiteRegression, test: Known, near: int) -> np.ndarray:
    """SCORES of each test specimen, (n, 3)."""
    table = np.empty((len(test.rows), len(SCORES)))
    for n, (rows, sites) in enumerate(zip(test.rows, test.sites, strict=True)):
        score, solid = _field(model, rows, test.porosity[n])
        table[n, :-1] = peaks.top_hits(score, solid, test.failed[n], np.array(RANKS), near)
        table[n, -1] = -site_regression.surprise(score[solid], sites)
    return table


def _summary(values: np.ndarray, difference: np.ndarray) -> dict[str, float]:
    """Means of SCORES (repeats, n, 3) and of their difference from random choice."""
    row: dict[str, float] = {}
    for n, name in enumerate(SCORES):
        row |= _named(name, values[..., n])
    return row | _gains(difference)


def _gains(difference: np.ndarray) -> dict[str, float]:
    row: dict[str, float] = {}
    for n, name in enumerate(SCORES):
        row |= _named(f"{name}_gain", difference[..., n])
    return row


def _named(name: str, values: np.ndarray) -> dict[str, float]:
    ends = zip(("", "_low", "_high"), (values.mean(), *crossed_bootstrap(values)), strict=True)
    return {name + end: float(value) for end, value in ends}
