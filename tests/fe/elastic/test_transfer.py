"""Interpolation between grids: exact for what is linear, and its transpose."""

import numpy as np
import pytest

from porefail.fe.elastic.transfer import prolong, restrict

# Elements of the fine and the coarse grid; the coarse one may have void beyond the end.
SHAPES = [((4, 6, 8), (2, 3, 4)), ((6, 2, 18), (4, 2, 10)), ((2, 10, 30), (2, 6, 16))]


def zeros(lines_of, shape):
    return lines_of(np.zeros((*(n + 1 for n in shape), 3), np.float32))


@pytest.mark.parametrize(("fine", "coarse"), SHAPES, ids=str)
def test_a_linear_field_stays_linear(lines_of, field_of, fine, coarse):
    axes = np.meshgrid(*(2.0 * np.arange(n + 1) for n in coarse), indexing="ij")
    field = np.stack([1 + axes[0], axes[1] - axes[2], 3 * axes[2]], axis=-1)
    found = zeros(lines_of, fine)
    prolong(lines_of(field.astype("f4")), 0, coarse[1:], found, 0, fine[1:])
    axes = np.meshgrid(*(np.arange(n + 1.0) for n in fine), indexing="ij")
    expected = np.stack([1 + axes[0], axes[1] - axes[2], 3 * axes[2]], axis=-1)
    np.testing.assert_allclose(field_of(found, fine), expected, atol=1e-5)


@pytest.mark.parametrize(("fine", "coarse"), SHAPES, ids=str)
def test_to_restrict_is_the_transpose(lines_of, fine, coarse):
    generator = np.random.default_rng(0)
    load, answer = (
        lines_of(generator.standard_normal((*(n + 1 for n in shape), 3)).astype("f4"))
        for shape in (fine, coarse)
    )
    below, above = zeros(lines_of, coarse), zeros(lines_of, fine)
    restrict(load, 0, fine[1:], below, 0, coarse[1:], 0, coarse[0] + 1)
    prolong(answer, 0, coarse[1:], above, 0, fine[1:])
    assert np.dot(below, answer) == pytest.approx(np.dot(load, above), rel=1e-4)


def test_planes_of_a_part_are_those_of_the_whole(lines_of, field_of):
    """Fine planes 3 to 8 of 9, as a rank may have them with its neighbours' at the seams."""
    fine, coarse = (8, 4, 6), (4, 2, 4)
    field = np.random.default_rng(0).standard_normal((9, 5, 7, 3)).astype("f4")
    whole = zeros(lines_of, coarse)
    restrict(lines_of(field), 0, fine[1:], whole, 0, coarse[1:], 0, 5)
    whole = field_of(whole, coarse)
    part = zeros(lines_of, (3, *coarse[1:]))
    restrict(lines_of(field[3:]), 3, fine[1:], part, 1, coarse[1:], 2, 5)
    part = field_of(part, (3, *coarse[1:]))
    np.testing.assert_array_equal(part[1:], whole[2:])
    assert not part[0].any()
    found = zeros(lines_of, (5, *fine[1:]))
    prolong(lines_of(whole[1:].copy()), 1, coarse[1:], found, 3, fine[1:])
    expected = zeros(lines_of, fine)
    prolong(lines_of(whole.copy()), 0, coarse[1:], expected, 0, fine[1:])
    np.testing.assert_array_equal(field_of(found, (5, *fine[1:])), field_of(expected, fine)[3:])
