"""Interpolation between the grids: trilinear, its transpose, the same on a part of the layers."""

import numpy as np
import pytest

from porefail.fe.grid import FREE, HELD, VOID, slab
from porefail.fe.lines import from_lines, lines_size, to_lines
from porefail.fe.transfer import prolong, restrict

SHAPE = (8, 4, 12)
COARSE = (5, 3, 7, 3)  # planes, rows, nodes, components


def lines_of(field):
    lines = np.full(lines_size(tuple(n - 1 for n in field.shape[:3])), np.nan, np.float32)
    to_lines(field, np.full(field.shape, FREE, np.uint8), lines)
    return lines


def field_of(lines, shape):
    field = np.full((*(n + 1 for n in shape), 3), np.nan)
    from_lines(lines, field)
    return field


def free_and_not(seed=0):
    """Kinds of the degrees of freedom of the grid, some held, some void."""
    kinds = np.full((*(n + 1 for n in SHAPE), 3), FREE, np.uint8)
    generator = np.random.default_rng(seed)
    kinds[generator.random(kinds.shape) < 0.1] = HELD
    kinds[generator.random(kinds.shape) < 0.1] = VOID
    return kinds


def prolonged(coarse, kinds, share):
    """Fine values (planes, ny+1, nx+1, 3) of a rank's planes; coarse: of the whole grid."""
    local = slice(share.first_layer, share.end_layer + 1)
    free = lines_of((kinds[local] == FREE).astype(float))
    fine = np.full_like(free, 7.0)
    part = coarse[share.first_layer // 2 : (share.end_layer + 1) // 2 + 1]
    layers = share.end_layer - share.first_layer
    prolong(part, free, layers, share.first_layer, fine)
    return field_of(fine, (layers, *SHAPE[1:]))


def restricted(fine, kinds, share):
    """What a rank's planes give to the coarse planes of the whole grid."""
    local = slice(share.first_layer, share.end_layer + 1)
    free = lines_of((kinds[local] == FREE).astype(float))
    first, last = share.first_layer // 2, (share.end_layer + 1) // 2
    coarse = np.full((last - first + 1, *COARSE[1:]), np.nan)
    owned = (share.owned.start, share.owned.stop)
    layers = share.end_layer - share.first_layer
    restrict(lines_of(fine[local]), free, layers, share.first_layer, owned, coarse)
    total = np.zeros(COARSE)
    total[first : last + 1] = coarse
    return total


def test_linear_fields_are_interpolated_exactly():
    every = np.full((*(n + 1 for n in SHAPE), 3), FREE, np.uint8)
    axes = [np.arange(n) for n in COARSE]
    z, y, x, c = np.meshgrid(*axes, indexing="ij")
    fine = prolonged(x + 10.0 * y - 3.0 * z + c, every, slab(SHAPE[0], 0, 1))
    z, y, x, c = np.meshgrid(*(np.arange(n) for n in every.shape), indexing="ij")
    np.testing.assert_allclose(fine, (x + 10.0 * y - 3.0 * z) / 2 + c, rtol=1e-6, atol=1e-6)


def test_what_is_not_free_takes_no_part():
    kinds, share = free_and_not(), slab(SHAPE[0], 0, 1)
    fine = prolonged(np.random.default_rng(1).normal(size=COARSE), kinds, share)
    assert not fine[kinds != FREE].any() and fine[kinds == FREE].all()
    other = np.random.default_rng(2).normal(size=kinds.shape)
    expected = restricted(np.where(kinds == FREE, other, 0.0), kinds, share)
    np.testing.assert_array_equal(restricted(other, kinds, share), expected)


@pytest.mark.parametrize("ranks", [1, 2, 3, 9])
def test_restriction_is_the_transpose_however_many_ranks_share_it(ranks):
    """Also where a rank has one plane alone."""
    kinds, generator = free_and_not(), np.random.default_rng(3)
    fine, coarse = generator.normal(size=kinds.shape), generator.normal(size=COARSE)
    whole = prolonged(coarse, kinds, slab(SHAPE[0], 0, 1))
    total = np.zeros(COARSE)
    for rank in range(ranks):
        share = slab(SHAPE[0], rank, ranks)
        local = slice(share.first_layer, share.end_layer + 1)
        np.testing.assert_array_equal(prolonged(coarse, kinds, share), whole[local])
        total += restricted(fine, kinds, share)
    np.testing.assert_allclose(np.vdot(total, coarse), np.vdot(fine, whole), rtol=1e-5)
    np.testing.assert_allclose(total, restricted(fine, kinds, slab(SHAPE[0], 0, 1)), atol=1e-5)
