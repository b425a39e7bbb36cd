import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.metrics import conformal
from porefail.ranking import choice, masses
from porefail.voxels.neighbours import connected

RANDOM = np.random.default_rng(1)


def test_averages_of_clusters():
    mask = RANDOM.random((6, 6, 12)) < 0.08
    labels, count = connected(mask)
    field = RANDOM.random(mask.shape)
    found = masses.averages(field, labels, count)
    assert count > 2 and found.shape == (count,)
    for k in range(count):
        assert found[k] == pytest.approx(field[labels == k + 1].mean())
    assert masses.averages(field, np.zeros_like(labels), 0).shape == (0,)


def normal_draws(means, deviations, draws=4000):
    return np.array(means) + np.array(deviations) * RANDOM.standard_normal((draws, len(means)))


def test_of_two_equal_means_the_surer_one_ranks_first():
    """Section 6.2: the mass falls with the variance, below the average."""
    average = normal_draws([0.8, 0.8, 0.6], [0.1, 0.02, 0.05])
    assert masses.order(average, 0.7).tolist() == [1, 0, 2]
    np.testing.assert_allclose(masses.mass(average, 0.7), [0.84, 1.0, 0.02], atol=0.03)


def test_equal_masses_are_ordered_by_their_means():
    assert masses.order(normal_draws([0.3, 0.5, 0.4], [0.01] * 3), 0.9).tolist() == [1, 2, 0]


def test_stability_of_an_order_that_holds_and_of_one_that_turns():
    thresholds = np.linspace(0.05, 0.95, 19)
    same = masses.stability(normal_draws([0.8, 0.6, 0.4], [0.05] * 3), 0.7, thresholds)
    assert same == pytest.approx(1, abs=0.35)  # far away two of them tie
    turning = masses.stability(normal_draws([0.6, 0.55], [0.2, 0.01]), 0.7, thresholds)
    assert turning < 0.5
    alone = masses.stability(normal_draws([0.6], [0.2]), 0.7, thresholds)
    assert np.isnan(alone)


def choices(count: int, model: choice.Choice):
    """Specimens of up to five sites, which fail as a model says."""
    features, failed = [], []
    for _ in range(count):
        sites = RANDOM.standard_normal((RANDOM.integers(0, 6), 2)) * [1.0, 10.0]
        chance = model.probability(sites)
        one = RANDOM.choice(len(sites) + 1, p=np.append(chance, 1 - chance.sum()))
        features.append(sites)
        failed.append(np.arange(len(sites)) == one)
    return features, failed


def test_the_model_of_choices_is_found_and_its_probabilities_are_frequencies():
    truth = choice.Choice(np.array([1.5, -0.1]), -0.5)
    fitted = choice.fit_choice(*choices(4000, truth), penalty=1e-6)
    np.testing.assert_allclose(fitted.coefficient, truth.coefficient, rtol=0.1)
    assert fitted.none == pytest.approx(truth.none, abs=0.15)
    features, failed = choices(4000, truth)
    chance = np.concatenate([fitted.probability(each) for each in features])
    hit = np.concatenate(failed)
    for low in (0.0, 0.2, 0.4, 0.6, 0.8):
        group = (chance >= low) & (chance < low + 0.2)
        error = 4 * np.sqrt(0.25 / group.sum())
        assert abs(chance[group].mean() - hit[group].mean()) < error


def test_the_prior_fades_as_specimens_grow_in_number():
    """Its pull is that of so many specimens, not of a share of them."""
    truth = choice.Choice(np.array([1.5, -0.1]), -0.5)
    features, failed = choices(1000, truth)
    scale = np.concatenate([each for each in features if len(each)]).std(axis=0)
    pull = []
    for count in (20, 1000):
        free, held = (
            choice.fit_choice(features[:count], failed[:count], penalty).coefficient * scale
            for penalty in (1e-9, 2.0)
        )
        pull.append(np.linalg.norm(free - held) / np.linalg.norm(free))
    assert pull[0] > 0.2 and pull[1] < 0.04
    known, hit = choices(4000, truth)
    fitted = choice.fit_choice(features, failed, penalty=2.0)
    chance = np.concatenate([fitted.probability(each) for each in known])
    hit = np.concatenate(hit)
    for low, high in ((0.0, 0.05), (0.05, 0.15), (0.15, 0.4), (0.4, 1.0)):
        group = (chance >= low) & (chance < high)
        said, error = chance[group].mean(), 4 * np.sqrt(0.25 / group.sum())
        assert abs(said - hit[group].mean()) < min(error, 0.04)


def test_what_is_alike_but_for_rounding_hides_nothing_of_the_others():
    random = np.random.default_rng(2)
    features = [random.normal(size=(4, 1)) for _ in range(60)]
    failed = [np.arange(4) == each[:, 0].argmax() for each in features]
    same = [np.full((4, 1), 0.3) + 1e-16 * random.integers(2, size=(4, 1)) for _ in features]
    alone = choice.fit_choice(features, failed, 0.1)
    beside = choice.fit_choice([*map(np.hstack, zip(features, same, strict=True))], failed, 0.1)
    assert alone.coefficient[0] > 1
    # As near as the minimiser ends: its gradients are differences, and the minimum is flat.
    assert beside.coefficient[0] == pytest.approx(alone.coefficient[0], rel=0.03)


def test_what_was_never_seen_is_not_impossible():
    """19 specimens that all failed at a site, and half of one that did not."""
    features = [RANDOM.standard_normal((2, 1)) for _ in range(19)]
    always = choice.fit_choice(features, [np.array([True, True])] * 19, penalty=10.0)
    elsewhere = [1 - always.probability(each).sum() for each in features]
    assert np.mean(elsewhere) == pytest.approx(0.5 / 20, rel=0.1)
    never = choice.fit_choice(features, [np.array([False, False])] * 19, penalty=10.0)
    assert never.probability(features[0]).sum() == pytest.approx(0.5 / 20, rel=0.1)


def test_a_choice_and_its_level_are_calibrated_by_the_same_specimens():
    """Sets hold the true site as often as asked, of new specimens; of no specimen its own."""
    truth = choice.Choice(np.array([1.5, -0.1]), -3.0)
    features, failed = choices(600, truth)
    model, scored = choice.calibrate_choice(features, failed, 0.1)
    level = conformal.level(scored, 0.8)
    whole = choice.fit_choice(features, failed, 0.1)
    np.testing.assert_array_equal(model.coefficient, whole.coefficient)
    held = []
    for sites, hit in zip(*choices(4000, truth), strict=True):
        member = choice.ranking(model.probability(sites), level).member if len(sites) else []
        held.append(hit[member].any())
    assert np.mean(held) == pytest.approx(0.8, abs=0.06)
    # By hand: each of ten is scored by a choice of the eight that are not in its fifth.
    few, hit = features[:10], failed[:10]
    scores = []
    for n in range(10):
        others = [k for k in range(10) if k % 5 != n % 5]
        alone = choice.fit_choice([few[k] for k in others], [hit[k] for k in others], 1e-3)
        scores.append(conformal.score(alone.probability(few[n]), hit[n]))
    np.testing.assert_array_equal(choice.calibrate_choice(few, hit, 1e-3)[1], scores)
    with pytest.raises(PorefailError, match="1 specimens to calibrate with, expected 2 or more"):
        choice.calibrate_choice(features[:1], failed[:1], 0.1)


def test_errors():
    with pytest.raises(PorefailError, match="no specimen has a site"):
        choice.fit_choice([np.empty((0, 2))], [np.empty(0, bool)], 0.0)
