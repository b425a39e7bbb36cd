"""Specimens simulated again, on another machine or by another version: do they fail where they did?

    python tests/bench/again.py data/failures.h5 results/reproduction/simulation/*.h5

The first file is what `porefail failures` wrote, the others are shards or such files.
"""

import argparse

import numpy as np

from porefail import store
from porefail.ranking.locus import locus
from porefail.store import Status

NEAR = 1  # voxels, as evaluation.near_voxels
NAMES = ["realization", "status", "failed", "first_failure_strain"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("known")
    parser.add_argument("again", nargs="+")
    options = parser.parse_args()
    known, source = store.read(options.known, NAMES)
    row = {number: n for n, number in enumerate(known["realization"].tolist())}
    strain, same, elsewhere, other_status = [], 0, 0, 0
    for path in options.again:
        rows, _ = store.read(path, NAMES)
        for n, number in enumerate(rows["realization"].tolist()):
            if number not in row:
                continue
            before = {name: field[row[number]] for name, field in known.items()}
            if rows["status"][n] != before["status"]:
                other_status += 1
            elif rows["status"][n] == Status.FIRST_FAILURE:
                failed = rows["failed"][n] == 1
                same += int(np.array_equal(failed, before["failed"] == 1))
                place = locus(failed[None], before["failed"] == 1, NEAR, source["spacing"])
                elsewhere += int(place.moved[0])
                strain.append(
                    abs(rows["first_failure_strain"][n] / before["first_failure_strain"] - 1)
                )
    print(
        f"{len(strain)} specimens that failed both times: {same} in the very same voxels,"
        f" {elsewhere} elsewhere; strain differs by {np.median(strain):.1e} (median) to"
        f" {np.max(strain):.1e}; another status: {other_status}"
    )


if __name__ == "__main__":
    main()
