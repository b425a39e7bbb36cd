"""Widths of a posterior from the curvature of the likelihood, against closed forms."""

import keras
import numpy as np
import pytest

from porefail.nn import bayesian
from porefail.nn.batches import Batches, Examples
from porefail.nn.curvature import settle
from porefail.nn.flipout import Flipout
from porefail.nn.heteroencoder import heteroencoder
from porefail.nn.noise import Noise

SHAPE = (4, 4, 8)
RANDOM = np.random.default_rng(5)
FIELD = RANDOM.standard_normal((24, *SHAPE)).astype(np.float32)
LABEL = RANDOM.random((24, *SHAPE)).astype(np.float32)
LABEL[RANDOM.random(LABEL.shape) < 0.1] = np.nan
SILENT = {"report": lambda line: None}


def numpy(value) -> np.ndarray:
    return keras.ops.convert_to_numpy(value)


def linear(scale: float, sigma: float = 0.3, prior: float = 0.7) -> tuple[keras.Model, Flipout]:
    """One linear convolution: a linear model of 27 weights and a bias."""
    given = keras.Input((*SHAPE, 1), name="field")
    layer = Flipout(1, "linear", prior=prior, scale=scale, seed=1)
    return bayesian.with_noise(keras.Model(given, layer(given)), sigma), layer


def batches(size: int, weight=1.0) -> Batches:
    table = np.full((1, 1), weight, np.float32)
    return Batches(Examples({"field": FIELD}, LABEL, table), [np.asarray], size)


def neighbours() -> np.ndarray:
    """What the 27 weights multiply, at the solid voxels: (27, voxels)."""
    padded = np.pad(FIELD.astype(float), ((0, 0), (1, 1), (1, 1), (1, 1)))
    x, y, z = SHAPE
    solid = ~np.isnan(LABEL)
    return np.array(
        [
            padded[:, i : i + x, j : j + y, k : k + z][solid]
            for i in range(3)
            for j in range(3)
            for k in range(3)
        ]
    )


@pytest.mark.parametrize(("share", "weight"), [(1.0, 1.0), (0.02, 1.0), (1.0, 3.0)])
def test_of_a_linear_model_it_is_the_closed_form(share, weight):
    """App. A.2: 1 / σq² = 1 / σp² + Σ x² / σ², for each weight beside its own inputs."""
    sigma, prior = 0.3, 0.7
    model, layer = linear(0.1, sigma, prior)
    settle(model, batches(1, weight), share, seed=3, rounds=6, **SILENT)
    squares = np.append((neighbours() ** 2).sum(axis=1), np.count_nonzero(~np.isnan(LABEL)))
    exact = (prior**-2 + share * weight * squares / sigma**2) ** -0.5
    found = np.exp(np.append(numpy(layer.log_kernel_scale), numpy(layer.log_bias_scale)))
    # Of some 60 random projections: 10 % of a width, and 2 % of the mean of 28; of the start, 1/64
    # of its distance is left.
    assert np.mean(found / exact) == pytest.approx(1, abs=0.08)
    np.testing.assert_allclose(found, exact, rtol=0.4)


def test_the_means_and_the_noise_stay():
    model, layer = linear(0.1)
    before = [numpy(layer.kernel), numpy(layer.bias), numpy(model.get_layer("noise").log_scale)]
    settle(model, batches(4), 1.0, seed=3, rounds=2, **SILENT)
    after = [layer.kernel, layer.bias, model.get_layer("noise").log_scale]
    for one, other in zip(before, map(numpy, after), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_it_does_not_matter_where_the_widths_began():
    ends = []
    for scale in (0.002, 0.2):
        options = {"prior": 1.0, "scale": scale}
        names = ("encode_1", "encode_2", "latent", "decode_1", "decode_2", "damage")
        network = heteroencoder(["field"], seed=2, variational=dict.fromkeys(names, options))
        model = bayesian.with_noise(network, 0.1, knots=3)
        settle(model, batches(2), 1.0, seed=3, **SILENT)
        layers = [each for each in model.layers if isinstance(each, Flipout)]
        ends.append(np.concatenate([numpy(each.log_kernel_scale).ravel() for each in layers]))
    assert np.median(np.exp(ends[0])) < 0.3  # the data tell something
    assert np.median(ends[0] - ends[1]) == pytest.approx(0, abs=0.1)
    assert np.corrcoef(ends)[0, 1] > 0.9


def test_weights_that_meet_no_data_keep_the_prior():
    silent = Examples({"field": np.zeros_like(FIELD)}, LABEL)
    model, layer = linear(0.1, prior=0.7)
    settle(model, Batches(silent, [np.asarray], 8), 1.0, seed=3, **SILENT)
    assert np.exp(numpy(layer.log_kernel_scale)) == pytest.approx(0.7, rel=0.01)
    assert Noise in map(type, model.layers)
