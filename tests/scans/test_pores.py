"""The table of pores: spheres, boxes and others whose measures are known."""

import numpy as np
import pytest
from scipy import ndimage

from porefail.scans import pores as room
from porefail.scans.pores import COLUMNS, INTERIOR, SURFACE, pore_table

EDGE = 0.01  # mm
SPACING = (EDGE,) * 3


def sphere(shape, centre, radius, spacing=SPACING) -> np.ndarray:
    """Voxels whose centres are in a sphere; all in mm."""
    places = np.indices(shape).astype(float) + 0.5
    away = [
        (axis * step - middle) ** 2
        for axis, step, middle in zip(places, spacing, centre, strict=True)
    ]
    return sum(away) < radius**2


@pytest.fixture(scope="module")
def ball():
    """A sphere of 0.12 mm in a block of 0.5 x 0.6 x 0.7 mm."""
    shape, centre, radius = (50, 60, 70), (0.2, 0.31, 0.352), 0.12
    void = sphere(shape, centre, radius)
    table, labels = pore_table(np.ones(shape, bool), void, SPACING)
    return table, labels, void, np.array(centre), radius


def test_one_sphere(ball):
    table, labels, void, centre, radius = ball
    assert tuple(table.columns) == COLUMNS and len(table) == 1
    (row,) = table.to_dict("records")
    np.testing.assert_array_equal(labels == 1, void)
    assert row["id"] == 1 and row["voxels"] == void.sum()
    np.testing.assert_allclose([row[f"{a}_mm"] for a in "xyz"], centre, atol=0.2 * EDGE)
    found = [row[f"{a}_voxel"] for a in "xyz"]
    np.testing.assert_allclose(found, ndimage.center_of_mass(void))
    assert row["volume_mm3"] == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.02)
    assert row["equivalent_diameter_mm"] == pytest.approx(2 * radius, rel=0.01)
    assert row["sphericity"] == pytest.approx(1, abs=0.1)
    assert row["sqrt_area_mm"] == pytest.approx(np.sqrt(np.pi) * radius, rel=0.02)
    assert row["distance_to_surface_mm"] == pytest.approx(centre[0] - radius, abs=EDGE)
    assert row["surface_connected"] == 0 and np.isnan(row["nearest_pore_mm"])
    expected = INTERIOR * np.sqrt(np.pi * np.sqrt(np.pi) * radius)
    assert row["murakami_factor_sqrt_mm"] == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("radius", [0.04, 0.06, 0.1])
def test_spheres_of_all_sizes_are_round(radius):
    random = np.random.default_rng(2)
    for _ in range(5):
        centre = 0.2 + 0.01 * random.random(3)
        void = sphere((40, 40, 40), centre, radius)
        table, _ = pore_table(np.ones_like(void), void, SPACING)
        assert table["sphericity"][0] == pytest.approx(1, abs=0.1)


def test_what_is_long_is_less_round():
    """A spheroid ten times as long as wide, turned: sphericity by its closed form."""
    x, y, z = (axis - 36.0 for axis in np.indices((73, 73, 73)))
    along = (x + y + z) / np.sqrt(3)
    void = (x**2 + y**2 + z**2 - along**2) / 5**2 + along**2 / 50**2 < 1
    table, _ = pore_table(np.ones_like(void), void, SPACING)
    a, c = 5.0, 50.0
    e = np.sqrt(1 - a**2 / c**2)
    area = 2 * np.pi * a**2 * (1 + c / (a * e) * np.arcsin(e))
    expected = np.pi * (6 * (4 / 3 * np.pi * a**2 * c) / np.pi) ** (2 / 3) / area
    assert table["sphericity"][0] == pytest.approx(expected, rel=0.15)


def test_a_sphere_of_unequal_voxels():
    spacing = (0.01, 0.014, 0.02)
    centre, radius = (0.25, 0.28, 0.3), 0.12
    void = sphere((50, 40, 30), centre, radius, spacing)
    table, _ = pore_table(np.ones_like(void), void, spacing)
    (row,) = table.to_dict("records")
    np.testing.assert_allclose([row[f"{a}_mm"] for a in "xyz"], centre, atol=0.003)
    assert row["volume_mm3"] == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.03)
    assert row["sqrt_area_mm"] == pytest.approx(np.sqrt(np.pi) * radius, rel=0.02)
    assert row["sphericity"] == pytest.approx(1, abs=0.1)
    assert row["distance_to_surface_mm"] == pytest.approx(0.25 - radius, abs=0.014)


def test_the_place_of_the_box_in_the_scan_is_added(ball):
    table, _, void, _, _ = ball
    moved, _ = pore_table(np.ones_like(void), void, SPACING, (3, 20, 100))
    for name, step in zip("xyz", (3, 20, 100), strict=True):
        shift = moved[f"{name}_voxel"] - table[f"{name}_voxel"]
        np.testing.assert_allclose(shift, step)
        np.testing.assert_allclose(moved[f"{name}_mm"] - table[f"{name}_mm"], step * EDGE)
    same = [name for name in COLUMNS if name[0] not in "xyz"]
    np.testing.assert_array_equal(moved[same], table[same])


def test_pores_by_falling_volume_and_the_gap_between_them():
    shape = (50, 50, 120)
    places = [((0.25, 0.25, 0.2), 0.06), ((0.25, 0.25, 0.5), 0.1), ((0.25, 0.3, 1.0), 0.08)]
    void = np.any([sphere(shape, *each) for each in places], axis=0)
    table, labels = pore_table(np.ones(shape, bool), void, SPACING)
    assert table["id"].tolist() == [1, 2, 3]
    assert table["z_mm"].round(2).tolist() == [0.5, 1.0, 0.2]
    assert table["volume_mm3"].is_monotonic_decreasing
    gaps = [0.3 - 0.16, np.hypot(0.5, 0.05) - 0.18, 0.3 - 0.16]
    np.testing.assert_allclose(table["nearest_pore_mm"], gaps, atol=0.2 * EDGE)
    assert [labels[25, 25, 50], labels[25, 30, 100], labels[25, 25, 20]] == [1, 2, 3]


def test_numbers_and_volumes_are_those_of_scipy():
    void = ndimage.gaussian_filter(np.random.default_rng(1).random((40, 40, 40)), 1.2) > 0.56
    table, labels = pore_table(np.ones_like(void), void, SPACING)
    other, count = ndimage.label(void, np.ones((3, 3, 3)))
    sizes = np.bincount(other.ravel())[1:]
    sizes = np.sort(sizes[sizes >= room.SMALLEST])[::-1]
    assert len(sizes) > 20
    assert table["voxels"].tolist() == sizes.tolist()
    np.testing.assert_array_equal(np.bincount(labels.ravel())[1:], table["voxels"])
    centre = ndimage.center_of_mass(void, labels, table["id"])
    np.testing.assert_allclose(table[["x_voxel", "y_voxel", "z_voxel"]], centre)
    seen = [(labels == k).any(axis=2).sum() for k in table["id"]]
    np.testing.assert_allclose(table["sqrt_area_mm"], EDGE * np.sqrt(seen))


def test_voxels_that_touch_by_a_corner_are_one_pore():
    void = np.zeros((9, 9, 9), bool)
    for k in range(3, 6):
        void[k, k, k] = True
    table, _ = pore_table(np.ones_like(void), void, SPACING)
    assert table["voxels"].tolist() == [3]


def test_specks_are_no_pores():
    void = np.zeros((9, 9, 9), bool)
    void[2, 2, 2:4] = void[6, 6, 6] = True
    table, labels = pore_table(np.ones_like(void), void, SPACING)
    assert len(table) == 0 and tuple(table.columns) == COLUMNS and not labels.any()


def test_distance_to_a_round_surface():
    """By the distance transform of the part; ends along z are no surface."""
    x, y = np.meshgrid(*[np.arange(60) - 29.5] * 2, indexing="ij")
    part = np.repeat((np.hypot(x, y) < 28)[:, :, None], 20, axis=2)
    void = np.zeros_like(part)
    void[28:32, 12:16, 2:6] = void[40:44, 28:32, 0:3] = True
    table, labels = pore_table(part, void, SPACING)
    away = ndimage.distance_transform_edt(np.pad(part[:, :, 0], 1))[1:-1, 1:-1] - 1
    for row in table.itertuples():
        expected = away[(labels == row.id).any(axis=2)].min() * EDGE
        assert row.distance_to_surface_mm == pytest.approx(expected, abs=0.5 * EDGE)
    assert not table["surface_connected"].any()


def test_pores_at_the_surface():
    part = np.zeros((30, 30, 20), bool)
    part[5:-5, 5:] = True
    void = np.zeros_like(part)
    void[5:9, 12:15, 4:8] = True  # beside air in the box
    void[12:15, 27:30, 4:8] = True  # at the wall of the box
    void[12:15, 12:15, 0:3] = True  # at an end: the part goes on
    void[6:9, 20:23, 12:16] = True  # a voxel below the surface
    table, labels = pore_table(part, void, SPACING)
    kinds = table.set_index("id")["surface_connected"]
    at = [labels[5, 12, 4], labels[12, 29, 4], labels[12, 12, 0], labels[6, 20, 12]]
    assert kinds[at].tolist() == [1, 1, 0, 0]
    assert table.set_index("id")["distance_to_surface_mm"][at[3]] == pytest.approx(EDGE)
    factor = np.where(table["surface_connected"], SURFACE, INTERIOR)
    expected = factor * np.sqrt(np.pi * table["sqrt_area_mm"])
    np.testing.assert_allclose(table["murakami_factor_sqrt_mm"], expected)


def test_huge_pores_are_asked_at_some_voxels_only(ball, monkeypatch):
    table, _, void, _, _ = ball
    monkeypatch.setattr(room, "QUERIES", 500)
    coarse, _ = pore_table(np.ones_like(void), void, SPACING)
    known = table["distance_to_surface_mm"][0]
    assert coarse["distance_to_surface_mm"][0] == pytest.approx(known, abs=2 * EDGE)
