"""From scan voxels to those of a simulation: volume of the voids, and pores read back."""

import numpy as np
import pytest
from scipy import ndimage

from porefail.scans import coarsening
from porefail.scans.coarsening import (
    TRACE,
    coarsen,
    edge_voids,
    fractions,
    overlaps,
    void_shares,
    whole_voxels,
)
from porefail.scans.phantom import Scanner, scan
from porefail.scans.segmentation import metal_of, segment
from porefail.scans.threshold import grey_values

RANDOM = np.random.default_rng(8)
VOXEL = 0.05  # mm
ALL = ndimage.generate_binary_structure(3, 3)


def specimen(seed: int = 0, shape=(8, 10, 12), share: float = 0.03) -> np.ndarray:
    """Single voxels, some at the surface but none at its edges, and a large pore."""
    random = np.random.default_rng(seed)
    pores = random.random(shape) < share
    pores[2:5, 3:6, 5:8] = True
    for x in (np.s_[:2], np.s_[-2:]):
        pores[x, :2] = pores[x, -2:] = False  # beside a convex hull
    return pores.astype(np.uint8)


def read_back(porosity: np.ndarray, scanner: Scanner, seed: int = 0) -> coarsening.Coarse:
    """What the scan of a specimen shows of it."""
    grey = scan(porosity, VOXEL, scanner, seed)
    values = grey_values("scan", grey)
    found = segment("scan", grey, metal_of(values))
    where = tuple(slice(a, a + n) for a, n in zip(found.first, found.part.shape, strict=True))
    shares = void_shares(grey[where], found.void, found.part, values.metal, values.void)
    return coarsen(found.part, shares, (scanner.voxel,) * 3, VOXEL)


@pytest.mark.parametrize(
    "voxel, skin", [(0.05, 2), (0.025, 1), (0.0125, 0), (0.01, 0), (0.0098, 0)]
)
def test_a_noiseless_scan_gives_the_porosity_again(voxel, skin):
    """Also pores at the surface, where scan voxels see them; 0.0098 mm divides no side."""
    for seed in range(3):
        porosity = specimen(seed)
        for axis in range(2 if skin else 0):
            np.moveaxis(porosity, axis, 0)[:skin] = np.moveaxis(porosity, axis, 0)[-skin:] = 0
        found = read_back(porosity, Scanner(voxel, blur=0, noise=0))
        np.testing.assert_array_equal(found.pores, porosity == 1)
        np.testing.assert_array_equal(found.porosity, porosity)
        assert not found.outside.any()
        assert found.lost == 0 and found.lost_volume == 0
        np.testing.assert_allclose(found.corner, 0, atol=voxel)


def test_a_blurred_and_noisy_scan_gives_nearly_the_porosity_again():
    """Voids of a voxel of the simulation, four scan voxels across, in a point spread of 0.7."""
    missed, false, pores = 0, 0, 0
    for seed in range(6):
        porosity = specimen(seed, share=0.04)
        found = read_back(porosity, Scanner(0.0125), seed)
        missed += np.count_nonzero((porosity == 1) & ~found.pores)
        false += np.count_nonzero((porosity == 0) & found.pores)
        pores += np.count_nonzero(porosity)
    assert pores > 250
    assert missed < 0.02 * pores and false < 0.01 * pores


def test_a_void_at_an_edge_of_the_section_is_a_pore():
    """The hull of the section's metal leaves it out, sections above and below do not."""
    porosity = specimen()
    porosity[0, 0, 3:6] = 1
    found = read_back(porosity, Scanner(0.0125, blur=0, noise=0))
    np.testing.assert_array_equal(found.pores, porosity == 1)
    assert not found.outside.any()


def edges_of(outside: np.ndarray) -> np.ndarray:
    return edge_voids(1.0 - outside, np.ones(outside.shape))


@pytest.mark.parametrize(
    "tilt, waist, rough", [(0.01, 0, 0), (0.004, 0, 0), (0, 1, 0), (0, 0, 0.3)]
)
def test_a_round_part_whose_surface_comes_and_goes_has_no_edge_voids(tilt, waist, rough):
    """Tilted, with a waist (scan voxels), rough: there is no pore in it."""
    x, y, z = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in (84, 84, 240)), indexing="ij")
    radius = 40 - waist * np.exp(-((z / 30) ** 2)) + rough * RANDOM.standard_normal(z.shape)
    part = np.hypot(x - tilt * z, y) < radius
    found = coarsen(
        part, lambda first, last: np.zeros_like(part[:, :, first:last]), (0.0125,) * 3, VOXEL
    )
    assert not found.pores.any() and found.outside.any()


def test_a_mask_says_what_is_part_and_a_pore_at_an_edge_is_not_lost():
    part = np.ones((80, 80, 160), bool)
    part[:4, :4, 40:48] = False
    void = np.zeros_like(part)
    part[3, 3, 40:48] = void[3, 3, 40:48] = True  # a trace that the hull leaves in
    given = (lambda first, last: void[:, :, first:last]), (0.0125,) * 3, VOXEL
    found = coarsen(part, *given)
    assert np.argwhere(found.pores).tolist() == [[0, 0, 10], [0, 0, 11]]
    assert not found.outside.any() and found.fraction[0, 0, 10] == 1.0
    assert found.lost == 0 and found.lost_volume == 0
    masked = coarsen(part, *given, found=False)
    assert not masked.pores.any() and masked.outside.sum() == 2
    np.testing.assert_array_equal(masked.porosity, found.porosity)


def test_edge_voids_are_small_and_short():
    """A pore at an edge and one at an end are; a cut edge, a notch, a neck, a taper are not."""
    outside = np.zeros((10, 10, 40), bool)
    outside[0, 0, 3:7] = outside[9, 8:, 39] = outside[8, 9, 39] = True
    np.testing.assert_array_equal(edges_of(outside), outside)
    outside[9, 0] = True
    expected = outside.copy()
    expected[9, 0] = False
    np.testing.assert_array_equal(edges_of(outside), expected)
    for where in (np.s_[:1, :, 20:22], np.s_[:2, :, 12:30]):
        notched = np.zeros_like(outside)
        notched[where] = True
        assert not edges_of(notched).any()
    x, slope = np.arange(40)[:, None, None], np.arange(80) // 5
    for low, high in ((slope, 40), (slope, slope + 24)):  # tapered, tilted
        beside = np.broadcast_to((x < low) | (x >= high), (40, 40, 80))
        assert not edges_of(beside).any()


@pytest.mark.parametrize("voxel", [0.0125, 0.012, 0.01])
def test_pores_at_sides_and_edges_of_a_blurred_scan(voxel):
    """Of all sizes, and metal that they cut off: what is void or beside the part is so again."""
    porosity = np.zeros((10, 12, 64), np.uint8)
    porosity[0, 4, 4] = porosity[9, 5:7, 8:11] = porosity[3:7, :2, 14:18] = 1
    porosity[0, 1, 24] = porosity[1, 0, 24] = porosity[1, 1, 24] = 1  # a corner is left
    porosity[8:, 11, 30] = porosity[8, 10:, 30] = porosity[9, 10, 30] = 1
    porosity[9, 0, 36:40] = porosity[0, 10:, 46:48] = porosity[:2, 11, 46] = 1
    porosity[4:6, 5:8, 54] = porosity[0, 8, 56] = porosity[0, 9, 57] = 1
    for seed in range(3):
        found = read_back(porosity, Scanner(voxel), seed)
        np.testing.assert_array_equal(found.pores, porosity == 1)
        assert not found.outside.any()


def test_voxels_that_a_hull_cuts_count_for_the_pore_that_they_are_of():
    """Of four void voxels at an edge one is beside the part and two are cut in half by its hull."""
    fraction, inside = np.zeros((6, 6, 6)), np.ones((6, 6, 6))
    fraction[1, 1, 3], inside[0, 0, 3] = 0.9, 0.1
    fraction[0, 0, 3] = 0.08
    for x, y in ((0, 1), (1, 0)):
        fraction[x, y, 3] = inside[x, y, 3] = 0.55
    pores, lost, volume = whole_voxels(fraction, inside, np.ones_like(inside))
    assert np.argwhere(pores).tolist() == [[0, 1, 3], [1, 0, 3], [1, 1, 3]]
    assert lost == 0 and volume == 0
    # Where it is the box that ends there, nothing was cut off: 0.9 + 2 x 0.55 and one beside it.
    pores, _, _ = whole_voxels(fraction, inside, inside)
    assert np.argwhere(pores).tolist() == [[0, 1, 3], [1, 1, 3]]


def test_what_is_beside_the_part_counts_for_its_pore():
    """Of three voxels that hold two, one beside the part: one is left, the other is not void."""
    fraction, inside = np.zeros((6, 6, 6)), np.ones((6, 6, 6))
    fraction[4, 2, 3], fraction[3, 2, 3] = 1.0, 0.3
    fraction[5, 2, 3], inside[5, 2, 3] = 0.2, 0.3
    pores, lost, volume = whole_voxels(fraction, inside, np.ones_like(inside))
    assert np.argwhere(pores).tolist() == [[4, 2, 3]] and lost == 0 and volume == 0


def test_pores_that_are_beside_the_part_are_lost():
    """All of its voxels but one of half a voxel; traces beside the part are not of its volume."""
    fraction, inside = np.zeros((9, 6, 6)), np.ones((9, 6, 6))
    fraction[0, 1, 1], inside[0, 1, 1] = 0.06, 0.4
    fraction[1, 1, 1] = 0.45
    fraction[0, 4, 4], inside[0, 4, 4] = 0.3, 0.4
    fraction[8, 2:4, 2:4], inside[8, 2:4, 2:4] = 0.04, 0.1
    pores, lost, volume = whole_voxels(fraction, inside, np.ones_like(inside))
    assert not pores.any() and lost == 2
    assert volume == pytest.approx(0.06 + 0.45 + 0.3)


@pytest.mark.parametrize("side", [1.0, 1.06, 1.08])
def test_pores_at_sides_that_do_not_fit_keep_their_volume(side):
    """Voids of one voxel at the sides of a part whose sides end within a voxel."""
    edge = 0.0125
    count = round(side / edge)
    part = np.ones((count, count, 160), bool)
    void = np.zeros_like(part)
    for k in range(4, 156, 12):
        void[:4, 20 + k % 16 : 24 + k % 16, k : k + 4] = True
        void[40 + k % 16 : 44 + k % 16, -4:, k : k + 4] = True
    found = coarsen(part, lambda first, last: void[:, :, first:last], (edge,) * 3, VOXEL)
    volume = void.sum() * edge**3 / VOXEL**3
    assert found.pores.sum() == pytest.approx(volume, rel=0.15)


def test_grey_values_give_the_volume_of_pores_that_a_threshold_makes_smaller():
    """A pore of one voxel of the scan by one, blurred: its threshold finds nothing or one."""
    porosity = np.zeros((10, 10, 10), np.uint8)
    porosity[4:6, 4:6, 4:6] = 1
    grey = scan(porosity, VOXEL, Scanner(0.03, blur=1.0, noise=0))
    values = grey_values("scan", grey)
    found = segment("scan", grey, metal_of(values))
    where = tuple(slice(a, a + n) for a, n in zip(found.first, found.part.shape, strict=True))
    shares = void_shares(grey[where], found.void, found.part, 40_000, 10_000)
    volume = shares(0, found.part.shape[2]).sum() * 0.03**3
    assert volume == pytest.approx(8 * VOXEL**3, rel=0.1)
    assert found.void.sum() * 0.03**3 < 0.9 * 8 * VOXEL**3


def test_void_shares_of_slabs_join():
    grey = scan(specimen(), VOXEL, Scanner(0.0125), 3)[8:-8, 8:-8]
    void = grey < 25_000
    part = np.ones_like(void)
    shares = void_shares(grey, void, part, 40_000, 10_000)
    whole = shares(0, grey.shape[2])
    pieces = [shares(k, min(k + 5, grey.shape[2])) for k in range(0, grey.shape[2], 5)]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=2), whole)
    assert not whole[ndimage.distance_transform_cdt(~void) > coarsening.BLUR].any()


@pytest.mark.parametrize("n, step, m, voxel", [(40, 0.0125, 10, 0.05), (31, 0.0098, 6, 0.05)])
def test_overlaps_cover_what_they_cover(n, step, m, voxel):
    start = 0.5 * (n * step - m * voxel)
    found = overlaps(n, step, m, voxel, start)
    assert found.shape == (m, n)
    # By many points in each coarse voxel.
    points = start + voxel * (np.arange(m * 10_000) + 0.5) / 10_000
    owner = np.floor(points / step).astype(int)
    expected = np.zeros((m, n))
    valid = (owner >= 0) & (owner < n)
    np.add.at(expected, (np.arange(len(points))[valid] // 10_000, owner[valid]), 1e-4)
    np.testing.assert_allclose(found, expected, atol=3e-4)


@pytest.mark.parametrize("spacing", [(0.0125, 0.0125, 0.0125), (0.011, 0.0137, 0.02)])
@pytest.mark.parametrize("slab", [64, 7])
def test_the_volume_of_the_void_is_conserved(monkeypatch, spacing, slab):
    """Voids anywhere where the grid is; slabs change nothing."""
    monkeypatch.setattr(coarsening, "SLAB", slab)
    part = np.ones((40, 44, 48), bool)
    void = np.zeros_like(part)
    void[5:-5, 5:-5, 5:-5] = ndimage.gaussian_filter(RANDOM.random((30, 34, 38)), 1.5) > 0.54
    found = coarsen(part, lambda first, last: void[:, :, first:last], spacing, VOXEL)
    volume = void.sum() * np.prod(spacing)
    assert volume > 0
    assert found.fraction.sum(dtype=float) * VOXEL**3 == pytest.approx(volume, rel=1e-5)
    middle = 0.5 * np.array(part.shape) * spacing
    np.testing.assert_allclose(found.corner + 0.5 * VOXEL * np.array(found.pores.shape), middle)
    assert all(side % 2 == 0 for side in found.pores.shape)
    sides = np.array(part.shape) * spacing
    assert (abs(sides - VOXEL * np.array(found.pores.shape)) <= VOXEL * (1 + 1e-9)).all()


def test_fractions_are_means_of_blocks():
    shares = RANDOM.random((12, 16, 20)).astype(np.float32)
    weights = [overlaps(n, 0.0125, n // 4, 0.05, 0.0) for n in shares.shape]
    found = fractions(lambda first, last: shares[:, :, first:last], 20, weights)
    expected = shares.reshape(3, 4, 4, 4, 5, 4).mean(axis=(1, 3, 5))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_what_is_beside_a_part_is_outside():
    """A round bar: its section is kept, and no pore is beside it."""
    x, y = np.meshgrid(*[np.arange(64) - 31.5] * 2, indexing="ij")
    part = np.repeat((np.hypot(x, y) < 32)[:, :, None], 32, axis=2)
    void = np.zeros_like(part)
    void[30:38, 30:38, 12:20] = True
    found = coarsen(part, lambda first, last: void[:, :, first:last], (0.0125,) * 3, VOXEL)
    area = np.count_nonzero(~found.outside[:, :, 0]) * VOXEL**2
    assert area == pytest.approx(np.pi * 0.4**2, rel=0.05)
    assert not (found.outside & found.pores).any()
    np.testing.assert_array_equal(found.porosity == 1, found.outside | found.pores)
    assert found.pores.sum() == 8


@pytest.mark.parametrize("density", [0.002, 0.006])
def test_each_pore_keeps_its_volume_to_half_a_voxel(density):
    """Traces beside a pore are of it."""
    seeds = (RANDOM.random((20, 20, 30)) < density) * RANDOM.uniform(0.2, 6, (20, 20, 30))
    fraction = np.clip(ndimage.gaussian_filter(seeds, 0.5), 0, 1)
    pores, lost, lost_volume = whole_voxels(fraction, *2 * [np.ones_like(fraction)])
    labels, count = ndimage.label(fraction > TRACE, ALL)
    assert count > 10
    for k in range(1, count + 1):
        mine = labels == k
        around = ndimage.binary_dilation(mine, ALL)
        if (around & shared(labels, k)).any():
            continue  # whose trace it is is open
        total = fraction[around].sum()
        assert abs(pores[mine].sum() - total) <= 0.5 + 1e-9
        if pores[mine].any():  # those with the most void
            left = fraction[mine & ~pores]
            assert left.size == 0 or left.max() <= fraction[mine & pores].min()
    assert not pores[labels == 0].any()
    kept = np.zeros(count + 1, bool)
    kept[labels[pores]] = True
    assert lost == np.count_nonzero(~kept[1:]) > 0
    assert 0 < lost_volume < 0.5 * lost
    assert pores.sum() + lost_volume == pytest.approx(fraction.sum(), abs=0.5 * (count - lost))


def shared(labels: np.ndarray, k: int) -> np.ndarray:
    """Voxels beside another pore than k."""
    return ndimage.binary_dilation((labels != 0) & (labels != k), ALL)


def test_pores_that_leave_but_traces_are_counted_as_lost():
    fraction = np.zeros((9, 9, 9))
    fraction[1, 1, 1:3] = fraction[6, 6, 6] = 0.8 * TRACE
    fraction[4, 4, 4] = 1.0
    pores, lost, volume = whole_voxels(fraction, *2 * [np.ones_like(fraction)])
    assert np.argwhere(pores).tolist() == [[4, 4, 4]]
    assert lost == 2 and volume == pytest.approx(3 * 0.8 * TRACE)


def test_whole_voids_stay_and_nothing_stays_nothing():
    mask = RANDOM.random((9, 9, 9)) < 0.1
    pores, lost, volume = whole_voxels(mask.astype(float), *2 * [np.ones(mask.shape)])
    np.testing.assert_array_equal(pores, mask)
    assert lost == 0 and volume == 0
    pores, lost, volume = whole_voxels(np.zeros((4, 4, 4)), *2 * [np.ones((4, 4, 4))])
    assert not pores.any() and lost == 0 and volume == 0


def test_a_trace_does_not_join_pores():
    fraction = np.zeros((8, 4, 4))
    fraction[1, 1, 1] = fraction[4, 1, 1] = 0.6
    fraction[2:4, 1, 1] = 0.9 * TRACE
    pores, lost, _ = whole_voxels(fraction, *2 * [np.ones_like(fraction)])
    assert lost == 0
    assert np.argwhere(pores).tolist() == [[1, 1, 1], [4, 1, 1]]
