import keras
import numpy as np
import pytest
import tensorflow as tf

from porefail.nn.bayesian import with_noise
from porefail.nn.heteroencoder import heteroencoder
from porefail.nn.losses import LOSSES, site_cross_entropy, weighted_mean_squared_error


def fields(seed=0):
    """Label and weight (3, 4, 4, 8, 2), label NaN in voids; prediction (3, 4, 4, 8, 1)."""
    rng = np.random.default_rng(seed)
    truth = rng.random((3, 4, 4, 8, 2)).astype(np.float32)
    truth[rng.random(truth.shape[:-1]) < 0.2, 0] = np.nan
    return truth, rng.random((3, 4, 4, 8, 1)).astype(np.float32)


def test_it_is_the_weighted_mean_over_the_solid_voxels_of_each_sample():
    truth, prediction = fields()
    got = keras.ops.convert_to_numpy(weighted_mean_squared_error(truth, prediction))
    for sample, value in enumerate(got):
        terms = [
            weight * (label - predicted) ** 2
            for (label, weight), predicted in zip(
                truth[sample].reshape(-1, 2), prediction[sample].ravel(), strict=True
            )
            if not np.isnan(label)
        ]
        assert value == pytest.approx(np.mean(terms), rel=1e-5)


def test_voids_add_no_gradient_and_no_nan():
    truth, prediction = fields()
    prediction[0, 0, 0, 0] = np.inf  # even so
    truth[0, 0, 0, 0] = np.nan
    field = tf.Variable(prediction)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(weighted_mean_squared_error(truth, field))
    gradient = tape.gradient(loss, field).numpy()
    assert np.isfinite(loss.numpy())
    label, weight = truth[..., :1], truth[..., 1:]
    solid = np.isfinite(label)
    assert (gradient[~solid] == 0).all()
    count = solid.sum(axis=(1, 2, 3, 4), keepdims=True)
    expected = (2 * weight * (prediction - label) / count)[solid]
    np.testing.assert_allclose(gradient[solid], expected, rtol=1e-4, atol=1e-9)


def site(seed=0):
    """A truth of which two solid voxels are the site."""
    truth, prediction = fields(seed)
    truth[..., 0] = np.where(np.isnan(truth[..., 0]), np.nan, 0.0)
    for sample in truth:
        solid = np.argwhere(~np.isnan(sample[..., 0]))
        for voxel in solid[[3, 40]]:
            sample[(*voxel, 0)] = 1.0
    return truth, 5 * prediction


def test_cross_entropy_of_the_site_is_that_of_a_softmax_over_the_solid_voxels():
    truth, prediction = site()
    got = keras.ops.convert_to_numpy(site_cross_entropy(truth, prediction))
    for sample, value in enumerate(got):
        label = truth[sample, ..., 0]
        likelihood = np.exp(prediction[sample, ..., 0].astype(float)) * ~np.isnan(label)
        likelihood /= likelihood.sum()
        assert value == pytest.approx(-np.log(likelihood[label == 1].sum()), rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_of_the_weights_are_finite_and_blind_to_the_voids(name):
    truth, _ = site()
    model = heteroencoder(seed=0)
    if name == "likelihood":
        model = with_noise(model, 0.1)
    porosity = np.isnan(truth[..., :1]).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(LOSSES[name](truth, model({"porosity": porosity})))
    for gradient in tape.gradient(loss, [each.value for each in model.trainable_variables]):
        assert np.isfinite(gradient.numpy()).all()
    prediction = np.zeros((*truth.shape[:-1], model.output.shape[-1]), np.float32)
    changed = np.where(np.isnan(truth[..., :1]), 7.0, prediction)
    one, other = (keras.ops.convert_to_numpy(LOSSES[name](truth, p)) for p in (prediction, changed))
    np.testing.assert_array_equal(one, other)
