"""Figures of a scan: they show what they get, where it is."""

import numpy as np
import pytest

from porefail.figures import style
from porefail.figures.grey_values import grey_values
from porefail.figures.scan_sections import scan_sections
from porefail.figures.scan_sites import MOST, scan_sites

RANDOM = np.random.default_rng(0)
SPACING = (0.01, 0.02, 0.03)
CORNER = (1.0, 2.0, 3.0)


def image(axes) -> tuple[np.ndarray, list[float]]:
    (drawn,) = axes.get_images()
    return np.asarray(drawn.get_array()), list(drawn.get_extent())


def test_three_sections_through_the_middle(saved):
    values = RANDOM.random((10, 12, 14))
    panels = saved(scan_sections(values, SPACING, "xyz", CORNER))
    cuts = (values[5], values[:, 6], values[:, :, 7])
    sides = [(2.0, 2.24, 3.0, 3.42), (1.0, 1.1, 3.0, 3.42), (1.0, 1.1, 2.0, 2.24)]
    for axes, cut, extent in zip(panels, cuts, sides, strict=True):
        shown, found = image(axes)
        np.testing.assert_array_equal(shown, cut.T)
        assert found == pytest.approx(extent)
    titles = [axes.get_title() for axes in panels]
    assert titles == ["x = 1.05 mm", "y = 2.13 mm", "z = 3.23 mm"]
    assert [axes.get_xlabel() for axes in panels] == ["y (mm)", "x (mm)", "x (mm)"]
    assert [axes.get_ylabel() for axes in panels] == ["z (mm)", "z (mm)", "y (mm)"]


def test_sections_through_a_place_with_outlines(saved):
    """The outline of a box of voxels is where the box is, in mm."""
    values = RANDOM.random((20, 20, 20))
    mask = np.ones((6, 8, 10), bool)
    names = ("y", "z", "x")
    figure = scan_sections(
        values, (0.01,) * 3, names, (0, 0, 0), (6, 9, 11), (mask,), first=(4, 5, 6)
    )
    panels = saved(figure)
    assert [axes.get_title() for axes in panels] == ["y = 0.065 mm", "z = 0.095 mm", "x = 0.115 mm"]
    np.testing.assert_array_equal(image(panels[0])[0], values[6].T)
    low, high = np.array([0.04, 0.05, 0.06]), np.array([0.10, 0.13, 0.16])
    for k, axes in enumerate(panels):
        (outline,) = axes.collections
        places = np.concatenate([path.vertices for path in outline.get_paths()])
        across, up = [axis for axis in range(3) if axis != k]
        np.testing.assert_allclose(places.min(axis=0), [low[across], low[up]], atol=0.0051)
        np.testing.assert_allclose(places.max(axis=0), [high[across], high[up]], atol=0.0051)


def test_outlines_that_are_not_in_a_section(saved):
    values = RANDOM.random((20, 20, 20))
    masks = (np.ones((4, 4, 4), bool), np.zeros((4, 4, 4), bool))
    figure = scan_sections(values, (0.01,) * 3, "xyz", (0, 0, 0), (15, 2, 2), masks)
    panels = saved(figure)
    assert [len(axes.collections) for axes in panels] == [0, 1, 1]


def test_constant_values_and_large_ones(saved, monkeypatch):
    saved(scan_sections(np.full((5, 5, 5), 7, np.uint8), (0.01,) * 3, "xyz"))
    monkeypatch.setattr("porefail.figures.scan_sections.PIXELS", 10)
    values = RANDOM.random((8, 8, 50))
    mask = np.zeros((8, 8, 50), bool)
    mask[2:6, 2:6, 10:40] = True
    panels = saved(scan_sections(values, (0.01,) * 3, "xyz", masks=(mask,)))
    shown, extent = image(panels[0])
    np.testing.assert_array_equal(shown, values[4, :, ::5].T)
    assert extent == pytest.approx([0, 0.08, 0, 0.5])


@pytest.fixture
def part():
    """Voids in a bar, air beside it, seven sites."""
    pores = RANDOM.random((6, 8, 16)) < 0.05
    outside = np.zeros_like(pores)
    outside[0], pores[0] = True, False
    place = RANDOM.integers(1, 6, (7, 3))
    return pores, outside, place, np.linspace(0.5, 0.1, 7), np.arange(7) < 2


def test_sites_are_numbered_at_their_places(saved, part):
    pores, outside, place, chance, member = part
    axes_ = saved(scan_sites(pores, outside, 0.05, CORNER, "xyz", place, chance, member))
    panels = [axes for axes in axes_ if axes.get_xlabel()]
    assert [axes.get_xlabel() for axes in panels] == ["x (mm)", "y (mm)"]
    assert panels[0].get_ylabel() == "z (mm), tensile axis"
    for axes, across, along in zip(panels, (0, 1), (1, 0), strict=True):
        shown, extent = image(axes)
        seen = np.where(outside.all(axis=along), np.nan, pores.sum(axis=along))
        np.testing.assert_array_equal(
            np.ma.filled(np.ma.masked_invalid(shown), -1), np.nan_to_num(seen.T, nan=-1)
        )
        low = CORNER[across]
        sides = [low, low + 0.05 * pores.shape[across], 3.0, 3.0 + 0.05 * 16]
        assert extent == pytest.approx(sides)
        texts = {int(text.get_text()): text.xy for text in axes.texts}
        assert set(texts) == set(range(1, MOST + 1))
        for k, found in texts.items():
            expected = np.array(CORNER)[[across, 2]] + 0.05 * (place[k - 1][[across, 2]] + 0.5)
            np.testing.assert_allclose(found, expected)
        rings = [line.get_color() for line in axes.get_lines()][::-1]
        assert rings == [style.VERMILLION] * 2 + [style.BLUE] * 3
    (legend,) = panels[0].figure.legends
    assert [text.get_text() for text in legend.texts] == ["in the set (first: 50%)", "other sites"]


def test_a_simulated_failure_is_marked(saved, part):
    pores, outside, place, chance, member = part
    failed = np.zeros_like(pores)
    failed[3, 4, 5] = failed[3, 4, 6] = True
    figure = scan_sites(pores, outside, 0.05, (0, 0, 0), "yzx", place, chance, member, failed)
    axes = [axes for axes in saved(figure) if axes.get_xlabel()][1]
    (marked,) = [line for line in axes.get_lines() if line.get_marker() == "x"]
    np.testing.assert_allclose(marked.get_xydata(), [[0.225, 0.275], [0.225, 0.325]])
    texts = [text.get_text() for text in axes.figure.legends[0].texts]
    assert texts[-1] == "simulated first failure"


def test_no_site_and_no_pore(saved):
    nothing = np.zeros((4, 4, 4), bool)
    empty = np.zeros((0, 3), int), np.zeros(0), np.zeros(0, bool)
    axes = saved(scan_sites(nothing, nothing, 0.05, (0, 0, 0), "xyz", *empty))
    assert not axes[0].texts


def test_grey_values(saved):
    values = np.concatenate([RANDOM.normal(10, 1, 2000), RANDOM.normal(40, 2, 8000)])
    (axes,) = saved(grey_values(values, 40.0, 10.0, 25.0))
    labels = [line.get_label() for line in axes.get_lines()]
    assert labels == ["voids 10", "metal 40", "threshold 25"]
    assert [line.get_xdata()[0] for line in axes.get_lines()] == [10, 40, 25]
    (steps,) = axes.patches
    heights, edges, _ = steps.get_data()
    assert heights.sum() == pytest.approx(1)
    assert (edges[0], edges[-1]) == (values.min(), values.max())
    assert heights[edges[:-1] < 20].sum() == pytest.approx(0.2, abs=0.01)


def test_grey_values_of_a_mask(saved):
    (axes,) = saved(grey_values(np.repeat([0.0, 1.0], 50), None, None, None))
    assert not axes.get_lines() and axes.get_legend() is None
