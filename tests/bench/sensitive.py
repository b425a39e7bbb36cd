"""Locators on specimens that one moved voxel makes fail elsewhere, and on those that it does not.

    python tests/bench/sensitive.py --ensemble ensemble.h5 --copies perturbed/*/simulation/*.h5 \\
        --sites pores=pores/sites.csv coarse=coarse/sites.csv > docs/results/data/sensitive.csv

--copies: simulated perturbations of held-out realizations of the ensemble (rule `perturb`). A
specimen is sensitive if one of them failed elsewhere than it did. --sites: NAME=SITES, as `rank
--model NAME` or `calibrate --sites` wrote them.
"""

import argparse
import sys
from collections import defaultdict

import numpy as np
import pandas as pd
from locators import by_chance

from porefail import store
from porefail.metrics.uncertainty import probability_bins
from porefail.ranking.locus import locus
from porefail.store import Status
from porefail.study.hits import rate

BINS = 5  # groups are small
NEAR = 1  # voxels, as evaluation.near_voxels


def sensitive(ensemble: str, copies: list[str]) -> pd.Series:
    """Whether a copy of a realization failed elsewhere, by its number.

    As many copies of each count as there are of the one with the fewest: the more, the likelier.
    """
    made = defaultdict(list)
    for shard in copies:
        rows, attributes = store.read(shard, ["realization", "status", "failed"])
        made[int(attributes["porosity"]["perturbed"])].append(rows)
    count = min(sum(len(rows["status"]) for rows in shards) for shards in made.values())
    failures = {}
    for realization, shards in made.items():
        number, status, failed = (
            np.concatenate([rows[name] for rows in shards])
            for name in ("realization", "status", "failed")
        )
        good = (status == Status.FIRST_FAILURE) & (number < count)
        failures[realization] = failed[good] == 1
    number = store.read(ensemble, ["realization"])[0]["realization"]
    known, source = store.read_where(ensemble, ["failed"], np.isin(number, list(failures)))
    found = {}
    for realization, failed in zip(
        number[np.isin(number, list(failures))].tolist(), known["failed"] == 1, strict=True
    ):
        copy = locus(failures[realization], failed, NEAR, source["spacing"])
        found[realization] = bool(copy.moved.any())
    return pd.Series(found, name="sensitive")


def row(sites: pd.DataFrame) -> dict[str, float]:
    """Skill of the ranked sites of some specimens."""
    first = sites[sites["rank"] == 1].set_index("realization")
    three = sites[sites["rank"] <= 3].groupby("realization")["failed"].max()
    inside = sites[sites["in_set"] == 1]
    held = inside.groupby("realization")["failed"].max()
    probability = first["probability"].to_numpy()
    found: dict[str, float] = {"specimens": len(first)}
    found |= rate(first["failed"], "top_1") | rate(three, "top_3") | rate(held, "in_set")
    found |= {"set_size": len(inside) / len(first), "said": probability.mean()}
    found["error"] = probability_bins(probability, first["failed"].to_numpy(), BINS).error
    return found | dict(
        zip(("chance", "chance_low", "chance_high"), by_chance(probability, BINS), strict=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ensemble", required=True)
    parser.add_argument("--copies", nargs="+", required=True)
    parser.add_argument("--sites", nargs="+", required=True, metavar="NAME=SITES")
    options = parser.parse_args()
    moved = sensitive(options.ensemble, options.copies)
    rows = []
    for name, _, path in (each.partition("=") for each in options.sites):
        sites = pd.read_csv(path)
        lacking = sorted(set(moved.index) - set(sites["realization"]))
        if lacking:
            sys.exit(f"sensitive: error: {path}: lacks realization {lacking[0]}")
        for group, words in ((False, "no"), (True, "yes")):
            mine = sites[sites["realization"].isin(moved.index[moved == group])]
            if len(mine):
                rows.append({"model": name, "sensitive": words} | row(mine))
    pd.DataFrame(rows).to_csv(sys.stdout, index=False, float_format="%.3f")


if __name__ == "__main__":
    main()
