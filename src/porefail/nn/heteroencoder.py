"""The convolutional heteroencoder of the paper, section 3.3 and Fig. 8."""

import keras
import numpy as np

from porefail.errors import PorefailError

DIVISOR = 4  # two halvings


def heteroencoder(
    shape: tuple[int | None, int | None, int | None, int] = (None, None, None, 1),
    filters: int = 8,
    seed: int = 0,
) -> keras.Model:
    """Network of Fig. 8: voxel fields (n, nx, ny, nz, channels) to damage (n, nx, ny, nz, 1).

    shape: sides nx, ny, nz divisible by 4, or None for any such grid, and channels; with one
    channel and 8 filters it has 7,385 weights. Every layer starts from random numbers of its
    own, drawn from the seed. Raises PorefailError on a side that 4 does not divide.
    """
    check_grid(shape[:3])
    seeds = iter(np.random.SeedSequence(seed).generate_state(6).tolist())

    def convolution(name: str, count: int, activation: str) -> keras.layers.Layer:
        return keras.layers.Conv3D(
            count,
            3,
            padding="same",
            activation=activation,
            kernel_initializer=keras.initializers.GlorotUniform(seed=next(seeds)),
            name=name,
        )

    def halve(name: str) -> keras.layers.Layer:
        return keras.layers.MaxPooling3D(2, padding="same", name=name)

    def double(name: str) -> keras.layers.Layer:
        return keras.layers.UpSampling3D(2, name=name)

    porosity = keras.Input(shape, name="porosity")
    fields = convolution("encode_1", filters, "relu")(porosity)
    fields = halve("halve_1")(fields)
    fields = convolution("encode_2", filters, "relu")(fields)
    fields = halve("halve_2")(fields)
    fields = convolution("latent", filters, "relu")(fields)
    fields = double("double_1")(fields)
    fields = convolution("decode_1", filters, "relu")(fields)
    fields = double("double_2")(fields)
    fields = convolution("decode_2", filters, "relu")(fields)
    damage = convolution("damage", 1, "linear")(fields)
    return keras.Model(porosity, damage, name="heteroencoder")


def check_grid(shape: tuple[int | None, ...]) -> None:
    """Raise PorefailError unless 4 divides every side (voxels) that is given."""
    if any(side is not None and (side < DIVISOR or side % DIVISOR) for side in shape):
        sides = "×".join(map(str, shape))
        raise PorefailError(f"the network needs sides divisible by {DIVISOR}, not {sides} voxels")
