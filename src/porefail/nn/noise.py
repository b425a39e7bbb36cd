"""Noise of the likelihood: a label is the prediction and an error that depends on it alone."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("porefail")
class Noise(keras.layers.Layer):
    """Adds to a prediction (n, nx, ny, nz, 1) the logarithm of its noise σ: (n, nx, ny, nz, 2).

    knots: 1 for one σ (paper, section 5.1), trained; more for one that depends on the prediction,
    its logarithm linear between knots at equal distances in [0, 1], constant beyond. scale: where
    all start from. How σ depends on the prediction does not act back on the prediction.
    """

    def __init__(self, knots: int = 1, scale: float = 0.1, **options):
        super().__init__(**options)
        self.knots, self.scale = knots, scale

    def build(self, input_shape):
        start = keras.initializers.Constant(float(np.log(self.scale)))
        self.log_scale = self.add_weight(shape=(self.knots,), initializer=start, name="log_scale")

    def call(self, prediction):
        if self.knots == 1:
            noise = ops.ones_like(prediction) * self.log_scale
        else:
            place = ops.clip(ops.stop_gradient(prediction), 0.0, 1.0) * (self.knots - 1)
            knot = np.arange(self.knots, dtype=np.float32)
            # Hat functions; a product, for gradients of `take` are lists of slices in TensorFlow.
            noise = ops.matmul(ops.relu(1.0 - ops.abs(place - knot)), self.log_scale[:, None])
        return ops.concatenate([prediction, noise], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 2)

    def get_config(self):
        return super().get_config() | {"knots": self.knots, "scale": self.scale}
