import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.fe.grid import FREE, HELD, VOID, degrees_of_freedom, load_bearing, slab


def block(shape=(8, 4, 4)):
    return np.ones(shape, dtype=bool)


def test_whole_block_bears_load():
    assert load_bearing(block()).all()


def test_cut_specimen_bears_nothing():
    solid = block()
    solid[3] = False
    assert load_bearing(solid) is None


def test_edge_contact_is_a_hinge_and_bears_nothing():
    solid = np.zeros((4, 4, 4), dtype=bool)
    solid[:2, :2], solid[2:, 2:] = True, True
    assert load_bearing(solid) is None


def test_two_columns_are_refused():
    solid = block()
    solid[:, :, 2] = False
    assert load_bearing(solid) is None


def test_loose_voxels_are_left_out():
    solid = block((8, 8, 8))
    solid[2:5, 2:5, 2:5] = False
    solid[3, 3, 3] = True
    bearing = load_bearing(solid)
    assert not bearing[3, 3, 3]
    assert bearing.sum() == solid.sum() - 1


def test_only_rigid_motions_are_held():
    solid = block()
    solid[0, 0, 0] = False
    kinds = degrees_of_freedom(load_bearing(solid))
    assert (kinds[0, 0, 0] == VOID).all()
    assert (kinds[[0, -1], ..., 2] != FREE).all()
    assert np.count_nonzero(kinds[..., :2] == HELD) == 3
    assert np.count_nonzero(kinds[1:-1, ..., 2] == HELD) == 0


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9])
def test_slabs_own_every_plane_and_layer_once(size):
    shares = [slab(8, rank, size) for rank in range(size)]
    planes = np.concatenate([np.arange(s.first_plane, s.end_plane) for s in shares])
    layers = np.concatenate([np.arange(s.first_layer, s.end_layer)[s.owned_layers] for s in shares])
    np.testing.assert_array_equal(planes, np.arange(9))
    np.testing.assert_array_equal(layers, np.arange(8))


def test_too_many_ranks_are_refused():
    with pytest.raises(PorefailError, match="fewer ranks"):
        slab(8, 0, 10)
