"""Do default tolerances choose another site of failure than tight ones? `python accuracy.py`.

Each specimen is pulled to first failure twice: with the default settings, and with load steps 8
times shorter, growth of damage 4 times smaller and Newton's method 1000 times tighter.
"""

import argparse
import time

import numpy as np
from defaults import FULL, MEAN_POROSITY, SMALL, SPACING, default_material, load_settings, pores

from porefail.fe.tension import simulate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="8x8x32 voxels, not 20x20x80")
    parser.add_argument("--specimens", type=int, default=20, help="realizations 0, 1, ... (20)")
    arguments = parser.parse_args()
    shape = SMALL if arguments.small else FULL
    usual = load_settings()
    tight = usual._replace(
        max_strain_step=usual.max_strain_step / 8,
        min_strain_step=usual.min_strain_step / 10,
        max_damage_step=usual.max_damage_step / 4,
        max_damage_share=0.0,
        newton_tolerance=usual.newton_tolerance / 1000,
        newton_iterations=30,
        linear_tolerance=usual.linear_tolerance / 100,
    )
    print(
        f"{'realization':>11}{'same voxels':>12}{'strain %':>9}{'tight':>8}{'CPU s':>7}{'tight':>7}"
    )
    same, errors = [], []
    for number in range(arguments.specimens):
        voids = pores(shape, MEAN_POROSITY[shape], number)
        if not voids.any():
            continue
        results, seconds = [], []
        for settings in (usual, tight):
            began = time.process_time()
            results.append(simulate(voids, SPACING, default_material(), settings))
            seconds.append(time.process_time() - began)
        found, reference = results
        if np.isnan(found.first_failure_strain) and np.isnan(reference.first_failure_strain):
            print(f"{number:11}  whole in both", flush=True)
            continue
        same.append(np.array_equal(found.failed, reference.failed))
        errors.append(found.first_failure_strain / reference.first_failure_strain - 1)
        print(
            f"{number:11}{'yes' if same[-1] else 'no':>12}{100 * found.first_failure_strain:9.3f}"
            f"{100 * reference.first_failure_strain:8.3f}{seconds[0]:7.1f}{seconds[1]:7.1f}",
            flush=True,
        )
    if not errors:
        raise SystemExit("no specimen of these failed")
    print(
        f"\nthe same voxels in {sum(same)} of {len(same)}; strain at first failure: largest "
        f"difference {100 * np.abs(errors).max():.2f} %, mean {100 * np.mean(errors):+.2f} %"
    )


if __name__ == "__main__":
    main()
