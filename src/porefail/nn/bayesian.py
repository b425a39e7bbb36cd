"""The Bayesian twin of a network: its noise, its warm start, draws from its posterior."""

from collections.abc import Iterator

import keras
import numpy as np
from keras import ops

from porefail.errors import PorefailError
from porefail.nn.convolution import Convolution
from porefail.nn.flipout import Flipout
from porefail.nn.noise import Noise


def with_noise(network: keras.Model, scale: float, knots: int = 1) -> keras.Model:
    """A network that also says how far labels lie from it, log σ; scale, knots: see Noise."""
    noise = Noise(knots, scale, name="noise")
    return keras.Model(network.inputs, noise(network.output), name="likelihood")


def is_drawn(network: keras.Model) -> bool:
    """Whether any weight of a network is drawn anew in each call."""
    return any(isinstance(layer, Flipout) for layer in network.layers)


def warm_start(model: keras.Model, trained: keras.Model) -> None:
    """Give a model the weights of a trained network; of Flipout layers, the means.

    Layers are matched by name. Raises PorefailError where the two do not have the same layers with
    weights of the same shapes, and leaves the model as it is.
    """

    def weights(network: keras.Model) -> dict[str, list[keras.Variable]]:
        return {
            layer.name: [layer.kernel, layer.bias]
            for layer in network.layers
            if isinstance(layer, Convolution)
        }

    ours, theirs = weights(model), weights(trained)
    for name in {**ours, **theirs}:
        shapes = [
            " and ".join(str(tuple(each.shape)) for each in known.get(name, [])) or "nothing"
            for known in (theirs, ours)
        ]
        if shapes[0] != shapes[1]:
            raise PorefailError(
                f"the trained network is another one: its layer {name} has weights of shape"
                f" {shapes[0]}, where {shapes[1]} is expected"
            )
    for name, variables in ours.items():
        for variable, value in zip(variables, theirs[name], strict=True):
            variable.assign(value)


def draws(model: keras.Model, count: int, seed: int) -> Iterator[keras.Model]:
    """Networks with weights drawn from a posterior: one network, given other weights each time.

    The k-th depends on (seed, k) alone. Layers that are not variational keep their weights.
    """
    network = mean_network(model)
    pairs = [
        (model.get_layer(layer.name), layer)
        for layer in network.layers
        if isinstance(layer, Convolution)
    ]
    posterior = [
        (target, [ops.convert_to_numpy(each) for each in (mean, ops.exp(scale))])
        for layer, drawn in pairs
        if isinstance(layer, Flipout)
        for target, (mean, scale) in zip((drawn.kernel, drawn.bias), layer.distributed, strict=True)
    ]
    for k in range(count):
        random = np.random.default_rng([seed, k])
        for target, (mean, scale) in posterior:
            target.assign(mean + scale * random.standard_normal(mean.shape, np.float32))
        yield network


def mean_network(model: keras.Model) -> keras.Model:
    """The same network without draws: each weight is its mean."""

    def plain(layer: keras.layers.Layer) -> keras.layers.Layer:
        if not isinstance(layer, Flipout):
            return type(layer).from_config(layer.get_config())
        known = layer.get_config()
        own = {"prior", "scale", "divergence_weight"}
        return Convolution.from_config({key: known[key] for key in known if key not in own})

    network = keras.models.clone_model(model, clone_function=plain)
    for layer in network.layers:
        same = model.get_layer(layer.name)
        # Kernel and bias come first; what a Flipout layer has on top is left.
        for variable, value in zip(layer.weights, same.weights, strict=False):
            variable.assign(value)
    return network
