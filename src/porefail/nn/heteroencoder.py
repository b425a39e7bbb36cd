"""The convolutional heteroencoder of the paper, section 3.3 and Fig. 8, and its extensions."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from porefail.errors import PorefailError
from porefail.nn.convolution import Convolution
from porefail.nn.dropout import MonteCarloDropout
from porefail.nn.flipout import Flipout
from porefail.nn.pooling import Halving

DIVISOR = 4  # two halvings


def heteroencoder(
    channels: Sequence[str] = ("porosity",),
    shape: tuple[int | None, int | None, int | None] = (None, None, None),
    filters: int = 8,
    seed: int = 0,
    skips: bool = False,
    dilations: Sequence[int] = (1,),
    symmetric: bool = False,
    variational: Mapping[str, Mapping] | None = None,
    dropout: float = 0.0,
    name: str = "heteroencoder",
) -> keras.Model:
    """Network from voxel fields (n, nx, ny, nz, 1), one input a channel, to damage, same shape.

    As it stands it is the network of Fig. 8: with 8 filters it has 7,385 weights. channels: names
    of the inputs. shape: sides divisible by 4, or None for any such grid. skips: the fields of the
    encoder also reach the decoder's layers of their resolution (Ronneberger et al. 2015), which
    one more layer joins. dilations: of the layers at the lowest resolution, one each; (1, 2) lets
    every voxel see 19 voxels far, so the whole width of the paper's specimen. symmetric: kernels
    that make the network exactly equivariant to the 16 symmetries of the specimen. variational: by
    name, the layers that are Flipout in place of Convolution, with their further options. dropout:
    share of the channels that are left out after each layer but the last, see MonteCarloDropout.
    Every layer starts from random numbers of its own, drawn from the seed. Raises PorefailError on
    a side that 4 does not divide, and where there is no channel or no dilation.
    """
    check_grid(shape)
    if not channels or not dilations:
        raise PorefailError("the network needs at least one channel and one dilation")
    seeds = iter(np.random.SeedSequence(seed).generate_state(6 + len(dilations)).tolist())

    variational = dict(variational or {})

    def convolution(name: str, activation: str = "relu", count: int = filters, **options):
        further = variational.pop(name, None)
        kind = Convolution if further is None else Flipout
        options |= {"symmetric": symmetric, "seed": next(seeds), "name": name, **(further or {})}
        layer = kind(count, activation, **options)
        if not dropout or name == "damage":
            return layer
        leave_out = MonteCarloDropout(dropout, seed=options["seed"], name=f"drop_{name}")
        return lambda fields: leave_out(layer(fields))

    def join(name: str, *fields):
        return keras.layers.Concatenate(name=name)(fields) if len(fields) > 1 else fields[0]

    inputs = [keras.Input((*shape, 1), name=name) for name in channels]
    given = join("channels", *inputs)
    fine = convolution("encode_1")(given)
    middle = convolution("encode_2")(Halving(name="halve_1")(fine))
    fields = Halving(name="halve_2")(middle)
    for number, dilation in enumerate(dilations, 1):
        place = "latent" if number == 1 else f"latent_{number}"
        fields = convolution(place, dilation=dilation)(fields)
    fields = convolution("decode_1", double=True)(fields)
    if skips:
        fields = join("skip_1", fields, middle)
    fields = convolution("decode_2", double=True)(fields)
    if skips:
        fields = convolution("join")(join("skip_2", fields, fine, given))
    damage = convolution("damage", "linear", 1)(fields)
    if variational:
        raise PorefailError(f"the network has no layers {', '.join(variational)}")
    return keras.Model(inputs, damage, name=name)


def products(model: keras.Model, shape: Sequence[int]) -> int:
    """Multiplications of one forward pass of one specimen of (nx, ny, nz) voxels.

    As many additions come on top; training takes about three times as much. Without activations,
    pooling and biases, which are a few per cent.
    """
    check_grid(tuple(shape))
    inputs = [keras.Input((*shape, 1), name=each.name) for each in model.inputs]
    layers = keras.models.clone_model(model, input_tensors=inputs).layers
    return sum(
        layer.products(layer.input.shape) for layer in layers if isinstance(layer, Convolution)
    )


def check_grid(shape: Sequence[int | None]) -> None:
    """Raise PorefailError unless 4 divides every side (voxels) that is given."""
    if any(side is not None and (side < DIVISOR or side % DIVISOR) for side in shape):
        sides = "×".join(map(str, shape))
        raise PorefailError(f"the network needs sides divisible by {DIVISOR}, not {sides} voxels")
