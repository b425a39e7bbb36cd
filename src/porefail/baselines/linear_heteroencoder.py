"""The linear encoder-decoder of section 3.3, Eq. 12: damage = W2 W1 porosity + b.

W1 projects the porosity on given Karhunen-Loève modes; they are tensor products, so it is never
built but contracted axis by axis. W2 and b are learnt in closed form.
"""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from porefail.baselines import blocks as data
from porefail.baselines import ridge
from porefail.errors import PorefailError

KIND = "linear_heteroencoder"


class LinearHeteroencoder(NamedTuple):
    """A fitted model.

    axes: three arrays (n_i, n_i), the modes' factors in orthonormal columns; kept: bool
    (nx, ny, nz), which of their tensor products are modes; decoder: W2 transposed, float32, one
    matrix (modes, voxels) or at reduced rank two, (modes, rank) and (rank, voxels); bias: b
    (nx, ny, nz) float32; penalty, rank (0: full): what was chosen; validation_mse: with them.
    """

    axes: tuple[np.ndarray, np.ndarray, np.ndarray]
    kept: np.ndarray
    decoder: tuple[np.ndarray, ...]
    bias: np.ndarray
    penalty: float
    rank: int
    validation_mse: float

    @property
    def parameters(self) -> int:
        """Count of numbers learnt: b and W2, or its two factors."""
        return self.bias.size + sum(matrix.size for matrix in self.decoder)


def encode(field: np.ndarray, axes: Sequence[np.ndarray], kept: np.ndarray) -> np.ndarray:
    """Coefficients (n, modes) of fields (n, nx, ny, nz): each axis contracted in turn."""
    # An axis goes from place 1 to the end, so after three the order is the old one.
    return reduce(lambda f, vectors: np.tensordot(f, vectors, axes=(1, 0)), axes, field)[:, kept]


def fit(
    blocks: data.Blocks,
    validation_porosity: np.ndarray,
    validation_label: np.ndarray,
    axes: Sequence[np.ndarray],
    kept: np.ndarray,
    penalties: Sequence[float],
    ranks: Sequence[int | None] = (None,),
) -> LinearHeteroencoder:
    """Learn W2 and b by ridge regression, of the penalty and rank that are best in validation.

    blocks: training data, (porosity (n, nx, ny, nz) uint8, label float32, its values in voids
    ignored) each, see blocks.Blocks; symmetric copies are blocks like others. axes, kept: see
    LinearHeteroencoder. penalties: relative, see ridge. ranks: of W2, 0 or None for the full one.
    The best has the lowest mean squared error over the solid voxels of the validation data.
    Memory: about 2·modes² + 3·modes·voxels numbers of 8 bytes (12,000 modes and 32,000 voxels:
    12 GB), and some copies of a block and of the validation data.
    Raises PorefailError on bad data, modes, penalties and ranks.
    """
    axes = tuple(np.asarray(vectors, float) for vectors in axes)
    kept = np.asarray(kept)
    _check(axes, kept, ranks)
    ridge.check_penalties(penalties)
    data.check(validation_porosity, validation_label)
    solid = validation_porosity == 0
    if not solid.any():
        raise PorefailError("the validation data have no solid voxel")
    _check_grid(validation_porosity, kept)
    porosity_mean, label_mean, count = _means(blocks, kept)
    turned = ridge.spectrum(
        *_normal_equations(blocks, porosity_mean, label_mean, count, axes, kept)
    )
    latent = encode(validation_porosity - porosity_mean, axes, kept)
    truth = (validation_label - label_mean)[solid]
    best = None
    for penalty in penalties:
        inner, outer = ridge.factors(turned, penalty)
        code = latent @ inner
        basis = ridge.leading(outer, max(rank or 0 for rank in ranks)) if any(ranks) else None
        for rank in ranks:
            part = basis[:, :rank] if rank else None
            fitted = code @ part @ (part.T @ outer) if rank else code @ outer
            mse = np.mean((fitted.reshape(solid.shape)[solid] - truth) ** 2)
            if best is None or mse < best[0]:
                best = mse, penalty, rank or 0, part
    mse, penalty, rank, part = best
    inner, outer = ridge.factors(turned, penalty)
    decoder = (inner @ part, part.T @ outer) if rank else (inner @ outer,)
    shift = reduce(np.matmul, decoder, encode(porosity_mean[None], axes, kept))
    return LinearHeteroencoder(
        axes,
        kept,
        tuple(matrix.astype(np.float32) for matrix in decoder),
        (label_mean - shift.reshape(kept.shape)).astype(np.float32),
        float(penalty),
        rank,
        float(mse),
    )


def predict(model: LinearHeteroencoder, porosity: np.ndarray) -> np.ndarray:
    """Predicted label (n, nx, ny, nz) float32, NaN in voids; porosity same shape, 1 = void."""
    data.check_porosity(porosity)
    _check_grid(porosity, model.kept)
    latent = encode(porosity.astype(np.float32), model.axes, model.kept).astype(np.float32)
    damage = reduce(np.matmul, model.decoder, latent).reshape(porosity.shape) + model.bias
    return np.where(porosity == 0, damage, np.float32(np.nan))


def _means(blocks: data.Blocks, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Mean porosity and mean label (nx, ny, nz) of the specimens, and how many they are.

    The label's is over the specimens that are solid in the voxel.
    """
    count, solid_count = 0, np.zeros(kept.shape)
    label_sum = np.zeros(kept.shape)
    for porosity, label in data.go_through(blocks):
        _check_grid(porosity, kept)
        count += len(porosity)
        solid_count += (porosity == 0).sum(axis=0)
        label_sum += np.where(porosity == 0, label, 0.0).sum(axis=0)
    if not solid_count.any():
        raise PorefailError("the training data have no solid voxel")
    # ASSUME: a voxel that is void in every specimen has the mean label of all others.
    overall = label_sum.sum() / solid_count.sum()
    label_mean = np.where(solid_count > 0, label_sum / np.maximum(solid_count, 1), overall)
    return 1 - solid_count / count, label_mean, count


def _normal_equations(
    blocks: data.Blocks,
    porosity_mean: np.ndarray,
    label_mean: np.ndarray,
    count: int,
    axes: Sequence[np.ndarray],
    kept: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """XᵀX (modes, modes) and XᵀY (modes, voxels) of coefficients and labels without their means."""
    modes = np.count_nonzero(kept)
    gram, cross = np.zeros((modes, modes)), np.zeros((modes, kept.size))
    for porosity, label in data.go_through(blocks):
        latent = encode(porosity - porosity_mean, axes, kept)
        # ASSUME: a void has the voxel's mean label over the specimens that are solid there. That
        # leaves the mean as it is, and the void pushes W2 to nothing.
        excess = np.where(porosity == 0, label - label_mean, 0.0).reshape(-1, kept.size)
        gram += latent.T @ latent
        cross += latent.T @ excess
        count -= len(porosity)
    if count:
        raise PorefailError("the second pass over the blocks gave other specimens than the first")
    return gram, cross


def _check(axes: Sequence[np.ndarray], kept: np.ndarray, ranks: Sequence[int | None]) -> None:
    if kept.ndim != 3 or kept.dtype != bool or not kept.any():
        raise PorefailError("kept must be a boolean field (nx, ny, nz) with a mode in it")
    if [vectors.shape for vectors in axes] != [(n, n) for n in kept.shape]:
        raise PorefailError(f"axes must be three square matrices for the grid {kept.shape}")
    for vectors in axes:
        if not np.allclose(vectors.T @ vectors, np.eye(len(vectors)), atol=1e-6):
            raise PorefailError("the columns of each axis must be orthonormal")
    most = np.count_nonzero(kept)
    if not len(ranks) or not all(rank is None or 0 <= rank <= most for rank in ranks):
        raise PorefailError(f"ranks are {list(ranks)}, expected 0 (full) to {most}, the modes")


def _check_grid(porosity: np.ndarray, kept: np.ndarray) -> None:
    if porosity.shape[1:] != kept.shape:
        raise PorefailError(f"the grid is {porosity.shape[1:]}, the modes have {kept.shape}")
