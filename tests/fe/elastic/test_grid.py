"""Grids: densities are shares of solid voxels, ranks have the same as one."""

from types import SimpleNamespace

import numpy as np
import pytest

from porefail.fe.elastic.grid import grids


def of_rank(rank, size):
    return SimpleNamespace(rank=rank, size=size)


@pytest.mark.parametrize("shape", [(24, 8, 16), (13, 7, 22), (37, 1, 5)], ids=str)
def test_every_grid_holds_all_of_the_material(shape):
    solid = np.random.default_rng(0).random(shape) < 0.7
    found = grids(solid, of_rank(0, 1))
    assert len(found) > 1
    for level, grid in enumerate(found):
        # A density is a share of the solid times the edge.
        assert grid.density.sum() * 4**level == pytest.approx(solid.sum())
        assert grid.grip == shape[0] // 2**level
        assert all(count % 2 == 0 for count in grid.shape) or grid is found[-1]
    assert np.prod(np.array(found[-1].shape) + 1) <= 400


def test_ranks_share_the_planes_of_each_grid():
    solid = np.random.default_rng(0).random((161, 40, 40)) < 0.7
    whole = grids(solid, of_rank(0, 1))
    parts = [grids(solid, of_rank(rank, 3)) for rank in range(3)]
    assert parts[0][0].comm.size == parts[0][1].comm.size == 3
    for level, grid in enumerate(whole):
        shared = [part[level] for part in parts]
        if shared[0].comm.size == 1:
            for each in shared:
                np.testing.assert_array_equal(each.density, grid.density)
            continue
        planes = [n for each in shared for n in range(each.share.first_plane, each.share.end_plane)]
        assert planes == list(range(grid.shape[0] + 1))
        for each in shared:
            local = slice(each.share.first_layer, each.share.end_layer)
            np.testing.assert_array_equal(each.density, grid.density[local])
            own = each.share.owned
            owned = slice(each.share.first_plane, each.share.end_plane)
            np.testing.assert_array_equal(each.inverse[own], grid.inverse[owned])
