"""Locators beside each other, on the same specimens: how often right, how sure, how dear.

    python tests/bench/locators.py pores=pores.csv elastic=elastic.csv coarse=coarse.csv \\
        > docs/results/data/locators.csv

NAME=SCORES: a shipped locator and the scores that `calibrate` wrote with it. Gains are over the
locator before, on the same specimens. Seconds are of a specimen of config/paper.yaml, from its
pores to its ranked sites, one core, the median of REPEATS.
"""

import argparse
import sys
import time

import numpy as np
import pandas as pd

from porefail import configuration
from porefail.metrics.intervals import bootstrap, wilson
from porefail.metrics.uncertainty import probability_bins
from porefail.microstructure.karhunen_loeve import expansion, realize
from porefail.verdict.assessment import assess, physics, solves_of
from porefail.verdict.locator import Locator, read_locator

BINS, REPEATS, DRAWS = 10, 9, 1000


def specimens(count: int) -> list[np.ndarray]:
    """Pores (nx, ny, nz) bool of specimens of the paper's size."""
    config = configuration.resolve([configuration.CONFIG / "paper.yaml"])
    settings = config["porosity"]
    names = ("correlation_length", "exponent", "energy")
    expanded = expansion(
        settings["shape"], settings["spacing"], *(settings[name] for name in names)
    )
    mean, seed = settings["mean_porosity"], config["seed"]
    return [realize(expanded, mean, seed, number) == 1 for number in range(count)]


def seconds(locator: Locator, parts: list[np.ndarray]) -> float:
    """Median of a verdict's seconds; the first part is for what is compiled and read once."""
    taken = []
    for pores in parts:
        start = time.perf_counter()
        found = physics(
            pores,
            np.zeros_like(pores),
            locator.voxel,
            locator.simulation,
            locator.presolve,
            lambda text: None,
            solves_of(locator.channels),
        )
        assess(found, locator)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken[1:]))


def by_chance(probability: np.ndarray) -> tuple[float, float, float]:
    """Mean and 95 % of the calibration error if all probabilities (n,) were right."""
    random = np.random.default_rng(0)
    errors = [
        probability_bins(probability, random.random(probability.size) < probability, BINS).error
        for _ in range(DRAWS)
    ]
    return float(np.mean(errors)), *np.quantile(errors, (0.025, 0.975))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scores", nargs="+", metavar="NAME=SCORES")
    parser.add_argument("--from-realization", type=int, default=0, help="leave out those before")
    options = parser.parse_args()
    parts = specimens(1 + REPEATS)
    rows, before = [], None
    for each in options.scores:
        name, _, path = each.partition("=")
        table = pd.read_csv(path).set_index("realization").sort_index()
        table = table.loc[options.from_realization :]
        if before is not None and not table.index.equals(before.index):
            sys.exit(f"locators: error: {path}: has other realizations than the table before")
        count, probability = len(table), table["probability"].to_numpy()
        row = {"locator": name, "specimens": count}
        for rate in ("top_1", "top_3", "in_set"):
            low, high = wilson(table[rate].sum(), count)
            row |= {rate: table[rate].mean(), f"{rate}_low": low, f"{rate}_high": high}
        row |= {"set_size": table["set_size"].mean(), "said": probability.mean()}
        row["error"] = probability_bins(probability, table["top_1"].to_numpy(), BINS).error
        chance = by_chance(probability)
        row |= dict(zip(("chance", "chance_low", "chance_high"), chance, strict=True))
        others = {"over_elastic": table["elastic_top_1"], "over_coarse": table["coarse_top_1"]}
        if before is not None:
            others["over_before"] = before["top_1"]
        for words, other in others.items():
            gain = (table["top_1"] - other).to_numpy(float)
            low, high = bootstrap(gain)
            row |= {words: gain.mean(), f"{words}_low": low, f"{words}_high": high}
        row["seconds"] = seconds(read_locator(name), parts)
        rows.append(row)
        before = table
    pd.DataFrame(rows).to_csv(sys.stdout, index=False, float_format="%.3f")


if __name__ == "__main__":
    main()
