"""Bounds that arithmetic misses by its last digit count as they are written."""

from fractions import Fraction

import numpy as np
import pytest

from porefail.voxels.rounding import bin_of, within


def test_a_distance_that_is_the_bound_is_within_it():
    for steps in range(1, 200):
        distance = np.array([steps - 1, steps, steps + 1])
        for spacing in (0.05, 0.02, 0.1, 0.007):
            most = float(Fraction(str(spacing)) * steps)
            assert within(distance, most / spacing).tolist() == [True, True, False]
            assert within(distance * spacing, most).tolist() == [True, True, False]


@pytest.mark.parametrize("bins", [1, 2, 7, 10, 49, 50, 100, 256, 1000])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_bin_holds_its_left_edge_in_any_precision(bins, kind):
    edges = np.array([k / bins for k in range(bins)], kind)
    assert bin_of(edges, bins).tolist() == list(range(bins))
    assert bin_of(edges + kind(0.5 / bins), bins).tolist() == list(range(bins))
    below = edges[1:] - kind(1e-2 / bins)
    assert bin_of(below, bins).tolist() == list(range(bins - 1))
    assert bin_of(np.linspace(0, 1, bins + 1).astype(kind), bins)[-1] == bins - 1


def test_both_precisions_of_a_number_are_in_one_bin():
    values = np.random.default_rng(0).random(100_000, np.float32)
    np.testing.assert_array_equal(bin_of(values, 50), bin_of(values.astype(float), 50))


def test_what_is_outside():
    assert bin_of(np.array([-3.0, -1e-9, 1.0, 7.0, np.nan]), 5).tolist() == [0, 0, 4, 4, 4]
