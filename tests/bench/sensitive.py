"""Locators on specimens that one moved voxel makes fail elsewhere, and on those that it does not.

    python tests/bench/sensitive.py --ensemble ensemble.h5 --copies perturbed/*/simulation/*.h5 \\
        --scores pores=pores_scores.csv coarse=coarse_scores.csv > docs/results/data/sensitive.csv

--copies: simulated perturbations of held-out realizations of the ensemble (rule `perturb`), held
out of the locators too: with one seed, the test part of a split of 7:1:2 is in that of 5:2:3. A
specimen is sensitive if a copy failed elsewhere than it did. --scores: NAME=SCORES, as `calibrate
--scores` wrote them; where there are blocks, these have rows of their own.
"""

import argparse
import sys

import numpy as np
import pandas as pd
from locators import judged, pulled

from porefail import store
from porefail.errors import PorefailError
from porefail.ranking.copies import read_copies
from porefail.ranking.locus import locus
from porefail.store import Status

BINS = 5  # groups are small
NEAR = 1  # voxels, as evaluation.near_voxels


def sensitive(ensemble: str, shards: list[str]) -> pd.Series:
    """Whether a copy of a realization failed elsewhere, by its number.

    As many copies of each count as failed of the one of which the fewest did: the more, the
    likelier. Raises PorefailError where shards are not of the ensemble.
    """
    rows, source = store.read(ensemble, ["realization"], kind="ensemble")
    made = read_copies(
        shards, source, {name: source[name] for name in ("simulation", "model_version")}
    )
    places = {
        realization: copies["failed"][copies["status"] == Status.FIRST_FAILURE] == 1
        for realization, copies in made.items()
    }
    count = min(map(len, places.values()))
    mine = np.isin(rows["realization"], list(places))
    known, _ = store.read_where(ensemble, ["realization", "failed"], mine)
    originals = dict(zip(known["realization"].tolist(), known["failed"] == 1, strict=True))
    found = {
        realization: locus(failed[:count], originals[realization], NEAR, source["spacing"])
        for realization, failed in places.items()
    }
    return pd.Series({number: bool(each.moved.any()) for number, each in found.items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ensemble", required=True)
    parser.add_argument("--copies", nargs="+", required=True)
    parser.add_argument("--scores", nargs="+", required=True, metavar="NAME=SCORES")
    options = parser.parse_args()
    try:
        found = sensitive(options.ensemble, options.copies)
    except PorefailError as error:
        sys.exit(f"sensitive: error: {error}")
    rows = []
    for name, _, path in (each.partition("=") for each in options.scores):
        scores = pd.read_csv(path).set_index("realization")
        lacking = sorted(set(found.index) - set(scores.index))
        if lacking:
            sys.exit(f"sensitive: error: {path}: lacks realization {lacking[0]}")
        tables = {name: scores}
        if "pulled_top_1" in scores:
            tables[f"{name} with blocks"] = pulled(scores)
        for model, table in tables.items():
            for group, words in ((False, "no"), (True, "yes")):
                mine = table.loc[found.index[found == group]]
                if len(mine):
                    rows.append({"model": model, "sensitive": words} | judged(mine, BINS))
    pd.DataFrame(rows).to_csv(sys.stdout, index=False, float_format="%.3f")


if __name__ == "__main__":
    main()
