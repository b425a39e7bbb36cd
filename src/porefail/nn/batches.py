"""Batches of training examples, augmented by the specimen's symmetries on the fly."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from porefail.errors import PorefailError
from porefail.voxels.rounding import bin_of

# An operation on voxel fields (..., nx, ny, nz), such as a quarter turn.
Symmetry = Callable[[np.ndarray], np.ndarray]


class Examples(NamedTuple):
    """What a network learns from: fields (n, nx, ny, nz), or blocks and numbers of m sites.

    inputs: by channel, finite everywhere, (n, nx, ny, nz) or (n, m, nx, ny, nz) or (n, m); label:
    (n, nx, ny, nz), NaN in voids, or (n, m), NaN where there is no site; weight: of each label's
    error as a table (1 or n, bins) over equal bins of the label in [0, 1], one for all realizations
    or one each.
    """

    inputs: Mapping[str, np.ndarray]
    label: np.ndarray
    weight: np.ndarray = np.ones((1, 1), np.float32)


def order(realizations: int, symmetries: int, copies: int, seed: int, epoch: int) -> np.ndarray:
    """The (realization, symmetry) pairs of an epoch (realizations · copies, 2), in their order.

    Each realization comes in that many different symmetries, drawn for each epoch. It all depends
    on (seed, epoch) alone.
    """
    generator = np.random.default_rng([seed, epoch])
    drawn = generator.permuted(np.tile(np.arange(symmetries), (realizations, 1)), axis=1)
    pairs = np.stack([np.repeat(np.arange(realizations), copies), drawn[:, :copies].ravel()], -1)
    return generator.permutation(pairs)


class Batches:
    """One epoch: every realization in `copies` of the symmetries, in a random order of its own.

    Batch i is a pair: inputs, a dict of (n, nx, ny, nz, 1), and label and weight, (n, nx, ny, nz,
    2), all float32; of sites what there is of them in these places, of which only fields turn. It
    depends on the seed, the epoch and i alone, so a resumed training sees what an uninterrupted one
    sees. Nothing but the batch is copied. copies None: all symmetries. seed None: in order, for
    evaluation.
    """

    def __init__(
        self,
        examples: Examples,
        symmetries: Sequence[Symmetry],
        batch_size: int,
        seed: int | None = None,
        epoch: int = 0,
        copies: int | None = None,
    ):
        shape = examples.label.shape
        for name, field in examples.inputs.items():
            sites = len(shape) == 2 and field.shape[:2] == shape
            if not sites and (field.shape != shape or field.ndim != 4):
                raise PorefailError(
                    f"{name} {field.shape} and label {shape} must both be (n, nx, ny, nz), or of"
                    " the same sites (n, m)"
                )
        if len(examples.weight) not in (1, shape[0]):
            raise PorefailError(f"{len(examples.weight)} tables of weights for {shape[0]} examples")
        copies = len(symmetries) if copies is None else copies
        if batch_size < 1 or not symmetries or not 1 <= copies <= len(symmetries):
            raise PorefailError(
                "a batch needs a size of 1 or more and 1 to all of at least one symmetry, not "
                f"{batch_size} and {copies} of {len(symmetries)}"
            )
        self.examples, self.symmetries, self.batch_size = examples, symmetries, batch_size
        if seed is None:
            every = np.indices((shape[0], len(symmetries)))
            self.pairs = every.reshape(2, -1).T
        else:
            self.pairs = order(shape[0], len(symmetries), copies, seed, epoch)

    def __len__(self) -> int:
        return -(-len(self.pairs) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        pairs = self.pairs[index * self.batch_size : (index + 1) * self.batch_size]
        inputs, label, weight = self.examples
        count = len(pairs)
        turned = {
            name: np.empty((count, *field.shape[1:], 1), np.float32)
            for name, field in inputs.items()
        }
        target = np.empty((count, *label.shape[1:], 2), np.float32)
        for k in np.unique(pairs[:, 1]):
            chosen = np.flatnonzero(pairs[:, 1] == k)
            realization, turn = pairs[chosen, 0], self.symmetries[k]
            for name, field in inputs.items():
                turned[name][chosen, ..., 0] = _turned(turn, field[realization])
            target[chosen, ..., 0] = _turned(turn, label[realization])
        table = weight if len(weight) == 1 else weight[pairs[:, 0]]
        target[..., 1] = look_up(table, target[..., 0])
        return turned, target


def _turned(turn: Symmetry, values: np.ndarray) -> np.ndarray:
    """Fields as a symmetry turns them; numbers of sites (n, m) as they are."""
    return turn(values) if values.ndim > 2 else values


def look_up(table: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Weight of each label: table (1 or n, bins), label (n, ...); where it is NaN, 0."""
    bins = table.shape[1]
    if bins == 1:
        return np.where(np.isnan(label), 0.0, table.reshape(-1, *[1] * (label.ndim - 1)))
    # One table at a time: several times as fast as indexing with both.
    place = bin_of(label, bins)
    rows = table if len(table) > 1 else np.broadcast_to(table, (len(label), bins))
    found = np.empty(label.shape, np.float32)
    for row, where, out in zip(rows.astype(np.float32), place, found, strict=True):
        np.take(row, where, out=out, mode="clip")
    found[np.isnan(label)] = 0.0
    return found
