"""Regression of where a specimen fails first: a softmax over its voxels of a few coefficients.

The score of a voxel is a quadratic polynomial of what cheap physics tells of it, of the same around
it, and of the pores in its cross-section. It turns with the specimen under all 16 symmetries, and
grids of all sizes share it.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy import optimize
from scipy.ndimage import gaussian_filter
from scipy.special import logsumexp

from porefail.baselines import blocks as data
from porefail.baselines import ridge
from porefail.errors import PorefailError

KIND = "site_regression"
WIDTH = 1.0  # voxels, of the filter that tells what is around
CANDIDATES = 400  # voxels of a specimen that each fit of the softmax adds to those before
GRADIENT = 1e-5  # of the loss where a fit ends
ROUNDS = 10  # of fits at most, each with the likeliest voxels of the one before, too
MISSED = 1e-3  # mean log likelihood that all other voxels may take


class SiteRegression(NamedTuple):
    """A fitted model of f features, see `features`.

    names: of the fields it takes; centre, scale, coefficients: (f,), the first two of the features
    in the training data; penalty: what was chosen; validation_loss: mean −log likelihood of the
    true sites with it.
    """

    names: tuple[str, ...]
    centre: np.ndarray
    scale: np.ndarray
    coefficients: np.ndarray
    penalty: float
    validation_loss: float

    @property
    def parameters(self) -> int:
        """Count of numbers learnt: the coefficients."""
        return self.coefficients.size


def features(
    fields: Sequence[np.ndarray], porosity: np.ndarray, outside: np.ndarray | None = None
) -> np.ndarray:
    """Features (solid voxels, f) of one specimen; fields and porosity (nx, ny, nz), 1 = void.

    The fields, their means around, their squares and products, the voids in the cross-section.
    outside: bool, voids that are no pores but lie beside the part, if its section is no rectangle.
    """
    solid = porosity == 0
    weight = gaussian_filter(solid.astype(np.float32), WIDTH, mode="constant")[solid]
    values = np.stack([field[solid] for field in fields])
    around = [
        gaussian_filter(np.where(solid, field, 0.0), WIDTH, mode="constant")[solid] / weight
        for field in fields
    ]
    first, second = np.triu_indices(len(values))
    share = porosity.mean(axis=(0, 1))
    if outside is not None:
        beside = outside.mean(axis=(0, 1))
        share = (share - beside) / np.maximum(1.0 - beside, np.finfo(float).tiny)
    section = np.broadcast_to(share.astype(np.float32), solid.shape)[solid]
    return np.stack([*values, *around, *(values[first] * values[second]), section], axis=1)


def fit(
    channels: Mapping[str, np.ndarray],
    porosity: np.ndarray,
    site: np.ndarray,
    validation_channels: Mapping[str, np.ndarray],
    validation_porosity: np.ndarray,
    validation_site: np.ndarray,
    penalties: Sequence[float],
) -> SiteRegression:
    """Learn the coefficients by maximum likelihood with a Gaussian prior, best in validation.

    channels: fields by name, (n, nx, ny, nz), as porosity and site, which is true in the voxels
    that count as the site. penalties: precisions of the prior of the coefficients of standardised
    features, over the number of specimens. Raises PorefailError on bad data and penalties.
    """
    ridge.check_penalties(penalties)
    for voxels, wanted in ((porosity, site), (validation_porosity, validation_site)):
        data.check_porosity(voxels)
        if wanted.shape != voxels.shape or not (wanted & (voxels == 0)).any(axis=(1, 2, 3)).all():
            raise PorefailError("a specimen has no site to learn from")
    return fit_rows(
        tuple(channels),
        feature_rows(channels, porosity),
        site_rows(site, porosity),
        feature_rows(validation_channels, validation_porosity),
        site_rows(validation_site, validation_porosity),
        penalties,
    )


def fit_rows(
    names: tuple[str, ...],
    rows: Sequence[np.ndarray],
    sites: Sequence[np.ndarray],
    held_out: Sequence[np.ndarray],
    held_out_sites: Sequence[np.ndarray],
    penalties: Sequence[float],
) -> SiteRegression:
    """The same from features that are known already: of feature_rows() and site_rows()."""
    centre = np.mean([each.mean(axis=0) for each in rows], axis=0)
    scale = np.mean([each.std(axis=0) for each in rows], axis=0)
    scale[scale == 0.0] = 1.0
    count = min(CANDIDATES, *map(len, rows))
    best = None
    for penalty in penalties:
        coefficients = np.zeros(centre.size)
        coefficients[0] = 1.0  # begin where the first field is large
        score = [_product(each, centre, scale, coefficients) for each in rows]
        chosen = [_likeliest(*both, count) for both in zip(score, sites, strict=True)]
        for _ in range(ROUNDS):
            given = np.stack(
                [(each[place] - centre) / scale for each, place in zip(rows, chosen, strict=True)]
            )
            truth = np.stack([there[place] for there, place in zip(sites, chosen, strict=True)])
            # By second derivatives: features are nearly dependent (a field, its square), and what
            # knows gradients alone takes hundreds of steps.
            found = optimize.minimize(
                _loss,
                coefficients,
                (given, truth, penalty),
                method="trust-exact",
                jac=True,
                hess=_curvature,
                options={"gtol": GRADIENT},
            )
            if not np.linalg.norm(found.jac) <= 100 * GRADIENT:
                raise PorefailError(f"the regression found no best coefficients: {found.message}")
            coefficients = found.x
            # A fit knows nothing of other voxels, and may make them likely.
            score = [_product(each, centre, scale, coefficients) for each in rows]
            missed = [
                logsumexp(each) - logsumexp(each[place])
                for each, place in zip(score, chosen, strict=True)
            ]
            if np.mean(missed) < MISSED:
                break
            size = min(len(chosen[0]) + count, *map(len, rows))
            more = size > len(chosen[0])  # else others take the places of the unlikely
            kept = [_among(place, len(each)) for each, place in zip(score, chosen, strict=True)]
            wanted = kept if more else sites
            chosen = [_likeliest(*both, size) for both in zip(score, wanted, strict=True)]
        loss = np.mean(
            [
                surprise(_product(each, centre, scale, coefficients), there)
                for each, there in zip(held_out, held_out_sites, strict=True)
            ]
        )
        if best is None or loss < best.validation_loss:
            best = SiteRegression(names, centre, scale, coefficients, float(penalty), float(loss))
    return best


def predict(
    model: SiteRegression,
    channels: Mapping[str, np.ndarray],
    porosity: np.ndarray,
    outside: np.ndarray | None = None,
) -> np.ndarray:
    """How likely each voxel is the site, over the likeliest one's; (n, nx, ny, nz) float32.

    NaN in voids; channels, porosity, outside (see `features`): same shape, any grid.
    """
    data.check_porosity(porosity)
    found = np.full(porosity.shape, np.nan, np.float32)
    for n, voxels in enumerate(porosity):
        beside = None if outside is None else outside[n]
        rows = features([channels[name][n] for name in model.names], voxels, beside)
        score = scores(model, rows)
        found[n][voxels == 0] = np.exp(score - score.max())
    return found


def feature_rows(channels: Mapping[str, np.ndarray], porosity: np.ndarray) -> list[np.ndarray]:
    """Features, (solid voxels, f) float32, of specimens; channels, porosity: (n, nx, ny, nz)."""
    return [
        features([field[n] for field in channels.values()], voxels).astype(np.float32)
        for n, voxels in enumerate(porosity)
    ]


def site_rows(site: np.ndarray, porosity: np.ndarray) -> list[np.ndarray]:
    """Which solid voxels are the site, bool (solid voxels,) each; both (n, nx, ny, nz)."""
    return [mask[voxels == 0] for mask, voxels in zip(site, porosity, strict=True)]


def scores(model: SiteRegression, rows: np.ndarray) -> np.ndarray:
    """Log likelihood, up to a constant, of the voxels of a specimen with features (v, f)."""
    return _product(rows, model.centre, model.scale, model.coefficients)


def _product(
    rows: np.ndarray, centre: np.ndarray, scale: np.ndarray, coefficients: np.ndarray
) -> np.ndarray:
    """Scores of the voxels of a specimen, in the precision of their features: one product."""
    weights = coefficients / scale
    return rows @ weights.astype(rows.dtype) - float(centre @ weights)


def _among(place: np.ndarray, count: int) -> np.ndarray:
    """bool (count,), true at the places."""
    mask = np.zeros(count, bool)
    mask[place] = True
    return mask


def _likeliest(score: np.ndarray, wanted: np.ndarray, count: int) -> np.ndarray:
    """Numbers of the voxels with the highest scores, those that are wanted among them."""
    raised = np.where(wanted, np.inf, score)
    return np.argpartition(-raised, count - 1)[:count]


def surprise(score: np.ndarray, site: np.ndarray) -> float:
    """−log likelihood of a site; score, site (bool): (v,)."""
    return float(logsumexp(score) - logsumexp(score[site]))


def _curvature(
    coefficients: np.ndarray, given: np.ndarray, truth: np.ndarray, penalty: float
) -> np.ndarray:
    """Second derivatives (f, f) of `_loss`: spread of the features over all voxels, less over the
    site's."""
    rows = given.reshape(-1, coefficients.size)
    (_, every), (_, inside) = _softmaxes(coefficients, rows, truth)
    found = rows.T @ ((every - inside).reshape(-1, 1) * rows)
    for shares, sign in ((every, -1.0), (inside, 1.0)):
        mean = np.matmul(shares[:, None, :], given)[:, 0]
        found += sign * mean.T @ mean
    return found / len(given) + penalty * np.identity(coefficients.size)


def _softmaxes(coefficients: np.ndarray, rows: np.ndarray, truth: np.ndarray):
    """`_softmax` of all candidates, and of those of the site; rows: (n · candidates, f)."""
    score = (rows @ coefficients).reshape(truth.shape)
    return _softmax(score), _softmax(np.where(truth, score, -np.inf))


def _softmax(score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each row (n, candidates): logarithm of the sum of exponentials (n,); shares of the sum."""
    largest = score.max(axis=1, keepdims=True)
    shares = np.exp(score - largest)
    total = shares.sum(axis=1, keepdims=True)
    return (np.log(total) + largest)[:, 0], shares / total


def _loss(coefficients: np.ndarray, given: np.ndarray, truth: np.ndarray, penalty: float):
    """Mean −log likelihood of the sites with the prior, and its gradient.

    given: (n, candidates, f); truth: (n, candidates).
    """
    rows = given.reshape(-1, coefficients.size)  # products of two matrices are BLAS's
    (total, every), (among, inside) = _softmaxes(coefficients, rows, truth)
    loss = np.mean(total - among)
    gradient = (every - inside).reshape(-1) @ rows / len(given)
    return (
        loss + 0.5 * penalty * coefficients @ coefficients,
        gradient + penalty * coefficients,
    )
