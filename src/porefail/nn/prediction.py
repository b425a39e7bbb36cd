"""Damage that a trained network predicts."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from porefail.errors import PorefailError
from porefail.nn.batches import Symmetry
from porefail.nn.heteroencoder import check_grid

AS_IT_IS = ((np.asarray, np.asarray),)


def predict(
    model: keras.Model,
    inputs: Mapping[str, np.ndarray],
    batch_size: int = 32,
    symmetries: Sequence[tuple[Symmetry, Symmetry]] = AS_IT_IS,
) -> np.ndarray:
    """Predicted label (n, nx, ny, nz) float32, also in voids.

    It is on the scale of the labels that the network was trained on, 0 to 1 but for errors.
    inputs: fields (n, nx, ny, nz) by channel, finite. symmetries: each with its inverse; the
    prediction is the mean over all of them, turned back, so that with a whole group it is
    equivariant to the group. Raises PorefailError on a missing channel, and on a grid that the
    network cannot take.
    """
    names = [each.name for each in model.inputs]
    for name in names:
        if name not in inputs:
            raise PorefailError(f"the network needs the channel {name}, not there")
    shape = inputs[names[0]].shape
    if len(shape) != 4 or batch_size < 1 or any(inputs[name].shape != shape for name in names):
        raise PorefailError(
            f"channels must be (n, nx, ny, nz) and a batch 1 or more, not {shape} and {batch_size}"
        )
    check_grid(shape[1:])
    damage = np.zeros(shape, np.float32)
    for start in range(0, len(damage), batch_size):
        rows = slice(start, start + batch_size)
        for turn, back in symmetries:
            turned = {
                name: np.ascontiguousarray(turn(inputs[name][rows]), np.float32)[..., None]
                for name in names
            }
            damage[rows] += back(model.predict_on_batch(turned)[..., 0]) / len(symmetries)
    return damage
