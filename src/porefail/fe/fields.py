"""What a specimen's displacements and states tell: strains, plastic strains, stresses.

Points are as in evaluation.py: fields of vectors are (layers, ny, nx, 6, 8), the last axis the
points of an element. Vectors: (xx, yy, zz, xy, yz, zx), strains with engineering shears.
"""

from typing import NamedTuple

import numpy as np

from porefail.fe.constitutive import PHI
from porefail.fe.hexahedron import CORNERS, Hexahedron
from porefail.fe.material import Material


class Plastic(NamedTuple):
    """Plastic deformation of all points.

    strain: (layers, ny, nx, 6, 8). equivalent: (layers, ny, nx, 8), √(2/3 Δεp·Δεp) summed up over
    the load steps.
    """

    strain: np.ndarray
    equivalent: np.ndarray


def undeformed(shape: tuple[int, ...]) -> Plastic:
    """No plastic deformation in `shape` = (layers, ny, nx) voxels."""
    return Plastic(np.zeros((*shape, 6, 8)), np.zeros((*shape, 8)))


def total_strain(displacement: np.ndarray, element: Hexahedron) -> np.ndarray:
    """Strain (layers, ny, nx, 6, 8) of nodal displacements (layers+1, ny+1, nx+1, 3) mm."""
    layers, ny, nx = (count - 1 for count in displacement.shape[:3])
    of_elements = np.concatenate(
        [displacement[z : z + layers, y : y + ny, x : x + nx] for x, y, z in CORNERS], axis=-1
    )
    matrix = element.strain.transpose(2, 1, 0).reshape(24, 48)
    return (of_elements @ matrix).reshape(layers, ny, nx, 6, 8)


def deformed(
    before: Plastic,
    displacement: np.ndarray,
    state: np.ndarray,
    bearing: np.ndarray,
    element: Hexahedron,
) -> Plastic:
    """Plastic deformation after a load step: the part of the total strain that is not elastic.

    before: as of the step before; displacement (mm), state, bearing: as in Specimen, after the
    step. Where a voxel bears no load, nothing changes: what its nodes do is no deformation.
    """
    strain = total_strain(displacement, element) - state[..., :6, :]
    strain = np.where(bearing[..., None, None], strain, before.strain)
    return Plastic(strain, before.equivalent + _equivalent(strain - before.strain))


def _equivalent(strain: np.ndarray) -> np.ndarray:
    """√(2/3 ε·ε) of (..., 6, 8) strains, (..., 8)."""
    squares = np.square(strain)
    doubled = squares[..., :3, :].sum(axis=-2) + 0.5 * squares[..., 3:, :].sum(axis=-2)
    return np.sqrt(2.0 / 3.0 * doubled)


def cauchy_stress(
    state: np.ndarray,
    damage: np.ndarray,
    bearing: np.ndarray,
    material: Material,
    element: Hexahedron,
) -> np.ndarray:
    """(1−φ)·C:εe, (layers, ny, nx, 6, 8) MPa; zero where a voxel bears no load (Eq. 1).

    damage: (layers, ny, nx, 8), the φ that the stresses feel: that of `state`, but of the step
    before where the damage lags (see Specimen).
    """
    shear = 0.5 * material.young_modulus / (1.0 + material.poisson_ratio)
    bulk = material.young_modulus / (3.0 * (1.0 - 2.0 * material.poisson_ratio))
    elastic = state[..., :6, :]
    dilatation = elastic[..., :3, :].sum(axis=-2, keepdims=True)
    stress = shear * elastic
    stress[..., :3, :] *= 2.0
    stress[..., :3, :] += (bulk - 2.0 * shear / 3.0) * dilatation
    stress *= (1.0 - damage)[..., None, :]
    if len(element.dilatation) == 1:
        # Under B-bar the pressure is the same in the whole element, the mean of its points.
        pressure = stress[..., :3, :].mean(axis=-2, keepdims=True)
        stress[..., :3, :] += pressure.mean(axis=-1, keepdims=True) - pressure
    return np.where(bearing[..., None, None], stress, 0.0)


def von_mises(stress: np.ndarray) -> np.ndarray:
    """Von Mises stress (..., 8) of stresses (..., 6, 8)."""
    deviator = stress[..., :3, :] - stress[..., :3, :].mean(axis=-2, keepdims=True)
    squares = 0.5 * np.square(deviator).sum(axis=-2) + np.square(stress[..., 3:, :]).sum(axis=-2)
    return np.sqrt(3.0 * squares)


def point_damage(state: np.ndarray) -> np.ndarray:
    """φ of the points, (layers, ny, nx, 8), a copy."""
    return state[..., PHI, :].copy()


def tensor(strain: np.ndarray) -> np.ndarray:
    """Strains (..., 6) with tensor in place of engineering shears."""
    return strain * np.array([1.0, 1.0, 1.0, 0.5, 0.5, 0.5])
