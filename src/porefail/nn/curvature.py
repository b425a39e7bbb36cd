"""Best widths of a posterior about given means, from the curvature of the likelihood."""

from collections.abc import Callable, Iterator

import keras
import numpy as np
from keras import ops

from porefail.nn import bayesian
from porefail.nn.batches import Batches
from porefail.nn.flipout import Flipout


def settle(
    model: keras.Model,
    batches: Batches,
    share: float,
    seed: int,
    rounds: int = 8,
    report: Callable[[str], None] = print,
) -> None:
    """Give the weights of a Bayesian network the standard deviations that suit their means best.

    σq² = 1 / (σp⁻² + σl⁻²) for each (Appendix A.2), σl⁻² from the diagonal of the Gauss-Newton
    matrix of -log likelihood (Martens 2020), for weights drawn from the posterior itself: a fixed
    point, whatever the deviations were. Training alone would leave them where they start, for the
    gradients of drawn weights are nearly all noise there. batches: all data, once; share: the
    likelihood of each voxel is taken to this power.
    """
    network = bayesian.mean_network(model)
    pairs = [
        (layer, network.get_layer(layer.name))
        for layer in model.layers
        if isinstance(layer, Flipout)
    ]
    network.compile(keras.optimizers.SGD(1.0), _projection)
    random = np.random.default_rng(seed)
    for number in range(1, rounds + 1):
        precision = [0.0] * (2 * len(pairs))
        for gradients in _gradients(network, pairs, batches, random):
            precision = [sum_ + g**2 for sum_, g in zip(precision, gradients, strict=True)]
        found = iter(precision)
        logs = []
        for layer, _ in pairs:
            for _, scale in layer.distributed:
                best = -0.5 * np.log(layer.prior**-2 + share * next(found))
                # Half way: narrow weights let others be wide, which asks for narrow ones again.
                scale.assign(0.5 * (ops.convert_to_numpy(scale) + best))
                logs.append(ops.convert_to_numpy(scale).ravel())
        middle = np.exp(np.median(np.concatenate(logs)))
        report(f"widths of the weights, {number}/{rounds}: median {middle:.2e}")


def _projection(y_true, y_pred):
    """Of the prediction, the sum over each sample; y_true (n, nx, ny, nz, 1): with what factors."""
    return ops.sum(y_true * y_pred[..., :1], axis=(1, 2, 3, 4))


def _gradients(network, pairs, batches: Batches, random) -> Iterator[list[np.ndarray]]:
    """Of each batch, the gradients of Σ ±f / σ by kernels and biases, at weights drawn anew.

    Signs are random, so the mean of the squares is Σ (∂f / σ)², voxel by voxel (Hutchinson). One
    step of plain gradient descent tells a gradient on every backend of Keras.
    """
    for index in range(len(batches)):
        inputs, target = batches[index]
        drawn = []
        for layer, plain in pairs:
            for place, pair in zip((plain.kernel, plain.bias), layer.distributed, strict=True):
                mean, scale = map(ops.convert_to_numpy, pair)
                value = mean + np.exp(scale) * random.standard_normal(mean.shape, np.float32)
                place.assign(value)
                drawn.append((place, value))
        kept = [ops.convert_to_numpy(each) for each in network.trainable_variables]
        said = network.predict_on_batch(inputs)
        signs = random.choice(np.array([-1, 1], np.float32), said[..., 1:].shape)
        solid = ~np.isnan(target[..., :1])
        factor = np.where(solid, signs * np.sqrt(target[..., 1:]) * np.exp(-said[..., 1:]), 0.0)
        network.train_on_batch(inputs, factor)
        # Keras takes the mean over the samples.
        yield [
            len(factor) * (value - ops.convert_to_numpy(place).astype(float))
            for place, value in drawn
        ]
        for variable, value in zip(network.trainable_variables, kept, strict=True):
            variable.assign(value)
