"""One material point along a path of prescribed strains, stresses or both (mixed control).

Its stress feels the damage of the end of each substep, whatever simulations are told
(simulation.damage_in_stress): substeps are short here, and the difference is of their order.

Vectors: (xx, yy, zz, xy, yz, zx); strains have engineering shears. MPa, s.
"""

from typing import NamedTuple

import numpy as np

from porefail.errors import PorefailError
from porefail.fe.constitutive import STATE, consistent_tangent, initial_state, update
from porefail.fe.material import Material

COMPONENTS = ("xx", "yy", "zz", "xy", "yz", "zx")
SHEAR = np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])  # engineering over tensor strain

ITERATIONS = 25
TOLERANCE = 1e-10  # of the prescribed stress, over the yield strength
# Where a prescribed stress takes the point further, or in smaller parts of a row, it flows without
# end.
LARGEST_STRAIN = 10.0
SMALLEST_PART = 1e-12
MOST_SUBSTEPS = 10_000_000  # of a path
SMALLEST_STEP = 1e-12  # of a strain: smaller ones are lost in its rounding


class Path(NamedTuple):
    """Points of a piecewise linear path; the first one is the undeformed, unloaded start.

    time: (n,) s, rising. goal: (n, 6), strain, or stress in MPa where `stressed`, (6,) bool.
    """

    time: np.ndarray
    goal: np.ndarray
    stressed: np.ndarray


class Response(NamedTuple):
    """The point at one time, or at n times, with arrays (n, ...).

    strain: (6,) total. stress: (6,) MPa. state: (9,), see porefail.fe.constitutive.
    plastic_strain: equivalent plastic strain, the integral of √(2/3 ε̇p·ε̇p).
    """

    strain: np.ndarray
    stress: np.ndarray
    state: np.ndarray
    plastic_strain: np.ndarray


def follow(path: Path, material: Material, max_strain_step: float) -> Response:
    """Response (n, ...) at the n points of a path.

    max_strain_step: no substep changes a tensor component of the strain by more, nor one of the
    plastic strain by more than twice as much (flow at held strain).
    Raises PorefailError that tells the time at which the material cannot carry the prescribed
    stress or answers with numbers that are not finite, and where the substeps are too many.
    """
    _check_substeps(path, material, max_strain_step)
    point = Response(np.zeros(6), np.zeros(6), initial_state(material), np.array(0.0))
    points = [point]
    for row in range(1, len(path.time)):
        point = _straight(point, path, row, material, max_strain_step)
        if not all(np.isfinite(each).all() for each in point):
            raise PorefailError(
                f"row {row + 1}, at {path.time[row]:.6g} s: the response is not finite: expected a"
                " path that the material can follow"
            )
        points.append(point)
    return Response(*map(np.stack, zip(*points, strict=True)))


def _check_substeps(path: Path, material: Material, largest: float) -> None:
    """Refuse a path that would take for ever, as far as it is known before: elastic in stresses."""
    if not largest >= SMALLEST_STEP:
        raise PorefailError(f"max-strain-step is {largest:g}, expected {SMALLEST_STEP:g} or more")
    with np.errstate(over="ignore"):
        change = np.abs(np.diff(path.goal, axis=0))
        change /= np.where(path.stressed, material.young_modulus, SHEAR)
        strain = change.max(axis=1).sum()
    if not strain <= MOST_SUBSTEPS * largest:
        raise PorefailError(
            f"a path of {strain:.3g} strain takes more than {MOST_SUBSTEPS:g} substeps of"
            f" {largest:g}: expected less strain or a larger max-strain-step"
        )


def _straight(
    point: Response, path: Path, row: int, material: Material, largest: float
) -> Response:
    """Follow the straight piece that ends at `row` in substeps, equal ones where they can be."""
    stressed, origin = path.stressed, path.goal[row - 1]
    goal_change, duration = path.goal[row] - origin, path.time[row] - path.time[row - 1]
    guess = np.zeros(6)
    done, part = 0.0, largest / _size(np.where(stressed, 0.0, goal_change))
    substeps = 0
    while done < 1.0:
        left = 1.0 - done
        part = left / np.ceil(max(left / part - 1e-9, 1.0))
        reached = 1.0 if part == left else done + part
        aim, dt = origin + reached * goal_change, part * duration
        new = _step(point, aim, stressed, dt, guess * dt, material)
        if new is None:
            part *= 0.25
        else:
            change, plastic = new.strain - point.strain, _plastic_change(point, new)
            size = max(_size(change), 0.5 * _size(plastic))
            if size <= largest * (1.0 + 1e-9):
                point, done, guess = new, reached, change / dt
                part *= min(largest / size, 2.0)
            else:
                part *= max(0.9 * largest / size, 0.25)
        endless = np.abs(point.strain[stressed]).max(initial=0.0) > LARGEST_STRAIN
        if endless or part < SMALLEST_PART * stressed.any():
            raise _overload(path.time[row - 1] + done * duration, np.where(stressed, aim, 0.0))
        substeps += 1
        if substeps > MOST_SUBSTEPS:
            raise PorefailError(
                f"row {row + 1}: more than {MOST_SUBSTEPS:g} substeps of {largest:g}: expected a"
                " larger max-strain-step"
            )
    return point


def _step(
    point: Response,
    aim: np.ndarray,
    stressed: np.ndarray,
    dt: float,
    guess: np.ndarray,
    material: Material,
) -> Response | None:
    """One constitutive update; where stresses are prescribed, Newton's method on their strains.

    aim: (6,) total strain or stress at the end; guess: (6,) strain change. None: not converged.
    """
    change = np.where(stressed, guess, aim - point.strain)
    state, stress, tangent = np.empty(STATE), np.empty(6), np.empty((6, 6))
    free = np.flatnonzero(stressed)
    for _ in range(ITERATIONS):
        update(change, point.state, dt, material, state, stress)
        residual = (aim - stress)[free]
        if np.abs(residual).max(initial=0.0) <= TOLERANCE * material.yield_strength:
            new = Response(point.strain + change, stress, state, point.plastic_strain)
            p = _plastic_change(point, new)
            equivalent = np.sqrt(2.0 / 3.0 * np.sum(p * p / SHEAR))
            return new._replace(plastic_strain=point.plastic_strain + equivalent)
        consistent_tangent(change, point.state, dt, material, tangent)
        try:
            change[free] += np.linalg.solve(tangent[np.ix_(free, free)], residual)
        except np.linalg.LinAlgError:
            return None
        if not np.all(np.abs(change[free]) <= LARGEST_STRAIN):
            return None
    return None


def _overload(time: float, stress: np.ndarray) -> PorefailError:
    named = zip(COMPONENTS, stress, strict=True)
    wanted = ", ".join(f"s{name} = {value:.6g} MPa" for name, value in named if value)
    return PorefailError(f"at {time:.6g} s: the material cannot carry {wanted or 'zero stress'}")


def _plastic_change(old: Response, new: Response) -> np.ndarray:
    """Change of the plastic strain: of the total strain less that of the elastic strain."""
    return (new.strain - old.strain) - (new.state[:6] - old.state[:6])


def _size(strain: np.ndarray) -> float:
    """Largest tensor component; never zero."""
    return max(float(np.abs(strain / SHEAR).max()), 1e-300)
