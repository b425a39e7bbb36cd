import itertools
import math

import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.metrics.peaks import local_maxima, peaks, rank_of_truth, top_hits


def specimen(seed=0):
    """Fields with voids (NaN, infinite or high there), equal values, plateaus; failed voxels."""
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 6, 3)) + np.array([1, 0, 2])
    solid = rng.random(shape) > rng.choice([0.0, 0.1, 0.5])
    solid[0, 0, 0] = True
    score = rng.integers(0, rng.choice([2, 6, 40]), shape) / 4.0 - 1
    score[~solid] = rng.choice([np.nan, np.inf, 99.0], (~solid).sum())
    failed = np.zeros(shape, bool)
    for voxel in rng.permutation(np.argwhere(solid))[: rng.integers(1, 4)]:
        failed[tuple(voxel)] = True
    return score, solid, failed


def around(voxel, radius):
    return itertools.product(*(range(c - radius, c + radius + 1) for c in voxel))


def brute_sites(score, solid, radius):
    """[(value, first voxel, site)] of the maxima: plateaus by flooding, voxel by voxel."""
    left = [tuple(map(int, voxel)) for voxel in np.argwhere(solid)]
    inside, found = set(left), []
    while left:
        first = left[0]
        plateau, front = {first}, [first]
        is_peak = True
        while front:
            for near in around(front.pop(), 1):
                if near in inside and near not in plateau:
                    if score[near] == score[first]:
                        plateau.add(near)
                        front.append(near)
                    is_peak &= score[near] <= score[first]
        left = [voxel for voxel in left if voxel not in plateau]
        if is_peak:
            site = {near for voxel in plateau for near in around(voxel, radius)} & inside
            found.append((score[first], first, site))
    return sorted(found, key=lambda maximum: (-maximum[0], maximum[1]))


def as_sets(sites):
    return [{tuple(map(int, voxel)) for voxel in np.argwhere(site)} for site in sites]


@pytest.mark.parametrize("radius", [0, 1, 2])
@pytest.mark.parametrize("seed", range(40))
def test_sites_equal_those_of_flooded_plateaus(seed, radius):
    score, solid, _ = specimen(seed)
    expected = brute_sites(score, solid, radius)
    every = peaks(score, solid, score.size, radius)
    assert as_sets(every) == [site for _, _, site in expected]
    assert local_maxima(score, solid).value.tolist() == [value for value, _, _ in expected]
    some = peaks(score, solid, 2, radius)
    np.testing.assert_array_equal(some, every[:2])


def test_the_seeds_have_ties_and_many_maxima():
    counts = [local_maxima(*specimen(seed)[:2]).value for seed in range(40)]
    assert sum(len(value) > len(set(value)) for value in counts) > 8
    assert sum(len(set(value)) > 2 for value in counts) > 8


def orders(maxima):
    """All orders of the maxima by falling value, ties in every order (each equally likely)."""
    groups = [list(group) for _, group in itertools.groupby(maxima, key=lambda maximum: maximum[0])]
    for choice in itertools.product(*(itertools.permutations(group) for group in groups)):
        yield [maximum for group in choice for maximum in group]


def test_expectations_over_ties_equal_all_orders():
    tried = hit = part = 0
    for seed, radius in itertools.product(range(200), (0, 1)):
        score, solid, failed = specimen(seed)
        maxima = brute_sites(score, solid, radius)
        if len(maxima) > 6:
            continue  # too many orders
        true = {tuple(map(int, voxel)) for voxel in np.argwhere(failed)}
        first = []
        for order in orders(maxima):
            right = [k for k, (_, _, site) in enumerate(order, start=1) if site & true]
            first.append(min(right, default=math.inf))
        ranks = np.arange(1, len(maxima) + 3)
        expected = [np.mean(np.array(first) <= k) for k in ranks]
        got = top_hits(score, solid, failed, ranks, radius)
        np.testing.assert_allclose(got, expected, atol=1e-12)
        rank = rank_of_truth(score, solid, failed, radius)
        if math.isinf(first[0]):
            assert math.isnan(rank)
        else:
            assert rank == pytest.approx(np.mean(first))
        tried, hit, part = tried + 1, hit + (got[-1] == 1), part + any((got > 0) & (got < 1))
    assert tried > 150 and 50 < hit < tried and part > 15


def tied(values, right, gap=4):
    """Maxima in a row, far from each other; the failed voxels are those numbered in `right`."""
    score = np.zeros((1, 1, gap * len(values)))
    score[0, 0, ::gap] = values
    failed = np.zeros(score.shape, bool)
    failed[0, 0, gap * np.array(right)] = True
    return score, np.ones(score.shape, bool), failed


def test_two_tied_best_of_which_one_is_right():
    for right in (0, 1):
        fields = tied([1.0, 1.0, 0.5], [right])
        np.testing.assert_allclose(top_hits(*fields, [1, 2, 3], 1), [0.5, 1, 1])
        assert rank_of_truth(*fields, 1) == 1.5
    np.testing.assert_allclose(top_hits(*tied([1.0, 1.0], [0, 1]), [1], 1), [1])


def test_places_left_after_the_sure_ones_are_drawn_without_replacement():
    fields = tied([2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5], [2, 4])
    expected = [0, 2 / 5, 1 - 3 / 10, 1 - 1 / 10, 1, 1, 1, 1]
    np.testing.assert_allclose(top_hits(*fields, range(1, 9), 1), expected)
    assert rank_of_truth(*fields, 1) == pytest.approx(1 + 6 / 3)
    sure = tied([2.0, 1.0, 1.0, 0.5], [0, 2])
    np.testing.assert_allclose(top_hits(*sure, [1, 2, 3], 1), [1, 1, 1])
    assert rank_of_truth(*sure, 1) == 1


def test_many_ties_do_not_overflow():
    fields = tied(np.ones(3000), [17], gap=2)
    got = top_hits(*fields, [1, 1500, 3000], 0)
    np.testing.assert_allclose(got, [1 / 3000, 0.5, 1])
    assert rank_of_truth(*fields, 0) == 1500.5


@pytest.mark.parametrize("seed", range(12))
def test_results_do_not_depend_on_the_order_of_the_voxels(seed):
    fields = specimen(seed)
    turned = [np.transpose(field[::-1, :, ::-1], (2, 0, 1)) for field in fields]
    ranks = np.arange(1, 9)
    expected = top_hits(*fields, ranks, 1)
    np.testing.assert_allclose(top_hits(*turned, ranks, 1), expected)
    np.testing.assert_equal(rank_of_truth(*turned, 1), rank_of_truth(*fields, 1))


def test_a_plateau_is_one_maximum_and_none_where_a_neighbour_is_higher():
    score = np.array([[[0.0, 1, 1, 0, 1, 1, 1, 2, 0, 3, 3, 3]]])
    solid = np.ones(score.shape, bool)
    maxima = local_maxima(score, solid)
    assert maxima.rank.tolist() == [[[0, 3, 3, 0, 0, 0, 0, 2, 0, 1, 1, 1]]]
    assert maxima.value.tolist() == [3, 2, 1]
    solid[0, 0, 7] = False  # a void is no neighbour, however high it is
    assert local_maxima(score, solid).rank.tolist() == [[[0, 2, 2, 0, 3, 3, 3, 0, 0, 1, 1, 1]]]
    flat = peaks(np.zeros((2, 2, 3)), np.ones((2, 2, 3), bool), 5, 0)
    assert flat.shape == (1, 2, 2, 3) and flat.all()


def test_bad_input_is_refused():
    score, solid, failed = tied([1.0, 2.0], [0])
    with pytest.raises(PorefailError, match="at least 1"):
        peaks(score, solid, 0, 1)
    with pytest.raises(PorefailError, match="radius"):
        peaks(score, solid, 1, -1)
    with pytest.raises(PorefailError, match="one grid"):
        peaks(score, solid[..., 1:], 1, 1)
    with pytest.raises(PorefailError, match="not finite"):
        peaks(np.full(score.shape, np.nan), solid, 1, 1)
    with pytest.raises(PorefailError, match="no solid voxel"):
        peaks(score, ~solid, 1, 1)
    with pytest.raises(PorefailError, match="count from 1"):
        top_hits(score, solid, failed, [0, 1], 1)
    with pytest.raises(PorefailError, match="failed must be boolean"):
        rank_of_truth(score, solid, failed.astype(int), 1)
    with pytest.raises(PorefailError, match="failed must be boolean"):
        top_hits(score, solid, np.zeros_like(failed), [1], 1)
