"""The J2 problem in porefail: `python porefail_j2.py problem.npz result.json`."""

import sys
import time

import numpy as np
from defaults import SPACING, load_settings, pores
from mpi4py import MPI
from problem import Problem, Result, load, save_result

from porefail import __version__
from porefail.fe.equilibrium import Specimen
from porefail.fe.grid import degrees_of_freedom, load_bearing
from porefail.fe.material import Material

# No damage, no dynamic recovery, and a flow rate so high that the overstress vanishes (1e-9 of Y).
J2 = {
    "void_size": 0.0,
    "void_density": 0.0,
    "flow_exponent": 1.0,
    "damage_exponent": 2.0,
    "growth_coefficient": 1.0,
    "growth_triaxiality_factor": 1.0,
    "flow_coefficient": 1e9,
    "dynamic_recovery": 0.0,
    "initial_damage": 0.0,
    "shear_nucleation": 0.0,
    "triaxiality_nucleation": 0.0,
    "maximum_damage": 0.5,
}


def porosity(shape: tuple[int, int, int], mean: float) -> np.ndarray:
    """Realization 4 (nx, ny, nz) of the porosity process of config/default.yaml: 95 of 20×20×80
    voxels are void at a mean porosity of 0.003."""
    return pores(shape, mean, 4)


def j2_problem(voids: np.ndarray, increments: int, strain_step: float = 0.002) -> Problem:
    """Pull a specimen with `voids` (nx, ny, nz), 1 = void; tolerances of config/default.yaml."""
    bearing = load_bearing(voids.transpose(2, 1, 0) == 0)
    return Problem(
        bearing,
        degrees_of_freedom(bearing),
        spacing=SPACING,
        young_modulus=240000.0,
        poisson_ratio=0.27,
        yield_stress=1060.0,
        hardening_modulus=3000.0,
        strain_step=strain_step,
        increments=increments,
        tolerance=load_settings().newton_tolerance,
        linear_tolerance=load_settings().linear_tolerance,
    )


def material(problem: Problem) -> Material:
    """The J2 limit of porefail's material."""
    return Material(
        young_modulus=problem.young_modulus,
        poisson_ratio=problem.poisson_ratio,
        yield_strength=0.5 * problem.yield_stress,
        initial_hardening=0.5 * problem.yield_stress,
        hardening_modulus=problem.hardening_modulus,
        **J2,
    )


def solve(problem: Problem, element: str = "b_bar") -> tuple[Result, np.ndarray]:
    """Solve the problem; also the last displacement (nz+1, ny+1, nx+1, 3), mm.

    element: of porefail.fe.hexahedron.ELEMENTS. Raises ArithmeticError where an increment does not
    converge.
    """
    began = time.process_time()
    of = material(problem)
    specimen = Specimen(problem.bearing, problem.spacing, of, MPI.COMM_SELF, "small", element)
    planes = np.arange(problem.bearing.shape[0] + 1)
    change = np.zeros(problem.kinds.shape)
    change[..., 2] = (problem.strain_step * problem.spacing * planes)[:, None, None]
    displacement = np.zeros_like(change)
    result = Result(__version__, [], [], [])
    for increment in range(problem.increments):
        before = specimen.iterations
        if not specimen.equilibrate(change, 1.0, problem.tolerance, 20, problem.linear_tolerance):
            raise ArithmeticError(f"increment {increment + 1} did not converge")
        specimen.accept()
        displacement += change
        result.forces.append(float(specimen.nominal_stress() * specimen.area))
        result.iterations.append(specimen.iterations - before)
        result.cpu_seconds.append(time.process_time() - began)
    specimen.destroy()
    return result, displacement


def main(problem_path: str, result_path: str) -> None:
    """Solve the problem; compiling (on a tiny specimen) is not timed."""
    solve(j2_problem(np.zeros((4, 4, 4), np.uint8), 3))
    result, _ = solve(load(problem_path))
    save_result(result, result_path)


if __name__ == "__main__":
    main(*sys.argv[1:])
