"""Each figure shows the numbers that it is given, with units, and can be saved."""

import io
import warnings

import numpy as np
import pytest

from porefail.figures.damage_history import damage_history
from porefail.figures.learning_curves import learning_curves
from porefail.figures.metric_curves import metric_curves
from porefail.figures.site_hits import site_hits
from porefail.figures.specimens import specimens


def saved(figure):
    """Axes of a figure that has been drawn without a warning (glyphs, layout, empty legends)."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        file = io.BytesIO()
        figure.savefig(file, dpi=50)
    assert file.getvalue().startswith(b"\x89PNG")
    assert figure.canvas.manager is None  # no window, nothing that pyplot would keep
    return figure.axes


@pytest.mark.parametrize("count, shape", [(1, (4, 4, 4)), (3, (8, 8, 32))])
def test_specimens(count, shape):
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


def test_learning_curves():
    epoch, loss = np.arange(1, 31), np.linspace(1, 0.1, 30)
    validation = loss + 0.1 * (epoch > 20) * (epoch - 20)
    (axes,) = saved(learning_curves(epoch, loss, validation))
    training, known, kept = axes.lines
    np.testing.assert_array_equal(training.get_ydata(), loss)
    np.testing.assert_array_equal(known.get_ydata(), validation)
    assert kept.get_xdata() == [20] and axes.get_yscale() == "log"
    saved(learning_curves(epoch[:1], loss[:1], validation[:1]))


def test_metric_curves():
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


def test_site_hits():
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


def test_damage_history():
    strain = np.array([[0.0, 0.01, 0.02], [0.0, 0.01, np.nan], [np.nan] * 3])
    damage, stress = 20 * strain, 5e4 * strain
    left, right = saved(damage_history(strain, damage, stress, maximum_damage=0.5))
    drawn = [path.vertices for path in left.collections[0].get_paths()]
    np.testing.assert_allclose(drawn[0], [[0, 0], [1, 0.4], [2, 0.8]])
    np.testing.assert_allclose(drawn[1], [[0, 0], [1, 0.4]])
    assert len(drawn) == 2
    assert right.get_ylabel() == "nominal stress (MPa)"
    assert left.get_xlabel() == "nominal strain (%)"
