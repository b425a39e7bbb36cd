"""The softmax over voxels finds what made the sites, whichever way a specimen is turned."""

import numpy as np
import pytest
from scipy.special import logsumexp

from porefail.baselines import site_regression
from porefail.dataset import symmetry
from porefail.errors import PorefailError

SHAPE = (6, 6, 8)
PENALTIES = [1e-4, 1e-2, 1.0]


def made_up(count, seed, sharpness=4.0):
    """Specimens whose site is drawn from a known softmax of two fields: (channels, pores, site)."""
    rng = np.random.default_rng(seed)
    channels = {name: rng.standard_normal((count, *SHAPE)) for name in ("a", "b")}
    pores = (rng.random((count, *SHAPE)) < 0.05).astype(np.uint8)
    score = sharpness * (channels["a"] + 0.5 * channels["b"])
    score[pores == 1] = -np.inf
    flat = score.reshape(count, -1)
    place = (flat + rng.gumbel(size=flat.shape)).argmax(axis=1)  # a draw of the softmax
    site = np.zeros(flat.shape, bool)
    site[np.arange(count), place] = True
    return channels, pores, site.reshape(pores.shape)


@pytest.fixture(scope="module")
def fitted():
    return site_regression.fit(*made_up(400, 0), *made_up(100, 1), PENALTIES)


def test_it_is_as_likely_as_what_made_the_sites(fitted):
    """The likelihood of new sites with the true coefficients is the most there is."""
    channels, pores, site = made_up(300, 2)
    score = 4.0 * (channels["a"] + 0.5 * channels["b"])
    score[pores == 1] = -np.inf
    best = logsumexp(score, axis=(1, 2, 3)) - score[site]
    found = site_regression.predict(fitted, channels, pores)
    chance = np.where(pores == 0, found, 0.0)
    chance /= chance.sum(axis=(1, 2, 3), keepdims=True)
    got = -np.log(chance[site])
    assert abs(got.mean() - best.mean()) < 0.15
    assert got.mean() < 0.6 * np.log(np.prod(SHAPE))


def test_voxels_that_a_fit_has_not_seen_do_not_become_likely(monkeypatch):
    """Begun at the wrong field, with few voxels of each specimen: as good as with all of them."""
    channels, pores, site = made_up(120, 5)
    swapped = {"noise": -channels["a"], "a": channels["a"], "b": channels["b"]}
    given = (swapped, pores, site) * 2
    whole = site_regression.fit(*given, [1e-3])
    monkeypatch.setattr(site_regression, "CANDIDATES", 8)
    few = site_regression.fit(*given, [1e-3])
    assert few.validation_loss == pytest.approx(whole.validation_loss, abs=0.02)
    monkeypatch.setattr(site_regression, "ROUNDS", 1)
    once = site_regression.fit(*given, [1e-3])
    assert once.validation_loss > whole.validation_loss + 0.1


def test_predictions_are_nan_in_voids_and_one_at_the_likeliest(fitted):
    channels, pores, _ = made_up(3, 3)
    found = site_regression.predict(fitted, channels, pores)
    np.testing.assert_array_equal(np.isnan(found), pores == 1)
    np.testing.assert_array_equal(np.nanmax(found, axis=(1, 2, 3)), 1.0)


@pytest.mark.parametrize("name", list(symmetry.ELEMENTS))
def test_a_turned_specimen_has_a_turned_prediction(fitted, name):
    channels, pores, _ = made_up(2, 4)
    turned = {key: symmetry.apply(name, field) for key, field in channels.items()}
    np.testing.assert_allclose(
        site_regression.predict(fitted, turned, symmetry.apply(name, pores)),
        symmetry.apply(name, site_regression.predict(fitted, channels, pores)),
        rtol=1e-4,
        atol=1e-6,
    )


def test_derivatives_are_those_of_the_loss():
    rng = np.random.default_rng(5)
    given = rng.standard_normal((7, 30, 4))
    truth = rng.random((7, 30)) < 0.1
    truth[:, 0] = True
    at = rng.standard_normal(4)
    _, gradient = site_regression._loss(at, given, truth, 0.3)
    curvature = site_regression._curvature(at, given, truth, 0.3)
    for n in range(4):
        step = 1e-6 * (np.arange(4) == n)
        high, steep = site_regression._loss(at + step, given, truth, 0.3)
        low, flat = site_regression._loss(at - step, given, truth, 0.3)
        assert gradient[n] == pytest.approx((high - low) / 2e-6, rel=1e-5, abs=1e-8)
        np.testing.assert_allclose(curvature[n], (steep - flat) / 2e-6, rtol=1e-5, atol=1e-8)


def test_a_larger_penalty_gives_smaller_coefficients():
    data = (*made_up(50, 6), *made_up(20, 7))
    sizes = [
        np.linalg.norm(site_regression.fit(*data, [penalty]).coefficients)
        for penalty in (1e-3, 1e-1, 10.0)
    ]
    assert sizes[0] > sizes[1] > sizes[2]


def test_bad_data_are_refused():
    channels, pores, site = made_up(3, 8)
    with pytest.raises(PorefailError, match="no site to learn from"):
        site_regression.fit(channels, pores, site & False, channels, pores, site, PENALTIES)
    with pytest.raises(PorefailError, match="penalt"):
        site_regression.fit(channels, pores, site, channels, pores, site, [-1.0])
    with pytest.raises(PorefailError, match="0 .solid. or 1"):
        site_regression.fit(channels, pores + 1, site, channels, pores, site, PENALTIES)


def test_a_fit_that_does_not_end_is_told(monkeypatch):
    monkeypatch.setattr(site_regression, "GRADIENT", 0.0)
    with pytest.raises(PorefailError, match="the regression found no best coefficients"):
        site_regression.fit(*made_up(20, 0), *made_up(10, 1), [1.0])
