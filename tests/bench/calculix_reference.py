"""Make the stored results of tests/fe/reference with ccx: `python calculix_reference.py folder`."""

import gzip
import subprocess
import sys
import tempfile
from pathlib import Path

import calculix
import numpy as np
from porefail_j2 import j2_problem
from problem import Problem, mesh

REFERENCE = Path(__file__).parents[1] / "fe" / "reference"


def reference_problem() -> Problem:
    """4×4×8 voxels with one void, pulled to 3 % in 10 increments; far tighter than in practice."""
    voids = np.zeros((4, 4, 8), np.uint8)
    voids[1, 2, 3] = 1
    problem = j2_problem(voids, increments=10, strain_step=0.003)
    return problem._replace(tolerance=1e-8, linear_tolerance=1e-6)


def probes(problem: Problem) -> np.ndarray:
    """Numbers of the nodes whose displacements are kept: around the void, and the upper corners."""
    nodes = mesh(problem.bearing).nodes
    z, y, x = nodes.T
    nz, ny, nx = problem.bearing.shape
    void = (abs(z - 3.5) < 1) & (abs(y - 2.5) < 1) & (abs(x - 1.5) < 1)
    corners = (z == nz) & (y % ny == 0) & (x % nx == 0)
    return np.flatnonzero(void | corners)


# Name of the stored deck and result of each of porefail's elements, and CalculiX's element.
NAMES = {"b_bar": ("j2", calculix.SELECTIVE), "full": ("j2-full", "C3D8")}


def reference_deck(element: str) -> str:
    """Input deck of the stored result of one of porefail's elements."""
    problem = reference_problem()
    return calculix.deck(problem, "SPOOLES", NAMES[element][1], 1e-8, probes(problem))


def elastic_problem() -> Problem:
    """5×4×8 voxels with pores inside, at the surface, and hanging together by an edge alone."""
    voids = np.zeros((5, 4, 8), np.uint8)
    for pore in [(2, 1, 2), (3, 1, 2), (3, 2, 3), (0, 3, 4), (4, 0, 5), (1, 1, 6), (0, 0, 7)]:
        voids[pore] = 1
    return j2_problem(voids, increments=1, strain_step=0.001)


def elastic_results() -> str:
    """What CalculiX printed for elastic_problem(), see tests/fe/reference/README.md."""
    with gzip.open(REFERENCE / "elastic.dat.gz", "rt") as file:
        return file.read()


def _run(name: str, deck: str) -> str:
    """What ccx prints for a deck."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / f"{name}.inp").write_text(deck)
        subprocess.run(["ccx", "-i", name], cwd=folder, check=True)
        return (Path(folder) / f"{name}.dat").read_text()


def main(target: str) -> None:
    """Run ccx and keep its input and its printed results."""
    for element, (name, _) in NAMES.items():
        deck = reference_deck(element)
        (Path(target) / f"{name}.dat").write_text(_run(name, deck))
        (Path(target) / f"{name}.inp").write_text(deck)
    deck = calculix.elastic_deck(elastic_problem())
    printed = _run("elastic", deck)
    (Path(target) / "elastic.dat.gz").write_bytes(gzip.compress(printed.encode(), mtime=0))
    (Path(target) / "elastic.inp").write_text(deck)


if __name__ == "__main__":
    main(*sys.argv[1:])
