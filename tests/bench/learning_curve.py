"""What a locator finds of the same specimens, by how many it has learnt from.

    python tests/bench/learning_curve.py results/locators/ensemble.h5 --sizes 75 150 300 \\
        > docs/results/data/learning_curve.csv

ENSEMBLE: of `make locators`, or its first 750 realizations, as on the page. Regression and networks
of each locator that ships are learnt anew from so many of its training specimens, fewer than it has
learnt from, with its settings; the last row of each is that which ships. All are judged on the test
part, by the likeliest site, as simulated, without scans and blocks.
"""

import argparse
import sys

import numpy as np
import pandas as pd
from unseen import difference

from porefail import configuration, store
from porefail.configuration.codes import Part
from porefail.configuration.locators import LOCATORS
from porefail.configuration.variants import TAKEN
from porefail.dataset.split import split
from porefail.study.hits import gain, rate
from porefail.verdict.calibration import learn
from porefail.verdict.cases import case, read_known, stored_physics
from porefail.verdict.locator import read_locator

VARIANTS = dict(zip(LOCATORS, ("sites-pores", "sites-points", "sites-coarse"), strict=True))
RANKS = (1, 3)
SHIPPED = 747  # training specimens of the locators that ship
PENALTIES = [1e-4, 1e-3, 1e-2]  # of the locators that ship


def settings_of(name: str) -> dict:
    """What a shipped locator was learnt with, see `make locators`."""
    whole = configuration.resolve([])
    variant = whole["study"]["models"][VARIANTS[name]]
    network = {key: variant[key] for key in TAKEN["site_network"] if key != "channels"}
    return {
        "seed": whole["seed"],
        "channels": variant["channels"],
        "penalties": PENALTIES,
        "network": network,
    }


def hits(tested: dict, regression, committee) -> dict[int, pd.Series]:
    """Whether each test specimen failed at one of its likeliest sites, 1 or 0, by RANKS."""
    found = []
    for row in range(len(tested["realization"])):
        known = {name: each[row] for name, each in tested.items()}
        each = case(known, stored_physics(known), regression, committee)
        order = np.argsort(-each.sites.features[:, 0], kind="stable")
        found.append([each.failed[order[:rank]].any() for rank in RANKS])
    return dict(zip(RANKS, map(pd.Series, np.array(found, int).T), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ensemble")
    parser.add_argument("--sizes", type=int, nargs="+", default=[75, 150, 300])
    parser.add_argument("--locators", nargs="+", choices=LOCATORS, default=LOCATORS)
    parser.add_argument("--split", type=int, nargs=3, default=(5, 2, 3))
    options = parser.parse_args()
    numbers, source = store.read(options.ensemble, ["realization"], kind="ensemble")
    table = []
    for name in options.locators:
        locator, settings = read_locator(name), settings_of(name)
        different = difference(source, locator)
        if different:
            where, theirs = different[:2]
            sys.exit(f"{options.ensemble}: its {where} is {theirs}, not that of {name}")
        part = split(numbers["realization"], options.split, settings["seed"])
        train, validation, tested = (
            read_known(options.ensemble, part == each, settings["channels"]) for each in Part
        )
        learnt = {SHIPPED: (locator.regression, locator.committee)}
        most = min(len(train["realization"]), SHIPPED - 1)
        if max(options.sizes) > most:
            sys.exit(f"{options.ensemble}: {most} specimens to learn from, fewer than --sizes asks")
        for size in options.sizes:
            few = {key: each[:size] for key, each in train.items()}

            def progress(text: str, words: str = f"{name}, {size} specimens") -> None:
                print(f"{words}: {text}", file=sys.stderr, flush=True)

            learnt[size] = learn(few, validation, settings, None, progress)
        judged = {size: hits(tested, *learnt[size]) for size in sorted(learnt)}
        best = judged[SHIPPED]
        for size, found in judged.items():
            row = {"model": name, "learnt_from": size, "specimens": len(tested["realization"])}
            for rank in RANKS:
                row |= rate(found[rank], f"top_{rank}")
            alone = hits(tested, learnt[size][0], ())
            row |= rate(alone[1], "regression_top_1")
            if size != SHIPPED:
                row |= gain(best[1], found[1], "most_over")
            table.append(row)
    pd.DataFrame(table).to_csv(sys.stdout, index=False, float_format="%.3f")


if __name__ == "__main__":
    main()
