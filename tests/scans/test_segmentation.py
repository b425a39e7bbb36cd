"""The part in a scan and the voids in it: what is which, on shapes that are known."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from porefail.errors import PorefailError
from porefail.scans import segmentation
from porefail.scans.phantom import Scanner, scan
from porefail.scans.segmentation import convex_hull, metal_of, section, segment
from porefail.scans.threshold import grey_values

RANDOM = np.random.default_rng(4)


def block(shape=(24, 26, 12), air=4) -> np.ndarray:
    """Metal with air around its sections, bool."""
    solid = np.zeros(shape, bool)
    solid[air:-air, air:-air] = True
    return solid


def found(solid: np.ndarray, **more):
    return segment("scan", solid, lambda values: values, **more)


def in_hull(mask: np.ndarray) -> np.ndarray:
    """Pixels whose centres are in the hull of a mask, by Qhull."""
    hull = ConvexHull(np.argwhere(mask).astype(float))
    every = np.argwhere(np.ones_like(mask))
    inside = every @ hull.equations[:, :2].T + hull.equations[:, 2] <= 1e-9
    return inside.all(axis=1).reshape(mask.shape)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
def test_convex_hull_is_that_of_qhull(share):
    tried = 0
    for _ in range(40):
        mask = RANDOM.random(RANDOM.integers(5, 30, 2)) < share
        if np.linalg.matrix_rank(np.argwhere(mask) - np.argwhere(mask)[:1]) < 2:
            continue
        tried += 1
        np.testing.assert_array_equal(convex_hull(mask), in_hull(mask))
    assert tried > 5


def test_convex_hull_of_a_pixel_a_row_and_a_diagonal():
    for places in ([(3, 4)], [(3, 1), (3, 6)], [(1, 4), (6, 4)], [(1, 1), (5, 5)]):
        mask = np.zeros((8, 9), bool)
        mask[tuple(np.transpose(places))] = True
        (ax, ay), (bx, by) = places[0], places[-1]
        count = max(bx - ax, by - ay)
        hull = np.zeros_like(mask)
        for k in range(count + 1):
            hull[ax + (k if bx > ax else 0), ay + (k if by > ay else 0)] = True
        np.testing.assert_array_equal(convex_hull(mask), hull)


def test_a_convex_section_is_the_part():
    x, y = np.meshgrid(np.arange(30) - 14.6, np.arange(28) - 13.2, indexing="ij")
    for disc in (np.hypot(x, y) < 11, abs(x) + abs(y) < 12, (abs(x) < 9) & (abs(y) < 7)):
        np.testing.assert_array_equal(section(disc), disc)


def test_pores_inside_belong_to_the_part():
    flat = block()[:, :, 0]
    holed = flat.copy()
    holed[10:13, 10:12] = holed[15, 15] = False
    np.testing.assert_array_equal(section(holed), flat)


def test_a_pore_that_is_open_to_the_surface_belongs_to_the_part():
    flat = block()[:, :, 0]
    open_ = flat.copy()
    open_[4:12, 10:13] = False
    np.testing.assert_array_equal(section(open_), flat)


@pytest.mark.parametrize("deep", [1, 2])
def test_a_rough_surface_is_not_a_pore(deep):
    flat = block()[:, :, 0]
    rough = flat.copy()
    rough[4 : 4 + deep, 6:-6:3] = False  # notches as deep as a skin may be
    assert not (section(rough) & ~rough).any()
    assert (section(rough) == rough).all()


def test_specks_of_noise_beside_a_part_are_no_part():
    solid = block((36, 38, 12), 10)
    noisy = solid.copy()
    noisy[2, 3, 2:5] = noisy[-3, 5, 4] = noisy[20, 1, 7] = True
    noisy[1:4, -4:-1] = True  # a piece of a ring
    result = found(noisy)
    assert result.first == (10, 10, 0) and result.part.shape == (16, 18, 12)
    assert result.part.all() and not result.void.any()


def test_specks_in_a_section_are_no_part_but_where_it_is_expected():
    flat = np.pad(block()[:, :, 0], 6)
    noisy = flat.copy()
    noisy[2, 3] = noisy[-3, 5] = noisy[20, 1] = True
    noisy[1:4, -4:-1] = True  # a piece of a ring
    np.testing.assert_array_equal(section(noisy), flat)
    expected = np.zeros_like(flat)
    expected[1:4, -4:-1] = True
    assert section(noisy, expected)[1:4, -4:-1].all()


def test_a_wire_that_touches_the_part_is_beside_it():
    """Joined at one height, it stands beside the part at others."""
    solid = block((40, 40, 60), 10)
    solid[34:37, 18:22, 5:55] = True
    solid[28:37, 18:22, 30:32] = True
    result = found(solid)
    assert result.void[:20, :20].sum() == 0
    area = result.part.sum(axis=(0, 1))
    assert (np.delete(area, np.arange(30, 32)) == 400).all()


def test_metal_that_pores_cut_off_a_section_is_of_the_part():
    """It hangs on sections above and below: the corner of a part beside its pores."""
    solid = block()
    solid[4:11, 7:11, 5:9] = solid[7:11, 4:11, 5:9] = False
    result = found(solid)
    assert result.part.all()
    np.testing.assert_array_equal(result.void, ~solid[4:-4, 4:-4])


def test_a_box_around_the_part_and_its_place():
    solid = block((24, 26, 12), 4)
    solid[11:14, 12:15, 5:8] = False
    result = found(solid)
    assert result.first == (4, 4, 0) and result.part.shape == (16, 18, 12)
    assert result.part.all()
    expected = np.zeros_like(result.void)
    expected[7:10, 8:11, 5:8] = True
    np.testing.assert_array_equal(result.void, expected)


def test_slabs_join(monkeypatch):
    solid = block((20, 20, 40))
    solid &= RANDOM.random(solid.shape) > 0.05
    whole = found(solid)
    monkeypatch.setattr(segmentation, "SLAB", 7)
    again = found(solid)
    assert again.first == whole.first
    np.testing.assert_array_equal(again.part, whole.part)
    np.testing.assert_array_equal(again.void, whole.void)


@pytest.mark.parametrize("wide, first", [(8, 0), (7, 3)])
def test_ends_that_are_not_whole_are_left_out(wide, first):
    """Of 16 x 16 half is enough, less is not."""
    solid = block((24, 24, 20))
    solid[:, 4 + wide :, :3] = False
    solid[:, :, 18:] = False
    result = found(solid)
    assert result.first[2] == first
    assert result.first[2] + result.part.shape[2] == 18


def test_a_round_bar():
    porosity = np.zeros((12, 12, 8), np.uint8)
    porosity[5:7, 5:7, 3:5] = 1
    grey = scan(porosity, 0.05, Scanner(0.0125, noise=0.03, section="round"), 1)
    values = grey_values("scan", grey)
    result = segment("scan", grey, metal_of(values))
    area = result.part.sum(axis=(0, 1)) * 0.0125**2
    np.testing.assert_allclose(area, np.pi * 0.3**2, rtol=0.01)
    assert result.void.sum() * 0.0125**3 == pytest.approx(8 * 0.05**3, rel=0.15)
    x, y, z = np.nonzero(result.void)
    assert x.max() - x.min() < 10 and y.max() - y.min() < 10 and z.max() - z.min() < 10


def test_noise_is_smoothed_in_the_sections():
    porosity = np.zeros((10, 10, 10), np.uint8)
    porosity[4:6, 4:6, 4:6] = 1
    grey = scan(porosity, 0.05, Scanner(0.0125, noise=0.2), 1)
    values = grey_values("scan", grey)
    assert values.noise > segmentation.NOISY
    smooth, raw = metal_of(values), metal_of(values._replace(noise=0.0))
    truth = np.s_[10:-10, 10:-10, :8]  # metal, all of it
    wrong = [np.count_nonzero(~each(grey)[truth]) for each in (smooth, raw)]
    assert wrong[0] < wrong[1] / 20
    assert segment("scan", grey, smooth, smoothed=True).smoothed


def test_a_part_mask_is_taken_as_it_is():
    solid = block()
    solid[4:12, 10:13, 5] = False
    mask = block()
    mask[:8] = False
    result = found(solid, part_mask=mask)
    assert result.first == (8, 4, 0) and result.part.shape == (12, 18, 12)
    assert result.void.sum() == 4 * 3


def two_side_by_side():
    solid = np.zeros((40, 20, 12), bool)
    solid[3:17, 3:-3] = solid[22:37, 3:-3] = True
    return solid


def two_along_z():
    solid = block((20, 20, 30))
    solid[:, :, 13:17] = False
    return solid


def cut_thin_along_z():
    """Joined by nothing, the second piece small enough to be a speck in three dimensions."""
    solid = block((20, 20, 30))
    solid[:, :, 2:28] = solid[:, :, 2:28] & (np.arange(26) != 1)
    return solid


@pytest.mark.parametrize(
    "solid, message",
    [
        (np.zeros((9, 9, 9), bool), "no metal in it: all is air"),
        (two_side_by_side(), r"two pieces of metal, .* crop the scan to one part \(--crop\)"),
        (two_along_z(), "two pieces of metal, the second 100% as large as the first"),
        (block((11, 20, 12)), "the part is 3 x 12 x 12 scan voxels, expected at least 4 across"),
        (RANDOM.random((9, 9, 9)) < 0.02, "two pieces of metal"),
    ],
)
def test_no_part_or_more_than_one(solid, message):
    with pytest.raises(PorefailError, match=f"^scan: {message}"):
        found(solid)


def test_a_small_second_piece_is_left_out_and_told():
    solid = block((40, 24, 12), 6)
    whole = found(solid)
    solid[1:4, 5:9, 3:6] = True
    beside = found(solid)
    assert beside.part.shape == (28, 12, 12) and whole.loose == 0.0
    assert beside.loose == pytest.approx(3 * 4 * 3 / (28 * 12 * 12))
    np.testing.assert_array_equal(beside.part, whole.part)


def test_a_rod_beside_the_part_is_left_out():
    """In its whole length, and thick enough for a piece of each cross-section."""
    solid = block((40, 24, 12), 6)
    solid[1:4, 8:16] = True
    assert found(solid).part.shape == (28, 12, 12)


def test_a_thin_end_that_hangs_loose_is_left_out():
    thin = found(cut_thin_along_z())
    assert thin.part.shape[2] < 28 and thin.loose > 0


def test_an_empty_part_mask():
    with pytest.raises(PorefailError, match="^scan: no part in it"):
        found(block(), part_mask=np.zeros_like(block()))
