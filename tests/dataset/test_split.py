import numpy as np
import pytest

from porefail.dataset.split import Part, folds, split
from porefail.errors import PorefailError

RATIO = [7, 1, 2]


def test_whole_blocks_give_the_exact_ratio():
    part = split(np.arange(320), RATIO, seed=2022)
    assert part.dtype == np.uint8
    assert np.bincount(part).tolist() == [224, 32, 64]
    assert np.bincount(split(np.arange(320), [70, 10, 20], 2022)).tolist() == [224, 32, 64]


def test_a_part_depends_on_the_number_and_the_seed_alone():
    rng = np.random.default_rng(0)
    whole = split(np.arange(1000), RATIO, seed=5)
    assert (split(np.arange(200), RATIO, seed=5) == whole[:200]).all()  # the ensemble grew
    some = rng.permutation(1000)[:700]  # some excluded, any order
    assert (split(some, RATIO, seed=5) == whole[some]).all()
    assert (split(np.arange(1000), RATIO, seed=6) != whole).any()


def test_blocks_are_dealt_in_different_ways_and_without_bias():
    part = split(np.arange(20_000), RATIO, seed=1).reshape(-1, 10)
    assert len(np.unique(part, axis=0)) > 300  # of 360 possible deals
    share = (part == Part.TEST).mean(axis=0)
    np.testing.assert_allclose(share, 0.2, atol=4 * np.sqrt(0.2 * 0.8 / 2000))


@pytest.mark.parametrize("count", range(1, 30))
def test_small_ensembles_have_three_parts_or_a_clear_error(count):
    try:
        part = split(np.arange(count), RATIO, seed=3)
    except PorefailError as error:
        assert count < 10
        assert f"{count} realizations are too few" in str(error)
    else:
        assert set(part) == set(Part)


def test_bad_input_is_refused():
    for ratio in ([7, 3], [7, 0, 3], [7, -1, 2], [0.7, 0.1, 0.2]):
        with pytest.raises(PorefailError, match="three positive whole numbers"):
            split(np.arange(100), ratio, seed=1)
    with pytest.raises(PorefailError, match="unique"):
        split([1, 2, 2], RATIO, seed=1)
    with pytest.raises(PorefailError, match="not negative"):
        split([-1, 2], RATIO, seed=1)
    with pytest.raises(PorefailError, match="train part is empty"):
        split([], RATIO, seed=1)


@pytest.mark.parametrize("ratio, count", [((7, 1, 2), 5), ((8, 1, 1), 10), ((2, 1, 1), 4)])
def test_every_realization_is_in_the_test_part_of_exactly_one_fold(ratio, count):
    assert folds(ratio) == count
    numbers = np.delete(np.arange(240), [3, 77, 200])  # some left out
    parts = np.stack([split(numbers, ratio, 11, fold) for fold in range(count)])
    assert ((parts == Part.TEST).sum(axis=0) == 1).all()
    np.testing.assert_array_equal(parts[0], split(numbers, ratio, 11))
    whole = np.stack([split(np.arange(240), ratio, 11, fold) for fold in range(count)])
    for part in Part:
        assert ((whole == part).sum(axis=1) == 240 * ratio[part] // sum(ratio)).all()


def test_folds_that_are_not_there_are_refused():
    with pytest.raises(PorefailError, match="fold is 5, expected 0 to 4"):
        split(np.arange(20), RATIO, 1, fold=5)
    with pytest.raises(PorefailError, match="fold is -1"):
        split(np.arange(20), RATIO, 1, fold=-1)
    with pytest.raises(PorefailError, match="no cross-validation with the split 5:2:3"):
        split(np.arange(20), (5, 2, 3), 1, fold=1)
    split(np.arange(20), (5, 2, 3), 1)  # without folds it serves
