"""Each figure shows the numbers that it is given, with units, and can be saved."""

import warnings

import numpy as np
import pytest

from porefail.figures.damage_histograms import BINS, damage_histograms
from porefail.figures.damage_history import damage_history
from porefail.figures.damage_sequence import damage_sequence
from porefail.figures.damage_stages import damage_stages
from porefail.figures.ensemble_curves import ensemble_curves
from porefail.figures.failure_spread import failure_spread
from porefail.figures.learning_curves import LOSSES, learning_curves
from porefail.figures.metric_curves import metric_curves
from porefail.figures.site_hits import site_hits
from porefail.figures.specimens import specimens
from porefail.nn import losses


@pytest.mark.parametrize("count, shape", [(1, (4, 4, 4)), (3, (8, 8, 32))])
def test_specimens(count, shape, saved):
    rng = np.random.default_rng(0)
    porosity = (rng.random((count, *shape)) < 0.05).astype(np.uint8)
    porosity[0, 0, :, 0] = 1  # void through the whole depth
    truth, prediction = rng.random((2, count, *shape))
    truth[porosity == 1] = prediction[porosity == 1] = np.nan
    failed = np.zeros(porosity.shape, bool)
    failed[:, 1, 2, 3] = True
    site = truth > 0.9
    axes = saved(
        specimens(porosity, truth, prediction, failed, site, np.arange(count) + 7, spacing=0.05)
    )
    assert len(axes) == 3 * count + 3
    for k in range(count):
        pores, true, predicted = axes[3 * k : 3 * k + 3]
        np.testing.assert_array_equal(pores.images[0].get_array(), porosity[k].sum(axis=1).T)
        with warnings.catch_warnings(action="ignore"):
            expected = np.nanmax(truth[k], axis=1).T
        got = np.ma.filled(true.images[0].get_array().astype(float), np.nan)
        np.testing.assert_array_equal(got, expected)
        for panel in (pores, true, predicted):
            np.testing.assert_allclose(panel.lines[0].get_xydata(), [[0.075, 0.175]])
            assert panel.images[0].get_extent() == [0, shape[0] * 0.05, 0, shape[2] * 0.05]
    assert axes[0].get_ylabel() == "z (mm), tensile axis" and axes[1].get_xlabel() == "x (mm)"


def test_learning_curves(saved):
    epoch, loss = np.arange(1, 31), np.linspace(1, 0.1, 30)
    validation = loss + 0.1 * (epoch > 20) * (epoch - 20)
    (axes,) = saved(learning_curves(epoch, loss, validation, "squared_error"))
    training, known, kept = axes.lines
    np.testing.assert_array_equal(training.get_ydata(), loss)
    np.testing.assert_array_equal(known.get_ydata(), validation)
    assert kept.get_xdata() == [20] and axes.get_yscale() == "log"
    saved(learning_curves(epoch[:1], loss[:1], validation[:1], "squared_error"))


def test_learning_curves_name_their_loss(saved):
    epoch, loss = np.arange(1, 5), np.linspace(1, -1, 4)
    assert set(LOSSES) == set(losses.LOSSES)
    drawn = [saved(learning_curves(epoch, loss + 2, loss + 2, name))[0] for name in LOSSES]
    assert [axes.get_ylabel() for axes in drawn] == list(LOSSES.values())
    # A likelihood may be above 1.
    (axes,) = saved(learning_curves(epoch, loss, loss, "likelihood"))
    assert axes.get_yscale() == "linear"


def test_metric_curves(saved):
    threshold = np.linspace(0.1, 0.9, 9)
    names = ("recall", "precision", "f", "jaccard")
    voxel = {name: threshold**k for k, name in enumerate(names, start=1)}
    cluster = {name: np.full(9, np.nan) for name in voxel}
    left, right = saved(metric_curves(threshold, voxel, cluster))
    for line, values in zip(left.lines, voxel.values(), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), values)
    assert [text.get_text() for text in right.get_legend().texts] == [
        "recall",
        "precision",
        "F-score",
        "overlap (Jaccard)",
    ]


def test_site_hits(saved):
    share = np.array([[0.5, 0.6, 0.9], [0.0, 0.01, 0.2]])
    low, high = share - 0.05, share + 0.05
    low[1] = high[1] = np.nan  # exact
    criterion = ["holds", "within one voxel", "within 0.2 mm along z"]
    (axes,) = saved(site_hits(["network", "random"], share, low, high, [12.3, 1], 64, criterion))
    widths = [[bar.get_width() for bar in bars] for bars in axes.containers if len(bars) == 2]
    np.testing.assert_array_equal(np.transpose(widths), share)
    assert "64 held-out specimens" in axes.get_xlabel()
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "network\n12 voxels",
        "random\n1 voxel",
    ]


def test_damage_history(saved):
    strain = np.array([[0.0, 0.01, 0.02], [0.0, 0.01, np.nan], [np.nan] * 3])
    damage, stress = 20 * strain, 5e4 * strain
    left, right = saved(damage_history(strain, damage, stress, maximum_damage=0.5))
    drawn = [path.vertices for path in left.collections[0].get_paths()]
    np.testing.assert_allclose(drawn[0], [[0, 0], [1, 0.4], [2, 0.8]])
    np.testing.assert_allclose(drawn[1], [[0, 0], [1, 0.4]])
    assert len(drawn) == 2
    assert right.get_ylabel() == "nominal stress (MPa)"
    assert left.get_xlabel() == "nominal strain (%)"


def fields(count: int, shape=(4, 4, 12)) -> np.ndarray:
    """Damage φ/φ_max that grows from field to field, with voids."""
    random = np.random.default_rng(1)
    damage = random.random(shape) * np.linspace(0.1, 1.2, count)[:, None, None, None]
    damage[:, random.random(shape) < 0.05] = np.nan
    damage[:, 0, :, 0] = np.nan  # void through the whole depth
    return damage


@pytest.mark.parametrize("count, collapsed", [(1, False), (3, True), (11, True)])
def test_damage_sequence(count, collapsed, saved):
    damage = fields(count)
    failed = damage[-1] >= 1 if collapsed else None
    strain = np.linspace(0, 0.06, count) if count > 1 else np.array([0.03])
    history = {"strain": np.linspace(0.01, 0.07, 7), "stress": np.linspace(1, 1000, 7)}
    history["max_damage"] = np.linspace(0.1, 1.3, 7)
    titles = [f"view {k}" for k in range(count)]
    porosity = np.isnan(damage[0]).astype(np.uint8)
    axes = saved(damage_sequence(porosity, strain, damage, titles, failed, history, spacing=0.05))
    views = count + collapsed
    assert len(axes) == views + 4  # a colour bar, three plots
    for panel, field in zip(axes, damage, strict=False):
        with warnings.catch_warnings(action="ignore"):
            expected = np.nanmax(field, axis=1).T
        got = np.ma.filled(panel.images[0].get_array().astype(float), np.nan)
        np.testing.assert_array_equal(got, expected)
    if collapsed:
        got = axes[count].images[0].get_array()
        np.testing.assert_array_equal(got == 1, failed.any(axis=1).T)
    assert axes[0].get_title() == f"{100 * strain[0]:.3g} %\nview 0"
    largest, stress, histogram = axes[-3:]
    np.testing.assert_allclose(
        largest.lines[count].get_ydata(), np.minimum(history["max_damage"], 1)
    )
    assert [line.get_xdata()[0] for line in stress.lines[:count]] == pytest.approx(100 * strain)
    assert stress.get_ylabel() == "nominal stress (MPa)" and len(histogram.lines) == count


@pytest.mark.parametrize("count", [1, 4, 6])
def test_damage_histograms(count, saved):
    damage = [fields(3) for _ in range(count)]
    strain = [np.array([0, 0.02, 0.05 + k / 100]) for k in range(count)]
    axes = saved(damage_histograms(strain, damage, [f"specimen {k}" for k in range(count)]))
    drawn = [panel for panel in axes if panel.lines]
    assert len(drawn) == count and drawn[-1].get_title() == f"specimen {count - 1}"
    for panel, each in zip(drawn, damage, strict=True):
        assert panel.get_yscale() == "log"
        for line, field in zip(panel.lines, each, strict=True):
            assert np.nansum(line.get_ydata()) == np.isfinite(field).sum()
            assert not (line.get_ydata() == 0).any()
    failed = np.nansum(damage[0][-1] >= 1 - 1 / BINS)
    assert drawn[0].lines[-1].get_ydata()[-1] == failed > 0
    blue, red = (drawn[-1].lines[k].get_color() for k in (0, -1))
    assert blue[2] > blue[0] and red[0] > red[2]


def test_ensemble_curves(saved):
    strain = np.array([[0.01, 0.02, 0.03, 0.04], [0.01, 0.02, 0.03, np.nan], [np.nan] * 4])
    damage, stress = 35 * strain, 5e4 * strain
    share = np.where(strain > 0.025, 1e-3, 0.0)
    first = np.array([0.0286, 0.025, np.nan])
    panels = saved(ensemble_curves(strain, damage, share, stress, first))
    largest, failed, load, colours = panels
    drawn = [path.vertices for path in largest.collections[0].get_paths()]
    assert len(drawn) == 2
    np.testing.assert_allclose(drawn[0], [[1, 0.35], [2, 0.7], [3, 1], [4, 1]])
    np.testing.assert_allclose(drawn[1], [[1, 0.35], [2, 0.7], [3, 1]])
    np.testing.assert_allclose(largest.collections[1].get_offsets(), [[3, 1], [3, 1]])
    np.testing.assert_allclose(load.collections[1].get_offsets(), [[3, 1500], [3, 1500]])
    assert failed.get_yscale() == "log" and load.get_ylabel() == "nominal stress (MPa)"
    assert colours.get_ylabel() == "strain at first failure (%)"
    ended = np.where(strain < 0.035, share, np.nan)
    assert len(saved(ensemble_curves(strain, damage, ended, stress, first))) == 3


def test_failure_spread(saved):
    first, final = np.array([0.04, 0.03, 0.05]), np.array([0.05, np.nan, 0.07])
    heights = np.array([1.0, 2.0, 3.0]), np.array([1.1, np.nan, 3.0])
    strains, places, distances = saved(failure_spread(first, final, *heights, 4.0, 0.05))
    early, late = strains.lines
    np.testing.assert_allclose(early.get_xydata(), [[3, 0], [3, 1 / 3], [4, 2 / 3], [5, 1]])
    np.testing.assert_allclose(late.get_xydata(), [[5, 0], [5, 1 / 2], [7, 1]])
    np.testing.assert_allclose(places.lines[1].get_xydata(), [[1, 1.1], [3, 3]])
    bars = [[bar.get_x(), bar.get_height()] for bar in distances.patches if bar.get_height()]
    assert len(bars) == 2
    np.testing.assert_allclose(bars[0], [0, 1], atol=1e-12)
    assert distances.lines[0].get_xdata()[0] == pytest.approx(0.05)
    assert distances.get_legend().texts[0].get_text() == "mean 0.050 mm"


def test_failure_spread_without_structural_failure(saved):
    none = np.full(2, np.nan)
    (axes,) = saved(failure_spread(np.array([0.04, 0.05]), none, none, none, 4.0, 0.05))
    assert len(axes.lines) == 1


def test_distances_of_whole_half_voxels_are_in_the_bins_that_they_begin(saved):
    first = np.arange(1.0, 2.0, 0.025)
    place = np.arange(len(first))
    final = first[0] + 0.05 / 2 * place + 0.05 * np.arange(len(first)) / 2
    strain = np.full(len(first), 0.04)
    *_, distances = saved(failure_spread(strain, strain, first, final, 4.0, 0.05))
    assert [bar.get_height() for bar in distances.patches] == [1] * len(first)


def test_failure_where_it_began(saved):
    """All distances are zero."""
    same = np.array([1.0, 2.0])
    *_, distances = saved(failure_spread(same / 100, same / 50, same, same, 4.0, 0.05))
    assert distances.patches[0].get_height() == 2


def test_damage_stages(saved):
    begins = {
        "II": np.array([0.02, np.nan]),
        "III": np.array([0.04, 0.03]),
        "end": np.full(2, 0.05),
    }
    damage = np.array([[0.1, 0.6, 1.0], [0.2, 0.62, np.nan]])
    points = np.array([[0.0, 2.0, 5.0], [0.0, 4.0, np.nan]])
    spent = np.array([0.018, 0.004])
    when, length, mechanism = saved(damage_stages(begins, spent, damage, points, (0.55, 0.75)))
    second, third, end = when.lines
    np.testing.assert_allclose(second.get_xydata(), [[2, 0], [2, 0.5]])
    np.testing.assert_allclose(end.get_xydata()[-1], [5, 1])
    assert sum(bar.get_height() for bar in length.patches) == 2
    (mean,) = mechanism.lines
    assert mean.get_ydata().tolist() == [0, 0, 3, 5]
    none = np.full_like(points, np.nan)
    assert len(saved(damage_stages(begins, spent, damage, none, (0.55, 0.75)))) == 2
