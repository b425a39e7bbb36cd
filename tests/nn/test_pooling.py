"""Halving by maxima: the numbers of MaxPooling3D, and a gradient that is one where maxima tie."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from porefail.nn import heteroencoder as networks
from porefail.nn import training
from porefail.nn.bayesian import warm_start
from porefail.nn.heteroencoder import heteroencoder
from porefail.nn.pooling import Halving
from porefail.nn.prediction import predict

# Compares gradients with finite differences, of the layer and of a whole network's loss, both of a
# field that is constant but for a few voxels. Where tied values move together, their maximum moves
# as they do: of the ties' gradients the sum counts.
SCRIPT = """
import numpy as np
from porefail.nn.heteroencoder import heteroencoder
from porefail.nn.pooling import Halving
import tensorflow as tf

rng = np.random.default_rng(0)
blocks = lambda shape: np.repeat(np.repeat(np.repeat(rng.normal(size=shape), 2, 1), 2, 2), 2, 3)
field = rng.integers(0, 2, (3, 4, 6, 8, 2)).astype(np.float32)
turn = blocks((3, 2, 3, 4, 2)).astype(np.float32)  # the same for all of a maximum
weight = rng.normal(size=(3, 2, 3, 4, 2)).astype(np.float32)
fields = tf.Variable(field)
with tf.GradientTape() as tape:
    total = tf.reduce_sum(weight * Halving()(fields))
slope = float(tf.reduce_sum(tape.gradient(total, fields) * turn))
high, low = (float(tf.reduce_sum(weight * Halving()(field + s * turn))) for s in (1, -1))
np.testing.assert_allclose(slope, (high - low) / 2, rtol=1e-4)

model = heteroencoder(filters=4, seed=1)
for variable in model.trainable_variables:  # biases of 0 are at the kink of every ReLU
    if variable.name == "bias":
        variable.assign(rng.choice([-0.1, 0.1], variable.shape))
porosity = np.zeros((4, 8, 8, 16, 1), np.float32)
porosity[:, 2, 3, 5] = porosity[:2, 5, 5, 11] = 1
label = rng.random(porosity.shape).astype(np.float32)
def loss():
    return tf.reduce_mean((model({"porosity": porosity}) - label) ** 2)
with tf.GradientTape() as tape:
    value = loss()
gradients = tape.gradient(value, model.trainable_variables)
for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
    start, size = variable.numpy(), tf.norm(gradient)
    moved = []
    for step in (1e-3, -1e-3):
        variable.assign(start + step * gradient / size)
        moved.append(float(loss()))
    variable.assign(start)
    np.testing.assert_allclose((moved[0] - moved[1]) / 2e-3, float(size), rtol=0.03)
"""


@pytest.mark.slow
@pytest.mark.parametrize("onednn", ["0", "1"])
def test_gradients_are_finite_differences_with_onednn_and_without(onednn):
    environment = os.environ | {"TF_ENABLE_ONEDNN_OPTS": onednn}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def tied(shape=(2, 4, 8, 12, 3), seed=0) -> np.ndarray:
    return np.random.default_rng(seed).integers(-1, 2, shape).astype(np.float32)


def test_it_gives_the_numbers_of_keras_pooling():
    for field in (tied(), np.random.default_rng(1).normal(size=(2, 4, 4, 8, 5)).astype("float32")):
        known = keras.layers.MaxPooling3D(2)(field)
        np.testing.assert_array_equal(Halving()(field), known)
    assert Halving().compute_output_shape((None, 4, None, 8, 5)) == (None, 2, None, 4, 5)


def test_of_tied_maxima_one_takes_the_gradient():
    import tensorflow as tf

    fields = tf.Variable(np.zeros((1, 4, 4, 4, 1), np.float32))
    fields[0, 3, 2, 1, 0].assign(1.0)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(Halving()(fields))
    gradient = tape.gradient(total, fields).numpy()
    assert set(gradient.ravel()) == {0.0, 1.0}
    blocks = gradient.reshape(2, 2, 2, 2, 2, 2).sum(axis=(1, 3, 5))
    np.testing.assert_array_equal(blocks, 1)
    assert gradient[0, 3, 2, 1, 0] == 1


def test_a_network_saved_with_keras_pooling_predicts_as_before(tmp_path, monkeypatch):
    def pooling(name):
        return keras.layers.MaxPooling3D(2, name=name)

    with monkeypatch.context() as patch:
        patch.setattr(networks, "Halving", pooling)
        old = heteroencoder(seed=3)
    training.save(old, tmp_path / "old.keras")
    loaded = training.load(tmp_path / "old.keras")
    new = heteroencoder(seed=4)
    warm_start(new, loaded)
    assert "MaxPooling3D" in {type(layer).__name__ for layer in loaded.layers}
    porosity = (np.random.default_rng(0).random((3, 8, 8, 16)) < 0.1).astype(np.float32)
    said = predict(loaded, {"porosity": porosity})
    np.testing.assert_array_equal(said, predict(new, {"porosity": porosity}))
