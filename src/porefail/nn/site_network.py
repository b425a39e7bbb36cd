"""Training of what ranks likely sites by what is around each: its network in keras.ops.

It corrects what is known of the sites already (a regression's log likelihood), and begins as no
correction at all. What it has learnt is applied by baselines.site_correction, without Keras.
"""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from porefail.nn.convolution import Convolution


def site_network(
    channels: Sequence[str], share: str, sites: int, reach: int, filters: int = 16, seed: int = 0
) -> keras.Model:
    """Network from blocks of voxels about each site to the log likelihoods of the sites.

    Inputs: by name the channels, (n, sites, s, s, s, 1) with s = 2 reach + 1 voxels, scaled, and
    by the name `share` the log likelihood of each site that is known before, (n, sites, 1). Result:
    (n, sites, 1), up to a constant of each specimen. A convolution takes one voxel off each side,
    so `reach` of them leave the site's own voxel; the later ones have twice the filters. Their
    kernels of six numbers make the result the same for all 16 symmetries of the specimen.
    """
    side = 2 * reach + 1
    seeds = iter(np.random.SeedSequence(seed).generate_state(reach + 1).tolist())
    inputs = [keras.Input((sites, side, side, side, 1), name=each) for each in channels]
    known = keras.Input((sites, 1), name=share)
    fields = ops.concatenate(inputs, -1) if len(inputs) > 1 else inputs[0]
    fields = ops.reshape(fields, (-1, side, side, side, len(inputs)))
    for number in range(1, reach + 1):
        count = filters if 2 * number <= reach + 1 else 2 * filters
        options = {"padding": "valid", "symmetric": True, "seed": next(seeds)}
        fields = Convolution(count, "relu", name=f"encode_{number}", **options)(fields)
    around = ops.concatenate([ops.reshape(fields, (-1, sites, fields.shape[-1])), known], -1)
    start = keras.initializers.GlorotUniform(next(seeds))
    hidden = keras.layers.Dense(2 * filters, "relu", kernel_initializer=start, name="hidden")
    correction = keras.layers.Dense(1, kernel_initializer="zeros", use_bias=False, name="correct")
    return keras.Model([*inputs, known], known + correction(hidden(around)), name="site_network")


def weights(model: keras.Model) -> dict[str, list[np.ndarray]]:
    """What a network has learnt, float32: of convolutions kernel (6, in, out) and bias, one after
    the other; of hidden matrix and bias; of correct a matrix (h, 1)."""
    layers = {
        "convolutions": [each for each in model.layers if isinstance(each, Convolution)],
        "hidden": [model.get_layer("hidden")],
        "correct": [model.get_layer("correct")],
    }
    return {
        name: [np.array(array, np.float32) for each in some for array in each.get_weights()]
        for name, some in layers.items()
    }
