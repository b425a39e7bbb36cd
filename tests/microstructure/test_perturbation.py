import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.microstructure.perturbation import edges, swap

POROSITY = (np.random.default_rng(3).random((8, 8, 16)) < 0.08).astype(np.uint8)
POROSITY[2:6, 2:6, 4:9] = 1  # a pore with an inside
FAILED = np.zeros(POROSITY.shape, np.uint8)
FAILED[6, 4, 6] = 1
POROSITY[6, 4, 6] = 0
DISTANCE = 3.0


def swapped(number, seed=5, realization=7) -> tuple[np.ndarray, np.ndarray]:
    """Voxels that became solid, and void."""
    change = swap(POROSITY, FAILED, DISTANCE, seed, realization, number).astype(int) - POROSITY
    return np.argwhere(change == -1), np.argwhere(change == 1)


def around(porosity, voxel) -> list[int]:
    """Porosity of the voxels that share a face with one."""
    steps = np.vstack([np.eye(3, dtype=int), -np.eye(3, dtype=int)])
    places = np.array(voxel) + steps
    inside = ((places >= 0) & (places < porosity.shape)).all(axis=1)
    return porosity[tuple(places[inside].T)].tolist()


def test_one_void_voxel_near_the_failure_and_one_solid_voxel_change_places():
    filled, emptied = set(), set()
    for number in range(400):
        solid, void = swapped(number)
        assert solid.shape == void.shape == (1, 3)
        filled.add(tuple(solid[0].tolist()))
        emptied.add(tuple(void[0].tolist()))
    near = {
        tuple(voxel)
        for voxel in np.argwhere(POROSITY == 1).tolist()
        if np.linalg.norm(np.subtract(voxel, [6, 4, 6])) <= DISTANCE
    }
    edges = {voxel for voxel in near if 0 in around(POROSITY, voxel)}
    # Every edge voxel near by has its turn; solid voxels come from everywhere.
    assert filled == edges and edges < near
    assert np.ptp([voxel[2] for voxel in emptied]) == POROSITY.shape[2] - 1


def test_it_depends_on_seed_realization_and_number_alone():
    one = swap(POROSITY, FAILED, DISTANCE, 5, 7, 2)
    np.testing.assert_array_equal(one, swap(POROSITY, FAILED, DISTANCE, 5, 7, 2))
    others = [(6, 7, 2), (5, 8, 2), (5, 7, 3)]
    assert all((one != swap(POROSITY, FAILED, DISTANCE, *each)).any() for each in others)


def test_voxels_at_the_very_distance_are_near():
    """0.15 mm / 0.05 mm is less than 3."""
    porosity = np.ones((9, 9, 9), np.uint8)
    porosity[::2, ::2, ::2] = porosity[4, 4, 4] = 0
    failed = np.zeros_like(porosity)
    failed[4, 4, 4] = 1
    found = edges(porosity, failed, 0.15 / 0.05)
    steps = np.argwhere(porosity == 1) - 4
    near = [voxel + 4 for voxel in steps if voxel @ voxel <= 9]
    near = {tuple(v.tolist()) for v in near if 0 in around(porosity, v)}
    assert {tuple(v) for v in np.argwhere(np.ones((9, 9, 9)))[found].tolist()} == near
    np.testing.assert_array_equal(found, edges(porosity, failed, 3.0))


def test_errors():
    with pytest.raises(PorefailError, match="no pore within 0.5 voxels"):
        swap(POROSITY, FAILED, 0.5, 1, 2, 3)
    with pytest.raises(PorefailError, match="needs the voxels that failed"):
        swap(POROSITY, np.zeros_like(FAILED), DISTANCE, 1, 2, 3)
