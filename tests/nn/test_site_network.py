"""The network of sites: no correction at first, the same for all symmetries, kept in a file."""

import numpy as np
import pytest

from porefail.dataset import symmetry
from porefail.nn import training
from porefail.nn.batches import Batches, Examples
from porefail.nn.losses import site_cross_entropy
from porefail.nn.site_network import SHARE, predict, products, site_network

SITES, REACH = 4, 3
SCALES = {"solid": (0.9, 0.3), "stress": (0.1, 2.0)}
RNG = np.random.default_rng(0)


def examples(count: int, seed: int = 1) -> Examples:
    """The site with the highest stress at its middle fails; shares say nothing."""
    rng = np.random.default_rng(seed)
    side = 2 * REACH + 1
    given = {
        name: rng.normal(size=(count, SITES, side, side, side)).astype(np.float32)
        for name in SCALES
    }
    given[SHARE] = np.zeros((count, SITES), np.float32)
    middle = given["stress"][:, :, REACH, REACH, REACH]
    middle *= 5
    label = (middle == middle.max(axis=1, keepdims=True)).astype(np.float32)
    return Examples(given, label)


def changed(symmetric: bool = True):
    """A network that corrects."""
    model = site_network(SCALES, SITES, REACH, filters=4, seed=2, symmetric=symmetric)
    model.set_weights([RNG.normal(0, 0.3, each.shape) for each in model.get_weights()])
    return model


def test_it_begins_as_what_is_known():
    given = examples(5).inputs | {SHARE: RNG.normal(size=(5, SITES)).astype(np.float32)}
    found = predict(site_network(SCALES, SITES, REACH, filters=4), given)
    np.testing.assert_allclose(found, given[SHARE], atol=1e-6)


def test_it_is_the_same_for_all_symmetries_if_its_kernels_are():
    given = examples(3).inputs
    for symmetric in (True, False):
        model = changed(symmetric)
        before = predict(model, given)
        turned = [
            predict(
                model, {n: f if n == SHARE else symmetry.apply(name, f) for n, f in given.items()}
            )
            for name in symmetry.ELEMENTS
        ]
        near = [np.allclose(each, before, rtol=1e-4, atol=1e-5) for each in turned]
        assert all(near) == symmetric


def test_sites_do_not_meet():
    """A site's correction is of what is around it alone: sites in another order, the same."""
    model, given = changed(), examples(3).inputs
    order = np.array([2, 0, 3, 1])
    moved = {name: field[:, order] for name, field in given.items()}
    np.testing.assert_allclose(predict(model, moved), predict(model, given)[:, order], rtol=1e-4)


def test_every_voxel_of_a_block_is_seen():
    model, given = changed(False), examples(1).inputs
    before = predict(model, given)
    corner = {name: field.copy() for name, field in given.items()}
    corner["stress"][0, 1, 0, -1, 0] += 30
    difference = predict(model, corner) - before
    assert abs(difference[0, 1]) > 1e-6 and not difference[0, [0, 2, 3]].any()


def test_it_learns_and_is_the_same_from_a_file(tmp_path):
    model = site_network(SCALES, SITES, REACH, filters=4, seed=3)
    settings = training.Settings(15, 16, 1e-2, 4, 2)
    train, held = examples(120), examples(60, seed=9)
    turns = [lambda field, name=name: symmetry.apply(name, field) for name in symmetry.ELEMENTS]
    history = training.train(
        model, train, held, turns, settings, tmp_path / "state.npz", site_cross_entropy, print
    )
    assert history[0].validation_loss == pytest.approx(np.log(SITES), rel=0.5)
    right = predict(model, held.inputs).argmax(axis=1) == held.label.argmax(axis=1)
    assert right.mean() > 0.7, right.mean()
    training.save(model, tmp_path / "model.keras")
    again = training.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(predict(again, held.inputs), predict(model, held.inputs))


def test_products_by_hand():
    side = 2 * REACH + 1
    inside = [(side - 2 * n) ** 3 for n in range(1, REACH + 1)]
    widths = [2, 4, 4, 8]
    wanted = SITES * sum(
        27 * voxels * a * b for voxels, a, b in zip(inside, widths[:-1], widths[1:], strict=True)
    )
    assert products(site_network(SCALES, SITES, REACH, filters=4)) == wanted


def test_batches_turn_blocks_and_leave_numbers():
    part = examples(3)
    part = part._replace(label=np.where(part.label == 1, 1, np.nan).astype(np.float32))
    batches = Batches(part, [lambda field: field[..., ::-1]], 2)
    given, target = batches[0]
    np.testing.assert_array_equal(given["stress"][..., 0], part.inputs["stress"][:2, ..., ::-1])
    assert given[SHARE].shape == (2, SITES, 1) and target.shape == (2, SITES, 2)
    np.testing.assert_array_equal(target[..., 0], part.label[:2])
    np.testing.assert_array_equal(target[..., 1], ~np.isnan(part.label[:2]))
