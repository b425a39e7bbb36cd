"""Regression of the label on statistics of the porosity around each voxel.

One quadratic polynomial for all voxels and grids. Its features, and so its predictions, turn with
the specimen under all 16 symmetries: symmetric copies of the training data add nothing. Filters
about as wide as the specimen measure its size, and what they say on another size is a guess: for
a step from one grid to another give widths up to a third of the smaller one.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from porefail.baselines import blocks as data
from porefail.baselines import ridge
from porefail.errors import PorefailError

KIND = "local_statistics"
WIDTHS = (0.75, 1.5, 3.0, 6.0)  # voxels
TRUNCATION = 4.0  # Gaussian kernels are cut at this many widths
CONSTANT = 1e-12  # a variance below this part of the mean square is rounding


class Standard(NamedTuple):
    """What the solid training voxels say of each feature, all (f,).

    centre: mean; scale: standard deviation, 1 where constant; lowest, highest: the range.
    """

    centre: np.ndarray
    scale: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray


class LocalStatistics(NamedTuple):
    """A fitted model of f features, see `features`.

    widths: (w, 2) in voxels, across and along z; standard: of the features; coefficients:
    (1 + f + f(f+1)/2,) of the constant, the standardised features and their products; penalty:
    what was chosen; validation_mse: with it.
    """

    widths: np.ndarray
    standard: Standard
    coefficients: np.ndarray
    penalty: float
    validation_mse: float

    @property
    def parameters(self) -> int:
        """Count of numbers learnt: the coefficients."""
        return self.coefficients.size


def features(porosity: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Local statistics (solid voxels, 3 w + 1) of one specimen (nx, ny, nz), 1 = void.

    widths: (w, 2), of Gaussian filters in voxels, across and along z. Three of each width, all
    fractions: of voids around the voxel; of what is outside the free surfaces around it; of voids
    in the cross-section, filtered along z. Last the voids in the voxel's own cross-section.
    """
    solid = porosity == 0
    voids = porosity.astype(float)
    inside = np.ones((*voids.shape[:2], 1))
    section = voids.mean(axis=(0, 1))
    columns = []
    for across, along in widths:
        # ASSUME: beyond an end is the mirror image. The grips hold u_z and leave the specimen free
        # to contract, as a plane of symmetry does.
        options = {"mode": ("constant", "constant", "reflect"), "truncate": TRUNCATION}
        columns.append(gaussian_filter(voids, (across, across, along), **options))
        columns.append(1 - gaussian_filter(inside, (across, across, 0), **options))
        columns.append(gaussian_filter1d(section, along, mode="reflect", truncate=TRUNCATION))
    columns.append(section)
    return np.stack([np.broadcast_to(column, solid.shape)[solid] for column in columns], axis=1)


def fit(
    blocks: data.Blocks,
    validation_porosity: np.ndarray,
    validation_label: np.ndarray,
    penalties: Sequence[float],
    widths: Sequence[float | tuple[float, float]] = WIDTHS,
) -> LocalStatistics:
    """Learn the coefficients by ridge regression, of the penalty that is best in validation.

    blocks: training data, (porosity (n, nx, ny, nz) uint8, label float32, its values in voids
    ignored) each, see blocks.Blocks. penalties: relative, see ridge. widths: in voxels; a pair is
    (across, along z). Every solid voxel of every specimen counts the same. The best penalty has
    the lowest mean squared error over the solid voxels of the validation data. In memory is one
    specimen's polynomial at a time. Raises PorefailError on bad data, penalties and widths.
    """
    widths = _pairs(widths)
    ridge.check_penalties(penalties)
    data.check(validation_porosity, validation_label)
    if not (validation_porosity == 0).any():
        raise PorefailError("the validation data have no solid voxel")
    standard = _standard(blocks, widths)
    moments = 0.0
    for porosity, label in _specimens(blocks):
        rows = _polynomial(porosity, widths, standard)
        rows = np.concatenate([rows, label[porosity == 0][:, None]], axis=1)
        moments = moments + rows.T @ rows  # of the constant, the polynomial and the label
    count, mean = moments[0, 0], moments[0, 1:] / moments[0, 0]
    centred = moments[1:, 1:] - count * np.outer(mean, mean)
    spread = _deviation(np.diag(moments)[1:-1] / count, mean[:-1])
    turned = ridge.spectrum(
        centred[:-1, :-1] / np.outer(spread, spread), centred[:-1, -1:] / spread[:, None]
    )
    every = np.empty((moments.shape[0] - 1, len(penalties)))
    for k, penalty in enumerate(penalties):
        inner, outer = ridge.factors(turned, penalty)
        slope = (inner @ outer)[:, 0] / spread
        every[:, k] = mean[-1] - mean[:-1] @ slope, *slope
    error, count = 0.0, 0
    for porosity, label in zip(validation_porosity, validation_label, strict=True):
        truth = label[porosity == 0][:, None]
        rows = _polynomial(porosity, widths, standard)
        error, count = error + ((rows @ every - truth) ** 2).sum(axis=0), count + len(truth)
    best = int(np.argmin(error))
    return LocalStatistics(
        widths, standard, every[:, best], float(penalties[best]), float(error[best] / count)
    )


def predict(model: LocalStatistics, porosity: np.ndarray) -> np.ndarray:
    """Predicted label (n, nx, ny, nz) float32, NaN in voids; porosity same shape, any grid."""
    data.check_porosity(porosity)
    damage = np.full(porosity.shape, np.nan, np.float32)
    for voids, field in zip(porosity, damage, strict=True):
        rows = _polynomial(voids, model.widths, model.standard)
        field[voids == 0] = rows @ model.coefficients
    return damage


def _specimens(blocks: data.Blocks) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for porosity, label in data.go_through(blocks):
        yield from zip(porosity, label, strict=True)


def _standard(blocks: data.Blocks, widths: np.ndarray) -> Standard:
    """Mean, standard deviation and range of each feature over the solid voxels."""
    count, total, squares, lowest, highest = 0, 0.0, 0.0, np.inf, -np.inf
    for porosity, _ in _specimens(blocks):
        values = features(porosity, widths)
        count += len(values)
        total = total + values.sum(axis=0)
        squares = squares + (values**2).sum(axis=0)
        lowest = np.minimum(lowest, values.min(axis=0, initial=np.inf))
        highest = np.maximum(highest, values.max(axis=0, initial=-np.inf))
    if not count:
        raise PorefailError("the training data have no solid voxel")
    centre = total / count
    return Standard(centre, _deviation(squares / count, centre), lowest, highest)


def _deviation(mean_square: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Standard deviations, 1 for what is constant."""
    variance = mean_square - mean**2
    return np.sqrt(np.where(variance > CONSTANT * mean_square, variance, 1.0))


def _polynomial(porosity: np.ndarray, widths: np.ndarray, standard: Standard) -> np.ndarray:
    """Constant, standardised features, their products (solid voxels, 1 + f + f(f+1)/2)."""
    # ASSUME: a feature outside its range in the training data, as on a larger specimen, counts as
    # the end of the range; a quadratic polynomial would grow without bounds there.
    values = features(porosity, widths).clip(standard.lowest, standard.highest)
    values = (values - standard.centre) / standard.scale
    first, second = np.triu_indices(values.shape[1])
    constant = np.ones((len(values), 1))
    return np.concatenate([constant, values, values[:, first] * values[:, second]], axis=1)


def _pairs(widths: Sequence[float | tuple[float, float]]) -> np.ndarray:
    """Widths (w, 2), across and along z."""
    try:
        pairs = np.array([np.broadcast_to(width, 2) for width in widths], float)
    except ValueError:
        pairs = np.empty(0)
    if not pairs.size or not (np.isfinite(pairs) & (pairs > 0)).all():
        raise PorefailError(
            f"widths are {list(widths)}, expected positive numbers of voxels, or pairs of them"
        )
    return pairs
