import itertools

import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.metrics.peaks import first_voxels, local_maxima, top_hits


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


def brute_maxima(score, solid):
    """[(value, first voxel, plateau)] of the maxima: plateaus by flooding, voxel by voxel."""
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
            found.append((score[first], first, plateau))
    return sorted(found, key=lambda maximum: (-maximum[0], maximum[1]))


@pytest.mark.parametrize("seed", range(40))
def test_maxima_equal_flooded_plateaus(seed):
    score, solid, _ = specimen(seed)
    expected = brute_maxima(score, solid)
    found = local_maxima(score, solid)
    assert found.value.tolist() == [value for value, _, _ in expected]
    for rank, (_, _, plateau) in enumerate(expected, start=1):
        assert {tuple(map(int, voxel)) for voxel in np.argwhere(found.rank == rank)} == plateau


def test_the_seeds_have_ties_and_many_maxima():
    counts = [local_maxima(*specimen(seed)[:2]).value for seed in range(40)]
    assert sum(len(value) > len(set(value)) for value in counts) > 8
    assert sum(len(set(value)) > 2 for value in counts) > 8


def orders(maxima):
    """All orders of the maxima by falling value, ties in every order (each equally likely)."""
    groups = [list(group) for _, group in itertools.groupby(maxima, key=lambda maximum: maximum[0])]
    for choice in itertools.product(*(itertools.permutations(group) for group in groups)):
        yield [maximum for group in choice for maximum in group]


def test_expectations_over_ties_and_plateaus_equal_all_orders():
    tried = hit = part = 0
    for seed, radius in itertools.product(range(200), (0, 1)):
        score, solid, failed = specimen(seed)
        maxima = brute_maxima(score, solid)
        if len(maxima) > 6:
            continue  # too many orders
        true = [tuple(map(int, voxel)) for voxel in np.argwhere(failed)]
        at = {near for voxel in true for near in around(voxel, radius)}
        ranks = np.arange(1, len(maxima) + 3)
        # Of each order: that none of the first k plateaus gives a voxel at a failed one.
        missed = np.array(
            [
                np.cumprod([1 - len(plateau & at) / len(plateau) for _, _, plateau in order])
                for order in orders(maxima)
            ]
        ).mean(axis=0)
        expected = 1 - missed[np.minimum(ranks, len(maxima)) - 1]
        got = top_hits(score, solid, failed, ranks, radius)
        np.testing.assert_allclose(got, expected, atol=1e-12)
        tried, hit, part = tried + 1, hit + (got[-1] == 1), part + any((got > 0) & (got < 1))
    assert tried > 150 and 20 < hit < tried and part > 50


def test_a_field_that_says_nothing_has_the_hit_rate_of_a_random_voxel():
    score, solid, failed = specimen(3)
    solid[:] = True
    near = {voxel for true in np.argwhere(failed) for voxel in around(true.tolist(), 1)}
    inside = {tuple(map(int, voxel)) for voxel in np.argwhere(solid)}
    chance = len(near & inside) / solid.size
    assert chance < 1
    flat = np.zeros(score.shape)
    np.testing.assert_allclose(top_hits(flat, solid, failed, [1, 3], 1), chance)


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
    np.testing.assert_allclose(top_hits(*tied([1.0, 1.0], [0, 1]), [1], 1), [1])


def test_places_left_after_the_sure_ones_are_drawn_without_replacement():
    fields = tied([2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5], [2, 4])
    expected = [0, 2 / 5, 1 - 3 / 10, 1 - 1 / 10, 1, 1, 1, 1]
    np.testing.assert_allclose(top_hits(*fields, range(1, 9), 1), expected)
    sure = tied([2.0, 1.0, 1.0, 0.5], [0, 2])
    np.testing.assert_allclose(top_hits(*sure, [1, 2, 3], 1), [1, 1, 1])


def test_many_ties_do_not_overflow():
    fields = tied(np.ones(3000), [17], gap=2)
    got = top_hits(*fields, [1, 1500, 3000], 0)
    np.testing.assert_allclose(got, [1 / 3000, 0.5, 1])


@pytest.mark.parametrize("seed", range(12))
def test_results_do_not_depend_on_the_order_of_the_voxels(seed):
    fields = specimen(seed)
    turned = [np.transpose(field[::-1, :, ::-1], (2, 0, 1)) for field in fields]
    ranks = np.arange(1, 9)
    expected = top_hits(*fields, ranks, 1)
    np.testing.assert_allclose(top_hits(*turned, ranks, 1), expected)


def test_a_plateau_is_one_maximum_and_none_where_a_neighbour_is_higher():
    score = np.array([[[0.0, 1, 1, 0, 1, 1, 1, 2, 0, 3, 3, 3]]])
    solid = np.ones(score.shape, bool)
    maxima = local_maxima(score, solid)
    assert maxima.rank.tolist() == [[[0, 3, 3, 0, 0, 0, 0, 2, 0, 1, 1, 1]]]
    assert maxima.value.tolist() == [3, 2, 1]
    assert first_voxels(maxima, 2).tolist() == [[0, 0, 9], [0, 0, 7]]
    assert first_voxels(maxima, 9)[2:].tolist() == [[0, 0, 1]]
    solid[0, 0, 7] = False  # a void is no neighbour, however high it is
    assert local_maxima(score, solid).rank.tolist() == [[[0, 2, 2, 0, 3, 3, 3, 0, 0, 1, 1, 1]]]
    assert (local_maxima(np.zeros((2, 2, 3)), np.ones((2, 2, 3), bool)).rank == 1).all()


def test_bad_input_is_refused():
    score, solid, failed = tied([1.0, 2.0], [0])
    with pytest.raises(PorefailError, match="radius"):
        top_hits(score, solid, failed, [1], -1)
    with pytest.raises(PorefailError, match="one grid"):
        local_maxima(score, solid[..., 1:])
    with pytest.raises(PorefailError, match="not finite"):
        local_maxima(np.full(score.shape, np.nan), solid)
    with pytest.raises(PorefailError, match="no solid voxel"):
        local_maxima(score, ~solid)
    with pytest.raises(PorefailError, match="count from 1"):
        top_hits(score, solid, failed, [0, 1], 1)
    for wrong in (failed.astype(int), np.zeros_like(failed)):
        with pytest.raises(PorefailError, match="failed must be boolean"):
            top_hits(score, solid, wrong, [1], 1)
