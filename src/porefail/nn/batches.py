"""Batches of training examples, augmented by the specimen's symmetries on the fly."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import numpy as np

from porefail.errors import PorefailError

# An operation on voxel fields (..., nx, ny, nz), such as a quarter turn.
Symmetry = Callable[[np.ndarray], np.ndarray]


class Examples(NamedTuple):
    """Inputs and labels. porosity: (n, nx, ny, nz), 1 = void; label: same, NaN in voids."""

    porosity: np.ndarray
    label: np.ndarray


def order(count: int, seed: int, epoch: int) -> np.ndarray:
    """Order (count,) in which an epoch takes its examples: from (seed, epoch) alone."""
    return np.random.default_rng([seed, epoch]).permutation(count)


class Batches(keras.utils.PyDataset):
    """One epoch: every realization in every symmetry once, in a random order of its own.

    Batch i is a pair (n, nx, ny, nz, 1) float32 of inputs and labels. It depends on the seed, the
    epoch and i alone, so a resumed training sees what an uninterrupted one sees. Nothing but the
    batch is copied. seed None: in order, for evaluation.
    """

    def __init__(
        self,
        examples: Examples,
        symmetries: Sequence[Symmetry],
        batch_size: int,
        seed: int | None = None,
        epoch: int = 0,
    ):
        super().__init__()
        if examples.porosity.shape != examples.label.shape or examples.porosity.ndim != 4:
            raise PorefailError(
                f"porosity {examples.porosity.shape} and label {examples.label.shape} must both "
                "be (n, nx, ny, nz)"
            )
        if batch_size < 1 or not symmetries:
            raise PorefailError("a batch needs a size of 1 or more and at least one symmetry")
        self.examples, self.symmetries, self.batch_size = examples, symmetries, batch_size
        # Pair p is realization p // (number of symmetries) in symmetry p % (that number).
        count = len(examples.porosity) * len(symmetries)
        self.pairs = np.arange(count) if seed is None else order(count, seed, epoch)

    def __len__(self) -> int:
        return -(-len(self.pairs) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        pairs = self.pairs[index * self.batch_size : (index + 1) * self.batch_size]
        realization, symmetry = np.divmod(pairs, len(self.symmetries))
        shape = (len(pairs), *self.examples.porosity.shape[1:])
        porosity, label = np.empty((2, *shape), np.float32)
        for k in np.unique(symmetry):
            chosen = np.flatnonzero(symmetry == k)
            turn = self.symmetries[k]
            porosity[chosen] = turn(self.examples.porosity[realization[chosen]])
            label[chosen] = turn(self.examples.label[realization[chosen]])
        return porosity[..., None], label[..., None]
