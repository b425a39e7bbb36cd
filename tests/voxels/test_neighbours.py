"""Clusters beside those of SciPy, neighbourhoods beside a search voxel by voxel."""

import itertools

import numpy as np
import pytest
from scipy import ndimage

from porefail.voxels.neighbours import connected, grown


def test_voxels_that_share_a_corner_are_one_cluster():
    mask = np.zeros((3, 3, 3), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = True
    assert connected(mask)[1] == 1
    mask[1, 1, 1], mask[2, 2, 2] = False, True
    assert connected(mask)[1] == 2


@pytest.mark.parametrize("seed", range(60))
def test_labels_equal_scipys_and_are_in_order_of_first_voxels(seed):
    rng = np.random.default_rng(seed)
    mask = rng.random(rng.integers(1, 9, 3)) < rng.choice([0.0, 0.05, 0.1, 0.2, 0.4, 1.0])
    expected, _ = ndimage.label(mask, np.ones((3, 3, 3)))
    flipped = np.ascontiguousarray(mask[::-1])[::-1]
    for same in (mask, np.asfortranarray(mask), np.repeat(mask, 2, axis=2)[..., ::2], flipped):
        labels, count = connected(same)
        np.testing.assert_array_equal(labels, expected)
        assert count == expected.max() and labels.dtype == np.uint32


@pytest.mark.parametrize(
    "shape", [(3, 3, 3), (1, 1, 7), (1, 5, 1), (7, 1, 1), (5, 7, 3), (4, 6, 2)]
)
def test_as_many_clusters_as_a_grid_can_hold_are_labelled(shape):
    """For booleans on grids of odd sides cc3d 4.1.1 stops with 'maximum length exception'."""
    mask = np.zeros(shape, bool)
    mask[::2, ::2, ::2] = True
    labels, count = connected(mask)
    assert count == np.count_nonzero(mask)
    np.testing.assert_array_equal(labels[mask], 1 + np.arange(count))
    assert not labels[~mask].any()


@pytest.mark.parametrize("voxels", [0, 1, 2])
def test_all_within_so_many_voxels_of_a_mask(voxels):
    masks = np.random.default_rng(voxels).random((3, 5, 4, 6)) < 0.03
    expected = np.zeros_like(masks)
    for number, *centre in np.argwhere(masks):
        near = (range(max(c - voxels, 0), c + voxels + 1) for c in centre)
        for place in itertools.product(*near):
            if all(a < n for a, n in zip(place, masks.shape[1:], strict=True)):
                expected[(number, *place)] = True
    found = grown(masks, voxels)
    assert found.dtype == bool and masks.any() and not expected.all()
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(grown(masks[0], voxels), expected[0])
