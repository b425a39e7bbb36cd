import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.nn.batches import Batches, Examples, look_up, order

SYMMETRIES = [np.asarray, lambda f: f[..., ::-1], lambda f: np.swapaxes(f, -3, -2)]


def examples(count=5, shape=(4, 4, 8)):
    rng = np.random.default_rng(0)
    porosity = (rng.random((count, *shape)) < 0.2).astype(np.uint8)
    label = rng.random((count, *shape)).astype(np.float32)
    label[porosity == 1] = np.nan
    return Examples({"porosity": porosity}, label)


def test_an_epoch_holds_every_realization_in_every_symmetry_once():
    data = examples()
    batches = Batches(data, SYMMETRIES, 4, seed=1, epoch=3)
    assert len(batches) == 4
    drawn = [batches[i] for i in range(len(batches))]
    assert [len(y) for _, y in drawn] == [4, 4, 4, 3]
    got = sorted(
        (one.tobytes(), other.tobytes())
        for x, y in drawn
        for one, other in zip(x["porosity"], y[..., 0], strict=True)
    )
    expected = sorted(
        (turn(p).astype(np.float32).tobytes(), turn(label).tobytes())
        for p, label in zip(data.inputs["porosity"], data.label, strict=True)
        for turn in SYMMETRIES
    )
    assert got == expected


def test_inputs_and_labels_are_turned_together():
    for x, y in (Batches(examples(), SYMMETRIES, 4, seed=1)[i] for i in range(4)):
        field = x["porosity"]
        assert field.dtype == y.dtype == np.float32
        assert field.shape[1:] == (4, 4, 8, 1) and y.shape[1:] == (4, 4, 8, 2)
        np.testing.assert_array_equal(np.isnan(y[..., :1]), field == 1)


def test_an_epoch_takes_other_symmetries_of_each_realization_than_the_one_before():
    pairs = [order(50, 16, 6, 7, epoch) for epoch in (1, 2)]
    for one in pairs:
        assert one.shape == (300, 2) and len(np.unique(one, axis=0)) == 300
        assert np.bincount(one[:, 0]).tolist() == [6] * 50
        assert set(one[:, 1]) == set(range(16))
    both = {tuple(pair) for pair in pairs[0]} & {tuple(pair) for pair in pairs[1]}
    assert 50 < len(both) < 200  # 6 of 16 twice: 112 by chance
    batches = Batches(examples(), SYMMETRIES, 4, seed=1, copies=2)
    assert sum(len(batches[i][1]) for i in range(len(batches))) == 10


def test_order_depends_on_seed_and_epoch_alone():
    np.testing.assert_array_equal(order(50, 3, 2, 7, 3), order(50, 3, 2, 7, 3))
    drawn = {order(50, 3, 2, seed, epoch).tobytes() for seed in range(4) for epoch in range(4)}
    assert len(drawn) == 16
    one = Batches(examples(), SYMMETRIES, 4, seed=1, epoch=2)
    again = Batches(examples(), SYMMETRIES, 4, seed=1, epoch=2)
    late = again[2]  # asked for alone and first
    np.testing.assert_array_equal(one[2][1], late[1])


def test_weights_go_with_their_voxels_and_their_realization():
    data = examples()
    table = np.arange(1, 11, dtype=np.float32).reshape(1, 10)
    own = table * np.arange(1, 6, dtype=np.float32)[:, None]  # realization k: k + 1 times as much
    for weight in (table, own):
        batches = Batches(data._replace(weight=weight), SYMMETRIES, 4, seed=1)
        for i in range(len(batches)):
            _, y = batches[i]
            numbers = batches.pairs[4 * i : 4 * i + 4, 0]
            for (label, got), number in zip(np.moveaxis(y, -1, 1), numbers, strict=True):
                factor = number + 1 if weight is own else 1
                expected = np.where(np.isnan(label), 0, factor * (np.floor(label * 10) + 1))
                np.testing.assert_array_equal(got, expected)


def test_looking_up_takes_the_ends_too():
    label = np.array([0.0, 0.49, 0.5, 1.0, np.nan, -0.1, 1.2], np.float32).reshape(1, 1, 1, 7)
    got = look_up(np.array([[3.0, 5.0]]), label)
    assert got.ravel().tolist() == [3, 3, 5, 5, 0, 3, 5]
    assert look_up(np.ones((1, 1)), label).ravel().tolist() == [1, 1, 1, 1, 0, 1, 1]


def test_without_a_seed_examples_come_in_order():
    data = examples()
    batches = Batches(data, SYMMETRIES[:1], 2)
    label = np.concatenate([batches[i][1] for i in range(len(batches))])
    np.testing.assert_array_equal(label[..., 0], data.label)


def test_bad_input_is_refused():
    data = examples()
    with pytest.raises(PorefailError, match="must both"):
        Batches(data._replace(label=data.label[1:]), SYMMETRIES, 4)
    with pytest.raises(PorefailError, match="2 tables of weights for 5 examples"):
        Batches(data._replace(weight=np.ones((2, 3))), SYMMETRIES, 4)
    for copies in (0, 4):
        with pytest.raises(PorefailError, match="1 to all of at least one symmetry"):
            Batches(data, SYMMETRIES, 4, copies=copies)
    with pytest.raises(PorefailError, match="size of 1 or more"):
        Batches(data, SYMMETRIES, 0)
    with pytest.raises(PorefailError, match="at least one symmetry"):
        Batches(data, [], 4)
