"""Shipped locators on specimens that nothing of them was made or chosen with, seen in scans.

    python tests/bench/unseen.py data/failures.h5 --first 2275 --output unseen [--processes 2]

FAILURES: what `failures` wrote, of specimens of the locators' size and physics; those from
realization --first on are judged. Of each locator NAME the folder gets NAME.csv, scores as
`calibrate --scores` writes them, and NAME_sets.csv, sets as of `calibrate --sets`, whose levels
are of the other half of the specimens: both halves are calibrated and judged.
"""

import argparse
import sys
from collections.abc import Mapping
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from porefail import store
from porefail.configuration.locators import LOCATORS
from porefail.metrics import conformal
from porefail.ranking.choice import ranking
from porefail.scans.phantom import Scanner
from porefail.store import Status
from porefail.verdict.assessment import Physics
from porefail.verdict.calibration import COVERAGES
from porefail.verdict.cases import blocks_of, case, first_block, raced, scanned_physics, scored
from porefail.verdict.locator import SKILL, Locator, read_locator
from porefail.verdict.pulled import features_with
from porefail.verdict.skill import set_rows

KNOWN = ("realization", "porosity", "failed", "status", "first_failure_strain")


class Judged(NamedTuple):
    """Scores of a specimen; without blocks and with them the probabilities of its sites, and which
    of these failed."""

    scores: dict
    alone: tuple[np.ndarray, np.ndarray]
    pulled: tuple[np.ndarray, np.ndarray]


def judge(known: Mapping[str, np.ndarray], physics: Physics | None, locator: Locator) -> Judged:
    """What a locator says of a specimen, and whether it is right."""
    each = case(known, physics, locator.regression, locator.committee)
    blocks = locator.blocks
    given = locator.channels, blocks.most, locator.voxel, locator.simulation
    pulled = blocks_of(each, *given)
    alone = locator.choice.probability(each.sites.features)
    scores = scored(each, ranking(alone, locator.level)) | first_block(each, pulled)
    among = raced(each, pulled)
    anew = blocks.choice.probability(features_with(among.sites, pulled))
    with_blocks = scored(among, ranking(anew, blocks.level))
    scores |= {f"pulled_{name}": with_blocks[name] for name in (*SKILL[1:], "probability")}
    return Judged(scores, (alone, each.failed), (anew, among.failed))


def specimen(known: Mapping[str, np.ndarray]) -> dict[str, Judged]:
    """Of a specimen what each shipped locator says; all see the same scan."""
    locators = {name: read_locator(name) for name in LOCATORS}
    first = next(iter(locators.values()))
    scanner = Scanner(voxel=first.scanned[0], noise=first.scanned[1])
    given = first.voxel, scanner, first.simulation, first.presolve
    physics = scanned_physics(known, *given)
    return {name: judge(known, physics, locator) for name, locator in locators.items()}


def sets(judged: list[tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """Sets of COVERAGES, with levels of every other specimen for the others.

    judged: probabilities of a specimen's sites, and which of these failed.
    """
    known = [conformal.score(*each) for each in judged]
    halves = [[conformal.level(known[half::2], each) for half in (1, 0)] for each in COVERAGES]
    levels = {
        each: np.resize(half, len(known)) for each, half in zip(COVERAGES, halves, strict=True)
    }
    return set_rows(levels, *zip(*judged, strict=True))


def difference(source: Mapping, locator: Locator) -> tuple[str, str, str] | None:
    """Where attributes of a file of specimens are not a locator's; see store.difference()."""
    made = {each: getattr(locator, each) for each in ("model_version", "simulation")}
    return store.difference(source, made | {"spacing": locator.voxel})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("failures")
    parser.add_argument("--first", type=int, required=True, help="realization")
    parser.add_argument("--output", type=Path, required=True, help="folder")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    rows, source = store.read(options.failures, KNOWN, kind="ensemble")
    wanted = (rows["realization"] >= options.first) & (rows["status"] == Status.FIRST_FAILURE)
    if not wanted.any():
        sys.exit(f"unseen: error: {options.failures}: no specimen from {options.first} on failed")
    locators = {name: read_locator(name) for name in LOCATORS}
    for name, locator in locators.items():
        different = difference(source, locator)
        if different:
            sys.exit(f"unseen: error: {options.failures}: {different[0]} is not that of {name}")
    specimens = [{name: rows[name][n] for name in KNOWN} for n in np.flatnonzero(wanted)]
    found: list[dict[str, Judged]] = []
    with Pool(options.processes) as pool:
        for each in pool.imap(specimen, specimens):
            found.append(each)
            if len(found) % 20 == 0:
                print(f"unseen: {len(found)} of {len(specimens)}", file=sys.stderr, flush=True)
    options.output.mkdir(parents=True, exist_ok=True)
    for name, locator in locators.items():
        mine = [each[name] for each in found]
        scores = pd.DataFrame([each.scores for each in mine])
        scores.to_csv(options.output / f"{name}.csv", index=False, float_format="%.9g")
        tables = [
            sets([each.alone for each in mine]).assign(blocks=0),
            sets([each.pulled for each in mine]).assign(blocks=locator.blocks.most),
        ]
        joined = pd.concat(tables, ignore_index=True)
        joined.to_csv(options.output / f"{name}_sets.csv", index=False, float_format="%.9g")


if __name__ == "__main__":
    main()
