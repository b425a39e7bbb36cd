"""What a network of sites computes, without Keras: the same numbers, for all symmetries alike."""

import numpy as np
import pytest

from porefail.baselines.site_correction import SHARE, SiteCorrection, scores
from porefail.dataset import symmetry

RNG = np.random.default_rng(0)
NAMES, REACH = ("solid", "stress"), 3


@pytest.fixture(scope="module")
def model() -> SiteCorrection:
    widths = [2, 4, 4, 8]
    convolutions = [
        (RNG.normal(0, 0.2, (6, a, b)).astype(np.float32), RNG.normal(0, 0.1, b).astype(np.float32))
        for a, b in zip(widths[:-1], widths[1:], strict=True)
    ]
    hidden = RNG.normal(0, 0.5, (9, 8)).astype(np.float32), RNG.normal(size=8).astype(np.float32)
    correct = RNG.normal(size=8).astype(np.float32)
    return SiteCorrection(NAMES, np.array([[0, 1], [0, 1.0]]), convolutions, hidden, correct)


def blocks(count: int = 5) -> dict[str, np.ndarray]:
    side = 2 * REACH + 1
    fields = {name: RNG.normal(size=(count, side, side, side)) for name in NAMES}
    return {name: field.astype(np.float32) for name, field in fields.items()} | {
        SHARE: RNG.normal(size=count).astype(np.float32)
    }


def test_it_is_what_the_trained_network_says(model):
    from porefail.nn.site_network import site_network, weights

    count, given = 5, blocks()
    network = site_network(NAMES, SHARE, count, REACH, filters=4)
    pairs = [each for pair in model.convolutions for each in pair]
    network.set_weights([*pairs, *model.hidden, model.correct[:, None]])
    found = weights(network)
    np.testing.assert_array_equal(found["convolutions"][2], model.convolutions[1][0])
    whole = {name: each[None, ..., None] for name, each in given.items()}
    said = network.predict_on_batch(whole)[0, :, 0]
    np.testing.assert_allclose(scores(model, given), said, rtol=1e-4, atol=1e-5)
    assert model.parameters == network.count_params() and model.reach == REACH


def test_it_is_the_same_for_all_symmetries_of_the_specimen(model):
    given = blocks()
    before = scores(model, given)
    for name in symmetry.ELEMENTS:
        turned = {n: f if n == SHARE else symmetry.apply(name, f) for n, f in given.items()}
        np.testing.assert_allclose(scores(model, turned), before, rtol=1e-3, atol=1e-4)
    other = given | {"stress": np.swapaxes(given["stress"], 1, 3)}  # no symmetry: x and z
    assert np.abs(scores(model, other) - before).max() > 1e-3


def test_a_site_is_judged_by_its_own_block(model):
    given = blocks()
    order = np.array([3, 0, 4, 1, 2])
    moved = {name: each[order] for name, each in given.items()}
    np.testing.assert_allclose(scores(model, moved), scores(model, given)[order], rtol=1e-4)
    corner = given["stress"].copy()
    corner[1, 0, -1, 0] += 30
    change = scores(model, given | {"stress": corner}) - scores(model, given)
    assert abs(change[1]) > 1e-6 and not change[[0, 2, 3, 4]].any()


def test_products_by_hand(model):
    assert model.products == 6 * (125 * 2 * 4 + 27 * 4 * 4 + 1 * 4 * 8)
