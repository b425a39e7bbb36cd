"""Warped elements against an independent formulation in NumPy, written from the literature.

Multiplicative: the elastic left Cauchy-Green tensor exp(2e) is carried along by the deformation
gradient of the step, its logarithm e is the elastic strain, exactly rotated (de Souza Neto, Perić,
Owen 2008, section 14.4); the volume change of the gradient is replaced by that of the element. It
differs from the Jaumann rate by the step's error and by the size of the elastic strain.
"""

import numpy as np
import pytest

from porefail.fe.constitutive import PHI, STATE, initial_state, update
from porefail.fe.evaluation import evaluate
from porefail.fe.finite_strain import evaluate_finite
from porefail.fe.hexahedron import ELEMENTS, hexahedron
from porefail.fe.tangent import bulk_shape, points_shape

SPACING, SHAPE, SECONDS = 0.05, (2, 2, 3), 50.0  # z, y, x
ROW, COLUMN = [0, 1, 2, 0, 1, 2], [0, 1, 2, 1, 2, 0]


def bearing():
    solid = np.ones(SHAPE, bool)
    solid[0, 1, 2] = False
    return solid


def path():
    """Displacement (nodes, 3) of the end: stretch, shear, and every node moved at random."""
    z, y, x = np.meshgrid(*(np.arange(n + 1.0) for n in SHAPE), indexing="ij")
    nodes = SPACING * np.stack([x, y, z], axis=-1)
    gradient = np.array([[-0.1, 0.25, 0.0], [0.0, -0.1, 0.3], [0.0, 0.0, 0.25]])
    warp = np.random.default_rng(5).uniform(-0.12, 0.12, nodes.shape)
    return nodes @ gradient.T + SPACING * warp


def tensor(vector):
    full = np.empty((*vector.shape[:-1], 3, 3))
    full[..., ROW, COLUMN] = full[..., COLUMN, ROW] = vector
    return full


def of_eigenvalues(function, matrix):
    values, vectors = np.linalg.eigh(matrix)
    return np.einsum("...ij,...j,...kj->...ik", vectors, function(values), vectors)


def peer_step(u, du, state, dt, lag, material, element):
    """States (elements, 8, 9) and nodal forces after a step; written without the kernel's parts.

    With `lag` the stress feels the damage of the start of the step.
    """
    k, j, i = np.nonzero(bearing())
    corners = [(k + (a >> 2), j + (a >> 1 & 1), i + (a & 1)) for a in range(8)]

    def deformation(field):
        nodal = np.stack([field[corner] for corner in corners], axis=1)
        return np.eye(3) + np.einsum("eac,dag->egcd", nodal, element.gradients)

    before, after = deformation(u), deformation(u + du)
    old_volume, volume = np.linalg.det(before), np.linalg.det(after)
    growth = (volume.sum(1) / old_volume.sum(1))[:, None]  # of the element
    share = np.cbrt(growth * old_volume / volume)
    if len(element.dilatation) > 1:  # full integration: a point keeps its own volume
        share = np.ones_like(volume)
    step = share[..., None, None] * (after @ np.linalg.inv(before))
    elastic = tensor(state[..., :6] / [1, 1, 1, 2, 2, 2])
    carried = step @ of_eigenvalues(lambda e: np.exp(2 * e), elastic) @ step.swapaxes(-1, -2)
    trial = 0.5 * of_eigenvalues(np.log, carried)[..., ROW, COLUMN] * [1, 1, 1, 2, 2, 2]
    new, stress = np.empty_like(state), np.empty((*state.shape[:2], 6))
    for n in np.ndindex(state.shape[:2]):
        update(trial[n] - state[n][:6], state[n], dt, material, new[n], stress[n])
    if lag:
        stress *= ((1 - state[..., PHI]) / (1 - new[..., PHI]))[..., None]
    pressure = stress[..., :3].mean(axis=-1)
    mean = (
        pressure
        if len(element.dilatation) > 1
        else (volume * pressure).sum(1, keepdims=True) / volume.sum(1, keepdims=True)
    )
    cauchy = tensor(stress) + (mean - pressure)[..., None, None] * np.eye(3)
    piola = volume[..., None, None] * cauchy @ np.linalg.inv(after).swapaxes(-1, -2)
    nodal = element.weight * np.einsum("egcd,dag->eac", piola, element.gradients)
    force = np.zeros_like(u)
    for a, corner in enumerate(corners):
        np.add.at(force, corner, nodal[:, a])
    return new, force


def peer(steps, material, kind, lag):
    element, end = hexahedron(SPACING, kind), path()
    state = np.broadcast_to(initial_state(material), (bearing().sum(), 8, STATE))
    for n in range(steps):
        args = (end * n / steps, end / steps, state, SECONDS / steps, lag, material, element)
        state, force = peer_step(*args)
    return state, force


def ours(steps, material, kind, lag, finite=True):
    element = hexahedron(SPACING, kind)
    end, solid = path(), bearing()
    old = np.empty((*SHAPE, STATE, 8))
    old[:] = initial_state(material)[:, None]
    new, force, guess = old.copy(), np.empty_like(end), np.full((*SHAPE, 8), np.inf)
    tangent = np.zeros(points_shape(SHAPE), np.float32)
    bulk = np.zeros(bulk_shape(SHAPE, element), np.float32)
    for n in range(steps):
        inputs = (end * n / steps, end / steps) if finite else (end / steps,)
        (evaluate_finite if finite else evaluate)(
            *inputs, solid, old, guess, SECONDS / steps, lag, material, element,
            new, force, tangent, bulk,
        )  # fmt: skip
        old, new = new, old
    return old[solid].swapaxes(-1, -2), force


def differences(found, expected):
    """Largest differences: of the forces over the largest one, of the damage."""
    force, phi = expected[1], expected[0][..., PHI]
    return np.array(
        [
            np.abs(found[1] - force).max() / np.abs(force).max(),
            np.abs(found[0][..., PHI] - phi).max(),
        ]
    )


@pytest.mark.parametrize("lag", [0.0, 1.0], ids=["end_of_step", "start_of_step"])
@pytest.mark.parametrize("kind", ELEMENTS)
def test_warped_elements_agree_with_the_multiplicative_formulation(kind, lag, named):
    material = named("staged")._replace(void_density=1e-5)  # little damage, so that stress is left
    same = {n: peer(n, material, kind, lag) for n in (20, 40)}
    errors = [differences(ours(n, material, kind, lag), same[n]) for n in (20, 40)]
    small = differences(ours(40, material, kind, lag, finite=False), same[40])
    other = differences(ours(40, material, kind, 1.0 - lag), same[40])
    print("differences of forces, damage:", *errors, "of small strain:", small, "lag:", other)
    assert errors[-1].max() < 1e-5
    assert small[0] > 0.1
    assert other[0] > 100 * errors[1][0]
    assert errors[1][0] < 0.3 * errors[0][0]  # of second order in the step
