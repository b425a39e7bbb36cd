"""Halving of a field by its maxima, written with keras.ops so that it runs on any backend."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("porefail")
class Halving(keras.layers.Layer):
    """Maximum of each 2×2×2 voxels of (n, nx, ny, nz, channels), whose sides are even.

    The same numbers as MaxPooling3D(2). Of voxels that share the maximum, which nearly all do away
    from a pore, the first takes the whole gradient, on every backend. TensorFlow's own pooling
    gives each of them the whole one where it does without oneDNN.
    """

    def call(self, fields):
        for axis in (1, 2, 3):
            fields = _larger_of_pairs(fields, axis)
        return fields

    def compute_output_shape(self, input_shape):
        sides = (side if side is None else side // 2 for side in input_shape[1:-1])
        return (input_shape[0], *sides, input_shape[-1])


def _larger_of_pairs(fields, axis: int):
    """Maximum of neighbours two by two along an axis."""

    # The gradient by hand: that of ops.where takes a fifth of a training step.
    @ops.custom_gradient
    def larger(fields):
        shape = list(ops.shape(fields))
        pairs = [*shape[:axis], shape[axis] // 2, 2, *shape[axis + 1 :]]
        one, other = ops.unstack(ops.reshape(fields, pairs), 2, axis + 1)

        def gradient(*arguments, upstream=None):
            above = arguments[0] if upstream is None else upstream
            mine = above * ops.cast(one >= other, above.dtype)
            return ops.reshape(ops.stack([mine, above - mine], axis + 1), shape)

        return ops.maximum(one, other), gradient

    return larger(fields)
