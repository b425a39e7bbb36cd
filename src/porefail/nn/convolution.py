"""Convolution over 3×3×3 voxels, written with keras.ops so that it runs on any backend of Keras."""

import keras
import numpy as np
from keras import ops

from porefail.voxels.kernels import CLASSES

_PLACES = np.eye(CLASSES.max() + 1, dtype=np.float32)[CLASSES]  # (27, 6), 1 at a place's class

# An axis of the folded kernel of `double`: doubling, then weights (k0, k1, k2), is one transposed
# convolution of stride 2 with weights (k2, k1 + k2, k0 + k1, k0).
_FOLD = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]], np.float32)


@keras.saving.register_keras_serializable("porefail")
class Convolution(keras.layers.Layer):
    """Convolution of (n, nx, ny, nz, channels) with a 3×3×3 kernel and bias.

    padding: "same", with zeros outside, or "valid", which takes a voxel off each side.

    filters: channels of the result. dilation: distance of the kernel's places in voxels.
    double: of the field with every voxel repeated twice along each axis (UpSampling3D of 2), as
    one transposed convolution: the same result to rounding, with 8 products for 27.
    symmetric: kernels that the 16 symmetries of the specimen (D4h) leave as they are, so the layer
    commutes with each of them; 6 numbers for 27. seed: of the Glorot-uniform initial kernel.
    """

    def __init__(
        self,
        filters: int,
        activation: str = "linear",
        dilation: int = 1,
        double: bool = False,
        symmetric: bool = False,
        seed: int = 0,
        padding: str = "same",
        **options,
    ):
        super().__init__(**options)
        if (double or padding == "valid") and dilation != 1:
            raise ValueError("a doubled field, or a valid convolution, takes a dilation of 1")
        if padding not in ("same", "valid") or (double and padding != "same"):
            raise ValueError(f"padding is {padding}, expected same, or valid of no doubled field")
        self.filters, self.dilation, self.double = filters, dilation, double
        self.symmetric, self.seed, self.padding = symmetric, seed, padding
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        channels = input_shape[-1]
        places = (int(CLASSES.max()) + 1,) if self.symmetric else (3, 3, 3)
        # Glorot and Bengio (2010), with the number of products as fan, whatever is tied.
        limit = float(np.sqrt(6 / (27 * (channels + self.filters))))
        self.kernel = self.add_weight(
            shape=(*places, channels, self.filters),
            initializer=keras.initializers.RandomUniform(-limit, limit, seed=self.seed),
            name="kernel",
        )
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def convolve(self, fields, kernel):
        """The linear part, with any kernel of this layer's shape, without bias."""
        if self.symmetric:
            # A product, not `take`: TensorFlow's gradient of that is a list of slices, the repeated
            # ones apart, whose squares Adam gets wrong.
            kernel = ops.reshape(
                ops.tensordot(_PLACES, kernel, 1), (3, 3, 3, *self.kernel.shape[1:])
            )
        if self.double:
            folded = ops.einsum("ai,bj,ck,ijkmn->abcnm", _FOLD, _FOLD, _FOLD, kernel)
            return ops.conv_transpose(fields, folded, strides=2, padding="same")
        return ops.conv(fields, kernel, padding=self.padding, dilation_rate=self.dilation)

    def call(self, fields):
        return self.activation(self.convolve(fields, self.kernel) + self.bias)

    def compute_output_shape(self, input_shape):
        factor = 2 if self.double else 1
        less = 2 if self.padding == "valid" else 0
        sides = (side if side is None else factor * side - less for side in input_shape[1:-1])
        return (input_shape[0], *sides, self.filters)

    def products(self, input_shape) -> int:
        """Multiplications a sample of that shape (n, nx, ny, nz, channels) takes."""
        sides = self.compute_output_shape(input_shape)[1:-1]
        return (8 if self.double else 27) * int(np.prod(sides)) * input_shape[-1] * self.filters

    def get_config(self):
        return super().get_config() | {
            "filters": self.filters,
            "activation": keras.activations.serialize(self.activation),
            "dilation": self.dilation,
            "double": self.double,
            "symmetric": self.symmetric,
            "seed": self.seed,
            # Only where it is another one: what was trained before has no such key.
            **({} if self.padding == "same" else {"padding": self.padding}),
        }
