"""Figures of sections 5 and 6 of the paper, and beyond: they show what they get."""

import numpy as np
import pytest

from porefail.figures.bayesian_overlap import bayesian_overlap
from porefail.figures.cluster_distributions import cluster_distributions
from porefail.figures.coverage_by_damage import coverage_by_damage
from porefail.figures.damage_variance import damage_variance
from porefail.figures.weight_variation import weight_variation

RANDOM = np.random.default_rng(0)
EDGES = np.linspace(0, 1, 11)
MIDDLE = (EDGES[:-1] + EDGES[1:]) / 2


def texts(legend) -> list[str]:
    return [text.get_text() for text in legend.texts]


def line(axes, label):
    return next(each for each in axes.get_lines() if each.get_label() == label)


def test_bayesian_overlap(saved):
    threshold = np.linspace(0.1, 0.9, 9)
    keys = [f"{a}_{b}" for a in ("voxel", "cluster") for b in ("recall", "precision")]
    models = ("uniform", "bayesian-in-name", "twin", "bayesian-IH")
    mean = {name: {key: RANDOM.random(9) for key in keys} for name in models}
    spread = {name: {key: np.full(9, 0.05) for key in keys} for name in models}
    mean["uniform"]["voxel_recall"][-2:] = np.nan
    axes = saved(bayesian_overlap(threshold, mean, spread, models[2:]))
    for panel, key in zip(axes, keys, strict=True):
        for name in models:
            drawn = line(panel, name)
            np.testing.assert_array_equal(drawn.get_ydata(), mean[name][key])
            assert (drawn.get_linestyle() == "-") == (name in models[2:])
        (band,) = panel.collections
        height = mean["twin"][key] + 0.05
        assert band.get_paths()[0].vertices[:, 1].max() == pytest.approx(height.max())
    assert texts(axes[0].figure.legends[0]) == list(models)
    assert axes[0].get_title() == "recall, by voxels"
    assert axes[2].get_xlabel() == "threshold on the normalised damage"


@pytest.mark.parametrize("models", [2, 10])
def test_coverage_by_damage(saved, models):
    names = [f"model {k}" for k in range(models)]
    true, predicted = ({name: RANDOM.random(10) for name in names} for _ in range(2))
    true["model 0"][5] = np.nan
    left, right = saved(coverage_by_damage(EDGES, true, predicted, 0.9))
    for axes, shares in ((left, true), (right, predicted)):
        for name in names:
            known = np.isfinite(shares[name])
            np.testing.assert_array_equal(line(axes, name).get_ydata(), shares[name][known])
        assert axes.get_lines()[0].get_ydata()[0] == 0.9
    assert left.get_ylabel() == "share of labels in their 90 % interval"
    assert texts(left.figure.legends[0]) == names
    looks = {(each.get_color(), each.get_linestyle()) for each in left.get_lines()[1:]}
    assert len(looks) == models


def test_damage_variance(saved):
    names = ["specimen 3", "specimen 12"]
    parts = [{name: 10.0 ** RANDOM.uniform(-6, -1, 10) for name in names} for _ in range(3)]
    parts[2]["specimen 3"][8:] = 0
    parts[0]["specimen 3"][8:] = np.nan
    left, right = saved(damage_variance(EDGES, *parts))
    solid = [each for each in left.get_lines() if each.get_linestyle() == "-"]
    np.testing.assert_array_equal(solid[0].get_ydata(), parts[0]["specimen 3"][:8])
    np.testing.assert_array_equal(solid[1].get_xdata(), MIDDLE)
    assert left.get_yscale() == right.get_yscale() == "log"
    dotted = [each for each in left.get_lines() if each.get_linestyle() == ":"]
    drawn = [each for each in right.get_lines() if len(each.get_xdata())]
    for name, noise, share, draws in zip(names, dotted, drawn, solid, strict=True):
        known = parts[2][name] > 0
        np.testing.assert_array_equal(noise.get_ydata(), parts[1][name])
        np.testing.assert_array_equal(share.get_xdata(), MIDDLE[known])
        np.testing.assert_array_equal(share.get_ydata(), parts[2][name][known])
        assert noise.get_color() == share.get_color() == draws.get_color()
    lines, named = left.figure.legends
    assert texts(named) == names
    assert texts(lines) == ["between draws (more data would lower it)", "noise about a draw"]
    assert left.get_ylabel() == "variance, mean of the voxels"


@pytest.mark.parametrize("count", [1, 2, 3])
def test_cluster_distributions(saved, count):
    average = [RANDOM.normal(0.6, 0.1, (50, m)) for m in (7, 3, 1)][:count]
    axes = saved(cluster_distributions(average, np.array([4, 5, 8][:count]), 0.6))
    for panel, sites, number in zip(axes[:count], average, (4, 5, 8)[:count], strict=True):
        assert panel.get_title() == f"specimen {number}"
        shown = texts(panel.get_legend())
        assert shown[0] == f"site 1: {np.mean(sites[:, 0] > 0.6):.2f}"
        assert len(shown) == min(5, sites.shape[1])
        *curves, cut = panel.get_lines()
        for curve, values in zip(curves, sites.T[:5], strict=True):
            np.testing.assert_array_equal(curve.get_xdata(), np.sort(values))
            np.testing.assert_allclose(curve.get_ydata(), np.arange(1, 51) / 50)
        assert list(cut.get_xdata()) == [0.6, 0.6]
        beside = panel.get_legend().get_window_extent()
        assert beside.x0 >= panel.get_window_extent().x1 - 1  # covers no curve
    title = axes[0].get_legend().get_title().get_text()
    assert title == "mass above 0.6\n(2 more not shown)"
    assert [panel.axison for panel in axes] == [True] * count + [False] * (len(axes) - count)
    labelled = [bool(panel.get_xlabel()) for panel in axes[:count]]
    assert labelled == {1: [True], 2: [True, True], 3: [False, True, True]}[count]


def test_weight_variation(saved):
    layers = ["encode_1", "latent", "damage"]
    (axes,) = saved(weight_variation(layers, np.array([0.1, 0.2, 0.4]), np.array([1, 2, 3.0])))
    assert line(axes, "kernels").get_ydata().tolist() == [0.1, 0.2, 0.4]
    assert line(axes, "biases").get_ydata().tolist() == [1, 2, 3]
    assert [label.get_text() for label in axes.get_xticklabels()] == layers
    assert axes.get_yscale() == "log" and "coefficient of variation" in axes.get_ylabel()
