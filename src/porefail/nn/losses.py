"""Losses over the solid voxels alone (paper, section 3.2), written with keras.ops."""

import math

import keras
from keras import ops

HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)


@keras.saving.register_keras_serializable("porefail")
def weighted_mean_squared_error(y_true, y_pred):
    """Mean of the weighted squared error of Eq. 11, for each sample over its solid voxels.

    y_true: (n, nx, ny, nz, 2), the label, NaN in voids, and its weight (Eq. 9 with weights of 1);
    y_pred: (n, nx, ny, nz, 1). Returns (n,). A void adds nothing to the loss or to its gradient;
    every sample counts the same, however porous it is.
    """
    label, weight = y_true[..., :1], y_true[..., 1:]
    solid = ops.logical_not(ops.isnan(label))
    # Zero on both sides of the difference in voids: NaN must not meet an operation with a
    # gradient, for NaN · 0 is NaN.
    error = ops.where(solid, y_pred - ops.where(solid, label, ops.zeros_like(label)), 0.0)
    axes = tuple(range(1, len(y_pred.shape)))
    count = ops.sum(ops.cast(solid, y_pred.dtype), axis=axes)
    return ops.sum(ops.where(solid, weight, 0.0) * ops.square(error), axis=axes) / count


@keras.saving.register_keras_serializable("porefail")
def site_cross_entropy(y_true, y_pred):
    """-log of the likelihood that a network gives to the true site, for each sample (n,).

    y_true: (n, nx, ny, nz, 2), of which the first says which voxels are the site (1, else 0; NaN in
    voids); y_pred: (n, nx, ny, nz, 1), logarithms of likelihoods up to a constant of the sample. A
    specimen fails first at one place: the likelihoods of its solid voxels add up to 1, a softmax
    over the specimen, and a site's likelihood is the sum over its voxels.
    """
    label = y_true[..., :1]
    none = ops.full_like(y_pred, -1e4)  # the logarithm of nothing
    solid = ops.where(ops.isnan(label), none, y_pred)
    site = ops.where(label > 0.5, y_pred, none)  # NaN is not
    axes = tuple(range(1, len(y_pred.shape)))
    return ops.logsumexp(solid, axis=axes) - ops.logsumexp(site, axis=axes)


@keras.saving.register_keras_serializable("porefail")
def negative_log_likelihood(y_true, y_pred):
    """Mean of the weighted -log N(label; prediction, σ²), for each sample over its solid voxels.

    The data term of Eq. 20, a voxel. y_true: (n, nx, ny, nz, 2), the label, NaN in voids, and its
    weight; y_pred: (n, nx, ny, nz, 2), prediction and log σ. Returns (n,).
    """
    label, weight = y_true[..., :1], y_true[..., 1:]
    prediction, log_scale = y_pred[..., :1], y_pred[..., 1:]
    solid = ops.logical_not(ops.isnan(label))
    # As above: NaN must not meet an operation with a gradient.
    error = ops.where(solid, prediction - ops.where(solid, label, ops.zeros_like(label)), 0.0)
    each = HALF_LOG_2_PI + log_scale + 0.5 * ops.square(error * ops.exp(-log_scale))
    axes = tuple(range(1, len(y_pred.shape)))
    count = ops.sum(ops.cast(solid, y_pred.dtype), axis=axes)
    return ops.sum(ops.where(solid, weight * each, 0.0), axis=axes) / count


LOSSES = {
    "squared_error": weighted_mean_squared_error,
    "site_likelihood": site_cross_entropy,
    "likelihood": negative_log_likelihood,
}
