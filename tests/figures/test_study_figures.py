"""Figures of sections 3 and 4 of the paper, and of what goes beyond: they show what they get."""

import numpy as np
import pandas as pd
import pytest

from porefail.figures import style
from porefail.figures.cross_validation import cross_validation
from porefail.figures.damage_frequency import damage_frequency
from porefail.figures.label_parameters import label_parameters
from porefail.figures.label_transforms import label_transforms
from porefail.figures.loss_distribution import loss_distribution
from porefail.figures.loss_weightings import loss_weightings
from porefail.figures.operating_curves import operating_curves
from porefail.figures.skill_curves import skill_curves
from porefail.figures.transfer_skill import transfer_skill
from porefail.figures.variant_skill import variant_skill
from porefail.figures.variants import TRANSFORMS, WEIGHTINGS

EDGES = np.linspace(0, 1, 11)
FOLDS = 5


def texts(legend) -> list[str]:
    return [text.get_text() for text in legend.texts]


def steps(axes) -> list[np.ndarray]:
    """Values of the step lines, without bands and bars."""
    return [patch.get_data().values for patch in axes.patches if not patch.get_fill()]


@pytest.mark.parametrize("names", [("t",), ("id", "sigma", "g", "t")])
def test_label_transforms(saved, names):
    random = np.random.default_rng(0)
    porosity = (random.random((4, 4, 16)) < 0.05).astype(np.uint8)
    porosity[0, :, 0] = 1  # void through the whole depth
    damage, *fields = np.where(porosity, np.nan, random.random((1 + len(names), 4, 4, 16)))
    failed = np.zeros(porosity.shape, bool)
    failed[1, 2, 3] = True
    label = dict(zip(names, fields, strict=True))
    axes = saved(label_transforms(porosity, damage, label, failed, spacing=0.05, cut=0.9))
    pores, *panels = axes[: 3 + 2 * len(names)]
    assert len(axes) == 1 + len(panels) + 2  # colour bars
    np.testing.assert_array_equal(pores.images[0].get_array(), porosity.sum(axis=1).T)
    assert pores.get_ylabel() == "z (mm), tensile axis" and pores.get_xlabel() == "x (mm)"
    for k, field in enumerate((damage, *fields)):
        shown, cut = panels[2 * k : 2 * k + 2]
        got = np.ma.filled(shown.images[0].get_array().astype(float), np.nan)
        np.testing.assert_array_equal(got, style.highest(field).T)
        high = field >= 0.9
        np.testing.assert_array_equal(cut.images[0].get_array(), high.any(axis=1).T)
        count = np.count_nonzero(high)
        assert cut.get_title() == f"{count} voxel{'' if count == 1 else 's'}\n≥ 0.9"
        for panel in (pores, shown, cut):
            np.testing.assert_allclose(panel.lines[0].get_xydata(), [[0.075, 0.175]])


def distribution() -> tuple[np.ndarray, np.ndarray]:
    """Shares of voxels in the bins, one empty, and the mean squared error in each."""
    share = np.geomspace(1, 1e-4, 10)
    share[7] = 0
    error = np.where(share > 0, np.linspace(0.001, 0.3, 10), np.nan)
    return share / share.sum(), error


@pytest.mark.parametrize("spread", [True, False])
def test_loss_distribution(saved, spread):
    share, error = distribution()
    component = np.nan_to_num(share * error)
    deviation = 1.5 * error if spread else None  # the band would reach below zero
    left, right = saved(loss_distribution(EDGES, share, component, error, deviation))
    (part,) = steps(left)
    assert np.nansum(part) == pytest.approx(1) and np.isnan(part[7])
    np.testing.assert_array_equal(steps(right), [error])
    assert f"(mean: {component.sum():.2g})" in texts(left.get_legend())[1]
    assert left.get_yscale() == right.get_yscale() == "log"
    assert left.get_xlabel() == right.get_xlabel() == "true transformed damage"
    assert len(right.get_legend().texts) == 1 + spread
    assert left.get_ylabel() == "share in a bin"


def test_loss_weightings(saved):
    _, error = distribution()
    each = np.geomspace(0.1, 10, 5) * np.array([[0.5], [1.0], [2.0]])
    weight = {
        "uniform": np.ones((1, 1)),
        "logistic": np.geomspace(0.1, 10, 20)[None],
        "inverse_histogram": each[:1],
        "inverse_histogram_per_realization": each,
    }
    trained = {name: error for name in weight if name != "logistic"}
    trained["inverse_histogram"] = np.full(10, np.nan)
    figure = loss_weightings(weight, EDGES, trained, {name: 0.2 * error for name in trained})
    axes = saved(figure)
    above, below = axes[:4], axes[4:]
    for panel, table in zip(above, weight.values(), strict=True):
        np.testing.assert_allclose(steps(panel), [np.median(table, axis=0)])
        assert panel.get_yscale() == "log" and panel.get_ylim() == above[0].get_ylim()
    np.testing.assert_array_equal(steps(below[0]), [error])
    assert not below[1].patches and below[1].texts[0].get_text() == "not trained"
    assert below[3].get_ylim() == below[0].get_ylim()
    assert above[0].get_ylabel().startswith("weight of a voxel")
    assert below[0].get_ylabel().startswith("squared error")
    assert len(texts(figure.legends[0])) == 2
    assert len(saved(loss_weightings({"uniform": np.ones((1, 1))}, EDGES, {"uniform": error}))) == 2


@pytest.mark.parametrize("banded", [None, ("t", "inverse_histogram")])
def test_cross_validation(saved, banded):
    threshold = np.linspace(0, 1, 21)
    kinds = [name for name in WEIGHTINGS if name != "logistic"]
    names = [f"{a}_{b}" for b in ("recall", "precision") for a in ("voxel", "cluster")]
    mean, deviation = {}, {}
    for a, transform in enumerate(TRANSFORMS):
        for b, weighting in enumerate(kinds):
            values = (1 - threshold) * (a + 1) * (b + 1) / 12
            mean[transform, weighting] = {name: values ** (k + 1) for k, name in enumerate(names)}
            mean[transform, weighting]["cluster_recall"] = np.where(threshold < 0.5, np.nan, values)
            deviation[transform, weighting] = dict.fromkeys(names, 0.05 * values)
    figure = cross_validation(threshold, mean, deviation, banded)
    axes = saved(figure)
    for panel, name in zip(axes, names, strict=True):
        assert len(panel.lines) == 12 and len(panel.collections) == (banded is not None)
        for line, (variant, values) in zip(panel.lines, mean.items(), strict=True):
            np.testing.assert_array_equal(line.get_ydata(), values[name])
            assert line.get_color() == TRANSFORMS[variant[0]][0]
            assert line.get_linestyle() == WEIGHTINGS[variant[1]][0]
    colours, *_, lines = figure.legends
    assert texts(colours) == ["id", "σ", "g", "t"] and texts(lines) == ["id", "IH", "IH$_{pr}$"]
    assert len(figure.legends) == 2 + (banded is not None)
    assert axes[0].get_ylabel().startswith("recall")
    assert axes[3].get_xlabel() == "threshold on the normalised damage"


def test_damage_frequency(saved):
    share, _ = distribution()
    true = {name: np.tile(share, (FOLDS, 1)) for name in TRANSFORMS}
    predicted = {name: np.roll(each, 1, axis=1) for name, each in true.items()}
    predicted["g"][1:, -1] = 0  # in some folds no prediction is so high
    figure = damage_frequency(EDGES, true, predicted)
    axes = saved(figure)
    densities, volumes = axes[:4], axes[4:]
    for density, volume, name in zip(densities, volumes, TRANSFORMS, strict=True):
        for drawn, line, each in zip(
            steps(density), volume.lines, (true[name], predicted[name]), strict=True
        ):
            mean = each.mean(axis=0)
            np.testing.assert_allclose(np.nan_to_num(drawn), 10 * mean)
            np.testing.assert_allclose(line.get_xdata(), EDGES[:-1])
            np.testing.assert_allclose(line.get_ydata(), mean[::-1].cumsum()[::-1])
        assert density.get_yscale() == volume.get_yscale() == "log"
        assert density.get_title() == f"label {TRANSFORMS[name][1]}"
    assert texts(figure.legends[0]) == ["true", "predicted", "smallest to largest fold"]
    assert volumes[0].get_ylabel() == "share of voxels ≥ threshold"


def test_operating_curves(saved):
    recall = np.linspace(1, 0, 11)
    precision = np.where(recall > 0.95, np.nan, 1 - recall / 2)
    curve = {"network": (recall, precision), "linear": (recall, precision / 2)}
    point = {"network": (np.array([0.8, 0.9, np.nan]), np.array([0.5, 0.6, np.nan]))}
    figure = operating_curves(curve, point)
    (axes,) = saved(figure)
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), precision)
    (chosen,) = axes.containers
    np.testing.assert_allclose(chosen[0].get_xydata(), [[0.85, 0.55]])
    (goal,) = axes.patches
    assert goal.get_xy() == (0.9, 0.6)
    assert goal.get_width() == pytest.approx(0.1) and goal.get_height() == pytest.approx(0.4)
    np.testing.assert_array_equal(axes.lines[-1].get_xydata(), [[0.9, 0.3]])
    assert texts(figure.legends[0]) == [
        "network",
        "linear",
        "paper: 0.9, 0.3",
        "goal: ≥ 0.9 and ≥ 0.6",
    ]
    assert axes.get_xlabel() == "cluster recall, true damage ≥ 0.8"
    figure = operating_curves(curve, {}, paper=None)
    (axes,) = saved(figure)
    assert len(axes.lines) == 2 and len(figure.legends[0].texts) == 3


def test_variant_skill(saved):
    random = np.random.default_rng(0)
    scores = ("site_precision", "top_1", "top_3")
    names = ["largest pore", "network of the paper", "wider", "deeper"]
    skill = {name: {score: random.random(FOLDS) for score in scores} for name in names}
    skill["largest pore"]["site_precision"][:] = np.nan
    skill["wider"]["top_1"] = np.array([0.5])
    figure = variant_skill(skill, {"site_precision": 0.6, "top_1": 0.8}, "network of the paper")
    axes = saved(figure)
    assert [label.get_text() for label in axes[0].get_yticklabels()] == names
    assert axes[0].get_ylim() == (3.5, -0.5)
    for panel, score, goals in zip(axes, scores, (1, 1, 0), strict=True):
        means = [line for line in panel.lines if line.get_marker() == "D"]
        expected = [each[score].mean() for each in skill.values() if not np.isnan(each[score][0])]
        np.testing.assert_allclose(np.concatenate([m.get_xdata() for m in means]), expected)
        dots = [line for line in panel.lines if line.get_marker() == "o"]
        known = [np.isfinite(each[score]).sum() for each in skill.values()]
        assert sum(len(line.get_xdata()) for line in dots) == sum(known)
        assert len([line for line in panel.lines if line.get_linestyle() == "--"]) == goals
    assert axes[1].get_xlabel() == "top-1 hit rate" and "recall 0.9" in axes[0].get_xlabel()
    assert texts(figure.legends[0]) == ["a fold or seed", "mean", "goal"]
    figure = variant_skill(skill, {})
    saved(figure)
    assert len(figure.legends[0].texts) == 2


def test_transfer_skill(saved):
    share = np.array([[0.5, 0.8], [0.3, 0.6], [0.0, np.nan]])
    low, high = np.maximum(share - 0.1, 0), share + 0.1
    low[1, 1] = high[1, 1] = np.nan
    low[2, 0] = 1e-17
    group = ["as trained", "larger", "more porous"]
    figure = transfer_skill(group, [280, 64, 60], ["hot spot", "network"], share, low, high)
    (axes,) = saved(figure)
    dots = [container[0].get_ydata() for container in axes.containers]
    np.testing.assert_array_equal(np.transpose(dots), share)
    (bars,) = axes.containers[0][2]
    np.testing.assert_allclose(bars.get_segments()[0][:, 1], [0.4, 0.6])
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["as trained\n(280)", "larger\n(64)", "more porous\n(60)"]
    assert "Wilson" in axes.get_ylabel() and texts(figure.legends[0]) == ["hot spot", "network"]


def test_label_parameters(saved):
    width, contrast = np.array([0.5, 1.5, 3.0]), np.array([1.0, 5.0])
    names = ("site_recall", "site_precision", "top_1")
    by_width = {name: np.random.default_rng(0).random((3, FOLDS)) for name in names}
    by_contrast = {name: np.full((2, FOLDS), 0.5) for name in names}
    by_width["top_1"][0] = np.nan
    figure = label_parameters(width, by_width, contrast, by_contrast, used=(1.5, 5.0))
    left, right = saved(figure)
    for container, values in zip(left.containers, by_width.values(), strict=True):
        np.testing.assert_allclose(container[0].get_ydata(), values.mean(axis=1))
    assert [axes.lines[0].get_xdata()[0] for axes in (left, right)] == [1.5, 5.0]
    assert left.get_xlabel() == "width of the filter, k$_0$ (voxels)"
    assert right.get_xlabel() == "contrast, c$_0$"
    assert texts(figure.legends[0]) == [
        "used elsewhere",
        "cluster recall",
        "cluster precision",
        "top-1 hit rate",
    ]
    none = np.empty(0)
    figure = label_parameters(none, {}, contrast, by_contrast, used=(1.5, 5.0))
    left, right = saved(figure)
    assert not left.containers and len(right.containers) == len(figure.legends[0].texts) - 1 == 3


def test_skill_curves(saved):
    """A line and its band for each way to choose, at the numbers of specimens."""
    rows = [
        {"choice": way, "specimens": n, "top_1": y, "top_1_low": y - 0.1, "top_1_high": y + 0.1}
        for way, shift in (("random", 0.0), ("least sure", 0.05))
        for n, y in ((10, 0.5 + shift), (100, 0.7 + shift))
    ]
    (axes,) = saved(skill_curves(pd.DataFrame(rows), 40))
    drawn = {line.get_label(): line.get_xydata().tolist() for line in axes.get_lines()}
    assert drawn["least sure"] == [[10, 0.55], [100, 0.75]]
    assert set(drawn) == {"random", "least sure"} and len(axes.collections) == 2
    assert "40 others" in axes.get_ylabel()
    assert axes.get_xscale() == "log"
