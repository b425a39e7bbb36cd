import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.nn.batches import Batches, Examples, order

SYMMETRIES = [np.asarray, lambda f: f[..., ::-1], lambda f: np.swapaxes(f, -3, -2)]


def examples(count=5, shape=(4, 4, 8)):
    rng = np.random.default_rng(0)
    porosity = (rng.random((count, *shape)) < 0.2).astype(np.uint8)
    label = rng.random((count, *shape)).astype(np.float32)
    label[porosity == 1] = np.nan
    return Examples(porosity, label)


def test_an_epoch_holds_every_realization_in_every_symmetry_once():
    data = examples()
    batches = Batches(data, SYMMETRIES, 4, seed=1, epoch=3)
    assert len(batches) == 4
    drawn = [batches[i] for i in range(len(batches))]
    assert [len(x) for x, _ in drawn] == [4, 4, 4, 3]
    got = sorted(
        (x.tobytes(), y.tobytes()) for xs, ys in drawn for x, y in zip(xs, ys, strict=True)
    )
    expected = sorted(
        (turn(p).astype(np.float32).tobytes(), turn(label).tobytes())
        for p, label in zip(*data, strict=True)
        for turn in SYMMETRIES
    )
    assert got == expected


def test_inputs_and_labels_are_turned_together():
    for x, y in (Batches(examples(), SYMMETRIES, 4, seed=1)[i] for i in range(4)):
        assert x.dtype == y.dtype == np.float32 and x.shape[1:] == (4, 4, 8, 1)
        np.testing.assert_array_equal(np.isnan(y), x == 1)


def test_order_depends_on_seed_and_epoch_alone():
    np.testing.assert_array_equal(order(50, 7, 3), order(50, 7, 3))
    assert sorted(order(50, 7, 3)) == list(range(50))
    assert len({order(50, seed, epoch).tobytes() for seed in range(4) for epoch in range(4)}) == 16
    one = Batches(examples(), SYMMETRIES, 4, seed=1, epoch=2)
    again = Batches(examples(), SYMMETRIES, 4, seed=1, epoch=2)
    late = again[2]  # asked for alone and first
    np.testing.assert_array_equal(one[2][1], late[1])


def test_without_a_seed_examples_come_in_order():
    data = examples()
    batches = Batches(data, SYMMETRIES[:1], 2)
    label = np.concatenate([batches[i][1] for i in range(len(batches))])
    np.testing.assert_array_equal(label[..., 0], data.label)


def test_bad_input_is_refused():
    data = examples()
    with pytest.raises(PorefailError, match="must both"):
        Batches(Examples(data.porosity, data.label[1:]), SYMMETRIES, 4)
    with pytest.raises(PorefailError, match="size of 1 or more"):
        Batches(data, SYMMETRIES, 0)
    with pytest.raises(PorefailError, match="at least one symmetry"):
        Batches(data, [], 4)
