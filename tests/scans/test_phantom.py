"""Phantoms: what is in a scan whose pores are known."""

import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.scans.phantom import AIR, METAL, Scanner, metal_fraction, scan, size

SPACING = 0.05
POROSITY = (np.random.default_rng(5).random((4, 5, 6)) < 0.3).astype(np.uint8)
SQUARE = (np.random.default_rng(6).random((6, 6, 8)) < 0.1).astype(np.uint8)
PERFECT = Scanner(voxel=0.02, blur=0, noise=0)


def whole(porosity: np.ndarray, scanner: Scanner) -> np.ndarray:
    return metal_fraction(porosity, SPACING, scanner, 0, size(porosity.shape, SPACING, scanner)[2])


def grey(porosity: np.ndarray, scanner: Scanner, seed: int = 0) -> np.ndarray:
    """Share of metal that a scan shows."""
    return (scan(porosity, SPACING, scanner, seed) - float(AIR)) / (METAL - AIR)


def test_voxels_of_the_specimen_give_its_pores():
    expected = np.pad(np.where(POROSITY, AIR, METAL), ((2, 2), (2, 2), (0, 0)), constant_values=AIR)
    values = scan(POROSITY, SPACING, PERFECT._replace(voxel=SPACING))
    assert values.dtype == np.uint16
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("voxel", [0.02, 0.0125, 0.05, 0.03, 0.0098])
def test_metal_is_conserved(voxel):
    """Voxels divide neither side of the section; along z 0.3 mm, or the last ones end earlier."""
    scanner = PERFECT._replace(voxel=voxel)
    height = size(POROSITY.shape, SPACING, scanner)[2] * voxel
    layers = (POROSITY == 0).sum(axis=(0, 1)) * SPACING**3
    beyond = (height - 6 * SPACING) / 2  # there the last layers go on
    assert -1e-9 <= beyond < voxel
    expected = layers.sum() + beyond / SPACING * (layers[0] + layers[-1])
    found = whole(POROSITY, scanner).sum(dtype=float) * voxel**3
    assert found == pytest.approx(expected, rel=1e-6)


def test_a_mean_over_boxes():
    """Each scan voxel is the mean of the 0.01 mm boxes in it."""
    boxes = np.kron(POROSITY == 0, np.ones((5, 5, 5)))
    fraction = whole(POROSITY[:4, :4], PERFECT._replace(voxel=0.02, air=0))
    means = boxes[:, :20].reshape(10, 2, 10, 2, 15, 2).mean(axis=(1, 3, 5))
    np.testing.assert_allclose(fraction, means, atol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("changes", [{}, {"section": "round"}, {"cupping": 0.2, "blur": 1.0}])
def test_a_mirrored_specimen_gives_a_mirrored_scan(axis, changes):
    scanner = PERFECT._replace(voxel=0.0137, **changes)
    mirrored = grey(np.flip(SQUARE, axis), scanner)
    np.testing.assert_allclose(np.flip(mirrored, axis), grey(SQUARE, scanner), atol=4e-5)


@pytest.mark.parametrize("changes", [{}, {"tilt": 2.0}])
def test_slabs_join(changes):
    """A blurred scan is the blur of the whole; along z the specimen goes on."""
    from scipy import ndimage

    scanner = PERFECT._replace(voxel=0.01, blur=1.5, **changes)
    high = size(SQUARE.shape, SPACING, scanner)[2]
    long = metal_fraction(SQUARE, SPACING, scanner, -20, high + 20)
    expected = ndimage.gaussian_filter(long, 1.5)[..., 20:-20]
    assert high > 32
    np.testing.assert_allclose(grey(SQUARE, scanner), expected, atol=4e-5)


def test_area_of_a_round_section():
    scanner = PERFECT._replace(voxel=0.011, section="round")
    fraction = whole(np.zeros((6, 6, 2), np.uint8), scanner)
    areas = fraction.sum(axis=(0, 1)) * 0.011**2
    np.testing.assert_allclose(areas, np.pi * 0.15**2, rtol=1e-3)


@pytest.mark.parametrize("section, shape", [("square", 1.0), ("round", np.pi / 4)])
def test_a_tilted_specimen(section, shape):
    """Its sections are larger by 1 / cos and move along x with z."""
    scanner = PERFECT._replace(voxel=0.01, tilt=10.0, section=section)
    fraction = whole(np.zeros((6, 6, 20), np.uint8), scanner)
    areas = fraction.sum(axis=(0, 1)) * 0.01**2
    np.testing.assert_allclose(areas, shape * 0.3**2 / np.cos(np.radians(10)), rtol=0.01)
    x = np.arange(fraction.shape[0]) @ fraction.sum(axis=1) / fraction.sum(axis=(0, 1))
    slope = np.polyfit(np.arange(len(x)), x, 1)[0]
    assert slope == pytest.approx(np.tan(np.radians(10)), rel=0.01)
    assert not fraction[0].any() and not fraction[-1].any()  # none is cut off


def test_a_small_tilt_changes_little():
    straight, tilted = (whole(SQUARE, PERFECT._replace(tilt=tilt)) for tilt in (0, 1e-9))
    wider = tilted.shape[0] - straight.shape[0]
    assert wider == 0
    assert abs(straight - tilted).mean() < 0.02
    assert tilted.sum() == pytest.approx(straight.sum(), rel=0.01)


def test_noise_and_seed():
    solid = np.zeros((8, 8, 16), np.uint8)
    scanner = PERFECT._replace(noise=0.08)
    values = grey(solid, scanner, 1)
    calm = grey(solid, PERFECT)
    assert (values - calm).std() == pytest.approx(0.08, rel=0.02)
    assert (values - calm).mean() == pytest.approx(0, abs=0.002)
    np.testing.assert_array_equal(values, grey(solid, scanner, 1))
    assert not np.array_equal(values, grey(solid, scanner, 2))


def test_cupping_and_rings():
    solid = np.zeros((20, 20, 4), np.uint8)
    scanner = PERFECT._replace(voxel=0.01, air=0.0)
    dark = grey(solid, scanner._replace(cupping=0.1))
    assert dark[50, 50] == pytest.approx(0.9, abs=1e-3)
    assert dark[0, 50] == pytest.approx(1.0, abs=3e-3)
    ringed = grey(solid, scanner._replace(rings=0.1))
    np.testing.assert_array_equal(ringed[:, :, 0], ringed[:, :, 19])
    np.testing.assert_array_equal(ringed, ringed.transpose(1, 0, 2))
    np.testing.assert_array_equal(ringed, ringed[::-1])
    assert ringed[:, 50, 0].std() == pytest.approx(0.1, rel=0.3)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"voxel": 0}, "voxel is 0 mm, expected above 0 and at most the specimen's shortest side"),
        ({"voxel": float("nan")}, "voxel is nan mm, expected above 0"),
        ({"voxel": 0.31}, "voxel is 0.31 mm, .* side, 0.3 mm"),
        ({"blur": -1}, "blur is -1, expected a number from 0 to 10"),
        ({"blur": 1e308}, r"blur is 1e\+308, expected a number from 0 to 10"),
        ({"noise": float("nan")}, "noise is nan, expected a number from 0 to 1"),
        ({"rings": 2}, "rings is 2, expected a number from 0 to 1"),
        ({"cupping": -0.1}, "cupping is -0.1, expected a number from 0 to 1"),
        ({"tilt": 31}, "tilt is 31, expected a number from 0 to 30"),
        ({"air": float("inf")}, "air is inf, expected a number from 0 to 10"),
        ({"section": "oval"}, "section is 'oval', expected one of square, round"),
    ],
)
def test_values_out_of_range_are_named(changes, message):
    with pytest.raises(PorefailError, match=f"^{message}"):
        scan(SQUARE, SPACING, PERFECT._replace(**changes))


@pytest.mark.parametrize(
    "porosity, spacing, seed, message",
    [
        (POROSITY[0], SPACING, 0, r"porosity has shape \[5, 6\], expected three sides"),
        (POROSITY[:0], SPACING, 0, r"porosity has shape \[0, 5, 6\], expected three sides"),
        (SQUARE, -0.05, 0, "spacing is -0.05, expected a positive number of mm"),
        (SQUARE, float("nan"), 0, "spacing is nan, expected a positive number of mm"),
        (SQUARE, SPACING, -1, "seed is -1, expected a whole number from 0"),
        (POROSITY, SPACING, 0, "section is round, but the specimen has 4 by 5 voxels"),
    ],
)
def test_bad_specimens(porosity, spacing, seed, message):
    with pytest.raises(PorefailError, match=f"^{message}"):
        scan(porosity, spacing, PERFECT._replace(section="round"), seed)
