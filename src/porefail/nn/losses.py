"""Losses over the solid voxels alone (paper, section 3.2), written with keras.ops."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("porefail")
def masked_mean_squared_error(y_true, y_pred):
    """Mean squared error of Eq. 9, for each sample over the voxels where y_true is a number.

    y_true: (n, nx, ny, nz, 1), NaN in voids; y_pred: the same shape. Returns (n,). A void adds
    nothing to the loss or to its gradient; every sample counts the same, however porous it is.
    """
    solid = ops.logical_not(ops.isnan(y_true))
    # Zero on both sides of the difference in voids: NaN must not meet an operation with a
    # gradient, for NaN · 0 is NaN.
    target = ops.where(solid, y_true, ops.zeros_like(y_true))
    error = ops.where(solid, y_pred - target, ops.zeros_like(y_pred))
    axes = tuple(range(1, len(y_pred.shape)))
    count = ops.sum(ops.cast(solid, y_pred.dtype), axis=axes)
    return ops.sum(ops.square(error), axis=axes) / count
