"""How often the site is found in scans, against their resolution, noise and threshold.

    python tests/bench/scan_skill.py ENSEMBLE [--specimens 30] > docs/results/data/scan_skill.csv

Specimens of the test part of an ensemble with presolved fields are scanned by phantoms and judged
with the shipped locator (or --locator), whose learning must not have seen them: the same split, and
no more of them than come before the realizations that calibrate it.
"""

import argparse
import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd

from porefail import store
from porefail.dataset.split import Part, split
from porefail.ranking.choice import ranking
from porefail.scans.phantom import Scanner
from porefail.verdict.cases import case, read_known, scanned_physics, scored
from porefail.verdict.locator import read_locator

RESOLUTIONS = (0.010, 0.0125, 0.017, 0.025, 0.035, 0.05)  # mm
NOISES = (0.0, 0.05, 0.1, 0.2, 0.3)  # over the contrast, at USUAL
THRESHOLDS = (-0.2, -0.1, 0.1, 0.2)  # moved towards the metal, of the contrast, at USUAL
USUAL = Scanner(voxel=0.0125)


def trials() -> Iterator[tuple[str, Scanner, float]]:
    """What is varied, the scanner, by how much the threshold is moved."""
    for voxel in RESOLUTIONS:
        yield "resolution", USUAL._replace(voxel=voxel), 0.0
    for noise in NOISES:
        yield "noise", USUAL._replace(noise=noise), 0.0
    for moved in THRESHOLDS:
        yield "threshold", USUAL, moved


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ensemble")
    parser.add_argument("--specimens", type=int, default=30)
    parser.add_argument("--split", type=int, nargs=3, default=(5, 2, 3))
    parser.add_argument("--seed", type=int, default=2022)
    parser.add_argument("--locator", default="coarse")
    options = parser.parse_args()
    locator = read_locator(options.locator)
    numbers, source = store.read(options.ensemble, ["realization"], kind="ensemble")
    test = split(numbers["realization"], options.split, options.seed) == Part.TEST
    test[np.flatnonzero(test)[options.specimens :]] = False
    rows = read_known(options.ensemble, test, locator.channels)
    spacing, physics = source["spacing"], (locator.simulation, locator.presolve)
    table = []
    for varied, scanner, moved in trials():
        print(f"{varied}: {scanner}, threshold {moved:+.0%}", file=sys.stderr, flush=True)
        scores = []
        for row in range(len(rows["realization"])):
            known = {name: each[row] for name, each in rows.items()}
            seen = scanned_physics(known, spacing, scanner, *physics, moved)
            each = case(known, seen, locator.regression, locator.committee)
            probability = locator.choice.probability(each.sites.features)
            scores.append(scored(each, ranking(probability, locator.level)))
        found = pd.DataFrame(scores)
        table.append(
            {
                "varied": varied,
                "voxel_um": scanner.voxel * 1e3,
                "noise": scanner.noise,
                "threshold": moved,
                "specimens": len(found),
                **{name: int(found[name].sum()) for name in ("top_1", "top_3", "in_set")},
                "set_size": found["set_size"].mean(),
            }
        )
    pd.DataFrame(table).to_csv(sys.stdout, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
