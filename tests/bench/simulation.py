"""Whole simulations to first failure, as by default, on one core, and where their time goes.

Part of `make bench`. CPU seconds; compiling (on a tiny specimen) is not timed.
"""

import argparse
import os
import resource
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
from defaults import (
    FULL,
    MATERIAL,
    MEAN_POROSITY,
    SMALL,
    SPACING,
    default_material,
    load_settings,
    pores,
)

from porefail.fe import equilibrium, multigrid, smoother, tension

# What is timed, and what of it is timed on its own line.
PARTS = {
    "material points and forces": ([(equilibrium, "evaluate")], ()),
    "products with the tangent": ([(multigrid, "multiply"), (smoother, "subtract_product")], ()),
    "rest of the linear solver": ([(multigrid.Multigrid, "solve")], ("products with the tangent",)),
    "preconditioner made anew": ([(multigrid.Multigrid, "update")], ()),
}


def timed(owner: object, name: str, seconds: Counter, label: str) -> None:
    """Replace a function by one that adds its CPU seconds to seconds[label]."""
    function: Callable = getattr(owner, name)

    def measured(*arguments):
        began = time.process_time()
        result = function(*arguments)
        seconds[label] += time.process_time() - began
        return result

    setattr(owner, name, measured)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="8x8x32 voxels, not 20x20x80")
    parser.add_argument("--specimens", type=int, default=5, help="realizations 0, 1, ... (5)")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    shape = SMALL if arguments.small else FULL
    solves: list[int] = []

    def observe(strain, specimen):
        solves[-1] = specimen.iterations

    def pull(voids):
        solves.append(0)
        return tension.simulate(
            voids, SPACING, default_material(), load_settings(), observe=observe
        )

    one_void = np.zeros((4, 4, 8), np.uint8)
    one_void[0, 0, 3] = 1
    pull(one_void)
    seconds: Counter = Counter()
    for label, (functions, _) in PARTS.items():
        for owner, name in functions:
            timed(owner, name, seconds, label)
    elastic: Counter = Counter()
    timed(equilibrium.Specimen, "elastic_fields", elastic, "solve")
    print(
        f"`{MATERIAL}` to first failure, {'x'.join(map(str, shape))} voxels, one core\n\n"
        f"{'realization':>11}{'status':>7}{'strain %':>9}{'steps':>6}{'Newton':>7}{'CPU s':>7}"
        f"{'CPU s/Newton':>13}{'MiB':>6}",
        flush=True,
    )
    costs = []
    for number in range(arguments.specimens):
        voids = pores(shape, MEAN_POROSITY[shape], number)
        began = time.process_time()
        found = pull(voids)
        costs.append(time.process_time() - began)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{number:11}{found.status:7}{100 * found.first_failure_strain:9.2f}"
            f"{len(found.history['strain']):6}{solves[-1]:7}{costs[-1]:7.1f}"
            f"{costs[-1] / solves[-1]:13.3f}{memory:6.0f}",
            flush=True,
        )
    total = sum(costs)
    print(
        f"\nmean {np.mean(costs):.1f} s, {total / sum(solves[1:]):.3f} s a Newton iteration "
        "(status 1: first failure). Of the time:"
    )
    shares = {
        label: seconds[label] - sum(seconds[inner] for inner in within)
        for label, (_, within) in PARTS.items()
    }
    shares["everything else"] = total - sum(shares.values())
    for label, share in shares.items():
        print(f"  {label:27}{100 * share / total:4.0f} %")
    print(
        f"The linear elastic solve before the first load step, which a network may be given, takes"
        f" {elastic['solve'] / len(costs):.2f} s, {100 * elastic['solve'] / total:.1f} % of it."
    )


if __name__ == "__main__":
    main()
