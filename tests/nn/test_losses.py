import keras
import numpy as np
import tensorflow as tf

from porefail.nn.heteroencoder import heteroencoder
from porefail.nn.losses import masked_mean_squared_error


def fields(seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.random((3, 4, 4, 8, 1)).astype(np.float32)
    truth[rng.random(truth.shape) < 0.2] = np.nan
    return truth, rng.random(truth.shape).astype(np.float32)


def test_it_is_the_mean_over_the_solid_voxels_of_each_sample():
    truth, prediction = fields()
    got = keras.ops.convert_to_numpy(masked_mean_squared_error(truth, prediction))
    expected = np.nanmean((truth - prediction) ** 2, axis=(1, 2, 3, 4))
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_voids_add_no_gradient_and_no_nan():
    truth, prediction = fields()
    prediction[0, 0, 0, 0] = np.inf  # even so
    truth[0, 0, 0, 0] = np.nan
    field = tf.Variable(prediction)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(masked_mean_squared_error(truth, field))
    gradient = tape.gradient(loss, field).numpy()
    assert np.isfinite(loss.numpy())
    solid = np.isfinite(truth)
    assert (gradient[~solid] == 0).all()
    count = solid.sum(axis=(1, 2, 3, 4), keepdims=True)
    expected = (2 * (prediction - truth) / count)[solid]
    np.testing.assert_allclose(gradient[solid], expected, rtol=1e-4, atol=1e-9)


def test_gradients_of_the_weights_are_finite_and_blind_to_the_voids():
    truth, _ = fields()
    model = heteroencoder(seed=0)
    porosity = np.isnan(truth).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(masked_mean_squared_error(truth, model(porosity)))
    for gradient in tape.gradient(loss, model.trainable_variables):
        assert np.isfinite(gradient.numpy()).all()
