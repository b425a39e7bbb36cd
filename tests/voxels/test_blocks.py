"""Blocks about places: what is inside, beside and beyond."""

import numpy as np

from porefail.dataset import symmetry
from porefail.voxels.blocks import blocks_about

FIELD = np.random.default_rng(0).normal(size=(6, 6, 10))


def test_a_block_is_what_is_about_its_place():
    (block,) = blocks_about(FIELD, np.array([[2, 3, 4]]), 2, 0.0)
    np.testing.assert_array_equal(block, FIELD[0:5, 1:6, 2:7])


def test_beside_the_specimen_is_a_number_and_beyond_its_ends_its_mirror_image():
    (block,) = blocks_about(FIELD, np.array([[0, 5, 9]]), 1, -7.0)
    assert (block[0] == -7).all() and (block[:, 2] == -7).all()
    np.testing.assert_array_equal(block[1:, :2, :2], FIELD[0:2, 4:6, 8:10])
    np.testing.assert_array_equal(block[1:, :2, 2], FIELD[0:2, 4:6, 9])


def test_blocks_turn_with_the_specimen():
    place = np.array([1, 4, 2])
    (block,) = blocks_about(FIELD, place[None], 2, 0.0)
    marked = np.zeros(FIELD.shape, bool)
    marked[tuple(place)] = True
    for name in symmetry.ELEMENTS:
        there = np.argwhere(symmetry.apply(name, marked))
        (turned,) = blocks_about(symmetry.apply(name, FIELD), there, 2, 0.0)
        np.testing.assert_array_equal(turned, symmetry.apply(name, block))


def test_no_places_give_no_blocks():
    assert blocks_about(FIELD, np.zeros((0, 3), int), 3, 0.0).shape == (0, 7, 7, 7)
