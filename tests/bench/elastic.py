"""Elastic fields against mesh size, beside ParOSol. Part of `make bench`.

Specimen: realization 0 of config/paper.yaml, drawn on finer grids. Every line is a process of its
own; "refined" has the pores of the smallest grid, each voxel cut into many, in place of finer ones.
ParOSol (PyPI parosol-py, GPL) is run where PAROSOL_PYTHON names a Python that has it.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from defaults import default_material
from mpi4py import MPI
from peers import execute

from porefail import configuration
from porefail.fe.elastic.fields import elastic_fields
from porefail.microstructure.karhunen_loeve import expansion, realize

HERE = Path(__file__).parent
FACTORS = (1, 2, 4, 8, 12.6)  # of the edges of 20x20x80 voxels
TOLERANCE = 1e-6
ELEMENT = "full"  # ParOSol's too


class Cost(NamedTuple):
    """cpu: seconds of all ranks; wall: seconds; memory: bytes of all ranks; iterations."""

    cpu: float
    wall: float
    memory: float
    iterations: int


def draw(factor: float) -> np.ndarray:
    """Pores (nx, ny, nz) of a specimen whose edges have `factor` times as many voxels."""
    config = configuration.resolve([configuration.CONFIG / "paper.yaml"])
    pores = config["porosity"]
    shape = tuple(round(factor * edge) for edge in pores["shape"])
    names = ("correlation_length", "exponent", "energy")
    expanded = expansion(shape, pores["spacing"] / factor, *(pores[name] for name in names))
    return realize(expanded, pores["mean_porosity"], config["seed"], 0)


def refine(voxels: np.ndarray, factor: int) -> np.ndarray:
    """The same pores, each voxel cut into factor³."""
    for axis in range(3):
        voxels = np.repeat(voxels, factor, axis=axis)
    return voxels


def resident() -> float:
    """Memory of this process now, bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return float(pages * resource.getpagesize())


def measure(mask: str, fields: str) -> Cost | None:
    """Solve on all ranks; on the first one what it took, its pressure written to a file."""
    world = MPI.COMM_WORLD
    poisson_ratio = default_material().poisson_ratio
    elastic_fields(np.zeros((16, 16, 32), np.uint8), poisson_ratio, ELEMENT, world)  # compiles
    before = resident()
    porosity = np.load(mask)
    world.Barrier()
    wall, cpu = time.perf_counter(), time.process_time()
    found = elastic_fields(porosity, poisson_ratio, ELEMENT, world, TOLERANCE)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = world.reduce(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    cpu, wall = world.reduce(cpu), world.reduce(wall, MPI.MAX)
    if found is None:
        return None
    np.save(fields, found.pressure)
    return Cost(cpu, wall, memory, found.iterations)


def porefail(mask: Path, fields: Path, ranks: int) -> Cost:
    """`measure` under mpiexec."""
    beside = Path(sys.executable).with_name("mpiexec")
    mpiexec = str(beside) if beside.exists() else "mpiexec"
    command = [mpiexec, "-n", str(ranks), sys.executable, __file__, "--job", mask, fields]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Cost(*json.loads(done.stdout.splitlines()[-1]))


def parosol(mask: Path, folder: Path, python: str, tolerance: float) -> tuple[Cost, np.ndarray]:
    """What ParOSol takes (its whole process, but not the writing of its input), and its pressure
    (tension positive) per unit nominal stress."""
    voids = np.load(mask)
    script, poisson = str(HERE / "parosol_input.py"), str(default_material().poisson_ratio)
    command = [python, script, str(mask), "parosol.h5", poisson]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    options = ["--stress", "--tol", str(tolerance), "--level", "6", "parosol.h5"]
    wall = time.perf_counter()
    usage = execute([done.stdout.strip(), *options], folder)
    wall = time.perf_counter() - wall
    lines = (folder / "output").read_text().splitlines()
    iterations = next(int(line.split(":")[1]) for line in lines if "Nr of It" in line)
    pressure = np.full(voids.shape, np.nan)
    with h5py.File(folder / "parosol.h5") as file:
        corners = file["Mesh/Coordinates"][:][file["Mesh/Elements"][:].min(axis=1)]
        place = tuple(corners.round().astype(int).T)
        stress = [file[f"Solution/s_{axis}"][:, 0] for axis in ("xx", "yy", "zz")]
    nominal = stress[2].sum() / voids.size
    pressure[place] = np.mean(stress, axis=0) / nominal
    cost = Cost(usage.ru_utime + usage.ru_stime, wall, 1024.0 * usage.ru_maxrss, iterations)
    return cost, pressure


HEAD = (
    f"{'program':>9}{'voxels':>11}{'pores':>9}{'ranks':>6}{'iterations':>11}{'CPU s':>8}"
    f"{'wall s':>8}{'µs/voxel':>9}{'B/voxel':>8}{'difference':>11}"
)


def row(name: str, voids: np.ndarray, ranks: int, cost: Cost, difference: float | None) -> str:
    apart = "" if difference is None else f"{difference:.1e}"
    return (
        f"{name:>9}{voids.size:11}{np.count_nonzero(voids):9}{ranks:6}{cost.iterations:11}"
        f"{cost.cpu:8.2f}{cost.wall:8.2f}{1e6 * cost.cpu / voids.size:9.2f}"
        f"{cost.memory / voids.size:8.0f}{apart:>11}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="the smallest size only")
    parser.add_argument("--largest", type=float, default=4, help=f"of the factors {FACTORS} (4)")
    parser.add_argument("--peer-largest", type=float, default=4, help="the same of ParOSol (4)")
    parser.add_argument("--peer-tolerance", type=float, default=TOLERANCE, help="of ParOSol (1e-6)")
    parser.add_argument("--job", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        cost = measure(*arguments.job)
        if cost:
            print(json.dumps(cost))
        return
    python = os.environ.get("PAROSOL_PYTHON")
    if not python:
        print("ParOSol is left out: PAROSOL_PYTHON names no Python with parosol-py")
    print(HEAD, flush=True)
    for factor in FACTORS:
        if factor > (1 if arguments.small else arguments.largest):
            break
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            mask, fields = folder / "mask.npy", folder / "pressure.npy"
            np.save(mask, draw(factor))
            voids = np.load(mask, mmap_mode="r")
            first = None
            for ranks in (1, 2):
                if ranks > len(os.sched_getaffinity(0)):
                    continue
                cost = porefail(mask, fields, ranks)
                pressure = np.load(fields)
                apart = None if first is None else np.nanmax(np.abs(pressure - first))
                first = pressure if first is None else first
                print(row("porefail", voids, ranks, cost, apart), flush=True)
            if python and factor <= arguments.peer_largest:
                cost, theirs = parosol(mask, folder, python, arguments.peer_tolerance)
                apart = np.nanmax(np.abs(theirs - first))
                print(row("ParOSol", voids, 1, cost, apart), flush=True)
            if 1 < factor == int(factor):
                np.save(mask, refine(draw(1), int(factor)))
                voids = np.load(mask, mmap_mode="r")
                print(row("refined", voids, 1, porefail(mask, fields, 1), None), flush=True)
    print(
        "\nCPU s: of all ranks; porefail: mesh, solve and fields, compiled; ParOSol: its process,"
        " which reads\nand writes HDF5. difference: largest of the mean stress, to porefail's on"
        " one rank, in nominal stresses."
    )


if __name__ == "__main__":
    main()
