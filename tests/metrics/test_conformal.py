import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.metrics import conformal

RANDOM = np.random.default_rng(2)


def specimens(count: int, without: float = 0.0):
    """Probabilities that are worth nothing, and the site that fails, in some specimens none."""
    for _ in range(count):
        probability = RANDOM.dirichlet(np.ones(RANDOM.integers(1, 12)))
        failed = np.zeros(len(probability), bool)
        if RANDOM.random() >= without:
            failed[RANDOM.choice(len(probability))] = True
        yield probability, failed


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_coverage_is_kept_whatever_the_probabilities_are_worth(coverage):
    held = []
    for _ in range(200):
        level = conformal.level(
            [conformal.score(*each) for each in specimens(40, without=0.05)], coverage
        )
        held += [
            (conformal.members(probability, level) & failed).any() or level == np.inf
            for probability, failed in specimens(20, without=0.05)
        ]
    assert coverage - 0.02 < np.mean(held) < coverage + 0.06


def test_a_set_is_the_most_probable_sites():
    probability = np.array([0.1, 0.5, 0.2, 0.15])
    assert conformal.members(probability, -0.5).tolist() == [False, True, False, False]
    assert conformal.members(probability, -0.2).tolist() == [False, True, True, False]
    assert conformal.members(probability, -0.9).tolist() == [False, True, False, False]
    assert conformal.members(probability, np.inf).all()
    assert conformal.members(np.empty(0), -0.5).tolist() == []
    for site in range(4):
        needed = conformal.score(probability, np.arange(4) == site)
        assert conformal.members(probability, needed)[site]


def test_too_few_or_too_many_without_a_site():
    assert conformal.level([-0.5] * 5, 0.9) == np.inf
    assert conformal.level([-0.5] * 8 + [np.inf] * 2, 0.9) == np.inf
    assert conformal.score(np.array([0.4, 0.6]), np.zeros(2, bool)) == np.inf
    assert conformal.score(np.array([0.4, 0.1, 0.5]), np.array([True, True, False])) == -0.4


def voxels(count: int):
    """Predictions, most of them low, and skewed labels, whose spread grows with the prediction."""
    prediction = RANDOM.beta(1, 8, count)
    return prediction, prediction * RANDOM.gamma(2, 0.5, count)


@pytest.mark.parametrize("coverage", [0.8, 0.95])
def test_bounds_hold_labels_so_often_at_every_prediction(coverage):
    found = conformal.bounds(*voxels(200_000), coverage)
    prediction, label = voxels(200_000)
    low, high = found.interval(prediction)
    inside = (low <= label) & (label <= high)
    assert inside.mean() == pytest.approx(coverage, abs=0.005)
    for least, most in ((0, 0.05), (0.05, 0.2), (0.2, 0.35), (0.35, 0.6)):
        here = (prediction >= least) & (prediction < most)
        assert inside[here].mean() == pytest.approx(coverage, abs=0.03)
    assert (np.diff(found.high) > 0).all()


def test_bounds_of_few_voxels():
    prediction, label = voxels(conformal.SMALLEST)
    found = conformal.bounds(prediction, label, 0.95)
    assert found.edges.size == 0
    low, high = found.interval(np.full((2, 3), np.nan))
    assert (low == np.sort(label)[9]).all() and (high == np.sort(label)[-10]).all()
    label[0] = np.nan
    with pytest.raises(PorefailError, match="400 voxels or more, not 399"):
        conformal.bounds(prediction, label, 0.95)
