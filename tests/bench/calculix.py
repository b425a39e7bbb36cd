"""The J2 problem in CalculiX: write the input deck, run ccx, read its results.

C3D8 of CalculiX 2.20 integrates fully, without B-bar, where geometry is linear: it locks a little
in plastic flow. `SELECTIVE` is porefail's element: C3D8 with the J2 material but next to no bulk
modulus, and on the same nodes C3D8R (one point) with a bulk modulus alone. On cubes this is B-bar,
as the element mean of a trilinear gradient is its value at the centre.
The increments are given (DIRECT); CalculiX judges convergence as it does by default, unless the
caller gives a tolerance.
"""

import re
import subprocess

import numpy as np
from problem import HELD, Problem, mesh

# Of porefail's order (x fastest) in CalculiX's (counter-clockwise below, then above).
ORDER = [0, 1, 3, 2, 4, 5, 7, 6]

SELECTIVE = "selective"
# Each of the two keeps this share of what the other one is for: none at all would ask for Poisson's
# ratios of -1 and 1/2. C3D8R resists its zero-energy modes by as much, too.
REMAINDER = 1e-7


def version() -> str:
    """Version of the installed ccx; OSError where there is none."""
    shown = subprocess.run(["ccx", "-v"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"Version\s+(\S+)", shown)
    return found.group(1) if found else "unknown"


def _numbers(values: np.ndarray) -> str:
    """Numbers 1... of CalculiX, sixteen a line."""
    rows = [values[first : first + 16] + 1 for first in range(0, len(values), 16)]
    return ",\n".join(", ".join(map(str, row)) for row in rows)


def _held(problem: Problem, nodes: np.ndarray) -> str:
    kinds = problem.kinds[tuple(nodes.T)]
    below = nodes[:, 0] < problem.bearing.shape[0]
    pairs = np.argwhere((kinds == HELD) & below[:, None])
    return "\n".join(f"{node + 1}, {axis + 1}" for node, axis in pairs)


def _mesh(problem: Problem) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Nodes and elements, see problem.mesh, and the lines that define the nodes."""
    nodes, elements = mesh(problem.bearing)
    points = problem.spacing * nodes[:, ::-1]
    lines = ["*NODE, NSET=ALL"]
    lines += [f"{n + 1}, {x:.10g}, {y:.10g}, {z:.10g}" for n, (x, y, z) in enumerate(points)]
    return nodes, elements, lines


def _solid(problem: Problem, elements: np.ndarray, element: str) -> list[str]:
    """Elements and materials."""
    young, poisson = problem.young_modulus, problem.poisson_ratio
    share = REMAINDER if element == SELECTIVE else 1.0
    bulk, shear = young / (3.0 - 6.0 * poisson), young / (2.0 + 2.0 * poisson)
    poisson = (3.0 * share * bulk - 2.0 * shear) / (6.0 * share * bulk + 2.0 * shear)
    lines = ["*ELEMENT, TYPE=C3D8, ELSET=SOLID", *_connectivity(elements, 1)]
    lines += [
        "*MATERIAL, NAME=J2",
        "*ELASTIC",
        f"{2.0 * shear * (1.0 + poisson):.15g}, {poisson:.15g}",
        "*PLASTIC",
        f"{problem.yield_stress:.10g}, 0.",
        f"{problem.yield_stress + problem.hardening_modulus:.10g}, 1.",
        "*SOLID SECTION, ELSET=SOLID, MATERIAL=J2",
    ]
    if element == SELECTIVE:
        bulk, shear = (1.0 - REMAINDER) * bulk, REMAINDER * shear
        poisson = (3.0 * bulk - 2.0 * shear) / (6.0 * bulk + 2.0 * shear)
        lines += ["*ELEMENT, TYPE=C3D8R, ELSET=BULK", *_connectivity(elements, len(elements) + 1)]
        lines += ["*MATERIAL, NAME=BULK", "*ELASTIC"]
        lines += [f"{2.0 * shear * (1.0 + poisson):.16g}, {poisson:.16g}"]
        lines += ["*SOLID SECTION, ELSET=BULK, MATERIAL=BULK"]
    return lines


def _connectivity(elements: np.ndarray, first: int) -> list[str]:
    rows = (elements[:, ORDER] + 1).tolist()
    return [f"{first + e}, " + ", ".join(map(str, nodes)) for e, nodes in enumerate(rows)]


def deck(
    problem: Problem,
    solver: str,
    element: str = "C3D8",
    tolerance: float | None = None,
    probes: np.ndarray | None = None,
) -> str:
    """Input deck.

    solver: SPOOLES, ITERATIVE CHOLESKY, ...; element: C3D8 or SELECTIVE; tolerance: of the residual
    force over the average force (CalculiX: 0.005); probes: numbers of nodes of problem.mesh whose
    displacements are printed.
    """
    nodes, elements, lines = _mesh(problem)
    top = np.flatnonzero(nodes[:, 0] == problem.bearing.shape[0])
    steps = problem.increments
    lines += _solid(problem, elements, element)
    lines += ["*NSET, NSET=TOP", _numbers(top)]
    if probes is not None:
        lines += ["*NSET, NSET=PROBES", _numbers(probes)]
    lines += [
        "*BOUNDARY",
        _held(problem, nodes),
        f"*STEP, INC={steps + 1}",
        f"*STATIC, DIRECT, SOLVER={solver}",
        f"1., {steps}.",
    ]
    if tolerance is not None:
        lines += ["*CONTROLS, PARAMETERS=FIELD", f"{tolerance:.10g}, {tolerance:.10g}"]
    lines += [
        "*BOUNDARY",
        f"TOP, 3, 3, {steps * problem.strain_step * problem.length:.10g}",
        "*NODE PRINT, NSET=TOP, TOTALS=ONLY",
        "RF",
    ]
    if probes is not None:
        lines += ["*NODE PRINT, NSET=PROBES", "U"]
    lines += ["*END STEP"]
    return "\n".join(lines) + "\n"


def elastic_deck(problem: Problem) -> str:
    """Input deck of one linear elastic step to strain_step; stresses at all points are printed."""
    nodes, elements, lines = _mesh(problem)
    top = np.flatnonzero(nodes[:, 0] == problem.bearing.shape[0])
    lines += [
        "*ELEMENT, TYPE=C3D8, ELSET=SOLID",
        *_connectivity(elements, 1),
        "*MATERIAL, NAME=ELASTIC",
        "*ELASTIC",
        f"{problem.young_modulus:.15g}, {problem.poisson_ratio:.15g}",
        "*SOLID SECTION, ELSET=SOLID, MATERIAL=ELASTIC",
        "*NSET, NSET=TOP",
        _numbers(top),
        "*BOUNDARY",
        _held(problem, nodes),
        "*STEP",
        "*STATIC, SOLVER=SPOOLES",
        "*BOUNDARY",
        f"TOP, 3, 3, {problem.strain_step * problem.length:.10g}",
        "*NODE PRINT, NSET=TOP, TOTALS=ONLY",
        "RF",
        "*EL PRINT, ELSET=SOLID",
        "S",
        "*END STEP",
    ]
    return "\n".join(lines) + "\n"


def stresses(dat: str) -> np.ndarray:
    """Stresses (elements, 8 points, 6) MPa of one step, xx, yy, zz, xy, xz, yz, from a .dat file.

    Elements are in the order of problem.mesh, points in CalculiX's.
    """
    table = re.search(r"stresses.*\n\s*\n((?:\s*\d+\s+\d+(?:\s+\S+){6}\n)+)", dat)
    rows = np.loadtxt(table.group(1).splitlines(), ndmin=2)
    order = np.lexsort((rows[:, 1], rows[:, 0]))
    return rows[order, 2:].reshape(-1, 8, 6)


def forces(dat: str) -> list[float]:
    """Total force (N) on the upper face of each increment, from the text of a .dat file."""
    totals = re.findall(r"total force.*\n\s*\n(.*)", dat)
    return [float(line.split()[2]) for line in totals]


def displacements(dat: str) -> np.ndarray:
    """Displacements (increments, probes, 3) mm, from the text of a .dat file."""
    tables = re.findall(r"displacements.*\n\s*\n((?:\s*\d+(?:\s+\S+){3}\n)+)", dat)
    return np.array([np.loadtxt(table.splitlines())[:, 1:] for table in tables])


def iterations(cvg: str) -> list[int]:
    """Newton iterations of each increment, from the text of a .cvg file."""
    rows = [line.split() for line in cvg.splitlines()]
    numbers = [int(row[1]) for row in rows if len(row) > 4 and row[0].isdigit()]
    return [numbers.count(number) for number in sorted(set(numbers))]
