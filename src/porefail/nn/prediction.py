"""Damage that a trained network predicts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

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
    shape = _checked(model, inputs, batch_size)
    damage = np.zeros(shape, np.float32)
    for start in range(0, len(damage), batch_size):
        rows = slice(start, start + batch_size)
        for turn, back in symmetries:
            said = model.predict_on_batch(_batch(model, inputs, rows, turn))
            damage[rows] += back(said[..., 0]) / len(symmetries)
    return damage


class Moments(NamedTuple):
    """Of the label, (n, nx, ny, nz) float32: the mean of all draws; the variance between them,
    which more data would lower; and the mean variance of the noise, which they would not.

    The predictive variance is the sum of the two.
    """

    mean: np.ndarray
    epistemic: np.ndarray
    noise: np.ndarray


def moments(
    networks: Iterable[keras.Model], inputs: Mapping[str, np.ndarray], batch_size: int = 32
) -> Moments:
    """Mean and variances over networks drawn one after the other; no draw is kept.

    networks: two or more, that say the label and log σ (see noise.Noise). inputs: as in predict().
    Raises PorefailError as predict() does, and where there are fewer networks.
    """
    count = 0
    mean = squares = noise = np.empty(0)
    for network in networks:
        if not count:
            mean, squares, noise = np.zeros((3, *_checked(network, inputs, batch_size)), np.float32)
        count += 1
        for start in range(0, len(mean), batch_size):
            rows = slice(start, start + batch_size)
            said = network.predict_on_batch(_batch(network, inputs, rows))
            change = said[..., 0] - mean[rows]  # Welford 1962
            mean[rows] += change / count
            squares[rows] += change * (said[..., 0] - mean[rows])
            noise[rows] += (np.exp(2 * said[..., 1]) - noise[rows]) / count
    if count < 2:
        raise PorefailError(f"a variance needs two draws at least, not {count}")
    return Moments(mean, squares / (count - 1), noise)


def _checked(
    model: keras.Model, inputs: Mapping[str, np.ndarray], batch_size: int
) -> tuple[int, ...]:
    """Shape of the fields."""
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
    return shape


def _batch(
    model: keras.Model, inputs: Mapping[str, np.ndarray], rows: slice, turn: Symmetry = np.asarray
) -> dict[str, np.ndarray]:
    return {
        each.name: np.ascontiguousarray(turn(inputs[each.name][rows]), np.float32)[..., None]
        for each in model.inputs
    }
