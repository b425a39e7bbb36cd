"""Locators on specimens that one moved voxel makes fail elsewhere, and on those that it does not.

    python tests/bench/sensitive.py --ensemble ensemble.h5 --copies perturbed/*/simulation/*.h5 \\
        --locators results/locators/{pores,elastic,coarse} > docs/results/data/sensitive.csv

--copies: simulated perturbations of held-out realizations of the ensemble (rule `perturb`). A
specimen is sensitive if one of them failed elsewhere than it did. --locators: NAME_sites.csv and
NAME_sets.csv, as `make locators` writes them. Sets are those of COVERAGE.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
from locators import by_chance

from porefail import store
from porefail.metrics.uncertainty import probability_bins
from porefail.ranking.locus import locus
from porefail.store import Status
from porefail.study.hits import rate

BINS, COVERAGE = 5, 0.97  # groups are small
NEAR = 1  # voxels, as evaluation.near_voxels


def sensitive(ensemble: str, copies: list[str]) -> pd.Series:
    """Whether a copy of a realization failed elsewhere, by its number."""
    failures = defaultdict(list)
    for shard in copies:
        rows, attributes = store.read(shard, ["status", "failed"])
        good = rows["status"] == Status.FIRST_FAILURE
        failures[int(attributes["porosity"]["perturbed"])].append(rows["failed"][good] == 1)
    number = store.read(ensemble, ["realization"])[0]["realization"]
    known, source = store.read_where(ensemble, ["failed"], np.isin(number, list(failures)))
    found = {}
    for realization, failed in zip(
        number[np.isin(number, list(failures))].tolist(), known["failed"] == 1, strict=True
    ):
        places = np.concatenate(failures[realization])
        found[realization] = bool(locus(places, failed, NEAR, source["spacing"]).moved.any())
    return pd.Series(found, name="sensitive")


def row(sites: pd.DataFrame, least: float) -> dict[str, float]:
    """Skill of the ranked sites of some specimens; least: probability of a site of a set."""
    first = sites[sites["rank"] == 1].set_index("realization")
    inside = sites[(sites["rank"] == 1) | (sites["probability"] >= least)]
    held = inside.groupby("realization")["failed"].max()
    probability = first["probability"].to_numpy()
    found: dict[str, float] = {"specimens": len(first)}
    found |= rate(first["failed"], "top_1") | rate(held, "in_set")
    found |= {"set_size": len(inside) / len(first), "said": probability.mean()}
    found["error"] = probability_bins(probability, first["failed"].to_numpy(), BINS).error
    return found | dict(
        zip(("chance", "chance_low", "chance_high"), by_chance(probability, BINS), strict=True)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ensemble", required=True)
    parser.add_argument("--copies", nargs="+", required=True)
    parser.add_argument("--locators", nargs="+", required=True)
    options = parser.parse_args()
    moved = sensitive(options.ensemble, options.copies)
    rows = []
    for prefix in options.locators:
        name = Path(prefix).name
        sites = pd.read_csv(f"{prefix}_sites.csv")
        sets = pd.read_csv(f"{prefix}_sets.csv").set_index("coverage")
        least = float(sets["least"].loc[COVERAGE])
        lacking = sorted(set(moved.index) - set(sites["realization"]))
        if lacking:
            sys.exit(f"sensitive: error: {prefix}_sites.csv: lacks realization {lacking[0]}")
        for group, words in ((False, "no"), (True, "yes")):
            mine = sites[sites["realization"].isin(moved.index[moved == group])]
            if len(mine):
                rows.append({"model": name, "sensitive": words} | row(mine, least))
    pd.DataFrame(rows).to_csv(sys.stdout, index=False, float_format="%.3f")


if __name__ == "__main__":
    main()
