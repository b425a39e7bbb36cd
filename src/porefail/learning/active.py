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
from porefail.metrics import peaks
from porefail.metrics.intervals import bootstrap, wilson

RANDOM, UNSURE = "random", "least sure"
RANKS = (1, 3)


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
) -> pd.DataFrame:
    """Skill on test specimens against how many of the pool were simulated, a row a way and size.

    sizes: rising, the whole pool is added; repeats: each begins with other random specimens, the
    same for both ways; penalty: of the regression; near: voxels from a site to a failed voxel.
    Columns: choice; specimens; top_1, top_3, surprise (−log likelihood of the true site), means
    over repeats; of each, an interval over test specimens, and gain, the mean difference from
    random choice of as many, with its bootstrap interval. Raises PorefailError where the first size
    is not smaller than the pool.
    """
    count = len(pool.rows)
    steps = [*(size for size in sizes if size < count), count]
    if len(steps) < 2:
        raise PorefailError(
            f"campaign.sizes begins with {min(sizes)}, expected fewer than the {count} specimens to"
            " choose from"
        )
    found: dict[tuple[str, int], list[np.ndarray]] = {}
    for repeat in range(repeats):
        order = np.random.default_rng([seed, repeat]).permutation(count)
        for way in (RANDOM, UNSURE):
            chosen = order[: steps[0]]
            for size, further in zip(steps, [*steps[1:], None], strict=True):
                # All of the pool is the same pool, whatever was first.
                again = size == count and found.get((RANDOM, size))
                if again:
                    scored = again[0]
                else:
                    model = _fitted(pool, chosen, penalty)
                    scored = _scored(model, test, near)
                found.setdefault((way, size), []).append(scored)
                if further is not None:
                    left = order[~np.isin(order, chosen)]
                    if way == UNSURE:
                        margins = [margin(model, pool.rows[n], pool.porosity[n]) for n in left]
                        left = left[np.argsort(margins, kind="stable")]
                    chosen = np.concatenate([chosen, left[: further - size]])
            progress(f"repeat {repeat + 1} of {repeats}, {way}: {count} specimens")
    return pd.DataFrame(
        [
            {"choice": way, "specimens": size} | _summary(values, found[RANDOM, size])
            for (way, size), values in found.items()
        ]
    )


def margin(model: SiteRegression, rows: np.ndarray, porosity: np.ndarray) -> float:
    """Logarithm of the likelihood of the likeliest site over that of the second; infinite of one.

    rows: (solid voxels, f); porosity: (nx, ny, nz).
    """
    value = peaks.local_maxima(*_field(model, rows, porosity)).value
    return float(value[0] - value[1]) if len(value) > 1 else np.inf


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
    """Hits at RANKS and the surprise of each test specimen, (n, 3)."""
    table = np.empty((len(test.rows), len(RANKS) + 1))
    for n, (rows, sites) in enumerate(zip(test.rows, test.sites, strict=True)):
        score, solid = _field(model, rows, test.porosity[n])
        table[n, :-1] = peaks.top_hits(score, solid, test.failed[n], np.array(RANKS), near)
        table[n, -1] = site_regression.surprise(score[solid], sites)
    return table


def _summary(repeats: list[np.ndarray], random: list[np.ndarray]) -> dict[str, float]:
    values, bar = np.mean(repeats, axis=0), np.mean(random, axis=0)
    row: dict[str, float] = {}
    for n, name in enumerate([*(f"top_{k}" for k in RANKS), "surprise"]):
        each, difference = values[:, n], values[:, n] - bar[:, n]
        interval = bootstrap(each) if name == "surprise" else wilson(each.sum(), len(each))
        ends = zip(("", "_low", "_high"), (each.mean(), *interval), strict=True)
        row |= {name + end: float(value) for end, value in ends}
        ends = zip(("", "_low", "_high"), (difference.mean(), *bootstrap(difference)), strict=True)
        row |= {f"{name}_gain{end}": float(value) for end, value in ends}
    return row
