import keras
import numpy as np
import pytest
import tensorflow as tf

from porefail.dataset import symmetry
from porefail.nn.convolution import Convolution
from porefail.voxels.kernels import CLASSES

FIELD = np.random.default_rng(0).standard_normal((2, 4, 6, 8, 3)).astype(np.float32)


def keras_twin(layer: Convolution, *others: keras.layers.Layer) -> keras.Sequential:
    """Keras' own layers with the weights of a convolution; the last one has weights."""
    model = keras.Sequential([keras.Input((None, None, None, FIELD.shape[-1])), *others])
    others[-1].set_weights(layer.get_weights())
    return model


def close(one, other):
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other), rtol=2e-5, atol=2e-6
    )


@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_it_is_keras_own_convolution(dilation):
    layer = Convolution(5, "relu", dilation=dilation, seed=3)
    layer.build(FIELD.shape)
    layer.bias.assign(np.arange(5) / 10)
    same = keras.layers.Conv3D(5, 3, padding="same", activation="relu", dilation_rate=dilation)
    close(layer(FIELD), keras_twin(layer, same)(FIELD))


def test_doubling_is_exactly_upsampling_and_convolution_borders_and_gradients_included():
    layer = Convolution(5, "relu", double=True, seed=3)
    layer.build(FIELD.shape)
    layer.bias.assign(np.arange(5) / 10)
    plain = keras.layers.Conv3D(5, 3, padding="same", activation="relu")
    both = keras_twin(layer, keras.layers.UpSampling3D(2), plain)
    assert layer(FIELD).shape == (2, 8, 12, 16, 5) == layer.compute_output_shape(FIELD.shape)
    close(layer(FIELD), both(FIELD))
    gradients = []
    for model, weights in ((layer, layer.trainable_variables), (both, plain.trainable_variables)):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.sin(model(FIELD)))
        gradients.append(tape.gradient(loss, [weight.value for weight in weights]))
    for one, other in zip(*gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-3)


def test_symmetric_kernels_have_six_numbers_that_no_symmetry_changes():
    places = CLASSES.reshape(3, 3, 3)
    assert set(CLASSES) == set(range(6))
    for name in symmetry.ELEMENTS:
        np.testing.assert_array_equal(symmetry.apply(name, places), places)
    # No class could be split: the group brings each place onto all others of its class.
    orbits = {
        frozenset(
            int(np.flatnonzero(symmetry.apply(name, marked).ravel())[0])
            for name in symmetry.ELEMENTS
        )
        for marked in np.eye(27, dtype=int).reshape(27, 3, 3, 3)
    }
    assert len(orbits) == 6
    layer = Convolution(5, symmetric=True)
    layer.build(FIELD.shape)
    assert layer.kernel.shape == (6, 3, 5) and layer.count_params() == 6 * 15 + 5


@pytest.mark.parametrize("double", [False, True])
def test_a_symmetric_layer_commutes_with_every_symmetry_and_a_plain_one_does_not(double):
    field = FIELD[:, :, :4]
    most = {}
    for symmetric in (True, False):
        layer = Convolution(2, symmetric=symmetric, double=double, seed=1)

        def last(name, fields):
            return np.moveaxis(symmetry.apply(name, np.moveaxis(fields, -1, 1)), 1, -1)

        straight = keras.ops.convert_to_numpy(layer(field))
        most[symmetric] = max(
            np.abs(keras.ops.convert_to_numpy(layer(last(n, field))) - last(n, straight)).max()
            for n in symmetry.ELEMENTS
        )
    assert most[True] < 1e-5 < 0.1 < most[False]


def test_the_seed_decides_the_kernel_within_glorots_bounds():
    kernels = []
    for seed in (1, 1, 2):
        layer = Convolution(8, seed=seed)
        layer.build((None, 4, 4, 4, 8))
        kernels.append(keras.ops.convert_to_numpy(layer.kernel))
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])
    limit = np.sqrt(6 / (27 * 16))
    assert 0.95 * limit < np.abs(kernels[0]).max() <= limit


def test_products_are_counted_by_hand():
    shape = (1, 4, 4, 8, 3)
    assert Convolution(5).products(shape) == 27 * 128 * 3 * 5
    assert Convolution(5, double=True).products(shape) == 8 * 8 * 128 * 3 * 5


def test_a_doubled_field_takes_no_dilation():
    with pytest.raises(ValueError, match="dilation of 1"):
        Convolution(5, double=True, dilation=2)


@pytest.mark.parametrize("options", [{}, {"dilation": 2}, {"double": True}, {"symmetric": True}])
def test_gradients_are_whole_arrays(options):
    """Not TensorFlow's lists of slices, of which optimizers make other steps."""
    layer = Convolution(2, seed=3, **options)
    layer.build(FIELD.shape)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(FIELD))
    weights = [variable.value for variable in layer.trainable_variables]
    for weight, gradient in zip(weights, tape.gradient(total, weights), strict=True):
        assert isinstance(gradient, tf.Tensor) and gradient.shape == weight.shape
