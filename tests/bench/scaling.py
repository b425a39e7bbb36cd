"""Cost of real simulations against mesh size, ranks and teams. Part of `make bench`.

Each line is a run of its own under mpiexec: a few load steps from zero through the onset of yield,
as the workflow takes them. Two teams pull two specimens at a time, two ranks share one.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from defaults import SPACING, default_material, load_settings
from mpi4py import MPI
from porefail_j2 import porosity

from porefail.fe import tension

SIZES = (
    *((8, 8, 32), (12, 12, 48), (16, 16, 64), (20, 20, 80)),
    *((28, 28, 112), (40, 40, 160), (64, 64, 256)),
)
LAYOUTS = ((1, 1), (2, 2), (2, 1))  # ranks, ranks per team


def measure(
    shape: tuple[int, int, int], ranks_per_team: int, steps: int
) -> dict[str, float] | None:
    """Simulate on all ranks; on the first one what it took.

    newton: linear solves of all teams; steps: load steps of a team; cpu: seconds of all ranks;
    wall: seconds; memory: the largest rank's peak, bytes.
    """
    world = MPI.COMM_WORLD
    team = world.Split(world.rank // ranks_per_team, world.rank)
    solves = [0]

    load = load_settings()
    load = load._replace(max_strain=steps * load.max_strain_step)

    def pull(voids):
        return tension.simulate(voids, SPACING, default_material(), load, team, observe=count)

    def count(strain, specimen):
        solves[0] = specimen.iterations

    pull(np.zeros((4, 4, 8), np.uint8))  # compiles
    voids = porosity(shape, 0.003)
    world.Barrier()
    wall, cpu = time.perf_counter(), time.process_time()
    result = pull(voids)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures = {
        "newton": world.reduce(solves[0] if team.rank == 0 else 0),
        "steps": len(result.history["strain"]),
        "cpu": world.reduce(cpu),
        "wall": world.reduce(wall, MPI.MAX),
        "memory": world.reduce(memory, MPI.MAX),
    }
    return figures if world.rank == 0 else None


def launch(shape: tuple[int, ...], ranks: int, ranks_per_team: int, steps: int) -> dict[str, float]:
    """`measure` under mpiexec."""
    beside = Path(sys.executable).with_name("mpiexec")
    mpiexec = str(beside) if beside.exists() else "mpiexec"
    job = json.dumps([shape, ranks_per_team, steps])
    command = [mpiexec, "-n", str(ranks), sys.executable, __file__, "--job", job]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    # PETSc may add remarks of its own.
    return json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))


def available() -> float:
    """Free memory, bytes."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return 1024.0 * float(lines["MemAvailable"].split()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="the two smallest sizes only")
    parser.add_argument("--steps", type=int, default=6, help="load steps of a simulation (6)")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        figures = measure(*json.loads(arguments.job))
        if figures:
            print(json.dumps(figures))
        return
    print(
        f"{'voxels':>11}{'ranks':>6}{'teams':>6}{'steps':>6}{'Newton':>7}{'CPU s/Newton':>13}",
        end="",
    )
    print(f"{'µs/voxel':>9}{'wall s':>8}{'MiB/rank':>9}", flush=True)
    per_voxel = 0.0
    for shape in SIZES[:2] if arguments.small else SIZES:
        voxels, name = int(np.prod(shape)), "x".join(map(str, shape))
        for ranks, ranks_per_team in LAYOUTS:
            teams = ranks // ranks_per_team
            need = teams * per_voxel * voxels
            if ranks > len(os.sched_getaffinity(0)) or need > 0.9 * available():
                print(f"{name:>11}{ranks:6}{teams:6}  left out: too few cores or too little memory")
                continue
            found = launch(shape, ranks, ranks_per_team, arguments.steps)
            each = found["cpu"] / found["newton"]
            print(
                f"{name:>11}{ranks:6}{teams:6}{found['steps']:6.0f}{found['newton']:7.0f}"
                f"{each:13.3f}{1e6 * each / voxels:9.2f}{found['wall']:8.1f}"
                f"{found['memory'] / 2**20:9.0f}",
                flush=True,
            )
            if ranks == 1:
                per_voxel = found["memory"] / voxels


if __name__ == "__main__":
    main()
