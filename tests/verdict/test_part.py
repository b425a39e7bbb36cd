"""From a scan to the part: axes, crops, bins, masks; places stay those of the scan."""

import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.scans.phantom import Scanner
from porefail.scans.volume import Scan
from porefail.verdict.part import Choices, binned, moved, of_phantom, part, view
from porefail.verdict.tables import pore_columns

from .conftest import VOXEL, quiet

ORDERS = {"x": (2, 0, 1), "y": (0, 2, 1), "z": (0, 1, 2)}
CLEAN = {"voxel": 0.0125, "blur": 0, "noise": 0}


def read(scan: Scan, spacing=None, **choices):
    chosen = Choices(**choices)
    return part(scan.path, view(scan, spacing or scan.spacing, chosen), chosen, VOXEL, quiet)


def mm(found) -> np.ndarray:
    """Places of the pores in the scan, mm (m, 3)."""
    return pore_columns(found)[["x_mm", "y_mm", "z_mm"]].to_numpy()


@pytest.fixture(scope="module")
def upright(phantom):
    return read(phantom(**CLEAN))


@pytest.fixture(scope="module")
def grey(phantom):
    """As a scanner sees it."""
    return phantom(voxel=0.0125)


def test_what_is_read_is_what_was_scanned(upright, porosity):
    np.testing.assert_array_equal(upright.coarse.porosity, porosity)
    assert upright.values is None and "mask" in upright.metal
    air = 0.1  # mm, of the phantom
    expected = [(p.mean(axis=0) + 0.5) * VOXEL + (air, air, 0) for p in pieces(porosity)]
    np.testing.assert_allclose(mm(upright), expected)


def pieces(porosity: np.ndarray) -> list[np.ndarray]:
    """Voxels of the three pores by falling volume."""
    voxels = np.argwhere(porosity)
    cuts = [(voxels[:, 2] >= 6) & (voxels[:, 2] < 9), voxels[:, 2] >= 12, voxels[:, 2] < 6]
    return [voxels[cut] for cut in cuts]


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_a_part_that_lies_along_another_axis(phantom, porosity, upright, axis):
    """The same pores, at the places that they have in this scan."""
    scan = phantom(**CLEAN)
    order = list(ORDERS[axis])
    lying = scan._replace(values=scan.values.transpose(order))
    found = read(lying, axis=axis)
    turned = found.coarse.porosity
    assert turned.shape == porosity.shape
    # Which of the axes across comes first changes no physics.
    if axis in "xz":
        np.testing.assert_array_equal(turned, porosity)
    np.testing.assert_allclose(mm(found), mm(upright)[:, order])
    table = pore_columns(found)
    for name in "xyz":
        expected = table[f"{name}_mm"] / 0.0125 - 0.5
        np.testing.assert_allclose(table[f"{name}_voxel"], expected)
    same = ["volume_mm3", "voxels", "sphericity", "sqrt_area_mm", "distance_to_surface_mm"]
    np.testing.assert_allclose(table[same], pore_columns(upright)[same])


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_unequal_voxels(porosity, upright, axis):
    """A specimen in voxels of 1/4, 1/5, 1/2 of its own, whatever axis it lies along."""
    fine = np.pad(porosity == 0, ((2, 2), (2, 2), (0, 0)))
    for k, times in enumerate((4, 5, 2)):
        fine = np.repeat(fine, times, axis=k)
    order = list(ORDERS[axis])
    spacing = np.array([VOXEL / 4, VOXEL / 5, VOXEL / 2])[order]
    scan = Scan("s", "s", fine.astype(np.uint8).transpose(order), tuple(spacing), "known")
    found = read(scan, axis=axis)
    np.testing.assert_allclose(mm(found), mm(upright)[:, order])
    assert found.coarse.pores.sum() == porosity.sum()
    np.testing.assert_allclose(found.pores["volume_mm3"], upright.pores["volume_mm3"])
    np.testing.assert_allclose(found.coarse.corner, 0, atol=1e-12)


def test_a_crop_moves_nothing(grey):
    """Less air around, the same part at the same place; then the same pores of half of it."""
    whole = read(grey)
    nx, ny, nz = grey.values.shape
    cut = read(grey, crop=(slice(3, nx - 2), slice(4, None), slice(None)))
    np.testing.assert_array_equal(cut.coarse.porosity, whole.coarse.porosity)
    np.testing.assert_allclose(mm(cut), mm(whole), atol=1e-3)
    half = read(grey, crop=(slice(None), slice(None), slice(nz // 4, None)))
    assert len(half.pores) == 2
    np.testing.assert_allclose(mm(half), mm(whole)[:2], atol=1e-3)
    assert half.coarse.porosity.shape == (8, 8, 12)


def test_a_crop_of_a_part_that_lies(grey):
    lying = grey._replace(values=grey.values.transpose(ORDERS["x"]))
    crop = (slice(6, None), slice(4, None), slice(2, -1))
    whole, cut = read(lying, axis="x"), read(lying, axis="x", crop=crop)
    np.testing.assert_allclose(mm(cut), mm(whole), atol=1e-3)


def test_bins_are_means_of_blocks_and_move_nothing(grey):
    values = binned(grey.values, 2)
    nx, ny, nz = (side // 2 * 2 for side in grey.values.shape)
    blocks = grey.values[:nx, :ny, :nz].astype(float)
    expected = blocks.reshape(nx // 2, 2, ny // 2, 2, nz // 2, 2).mean(axis=(1, 3, 5))
    np.testing.assert_allclose(values, expected, rtol=1e-6)
    whole, coarse = read(grey), read(grey, bin=2)
    np.testing.assert_allclose(coarse.view.spacing, 0.025)
    np.testing.assert_allclose(mm(coarse), mm(whole), atol=0.01)
    assert coarse.coarse.porosity.shape == whole.coarse.porosity.shape


def test_a_bin_with_a_crop(grey):
    crop = (slice(None), slice(None), slice(16, None))
    whole, cut = read(grey, crop=crop), read(grey, crop=crop, bin=2)
    np.testing.assert_allclose(mm(cut)[0], mm(whole)[0], atol=0.01)


def test_a_part_mask_tells_what_is_the_part(grey, porosity):
    """A hollow part: without a mask its hole is one large pore."""
    hollow = grey.values.copy()
    hollow[28:36, 8:16, :] = 10_000  # a hole at the surface, all along
    mask = np.zeros(hollow.shape, bool)
    mask[8:-8, 8:-8] = True
    mask[28:36, 8:16] = False
    scan = grey._replace(values=hollow)
    found = read(scan, part_mask=mask)
    without = read(scan)
    assert without.coarse.pores.sum() >= found.coarse.pores.sum() + 4 * 16
    assert found.coarse.outside[5:7, :2].all()
    np.testing.assert_array_equal(found.segmented.part, mask[8:-8, 8:-8])


def test_a_mask_is_read_as_the_scan_it_was_made_of(grey):
    from_grey = read(grey)
    labels = np.where(grey.values >= from_grey.values.threshold, 2, 7).astype(np.uint8)
    found = read(grey._replace(values=labels))
    assert found.values is None and "2" in found.metal
    np.testing.assert_allclose(
        mm(found), mm(from_grey), atol=1e-9
    )  # the threshold makes the pores either way
    inverted = read(grey._replace(values=(labels == 7).astype(np.uint8)))
    np.testing.assert_array_equal(inverted.coarse.porosity, found.coarse.porosity)


@pytest.mark.parametrize("metal, void", [(2, 7), (7, 2), (1, 0), (0, 1)])
def test_a_bin_of_a_mask_is_of_its_metal(grey, metal, void):
    """Whichever value it has; of means, metal would be the brighter one."""
    labels = np.where(grey.values >= read(grey).values.threshold, metal, void).astype(np.uint8)
    whole, coarse = (read(grey._replace(values=labels), bin=size) for size in (1, 2))
    assert f"metal has the value {metal}" in coarse.metal
    np.testing.assert_allclose(mm(coarse), mm(whole), atol=0.01)
    said = read(grey._replace(values=labels), bin=2, metal=float(metal))
    np.testing.assert_array_equal(said.coarse.porosity, coarse.coarse.porosity)


def test_a_given_threshold_makes_a_grey_scan_of_a_mask(phantom):
    scan = phantom(**CLEAN)
    found = read(scan, threshold=25_000.0)
    assert found.values is not None and found.values.threshold == 25_000
    assert "as given" in found.metal


def test_a_moved_threshold_hardly_changes_the_volume_of_pores(grey):
    found = read(grey)
    more, less = (moved(found, share, VOXEL) for share in (0.2, -0.2))
    for other in (more, less):  # grey values tell how much of a voxel is void
        assert other.fraction.sum() == pytest.approx(found.coarse.fraction.sum(), rel=0.02)
    np.testing.assert_array_equal(more.outside, found.coarse.outside)
    np.testing.assert_array_equal(more.corner, found.coarse.corner)


def test_a_mask_has_no_threshold_to_move(upright):
    assert moved(upright, 0.05, VOXEL) is None


def test_of_phantom(porosity):
    pores, outside = of_phantom(porosity, VOXEL, Scanner(0.0125), 1)
    np.testing.assert_array_equal(pores, porosity == 1)
    assert not outside.any()
    empty = of_phantom(np.zeros_like(porosity), VOXEL, Scanner(0.0125), 1)
    assert empty is None


@pytest.mark.parametrize(
    "choices, message",
    [
        ({"axis": "w"}, "--axis 'w': expected x, y or z"),
        ({"axis": "xy"}, "--axis 'xy': expected x, y or z"),
        ({"axis": ""}, "--axis '': expected x, y or z"),
        ({"crop": (slice(0, 99), slice(None), slice(None))}, "--crop: x ends at 99, the scan has"),
        ({"crop": (slice(0, 3), slice(None), slice(None))}, "phantom.tif: 3 x .* at least 4"),
        ({"crop": (slice(70, None), slice(None), slice(None))}, "phantom.tif: 0 x .* at least 4"),
        ({"bin": 40}, "--bin 40: leaves 1 x 1 x 1 voxels"),
        ({"threshold": 25e3, "metal": 1.0}, "--threshold is of grey values, .* one or the other"),
        ({"part_mask": np.ones((4, 4, 4), bool)}, "phantom.tif: --part-mask is .*, the scan"),
        ({"part_mask": None, "threshold": 1e6}, "phantom.tif: with the threshold .* all is air"),
    ],
)
def test_choices_that_cannot_be(grey, choices, message):
    with pytest.raises(PorefailError, match=f"^{message}") as caught:
        read(grey, **choices)
    assert "\n" not in str(caught.value)


def test_no_pore(phantom, porosity):
    solid = np.zeros_like(porosity)
    for changes in (CLEAN, {"voxel": 0.0125}):
        with pytest.raises(PorefailError, match="^phantom.tif: no "):
            read(phantom(solid, **changes))


def test_pores_that_are_all_too_small(phantom, porosity):
    grey = phantom(np.zeros_like(porosity), **CLEAN)
    values = grey.values.copy()
    values[20:22, 20:22, 20:22] = 10_000
    message = "no pore of a voxel of 50 um or more in the part .1 smaller ones.: nothing to rank"
    with pytest.raises(PorefailError, match=message):
        read(grey._replace(values=values))


def test_a_part_of_few_voxels(phantom):
    small = np.zeros((4, 4, 16), np.uint8)
    small[1, 1, 5:7] = 1
    grey = phantom(small, **CLEAN)
    with pytest.raises(PorefailError, match="the part is 2 x 2 x 8 voxels of 0.1 mm, .* 4 along"):
        chosen = Choices()
        part(grey.path, view(grey, grey.spacing, chosen), chosen, 0.1, quiet)
