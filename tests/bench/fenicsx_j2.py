"""The J2 problem in FEniCSx (Debian's 0.5): `python3 fenicsx_j2.py problem.npz result.json solver`.

The material point is numba, the tangent is consistent, the linear solver is PETSc's: `mumps` (a
Cholesky factorization) or `gamg` (conjugate gradients with algebraic multigrid). The dilatation is
integrated at the centre of the element and the rest at 2×2×2 points; on cubes this is the B-bar
element of porefail, as the element mean of a trilinear gradient is its value at the centre.
Vectors are Mandel's: (xx, yy, zz, √2 xy, √2 yz, √2 zx).
"""

import sys
import time

import basix
import dolfinx
import numpy as np
import ufl
from dolfinx import fem
from mpi4py import MPI
from numba import njit
from petsc4py import PETSc
from problem import HELD, Problem, Result, load, mesh, save_result

SOLVERS = {
    "mumps": {"ksp_type": "preonly", "pc_type": "cholesky", "pc_factor_mat_solver_type": "mumps"},
    "gamg": {
        "ksp_type": "cg",
        "ksp_max_it": 2000,
        "pc_type": "gamg",
        # Or else eigenvalues of the elastic matrix stay in use at yield, and CG breaks down.
        "pc_gamg_use_sa_esteig": 0,
    },
}


@njit(cache=True)
def radial_return(change, elastic, kappa, mu, hardening, stress, moduli, new, new_kappa):
    """All points: deviatoric strain change (n, 6) to deviatoric stress (MPa) and tangent.

    elastic: deviatoric elastic strain (n, 6); kappa: flow stress (n,), MPa. The tangent is
    moduli[:, 0]·I + moduli[:, 1]·s⊗s on deviators.
    """
    for p in range(change.shape[0]):
        square = 0.0
        for i in range(6):
            new[p, i] = elastic[p, i] + change[p, i]
            stress[p, i] = 2.0 * mu * new[p, i]
            square += stress[p, i] ** 2
        trial = np.sqrt(1.5 * square)
        new_kappa[p] = kappa[p]
        moduli[p, 0], moduli[p, 1] = 2.0 * mu, 0.0
        if trial > kappa[p]:
            increment = (trial - kappa[p]) / (3.0 * mu + hardening)
            ratio = 1.0 - 3.0 * mu * increment / trial
            for i in range(6):
                new[p, i] *= ratio
                stress[p, i] *= ratio
            new_kappa[p] += hardening * increment
            slope = increment / trial - 1.0 / (3.0 * mu + hardening)
            moduli[p, 0] = 2.0 * mu * ratio
            moduli[p, 1] = 9.0 * mu**2 * slope / (ratio * trial) ** 2


def _deviator(v):
    d = ufl.dev(ufl.sym(ufl.grad(v)))
    root = np.sqrt(2.0)
    return ufl.as_vector(
        [d[0, 0], d[1, 1], d[2, 2], root * d[0, 1], root * d[1, 2], root * d[0, 2]]
    )


def _domain(problem: Problem):
    nodes, elements = mesh(problem.bearing)
    points = problem.spacing * nodes[:, ::-1].astype(float)
    cell = ufl.Mesh(ufl.VectorElement("Lagrange", "hexahedron", 1))
    return dolfinx.mesh.create_mesh(MPI.COMM_SELF, elements.astype(np.int64), points, cell)


def _rigid_motions(space) -> PETSc.NullSpace:
    x = space.tabulate_dof_coordinates()
    modes = np.zeros((6, len(x), 3))
    for axis in range(3):
        after, last = (axis + 1) % 3, (axis + 2) % 3
        modes[axis, :, axis] = 1.0
        modes[3 + axis, :, after], modes[3 + axis, :, last] = -x[:, last], x[:, after]
    orthonormal, _ = np.linalg.qr(modes.reshape(6, -1).T)
    vectors = [PETSc.Vec().createWithArray(np.ascontiguousarray(c)) for c in orthonormal.T]
    return PETSc.NullSpace().create(vectors=vectors)


def solve(problem: Problem, solver: str) -> Result:
    """Solve the problem. Raises ArithmeticError where an increment does not converge."""
    began = time.process_time()
    domain = _domain(problem)
    space = fem.VectorFunctionSpace(domain, ("Lagrange", 1))
    points, weights = basix.make_quadrature(basix.CellType.hexahedron, 2)
    assert len(weights) == 8
    quadrature = {"quadrature_degree": 2, "quadrature_scheme": "default"}
    at_points = ufl.dx(domain=domain, metadata=quadrature)
    at_centre = ufl.dx(domain=domain, metadata={**quadrature, "quadrature_degree": 1})

    def point_field(size):
        element = ufl.VectorElement(
            "Quadrature", domain.ufl_cell(), 2, dim=size, quad_scheme="default"
        )
        return fem.Function(fem.FunctionSpace(domain, element))

    stress, moduli = point_field(6), point_field(2)
    mu = 0.5 * problem.young_modulus / (1.0 + problem.poisson_ratio)
    bulk = problem.young_modulus / (3.0 * (1.0 - 2.0 * problem.poisson_ratio))
    u, change = fem.Function(space), fem.Function(space)
    du, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    force_form = fem.form(
        ufl.inner(stress, _deviator(v)) * at_points + bulk * ufl.div(u) * ufl.div(v) * at_centre
    )
    tangent_form = fem.form(
        moduli[0] * ufl.inner(_deviator(du), _deviator(v)) * at_points
        + moduli[1] * ufl.dot(stress, _deviator(du)) * ufl.dot(stress, _deviator(v)) * at_points
        + bulk * ufl.div(du) * ufl.div(v) * at_centre
    )
    strain_change = fem.Expression(_deviator(change), points)
    cells = np.arange(domain.topology.index_map(3).size_local, dtype=np.int32)

    grid = np.rint(space.tabulate_dof_coordinates()[:, ::-1] / problem.spacing).astype(int)
    held = (problem.kinds[tuple(grid.T)] == HELD).ravel()
    top = 3 * np.flatnonzero(grid[:, 0] == problem.bearing.shape[0]) + 2
    fixed = [
        fem.dirichletbc(
            PETSc.ScalarType(0.0),
            (3 * np.flatnonzero(held[axis::3]) + axis).astype(np.int32),
            space.sub(axis),
        )
        for axis in range(3)
    ]

    matrix = fem.petsc.create_matrix(tangent_form)
    matrix.setOption(PETSc.Mat.Option.SPD, True)
    matrix.setNearNullSpace(_rigid_motions(space))
    force = fem.petsc.create_vector(force_form)
    correction = force.duplicate()
    for key, value in SOLVERS[solver].items():
        PETSc.Options()[key] = value
    ksp = PETSc.KSP().create(MPI.COMM_SELF)
    ksp.setOperators(matrix)
    ksp.setTolerances(rtol=problem.linear_tolerance)
    ksp.setFromOptions()

    count = 8 * len(cells)
    elastic, kappa = np.zeros((count, 6)), np.full(count, problem.yield_stress)
    new, new_kappa = np.empty_like(elastic), np.empty_like(kappa)
    total = np.zeros_like(u.x.array)

    def evaluate():
        strains = strain_change.eval(cells).reshape(count, 6)
        radial_return(
            strains,
            elastic,
            kappa,
            mu,
            problem.hardening_modulus,
            stress.x.array.reshape(count, 6),
            moduli.x.array.reshape(count, 2),
            new,
            new_kappa,
        )
        u.x.array[:] = total + change.x.array
        force.array[:] = 0.0
        fem.petsc.assemble_vector(force, force_form)
        return np.linalg.norm(force.array[~held]), np.linalg.norm(force.array[held])

    change.x.array[2::3] = problem.strain_step * problem.spacing * grid[:, 0]
    result = Result(dolfinx.__version__, [], [], [])
    for increment in range(problem.increments):
        solves = 0
        unbalanced, reaction = evaluate()
        while unbalanced > problem.tolerance * reaction:
            if solves == 20:
                raise ArithmeticError(f"increment {increment + 1} did not converge")
            matrix.zeroEntries()
            fem.petsc.assemble_matrix(matrix, tangent_form, bcs=fixed)
            matrix.assemble()
            force.array[held] = 0.0
            ksp.solve(force, correction)
            if ksp.getConvergedReason() <= 0:
                raise ArithmeticError(f"increment {increment + 1}: {solver} did not converge")
            change.x.array[:] -= correction.array
            solves += 1
            unbalanced, reaction = evaluate()
        elastic[:], kappa[:] = new, new_kappa
        total += change.x.array
        result.forces.append(float(force.array[top].sum()))
        result.iterations.append(solves)
        result.cpu_seconds.append(time.process_time() - began)
    return result


def main(problem_path: str, result_path: str, solver: str) -> None:
    """Solve the problem; compiling (on a tiny specimen) is not timed."""
    problem = load(problem_path)
    tiny = np.zeros((5, 5, 5, 3), np.uint8)
    tiny[[0, -1], :, :, 2] = tiny[0, 0, 0] = HELD
    tiny[0, -1, -1, 1] = HELD
    solve(problem._replace(bearing=np.ones((4, 4, 4), bool), kinds=tiny, increments=4), solver)
    save_result(solve(problem, solver), result_path)


if __name__ == "__main__":
    main(*sys.argv[1:])
