"""Flipout against the closed forms of Appendix A of the paper and TensorFlow Probability."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from porefail.nn.convolution import Convolution
from porefail.nn.flipout import Flipout
from porefail.nn.losses import negative_log_likelihood
from porefail.nn.noise import Noise

FIELD = np.random.default_rng(0).standard_normal((3, 4, 4, 8, 2)).astype(np.float32)


def random_posterior(layer: Flipout, seed: int, scale: float = 0.3) -> None:
    """Means and scales that differ from weight to weight."""
    random = np.random.default_rng(seed)
    for mean, log_scale in (
        (layer.kernel, layer.log_kernel_scale),
        (layer.bias, layer.log_bias_scale),
    ):
        mean.assign(0.5 * random.standard_normal(mean.shape))
        log_scale.assign(np.log(scale) + 0.5 * random.standard_normal(mean.shape))


def numpy(value) -> np.ndarray:
    return keras.ops.convert_to_numpy(value)


def linear_model(inner: int, outer: int, sigma: float, **options) -> tuple[keras.Model, Flipout]:
    """W x + b with Gaussian noise: on one voxel only the middle of the kernel meets anything else
    than zeros."""
    layer = Flipout(outer, **options)
    given = keras.Input((1, 1, 1, inner))
    found = layer(given)
    # Each of the outer values as a voxel of its own, for the likelihood is a mean over voxels.
    found = keras.layers.Reshape((outer, 1, 1, 1))(found)
    noise = Noise(scale=sigma)
    model = keras.Model(given, noise(found))
    noise.trainable = False
    return model, layer


def linear_data(count: int, inner: int, outer: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.standard_normal((count, inner)).astype(np.float32)
    y = x @ random.standard_normal((inner, outer)) + 0.3 * random.standard_normal((count, outer))
    return x, y.astype(np.float32)


def shaped(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As the network takes them: one voxel of many channels; label and weight of many voxels."""
    label = y[:, :, None, None, None]
    return x[:, None, None, None, :], np.concatenate([label, np.ones_like(label)], axis=-1)


def test_negative_elbo_of_the_linear_model_is_equation_21():
    """Ours by Monte Carlo, from the layer, its divergence and the loss; theirs in closed form."""
    count, inner, outer, sigma, prior, draws = 6, 4, 3, 0.4, 0.8, 4000
    x, y = linear_data(count, inner, outer, 1)
    weight = 1 / (count * outer)
    model, layer = linear_model(inner, outer, sigma, prior=prior, divergence_weight=weight, seed=2)
    random_posterior(layer, 3)

    # Eq. 21 with a diagonal covariance; the bias is a column of W for an input of 1.
    columns = np.vstack([x.T, np.ones(count)])
    mean = np.vstack([numpy(layer.kernel)[1, 1, 1], numpy(layer.bias)[None]]).T  # (outer, inner+1)
    scale = np.exp(
        np.vstack([numpy(layer.log_kernel_scale)[1, 1, 1], numpy(layer.log_bias_scale)[None]]).T
    )
    v = np.diag((scale**2).sum(axis=0))
    residual = y.T - mean @ columns
    equation_21 = (
        (residual**2).sum() / sigma**2
        + (mean**2).sum() / prior**2
        + np.log(prior**2 / scale**2).sum()
        + (scale**2).sum() / prior**2
        + np.trace(v @ columns @ columns.T) / sigma**2
        + count * outer * np.log(sigma**2)
    )
    constant = count * outer * np.log(2 * np.pi) - scale.size
    # The kernel's other places meet zeros alone: only their divergence is left.
    others = np.ones((3, 3, 3), bool)
    others[1, 1, 1] = False
    m, s = (numpy(each)[others] for each in (layer.kernel, layer.log_kernel_scale))
    rest = np.sum(np.log(prior) - s + (np.exp(2 * s) + m**2) / (2 * prior**2) - 0.5)
    exact = 0.5 * (equation_21 + constant) + rest

    many, target = shaped(np.repeat(x, draws, axis=0), np.repeat(y, draws, axis=0))
    each = numpy(negative_log_likelihood(target, model(many))).reshape(count, draws)
    data = outer * each.sum(axis=0)  # of all samples and voxels, one value a draw
    ours = data.mean() + numpy(sum(model.losses)) / weight
    # One draw of the deviation serves a batch, but for signs: draws are not independent.
    error = 4 * data.std() / np.sqrt(draws) + 0.01 * data.mean()
    assert abs(ours - exact) < error < 0.05 * rest
    assert numpy(layer.divergence()) == pytest.approx(numpy(sum(model.losses)) / weight, rel=1e-5)


@pytest.mark.slow
def test_training_finds_the_closed_form_optimum_of_one_weight():
    """App. A.2, its exponents put right: σ² = 1/(σp⁻² + σl⁻²), μ = σ² (μp σp⁻² + μl σl⁻²)."""
    count, sigma, prior = 8, 0.7, 0.5
    x, y = linear_data(count, 1, 1, 4)
    x -= x.mean()  # so that bias and weight are independent
    model, layer = linear_model(
        1, 1, sigma, prior=prior, divergence_weight=1 / count, scale=0.05, seed=1
    )
    repeats = 32  # for a smaller variance of the gradient
    given, target = shaped(np.tile(x, (repeats, 1)), np.tile(y, (repeats, 1)))
    rate = keras.optimizers.schedules.CosineDecay(0.03, 2500)
    model.compile(keras.optimizers.Adam(rate), negative_log_likelihood)
    for _ in range(2500):
        model.train_on_batch(given, target)

    for column, mean, log_scale in (
        (x[:, 0], layer.kernel[1, 1, 1, 0, 0], layer.log_kernel_scale[1, 1, 1, 0, 0]),
        (np.ones(count), layer.bias[0], layer.log_bias_scale[0]),
    ):
        likelihood = column @ y[:, 0] / (column @ column), sigma / np.sqrt(column @ column)
        variance = 1 / (prior**-2 + likelihood[1] ** -2)
        assert np.exp(numpy(log_scale)) == pytest.approx(np.sqrt(variance), rel=0.05)
        expected = variance * likelihood[0] / likelihood[1] ** 2
        assert abs(numpy(mean) - expected) < 0.1 * np.sqrt(variance)
    # What meets no data returns to the prior.
    assert numpy(layer.kernel)[0, 0, 0] == pytest.approx(0, abs=0.02)
    assert np.exp(numpy(layer.log_kernel_scale)[0, 0, 0]) == pytest.approx(prior, rel=0.02)


@pytest.mark.slow
def test_it_is_the_layer_of_tensorflow_probability():
    """The same divergence; the same mean and spread of what comes out."""
    ours = Flipout(5, "linear", seed=1, prior=1.0)
    ours.build(FIELD.shape)
    random_posterior(ours, 5)
    normal = tfp.layers.default_mean_field_normal_fn()
    theirs = tfp.layers.Convolution3DFlipout(
        5, 3, padding="same", bias_posterior_fn=normal, bias_prior_fn=_standard_normal
    )
    theirs.build(FIELD.shape)
    for posterior, mean, log_scale in (
        (theirs.kernel_posterior, ours.kernel, ours.log_kernel_scale),
        (theirs.bias_posterior, ours.bias, ours.log_bias_scale),
    ):
        loc, untransformed = posterior.trainable_variables
        loc.assign(numpy(mean))
        # Theirs is softplus(u) plus the least positive step; solved for u.
        untransformed.assign(np.log(np.expm1(np.exp(numpy(log_scale)))))
    theirs(FIELD)
    assert numpy(ours.divergence()) == pytest.approx(float(sum(theirs.losses)), rel=1e-5)

    draws = 600
    one, other = (np.stack([numpy(layer(FIELD)) for _ in range(draws)]) for layer in (ours, theirs))
    spread = one.std(axis=0)
    assert np.abs(one.mean(axis=0) - other.mean(axis=0)).max() < 6 * spread.max() / np.sqrt(draws)
    # In bulk; theirs draws one bias for a batch, ours one a sample, each of the same spread.
    assert spread.mean() == pytest.approx(other.std(axis=0).mean(), rel=0.03)
    ratio = spread / other.std(axis=0)
    assert ratio.min() > 0.75 and ratio.max() < 1.33


def _standard_normal(dtype, shape, name, trainable, add_variable_fn):
    distribution = tfp.distributions.Normal(tf.zeros(shape, dtype), 1.0)
    return tfp.distributions.Independent(distribution, len(shape))


@pytest.mark.parametrize("options", [{}, {"dilation": 2}, {"double": True}, {"symmetric": True}])
def test_without_spread_it_is_the_convolution(options):
    layer = Flipout(5, "relu", scale=1e-9, seed=3, **options)
    layer.build(FIELD.shape)
    plain = Convolution(5, "relu", seed=3, **options)
    plain.build(FIELD.shape)
    np.testing.assert_allclose(numpy(layer(FIELD)), numpy(plain(FIELD)), atol=1e-6)
    again = Flipout.from_config(layer.get_config())
    again.build(FIELD.shape)
    np.testing.assert_array_equal(numpy(again.kernel), numpy(layer.kernel))


@pytest.mark.slow
def test_samples_of_a_batch_are_drawn_apart():
    """Flipout's purpose: the same specimen twice in a batch gets draws that hardly correlate."""
    layer = Flipout(6, scale=0.3, seed=1)
    same = np.repeat(FIELD[:1], 2, axis=0)
    drawn = np.stack([numpy(layer(same)) for _ in range(300)])
    one, other = (drawn - drawn.mean(axis=0))[:, 0], (drawn - drawn.mean(axis=0))[:, 1]
    correlation = (one * other).mean(axis=0) / np.sqrt((one**2).mean(0) * (other**2).mean(0))
    assert abs(correlation.mean()) < 0.05 and np.abs(correlation).max() < 0.35


def test_gradients_reach_every_mean_and_scale():
    layer = Flipout(4, scale=0.3, seed=1)
    layer.build(FIELD.shape)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.square(layer(FIELD)))
    weights = [variable.value for variable in layer.trainable_variables]
    assert len(weights) == 4
    for gradient in tape.gradient(total, weights):
        assert isinstance(gradient, tf.Tensor) and float(tf.reduce_max(tf.abs(gradient))) > 0
