"""The network of sites: no correction at first; it learns; batches of blocks and numbers."""

import numpy as np
import pytest

from porefail.dataset import symmetry
from porefail.nn import training
from porefail.nn.batches import Batches, Examples
from porefail.nn.losses import site_cross_entropy
from porefail.nn.site_network import site_network, weights

SITES, REACH = 4, 3
NAMES = ("solid", "stress")


def examples(count: int, seed: int = 1) -> Examples:
    """The site with the highest stress at its middle fails; shares say nothing."""
    rng = np.random.default_rng(seed)
    side = 2 * REACH + 1
    given = {
        name: rng.normal(size=(count, SITES, side, side, side)).astype(np.float32) for name in NAMES
    }
    given["share"] = np.zeros((count, SITES), np.float32)
    middle = given["stress"][:, :, REACH, REACH, REACH]
    middle *= 5
    label = (middle == middle.max(axis=1, keepdims=True)).astype(np.float32)
    return Examples(given, label)


def said(model, given) -> np.ndarray:
    return model.predict_on_batch({name: each[..., None] for name, each in given.items()})[..., 0]


def test_it_begins_as_what_is_known():
    share = np.random.default_rng(0).normal(size=(5, SITES)).astype(np.float32)
    given = examples(5).inputs | {"share": share}
    found = said(site_network(NAMES, "share", SITES, REACH, filters=4), given)
    np.testing.assert_allclose(found, share, atol=1e-6)


def test_it_learns(tmp_path):
    model = site_network(NAMES, "share", SITES, REACH, filters=4, seed=3)
    settings = training.Settings(30, 16, 1e-2, 4, 1)
    train, held = examples(120), examples(60, seed=9)
    history = training.train(
        model, train, held, [np.asarray], settings, tmp_path / "state.npz", site_cross_entropy
    )
    assert history[0].validation_loss == pytest.approx(np.log(SITES), rel=0.5)
    right = said(model, held.inputs).argmax(axis=1) == held.label.argmax(axis=1)
    assert right.mean() > 0.7


def test_weights_are_all_that_was_learnt():
    model = site_network(NAMES, "share", SITES, REACH, filters=4, seed=3)
    found = weights(model)
    shapes = [each.shape for each in found["convolutions"]]
    assert shapes == [(6, 2, 4), (4,), (6, 4, 4), (4,), (6, 4, 8), (8,)]
    assert [each.shape for each in found["hidden"]] == [(9, 8), (8,)]
    assert [each.shape for each in found["correct"]] == [(8, 1)]
    assert sum(each.size for some in found.values() for each in some) == model.count_params()


def test_batches_turn_blocks_and_leave_numbers():
    part = examples(3)
    part = part._replace(label=np.where(part.label == 1, 1, np.nan).astype(np.float32))
    given, target = Batches(part, [lambda field: field[..., ::-1]], 2)[0]
    np.testing.assert_array_equal(given["stress"][..., 0], part.inputs["stress"][:2, ..., ::-1])
    np.testing.assert_array_equal(given["share"][..., 0], part.inputs["share"][:2])
    np.testing.assert_array_equal(target[..., 0], part.label[:2])
    np.testing.assert_array_equal(target[..., 1], ~np.isnan(part.label[:2]))


def test_a_training_of_sites_is_known_again_whatever_the_order_of_its_inputs(tmp_path):
    """A training that was killed goes on, with its inputs named in any order."""
    part, settings = examples(8), training.Settings(1, 4, 1e-2, 4, 1)
    told = []
    for order in (["share", "solid", "stress"],) * 2:
        model = site_network(NAMES, "share", SITES, REACH, filters=2, seed=3)
        given = part._replace(inputs={name: part.inputs[name] for name in order})
        turns = [lambda field, name=name: symmetry.apply(name, field) for name in ("mirror_z",)]
        training.train(
            model,
            *(given, given),
            turns,
            settings,
            tmp_path / "s.npz",
            site_cross_entropy,
            told.append,
        )
    assert [line for line in told if "goes on after epoch 1/1" in line]
