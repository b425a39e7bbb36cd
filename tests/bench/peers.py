"""The J2 problem in porefail and in its peers, one after the other on one core: `make bench`.

CPU seconds are counted, not wall-clock time, so that a busy machine spoils no ratio. A peer that is
not installed is named in a line and left out.
"""

import argparse
import glob
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import calculix
import numpy as np
from porefail_j2 import j2_problem, porosity
from problem import Problem, Result, load_result, mesh, save

HERE = Path(__file__).parent
SYSTEM_PYTHON = os.environ.get("FENICSX_PYTHON", "/usr/bin/python3")
INSTALL = "apt-get install --no-install-recommends"
FENICSX_PACKAGES = "python3-dolfinx python3-numba libopenblas0-pthread"


class Run(NamedTuple):
    """result; program: CPU seconds of the whole process, start and compiling included."""

    result: Result
    program: float


class Peer(NamedTuple):
    """name; missing: what is not installed, or None; run: solve a problem in a folder; tolerance:
    of the forces, relative to porefail's."""

    name: str
    missing: Callable[[], str | None]
    run: Callable[[Problem, Path], Run]
    tolerance: float


def execute(command: list[str], folder: Path) -> resource.struct_rusage:
    """Run a program on one thread; what it took. Raises RuntimeError with its last line.

    What it prints is in the file `output` of the folder.
    """
    outer = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV") if command[0] == SYSTEM_PYTHON else ()
    environment = {name: value for name, value in os.environ.items() if name not in outer}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with open(folder / "output", "w+") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = output.read().strip().splitlines() or ["no output"]
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}: {printed[-1].strip()}")
    return usage


def _seconds(command: list[str], folder: Path) -> float:
    """CPU seconds of a program."""
    usage = execute(command, folder)
    return usage.ru_utime + usage.ru_stime


def _script(python: str, name: str, *arguments: str) -> Callable[[Problem, Path], Run]:
    def run(problem: Problem, folder: Path) -> Run:
        save(problem, folder / "problem.npz")
        command = [python, str(HERE / name), "problem.npz", "result.json", *arguments]
        program = _seconds(command, folder)
        return Run(load_result(folder / "result.json"), program)

    return run


def _calculix(solver: str, element: str, increments: int) -> Callable[[Problem, Path], Run]:
    def run(problem: Problem, folder: Path) -> Run:
        first = problem._replace(increments=min(increments, problem.increments))
        (folder / "j2.inp").write_text(calculix.deck(first, solver, element))
        program = _seconds(["ccx", "-i", "j2"], folder)
        forces = calculix.forces((folder / "j2.dat").read_text())
        iterations = calculix.iterations((folder / "j2.cvg").read_text())
        if len(forces) != first.increments:
            raise RuntimeError(f"{len(forces)} of {first.increments} increments converged")
        return Run(Result(calculix.version(), forces, iterations, [program]), program)

    return run


def _no_calculix() -> str | None:
    return None if shutil.which("ccx") else f"no ccx (Debian: {INSTALL} calculix-ccx)"


def _no_fenicsx() -> str | None:
    program = [SYSTEM_PYTHON, "-c", "import dolfinx, numba, petsc4py"]
    environment = {name: os.environ[name] for name in os.environ if name != "PYTHONPATH"}
    try:
        found = subprocess.run(program, capture_output=True, env=environment, check=False)
        if found.returncode == 0 and any(
            "openblas" in os.path.realpath(path) for path in glob.glob("/usr/lib/*/libblas.so.3")
        ):
            return None
    except OSError:
        pass
    return f"{SYSTEM_PYTHON} has not all of {FENICSX_PACKAGES} (Debian: {INSTALL} these)"


def peers(calculix_increments: int) -> list[Peer]:
    """porefail first, then who it is compared with."""
    fenicsx = [
        Peer(f"FEniCSx, {label}", _no_fenicsx, _script(SYSTEM_PYTHON, "fenicsx_j2.py", solver), tol)
        for label, solver, tol in (("CG + GAMG", "gamg", 1e-4), ("MUMPS", "mumps", 1e-4))
    ]
    # CalculiX's own element integrates fully: a little stiffer (see calculix.py), and cheaper than
    # the selective one.
    return [
        Peer("porefail", lambda: None, _script(sys.executable, "porefail_j2.py"), 0.0),
        *fenicsx,
        *(
            Peer(
                f"CalculiX, {label}",
                _no_calculix,
                _calculix(solver, "C3D8", calculix_increments),
                1e-2,
            )
            for label, solver in (
                ("iterative Cholesky", "ITERATIVE CHOLESKY"),
                ("SPOOLES", "SPOOLES"),
            )
        ),
    ]


HEAD = (
    f"{'program':29}{'version':>8}{'incr.':>6}{'Newton':>7}{'CPU s/Newton':>13}{'ratio':>7}"
    f"{'CPU s':>8}{'ratio':>7}{'program':>9}{'force, N':>10}{'difference':>11}"
)


def row(name: str, run: Run, before: Run, after: Run) -> tuple[str, float]:
    """A line of the table, and the largest relative difference of the forces to porefail's.

    before, after: porefail's runs right before and after; ratios are to their mean.
    """
    result, own = run.result, before.result
    count = len(result.forces)
    difference = float(np.max(np.abs(np.divide(result.forces, own.forces[:count]) - 1.0)))
    seconds = result.cpu_seconds[-1]
    each = seconds / sum(result.iterations)
    beside = np.mean([before.result.cpu_seconds, after.result.cpu_seconds], axis=0)
    own_each = beside[-1] / sum(own.iterations)
    line = (
        f"{name:29}{result.version:>8}{count:6}{sum(result.iterations):7}{each:13.3f}"
        f"{each / own_each:7.1f}{seconds:8.1f}{seconds / beside[count - 1]:7.1f}"
        f"{run.program:9.1f}{result.forces[-1]:10.2f}{difference:11.1e}"
    )
    return line, difference


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="8x8x32 voxels, not 20x20x80")
    parser.add_argument("--increments", type=int, default=20, help="of 0.2 %% strain (20)")
    parser.add_argument("--calculix-increments", type=int, default=4, help="CalculiX's part (4)")
    parser.add_argument("--only", default="", help="peers whose names hold this word")
    arguments = parser.parse_args()
    # All programs run on the same core, which children inherit.
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    shape = (8, 8, 32) if arguments.small else (20, 20, 80)
    voids = porosity(shape, 0.003)
    problem = j2_problem(voids, arguments.increments)
    print(
        f"J2 problem: {'x'.join(map(str, shape))} voxels, {int(voids.sum())} voids, "
        f"{3 * len(mesh(problem.bearing).nodes)} unknowns, {problem.increments} increments to "
        f"{100 * problem.strain_step * problem.increments:g} %, one core\n\n{HEAD}",
        flush=True,
    )
    own, *others = peers(arguments.calculix_increments)
    notes = []
    with tempfile.TemporaryDirectory() as folder:
        before = own.run(problem, Path(folder))
        print(row(own.name, before, before, before)[0], flush=True)
        for number, peer in enumerate(others):
            if arguments.only.lower() not in peer.name.lower():
                continue
            missing = peer.missing()
            if missing:
                print(f"{peer.name} is left out: {missing}", flush=True)
                continue
            place = Path(folder) / str(number)
            place.mkdir()
            try:
                run = peer.run(problem, place)
            except RuntimeError as error:
                notes.append(f"{peer.name}: {error}")
                continue
            # The machine may have become slower or faster meanwhile.
            after = own.run(problem, Path(folder))
            line, difference = row(peer.name, run, before, after)
            print(line, row(own.name, after, before, before)[0], sep="\n", flush=True)
            before = after
            if difference > peer.tolerance:
                notes.append(f"{peer.name}: forces differ by more than {peer.tolerance:g}")
    print(
        "\nCPU s: from the set-up of the mesh to the last increment (CalculiX: all of it); ratio: "
        "to the mean of porefail's\nruns before and after (the machine's speed may vary), second "
        "ratio: of the same increments; program: with start and\ncompiling. CalculiX's element "
        "integrates fully, the others average the dilatation (B-bar)."
    )
    for note in notes:
        print(f"porefail: error: {note}", file=sys.stderr)
    return 1 if notes else 0


if __name__ == "__main__":
    sys.exit(main())
