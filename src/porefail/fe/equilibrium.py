"""Quasi-static equilibrium of a voxel specimen: one load increment by Newton's method."""

import numpy as np
from mpi4py import MPI

from porefail.errors import PorefailError
from porefail.fe.constitutive import PHI, STATE, initial_state
from porefail.fe.evaluation import POINTS, elastic_stress, element_damage, evaluate
from porefail.fe.finite_strain import evaluate_finite
from porefail.fe.grid import FREE, HELD, degrees_of_freedom, load_bearing, slab
from porefail.fe.hexahedron import hexahedron
from porefail.fe.material import Material
from porefail.fe.multigrid import Multigrid, Tangent
from porefail.fe.seams import fill_seams
from porefail.fe.secants import Secants

KINEMATICS = ("small", "finite")

# φ of a point that counts as saturated: it has next to no stiffness left.
SATURATED = 0.9

# Part of a correction of Newton's method below which it is of no use.
SHORTEST_CORRECTION = 0.05


class Specimen:
    """One rank's share of a specimen: mesh, states of its points, tangent and solver.

    bearing: load-bearing voxels of the whole grid (nz, ny, nx); spacing in mm. Displacements are
    local, (layers+1, ny+1, nx+1, 3) mm, seam planes included. With `lag` stresses feel the damage
    of the step before: then equilibrium is the minimum of a convex function, which Newton's method
    finds whatever fails (at small strain). `iterations` counts the linear solves. kinematics:
    "small", or "finite", see finite_strain.py; element: of hexahedron.ELEMENTS. Collective over
    comm. Raises PorefailError for others.
    """

    def __init__(
        self,
        bearing: np.ndarray,
        spacing: float,
        material: Material,
        comm: MPI.Comm,
        kinematics: str,
        element: str,
    ):
        if kinematics not in KINEMATICS:
            raise PorefailError(f"kinematics {kinematics}: expected one of {', '.join(KINEMATICS)}")
        self.finite = kinematics == "finite"
        self.comm = comm
        self.material = material
        self.share = slab(bearing.shape[0], comm.rank, comm.size)
        self.spacing = spacing
        self.element = hexahedron(spacing, element)
        self.area = bearing.shape[1] * bearing.shape[2] * spacing**2
        self.iterations = 0
        self.lag = False
        self._whole = bearing.copy()
        self._all_kinds = degrees_of_freedom(bearing)
        self.bearing = self._local(self._whole)
        self.kinds = self._local(self._all_kinds, 1)
        self.displacement = np.zeros(self.kinds.shape)
        self.state = np.empty((*self.bearing.shape, STATE, POINTS))
        self.state[:] = initial_state(material)[:, None]
        self._next = self.state.copy()
        self._change = np.zeros(self.kinds.shape)
        self._flow_rate = np.full((*self.bearing.shape, POINTS), np.inf)
        self._force = np.zeros(self.kinds.shape)
        # Damage of voxels that bear no load: of the undamaged material, or that they failed with.
        self._frozen = np.full(self.bearing.shape, material.initial_damage)
        self._tangent = Tangent(
            self.bearing,
            self.kinds,
            self.share,
            material.young_modulus * spacing,
            comm,
            element,
        )
        self._solver = Multigrid(bearing.shape, self._all_kinds, self._tangent, comm)

    def _local(self, whole: np.ndarray, planes: int = 0) -> np.ndarray:
        """This rank's layers of a field of the whole grid (or planes of nodes, with planes=1)."""
        return whole[self.share.first_layer : self.share.end_layer + planes].copy()

    def destroy(self) -> None:
        """Free the solver (collective)."""
        self._solver.destroy()

    def _evaluate(self, change: np.ndarray, dt: float) -> tuple[float, float]:
        """Advance states to a displacement change; norms of unbalanced force and reaction (N)."""
        owned = self.share.owned
        inputs = (self.displacement, change) if self.finite else (change,)
        (evaluate_finite if self.finite else evaluate)(
            *inputs,
            self.bearing,
            self.state,
            self._flow_rate,
            dt,
            float(self.lag),
            self.material,
            self.element,
            self._next,
            self._force,
            self._tangent.points,
            self._tangent.bulk,
        )
        free = self.kinds[owned] == FREE
        squares = self._force[owned] ** 2
        sums = np.array([squares[free].sum(), squares[~free].sum()])
        self.comm.Allreduce(MPI.IN_PLACE, sums)
        return tuple(np.sqrt(sums))

    def equilibrate(
        self,
        change: np.ndarray,
        dt: float,
        tolerance: float,
        iterations: int,
        linear_tolerance: float,
    ) -> bool:
        """Bring a displacement change to equilibrium, in place; whether Newton's method got there.

        change: a guess with the wanted values where displacements are held. tolerance: unbalanced
        force over reaction. The tangent is the symmetric part at fixed φ, so that convergence is
        linear with a small factor: damage grows little in a load step. At finite strain, where
        more is missing in it, corrections made before help out.
        """
        owned = self.share.owned
        self._change = change
        unbalanced, reaction = self._evaluate(change, dt)
        if not np.isfinite(unbalanced):
            return False
        secants = Secants(self.comm)
        for _ in range(iterations):
            if unbalanced <= tolerance * reaction:
                return True
            self._solver.update()
            residual = np.where(self.kinds[owned] == FREE, -self._force[owned], 0.0)
            correction, solved = secants.solve(
                lambda force: self._solver.solve(force, linear_tolerance), residual
            )
            self.iterations += 1
            if not solved:
                return False
            before, start = unbalanced, change[owned].copy() if self.finite else None
            unbalanced, reaction = self._correct(change, correction, residual, dt)
            if self.finite:
                force = np.where(self.kinds[owned] == FREE, self._force[owned], 0.0)
                secants.learn(change[owned] - start, force + residual)
            if not unbalanced < 10.0 * before:
                return False
        return bool(unbalanced <= tolerance * reaction)

    def _correct(self, change, correction, residual, dt) -> tuple[float, float]:
        """Add to `change` as much of a correction as brings it near the least energy along it.

        residual: −unbalanced force (N) on the owned planes. Returns as `_evaluate`.
        """
        owned = self.share.owned
        start, share = change[owned].copy(), 1.0
        first = self.comm.allreduce(float(np.vdot(residual, correction)))
        while True:
            change[owned] = start + share * correction
            fill_seams(change, self.share, self.comm)
            norms = self._evaluate(change, dt)
            force = np.where(self.kinds[owned] == FREE, self._force[owned], 0.0)
            slope = self.comm.allreduce(float(-np.vdot(force, correction)))
            if not slope < -0.5 * first or share < SHORTEST_CORRECTION:
                return norms
            # Too far: the slope of the energy has changed its sign. An evaluation costs much less
            # than a solve.
            share *= min(max(first / (first - slope), 0.1), 0.7)

    def accept(self) -> None:
        """Make the states of the last equilibrium the current ones."""
        self.state, self._next = self._next, self.state
        self.displacement += self._change

    def remove(self, failed: np.ndarray) -> bool:
        """Take voxels out of the mesh: they carry no load any more (paper, section 2.1).

        failed: local (layers, ny, nx) bool. Their damage stays. Pieces that hang on nothing after
        that go as well. Returns False, and removes nothing, if no piece would join the grips.
        Collective.
        """
        parts = self.comm.allgather(failed[self.share.owned_layers])
        rest = load_bearing(self._whole & ~np.concatenate(parts))
        if rest is None:
            return False
        kinds = degrees_of_freedom(rest)
        moved = np.any((kinds == HELD) != (self._all_kinds == HELD))
        gone = self.bearing & ~self._local(rest)
        self._frozen[gone] = self.damage()[gone]
        # `evaluate` visits no element that is gone: its last state and tangent would stay.
        self._next[gone] = self.state[gone]
        self._tangent.forget(gone)
        self._whole, self._all_kinds = rest, kinds
        self.bearing[:] = self._local(rest)
        self.kinds[:] = self._local(kinds, 1)
        if moved:
            self._solver.destroy()
            self._solver = Multigrid(rest.shape, kinds, self._tangent, self.comm)
        return True

    def damage(self, pending: bool = False) -> np.ndarray:
        """Damage of the local voxels (layers, ny, nx); of the step under way if `pending`.

        Where a voxel bears no load: what it failed with, or φ0.
        """
        field = self._frozen.copy()
        element_damage(self._next if pending else self.state, self.bearing, field)
        return field

    def saturated_points(self, damage: np.ndarray) -> int:
        """Saturated points of the load-bearing voxel with the largest damage (layers, ny, nx)."""
        largest = self.largest(np.where(self.bearing, damage, -1.0))
        leading = self.bearing & (damage == largest)
        points = np.count_nonzero(self.state[leading][:, PHI] >= SATURATED, axis=-1)
        return self.comm.allreduce(int(points.max(initial=0)), MPI.MAX)

    def nominal_stress(self) -> float:
        """Force on the upper grip over the full cross-section, MPa."""
        top = self._force[-1, ..., 2].sum() if self.comm.rank == self.comm.size - 1 else 0.0
        return self.comm.allreduce(top) / self.area

    def elastic_fields(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Linear elastic solution: local displacement per unit nominal strain (mm), and element
        means of von Mises stress and pressure per unit nominal stress (layers, ny, nx).

        Zero stress where a voxel bears no load. Call it in the undeformed state. Raises
        ArithmeticError where the solve does not converge.
        """
        tiny = 1e-6  # far below first flow
        planes = np.arange(self.share.first_layer, self.share.end_layer + 1)
        u = np.zeros(self.kinds.shape)
        u[..., 2] = (tiny * self.spacing * planes)[:, None, None]
        if not self.equilibrate(u, 1.0, 1e-8, 10, 1e-4):
            raise ArithmeticError("the linear elastic solve did not converge")
        mises, pressure = np.zeros(self.bearing.shape), np.zeros(self.bearing.shape)
        elastic_stress(u, self.bearing, self.material, self.element, mises, pressure)
        nominal = self.nominal_stress()
        return u / tiny, mises / nominal, pressure / nominal

    def gather(self, field: np.ndarray) -> np.ndarray | None:
        """A local voxel field as the whole (nx, ny, nz) on the team's first rank, else None."""
        parts = self.comm.gather(field[self.share.owned_layers])
        if parts is None:
            return None
        return np.ascontiguousarray(np.concatenate(parts).transpose(2, 1, 0))

    def largest(self, field: np.ndarray) -> float:
        """Maximum of a local voxel field over all ranks."""
        return self.comm.allreduce(field.max(), MPI.MAX)

    def count(self, field: np.ndarray) -> int:
        """Number of true voxels of a local field over all ranks."""
        return self.comm.allreduce(int(np.count_nonzero(field[self.share.owned_layers])))
