"""Figures of perturbed copies of specimens (paper, Figs 4, 12, 16): they show what they get."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection

from porefail.figures.failure_locus import failure_locus
from porefail.figures.predicted_sites import predicted_sites
from porefail.figures.ranked_sites import ranked_sites

SPACING = 0.05
RING = [[0.075, 0.175]]  # around the voxel (1, 2, 3)


def pores(count: int, shape=(4, 4, 16)) -> np.ndarray:
    porosity = (np.random.default_rng(0).random((count, *shape)) < 0.05).astype(np.uint8)
    porosity[:, 0, :, 0] = 1  # void through the whole depth
    return porosity


def failures(porosity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the specimens failed first, and how many copies: 9 there, 16 in two voxels, 1."""
    failed = np.zeros(porosity.shape, bool)
    count = np.zeros(porosity.shape, int)
    failed[:, 1, 2, 3] = True
    count[:, 1, 2, 3] = 9
    count[:, 3, 0, 8], count[:, 3, 2, 8] = 12, 4  # one behind the other
    count[:, 0, 0, 15] = 1
    return failed, count


def texts(legend) -> list[str]:
    return [text.get_text() for text in legend.texts]


def dots(panel) -> PathCollection:
    (drawn,) = (each for each in panel.collections if isinstance(each, PathCollection))
    return drawn


def rings(panel) -> list:
    return [line for line in panel.lines if line.get_marker() == "o"]


def borders(panel) -> list[set]:
    """Of each outline the ends of its lines, in voxels."""
    lines = [each for each in panel.collections if isinstance(each, LineCollection)]
    return [
        {tuple(np.rint(each / SPACING).astype(int).ravel()) for each in line.get_segments()}
        for line in lines
    ]


def box(x0: int, x1: int, z0: int, z1: int) -> set:
    """The border of a rectangle of pixels, in the manner of borders()."""
    level = {(x, z, x + 1, z) for x in range(x0, x1) for z in (z0, z1)}
    return level | {(x, z, x, z + 1) for x in (x0, x1) for z in range(z0, z1)}


def check_views(panels, porosity, number) -> None:
    """Pores summed along y, to scale, in rows of six, a title above each."""
    width, height = panels[0].figure.get_size_inches()
    nx, nz = porosity.shape[1], porosity.shape[3]
    places = []
    for panel, voids, name in zip(panels, porosity, number, strict=True):
        np.testing.assert_array_equal(panel.images[0].get_array(), voids.sum(axis=1).T)
        assert panel.get_title() == f"specimen {name}" and panel.get_xlabel() == "x (mm)"
        assert panel.get_xlim() == pytest.approx((0, nx * SPACING))
        assert panel.get_ylim() == pytest.approx((0, nz * SPACING))
        place = panel.get_position()
        assert place.height * height == pytest.approx(place.width * width * nz / nx)
        assert place.x0 > 0 and place.x1 < 1
        places.append((round(place.x0, 6), round(place.y0, 6)))
    assert len(set(places)) == len(places)
    assert [len(set(axis)) for axis in zip(*places, strict=True)] == [
        min(len(places), 6),
        -(-len(places) // 6),
    ]
    assert panels[0].get_ylabel() == "z (mm), tensile axis"


def check_dots(panel) -> None:
    """Those of failures(): the largest first, areas by the number."""
    drawn = dots(panel)
    x, z = np.transpose(drawn.get_offsets()) / SPACING
    np.testing.assert_allclose(x, [3.5, 1.5, 0.5])
    np.testing.assert_allclose(z, [8.5, 3.5, 15.5])
    np.testing.assert_allclose(drawn.get_sizes() / drawn.get_sizes()[2], [4, 3, 1])


def check_legend(figure, axes, expected: list[str]) -> None:
    """One legend, inside the figure, beside the colour bar."""
    (legend,) = figure.legends
    assert texts(legend) == expected
    figure.draw_without_rendering()  # places at this resolution
    width, height = figure.get_size_inches() * figure.dpi
    place = legend.get_window_extent()
    assert place.x1 < width and place.y0 >= 0
    assert place.y1 < min(panel.xaxis.label.get_window_extent().y0 for panel in axes[:-1])
    assert place.x0 > axes[-1].get_window_extent().x1
    sizes = [handle for handle in legend.legend_handles if handle.get_label().endswith("copies")]
    smallest = dots(axes[0]).get_sizes().min()
    for handle, number in zip(sizes, (5, 25), strict=False):
        assert handle.get_markersize() ** 2 == pytest.approx(smallest * np.sqrt(number))


@pytest.mark.parametrize("count, shape", [(1, (4, 4, 16)), (4, (8, 8, 32)), (9, (4, 4, 80))])
def test_failure_locus(count, shape, saved):
    porosity = pores(count, shape)
    failed, copies = failures(porosity)
    number = np.arange(count) + 17
    figure = failure_locus(porosity, failed, copies, number, SPACING)
    axes = saved(figure)
    check_views(axes[:-1], porosity, number)
    for panel in axes[:-1]:
        check_dots(panel)
        assert rings(panel)
        for ring in rings(panel):
            np.testing.assert_allclose(ring.get_xydata(), RING)
    assert axes[-1].get_xlabel() == "void voxels along y"
    check_legend(figure, axes, ["first failure", "1 perturbed copy", "5 perturbed copies"])


def test_failure_locus_of_many_copies(saved):
    porosity = pores(2)
    failed, copies = failures(porosity)
    copies[1] *= 4
    figure = failure_locus(porosity, failed, copies, np.array([3, 5]), SPACING)
    axes = saved(figure)
    np.testing.assert_allclose(dots(axes[1]).get_sizes(), 2 * dots(axes[0]).get_sizes())
    assert texts(figure.legends[0])[-1] == "25 perturbed copies"


def test_failure_locus_without_pores_and_copies(saved):
    none = np.zeros((1, 4, 4, 16), int)
    axes = saved(failure_locus(none, none == 1, none, np.array([1]), SPACING))
    assert len(dots(axes[0]).get_offsets()) == 0


@pytest.mark.parametrize("count", [1, 4, 12])
def test_predicted_sites(count, saved):
    porosity = pores(count)
    _, copies = failures(porosity)
    true, predicted = np.zeros((2, *porosity.shape), bool)
    true[:, 1:3, 1, 3:5] = True
    true[:, 2, 3, 3] = True  # behind
    predicted[:, 0:4, 2, 2:8] = True
    predicted[0] = False
    figure = predicted_sites(porosity, true, predicted, copies, np.arange(count), SPACING)
    axes = saved(figure)
    check_views(axes[:-1], porosity, np.arange(count))
    for k, panel in enumerate(axes[:-1]):
        filled = np.ma.filled(panel.images[1].get_array().astype(float), 0)
        np.testing.assert_array_equal(filled == 1, true[k].any(axis=1).T)
        assert borders(panel) == [box(0, 4, 2, 8) if k else set(), box(1, 3, 3, 5)]
        check_dots(panel)
        assert not rings(panel)
    names = ["true cluster", "predicted cluster", "1 perturbed copy", "5 perturbed copies"]
    check_legend(figure, axes, names)


def ranks(porosity: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Seven sites of each specimen but the last, which has none, and their values."""
    rank = np.zeros(porosity.shape, int)
    rank[:, 1:3, 0, 2:4] = 2
    rank[:, 2:4, 3, 3:5] = 1  # behind, and yet to be seen
    for number in (3, 4, 5):
        rank[:, number - 3, :, 6] = number
    rank[:, 0, 0, 9], rank[:, 3, 3, 9:12] = 6, 7
    rank[-1] = 0
    value = np.array([1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.0])
    return rank, [value] * (len(rank) - 1) + [value[:0]]


@pytest.mark.parametrize("count", [1, 4, 9])
def test_ranked_sites(count, saved):
    porosity = pores(count)
    failed, copies = failures(porosity)
    rank, value = ranks(porosity)
    number = np.arange(count)
    figure = ranked_sites(porosity, rank, value, copies, failed, number, SPACING, "probability")
    axes = saved(figure)
    check_views(axes[:-1], porosity, number)
    for panel, values in zip(axes, value, strict=False):
        shown = np.full((4, 16), np.nan)
        if len(values):
            shown[1:3, 2:4], shown[2:4, 3:5] = 0.7, 1.0
            shown[0:3, 6] = 0.5, 0.3, 0.2
            shown[0, 9], shown[3, 9:12] = 0.1, 0.0
            assert borders(panel)[0] == box(2, 4, 3, 5) and len(borders(panel)) == 7
        got = np.ma.filled(panel.images[1].get_array().astype(float), np.nan)
        np.testing.assert_array_equal(got, shown.T)
        check_dots(panel)
        for ring in rings(panel):
            np.testing.assert_allclose(ring.get_xydata(), RING)
    assert axes[-1].get_xlabel() == "probability"
    names = ["first failure", "pores", "rank, up to 5", "1 perturbed copy", "5 perturbed copies"]
    check_legend(figure, axes, names)


def test_ranks_beside_their_sites(saved):
    porosity = pores(2, (4, 4, 32))
    failed, copies = failures(porosity)
    rank, value = ranks(porosity)
    rank[0][rank[0] == 1] = 0
    rank[0, 3, 3, 28:] = 1  # at the top
    sites = ranked_sites(porosity, rank, value, copies, failed, np.arange(2), SPACING, "mass")
    panel, empty, _ = saved(sites)
    sites.draw_without_rendering()  # places at this resolution
    assert not empty.texts and len(rings(empty)) == len(empty.lines)
    written = {int(text.get_text()): text for text in panel.texts}
    assert sorted(written) == [1, 2, 3, 4, 5]
    lines = [line for line in panel.lines if line not in rings(panel)]
    for number, line in zip(sorted(written), lines, strict=True):
        (x, *_), (z, *_) = line.get_data()
        pixel = np.floor(np.array([x, z]) / SPACING).astype(int)
        assert (rank[0] == number).any(axis=1)[tuple(pixel)]
        assert line.get_xydata()[-1] == pytest.approx(written[number].get_position())
    places = [text.get_window_extent() for text in written.values()]
    assert min(place.x0 for place in places) > panel.get_window_extent().x1
    for k, place in enumerate(places):
        assert not any(place.overlaps(other) for other in places[:k])
    assert max(text.get_position()[1] for text in written.values()) <= 32 * SPACING
