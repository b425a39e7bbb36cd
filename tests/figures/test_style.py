"""What all figures share."""

import numpy as np
import pytest

from porefail.figures import style


@pytest.mark.parametrize(
    "pixels, length",
    [([], 0), ([(0, 0)], 4), ([(1, 1), (1, 2)], 6), ([(0, 0), (2, 3)], 8), ([(0, 0), (1, 1)], 8)],
)
def test_outline_is_the_border_of_the_pixels(pixels, length):
    mask = np.zeros((3, 4), bool)
    for pixel in pixels:
        mask[pixel] = True
    axes = style.new(1, 1).subplots()
    style.outline(axes, mask, 0.5, "black", 1)
    segments = [tuple(map(tuple, s / 0.5)) for s in axes.collections[0].get_segments()]
    sides = set()
    for i, k in pixels:
        corners = [(i, k), (i + 1, k), (i + 1, k + 1), (i, k + 1)]
        around = zip(corners, [*corners[1:], corners[0]], strict=True)
        sides ^= {tuple(sorted(side)) for side in around}
    assert sorted(segments) == sorted(sides) and len(segments) == length


def test_highest():
    field = np.arange(24.0).reshape(2, 3, 4)
    field[0, :, 0] = field[1, 2, 3] = np.nan
    expected = np.array([[np.nan, 9, 10, 11], [20, 21, 22, 19]])
    np.testing.assert_array_equal(style.highest(field), expected)


def test_failing_damage_is_told_from_the_rest():
    """Below 0.6 grey, from there blue to red as in the paper's Fig. 1."""
    red, _, blue, _ = np.transpose(style.FAILURE_MAP([0.3, 0.59, 0.605, 1.0]))
    assert red[:2] == pytest.approx(blue[:2]) and blue[2] > red[2] + 0.4 and red[3] > blue[3] + 0.4


def test_mean_and_deviation_leave_out_what_is_not_defined():
    nan = np.nan
    mean, deviation = style.mean_and_deviation(np.array([[1, 3, nan], [2, nan, nan], [nan] * 3]))
    np.testing.assert_array_equal(mean, [2, 2, nan])
    np.testing.assert_allclose(deviation, [np.sqrt(2), 0, nan])
