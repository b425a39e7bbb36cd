"""Which of a few likely sites of a specimen fails, by what is around each: a network in keras.ops.

It corrects what is known of the sites already (a regression's log likelihood), and begins as no
correction at all.
"""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import ops

from porefail.nn.convolution import Convolution

SHARE = "share"  # input of the log likelihood of each site that is known before


def site_network(
    scales: Mapping[str, tuple[float, float]],
    sites: int,
    reach: int,
    filters: int = 16,
    seed: int = 0,
    symmetric: bool = True,
    name: str = "site_likelihood",
) -> keras.Model:
    """Network from blocks of voxels about each site to the log likelihoods of the sites.

    Inputs: by name the channels, (n, sites, s, s, s, 1) with s = 2 reach + 1 voxels, and SHARE
    (n, sites, 1). Result: (n, sites, 1), up to a constant of each specimen. scales: mean and
    standard deviation of each channel. A convolution takes one voxel off each side, so `reach` of
    them leave the site's own voxel: the last ones have twice the filters. symmetric: kernels of
    six numbers, with which the result is the same for all 16 symmetries of the specimen.
    """
    side = 2 * reach + 1
    seeds = iter(np.random.SeedSequence(seed).generate_state(reach + 1).tolist())
    inputs = [keras.Input((sites, side, side, side, 1), name=each) for each in scales]
    scaled = [
        (each - mean) / deviation
        for each, (mean, deviation) in zip(inputs, scales.values(), strict=True)
    ]
    known = keras.Input((sites, 1), name=SHARE)
    fields = ops.concatenate(scaled, -1) if len(scaled) > 1 else scaled[0]
    fields = ops.reshape(fields, (-1, side, side, side, len(inputs)))
    for number in range(1, reach + 1):
        count = filters if 2 * number <= reach + 1 else 2 * filters
        fields = Convolution(
            count,
            "relu",
            padding="valid",
            symmetric=symmetric,
            seed=next(seeds),
            name=f"encode_{number}",
        )(fields)
    around = ops.concatenate([ops.reshape(fields, (-1, sites, fields.shape[-1])), known], -1)
    start = keras.initializers.GlorotUniform(next(seeds))
    hidden = keras.layers.Dense(2 * filters, "relu", kernel_initializer=start, name="hidden")
    correction = keras.layers.Dense(1, kernel_initializer="zeros", use_bias=False, name="correct")
    return keras.Model([*inputs, known], known + correction(hidden(around)), name=name)


def products(model: keras.Model) -> int:
    """Multiplications of one specimen in the convolutions, which are nearly all."""
    sites = model.output.shape[1]
    return sites * sum(
        layer.products(layer.input.shape)
        for layer in model.layers
        if isinstance(layer, Convolution)
    )


def predict(
    model: keras.Model, inputs: Mapping[str, np.ndarray], batch_size: int = 32
) -> np.ndarray:
    """Log likelihoods (n, sites) of the sites of n specimens; inputs without their last axis."""
    count = len(inputs[SHARE])
    parts: Sequence[np.ndarray] = [
        model.predict_on_batch(
            {
                each.name: np.asarray(inputs[each.name][start : start + batch_size], np.float32)[
                    ..., None
                ]
                for each in model.inputs
            }
        )[..., 0]
        for start in range(0, count, batch_size)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, model.output.shape[1]), np.float32)
