"""Locators beside each other, on the same specimens: how often right, how sure, how dear.

    python tests/bench/locators.py pores=pores.csv elastic=elastic.csv coarse=coarse.csv \\
        > docs/results/data/locators.csv

LOCATOR=SCORES: a shipped locator or a file, and the scores that `calibrate` wrote with it; where it
was calibrated with blocks, these have a row of their own. Gains are over the locator before, and of
blocks over none, on the same specimens. Seconds are of a specimen of config/paper.yaml,
from its pores to its ranked sites, one core, medians (of blocks the mean); those of a simulation
are of few. With --untimed there are none.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from paper import specimens

from porefail.fe.material import named_material
from porefail.fe.tension import load_settings, simulate
from porefail.metrics.uncertainty import probability_bins
from porefail.study.hits import gain, rate
from porefail.verdict.assessment import COARSE, ELASTIC, SOLVES, Physics, assess, solves_of
from porefail.verdict.locator import Locator, read_locator
from porefail.verdict.physics import solve
from porefail.verdict.pulled import pull

BINS, DRAWS = 10, 1000
REPEATS, SIMULATED = 20, 3  # specimens whose seconds are measured


def seconds_of(
    go: Callable[[np.ndarray], object],
    parts: list[np.ndarray],
    middle: Callable[[list[float]], float] = np.median,
) -> float:
    """Of a call for each part; the first one is for what is compiled and read once."""
    taken = []
    for pores in parts:
        start = time.perf_counter()
        go(pores)
        taken.append(time.perf_counter() - start)
    return float(middle(taken[1:]))


def seconds(locator: Locator, parts: list[np.ndarray]) -> dict[str, float]:
    """Of a specimen: of a verdict, of each solve, of its whole simulation."""

    def solved(solves: Sequence[str]) -> Callable[[np.ndarray], Physics]:
        given = locator.voxel, locator.simulation, locator.presolve, lambda text: None, solves
        return lambda pores: solve(pores, np.zeros_like(pores), *given)

    needed = solved(solves_of(locator.channels))
    found = {each: seconds_of(solved([each]), parts) for each in SOLVES}
    return found | {"verdict": seconds_of(lambda pores: assess(needed(pores), locator), parts)}


def block_seconds(locator: Locator, parts: list[np.ndarray]) -> float:
    """Of the blocks of a specimen."""
    solves = solves_of(locator.channels)
    given = locator.voxel, locator.simulation, locator.presolve, lambda text: None, solves
    ranked = {}
    for pores in parts:
        found = assess(solve(pores, np.zeros_like(pores), *given), locator)
        ranked[id(pores)] = found.sites
    most = locator.channels, locator.blocks.most, locator.voxel, locator.simulation
    # Some specimens want one block, some four: a mean.
    return seconds_of(lambda pores: pull(pores, ranked[id(pores)], *most), parts, np.mean)


def simulation_seconds(locator: Locator, parts: list[np.ndarray]) -> float:
    material = named_material(locator.simulation["material"])
    settings = load_settings(locator.simulation)
    return seconds_of(
        lambda pores: simulate(pores.astype(np.uint8), locator.voxel, material, settings), parts
    )


def by_chance(probability: np.ndarray, bins: int) -> tuple[float, float, float]:
    """Mean and 95 % of the calibration error if all probabilities (n,) were right."""
    random = np.random.default_rng(0)
    errors = [
        probability_bins(probability, random.random(probability.size) < probability, bins).error
        for _ in range(DRAWS)
    ]
    return float(np.mean(errors)), *np.quantile(errors, (0.025, 0.975))


def how_sure(probability: np.ndarray, hit: np.ndarray, bins: int) -> dict[str, float]:
    """What is said (n,) on average, how far it is from what is hit, and would be by chance."""
    error = probability_bins(probability, hit, bins).error
    chance = dict(
        zip(("chance", "chance_low", "chance_high"), by_chance(probability, bins), strict=True)
    )
    return {"said": float(probability.mean()), "error": error} | chance


def pulled(table: pd.DataFrame) -> pd.DataFrame:
    """Scores of sites that blocks ranked anew, by the names of those without."""
    return table.filter(like="pulled_").rename(columns=lambda name: name[len("pulled_") :])


def judged(table: pd.DataFrame, bins: int = BINS) -> dict[str, float]:
    """How often right, how large sets are, how sure, of the scores of specimens."""
    row = rates(table, {key: key for key in ("top_1", "top_3", "in_set")})
    row |= {"set_size": table["set_size"].mean()}
    return row | how_sure(table["probability"].to_numpy(), table["top_1"].to_numpy(), bins)


def rates(table: pd.DataFrame, names: Mapping[str, str]) -> dict[str, float]:
    """Shares of specimens with their 95 % intervals; names: of the columns, and theirs."""
    row: dict[str, float] = {"specimens": len(table)}
    for name, column in names.items():
        row |= rate(table[column], name)
    return row


def read(argument: str, first: int) -> tuple[str, pd.DataFrame]:
    """Locator and scores by realization, from the first one on, of an argument."""
    name, _, path = argument.partition("=")
    return name, pd.read_csv(path).set_index("realization").sort_index().loc[first:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scores", nargs="+", metavar="LOCATOR=SCORES")
    parser.add_argument("--from-realization", type=int, default=0, help="leave out those before")
    parser.add_argument("--untimed", action="store_true", help="measure no seconds")
    options = parser.parse_args()
    parts = []
    if not options.untimed:
        parts = [pores == 1 for pores in specimens(1 + REPEATS)[0]]
    tables = dict(read(each, options.from_realization) for each in options.scores)
    for name, table in tables.items():
        if not table.index.equals(next(iter(tables.values())).index):
            sys.exit(f"locators: error: {name}: has other realizations than the first table")
    # A solve is right where one of the locators has its first site among those that it ranks.
    firsts = {
        name: np.max([table[name] for table in tables.values()], axis=0)
        for name in ("elastic_top_1", "coarse_top_1")
    }
    tables = {name: table.assign(**firsts) for name, table in tables.items()}
    rows: list[dict] = []
    before = None
    for name, table in tables.items():
        locator = read_locator(name)
        cost = dict.fromkeys([*SOLVES, "verdict"], np.nan)
        if not options.untimed:
            cost = seconds(locator, parts)
        if before is None:
            for model, column, solved in (
                ("elastic stress", "elastic_top_1", ELASTIC),
                ("coarse step", "coarse_top_1", COARSE),
            ):
                rows.append(
                    {"model": model} | rates(table, {"top_1": column}) | {"seconds": cost[solved]}
                )
        row = {"model": Path(name).stem} | judged(table)
        row |= gain(table["top_1"], table["elastic_top_1"], "over_elastic")
        row |= gain(table["top_1"], table["coarse_top_1"], "over_coarse")
        if before is not None:
            row |= gain(table["top_1"], before["top_1"], "over_before")
        rows.append(row | {"seconds": cost["verdict"]})
        before = table
        if locator.blocks is None:
            continue
        anew = pulled(table)
        row = {"model": f"{Path(name).stem} with blocks"} | judged(anew)
        row |= gain(anew["top_1"], table["elastic_top_1"], "over_elastic")
        row |= gain(anew["top_1"], table["coarse_top_1"], "over_coarse")
        row |= gain(anew["top_1"], table["top_1"], "over_before")
        pulling = np.nan if options.untimed else block_seconds(locator, parts)
        rows.append(row | {"seconds": cost["verdict"] + pulling})
    if not options.untimed:
        whole = {f"top_{rank}{end}": 1.0 for rank in (1, 3) for end in ("", "_low", "_high")}
        whole["seconds"] = simulation_seconds(locator, parts[: 1 + SIMULATED])
        rows.append({"model": "simulation"} | whole)
    found = pd.DataFrame(rows)
    found["specimens"] = found["specimens"].astype("Int64")
    found.to_csv(sys.stdout, index=False, float_format="%.3f")


if __name__ == "__main__":
    main()
