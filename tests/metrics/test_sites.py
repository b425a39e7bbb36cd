import itertools

import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.metrics.sites import (
    Hits,
    hits,
    hot_cluster,
    hottest_voxel,
    largest_pore,
    pool,
    position,
    random_hits,
    weakest_section,
)

SPACING = 0.05


def specimen(seed=0, shape=(4, 5, 8)):
    rng = np.random.default_rng(seed)
    solid = rng.random(shape) > 0.1
    score = np.where(solid, rng.random(shape), np.nan)
    failed = np.zeros(shape, bool)
    for voxel in rng.permutation(np.argwhere(solid))[: 1 + seed % 2]:
        failed[tuple(voxel)] = True
    return solid, score, failed


def brute_hits(sites, failed, near_voxels, near_z):
    """By distances between all pairs of voxels of a site and failed voxels."""
    rows = []
    for site in sites:
        gap = np.array(
            [np.abs(a - b) for a in np.argwhere(site) for b in np.argwhere(failed)]
        ).reshape(-1, 3)
        chebyshev, along = gap.max(axis=1).min(), gap[:, 2].min() * SPACING
        rows.append((chebyshev == 0, chebyshev <= near_voxels, along <= near_z + 1e-9, site.sum()))
    return np.mean(rows, axis=0)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("near_voxels, near_z", [(0, 0.0), (1, 0.1), (2, 0.15)])
def test_hits_equal_distances_between_all_pairs(seed, near_voxels, near_z):
    solid, score, failed = specimen(seed)
    for sites in (
        hot_cluster(score, solid, 0.8),
        hottest_voxel(score, solid),
        largest_pore(solid),
        weakest_section(solid),
    ):
        got = hits(sites, failed, near_voxels, near_z, SPACING)
        assert got == pytest.approx(brute_hits(sites, failed, near_voxels, near_z))


@pytest.mark.parametrize("seed", range(4))
def test_random_site_is_the_mean_over_every_solid_voxel(seed):
    solid, _, failed = specimen(seed)
    every = hottest_voxel(np.where(solid, 1.0, np.nan), solid)  # all tie
    assert len(every) == solid.sum()
    expected = hits(every, failed, 1, 0.1, SPACING)
    assert random_hits(solid, failed, 1, 0.1, SPACING) == pytest.approx(expected)


def test_z_distance_of_exactly_the_limit_counts_in_spite_of_rounding():
    failed = np.zeros((1, 1, 12), bool)
    failed[0, 0, 0] = True
    for layers in range(12):
        site = np.roll(failed, layers, axis=2)[None]
        assert hits(site, failed, 0, 0.2, 0.05).near_z == (layers <= 4)
        assert hits(site, failed, 0, 0.05 * 3, 0.05).near_z == (layers <= 3)


def test_hot_cluster_holds_the_maximum_and_stops_at_the_threshold():
    solid = np.ones((4, 4, 12), bool)
    score = np.full(solid.shape, 0.1)
    score[1, 1, 1], score[2, 2, 2], score[2, 2, 3], score[2, 2, 4] = 1.0, 0.85, 0.79, 0.9
    score[0, 0, 9:11] = 0.95  # another, lower cluster, though larger
    site = hot_cluster(score, solid, 0.8)
    assert site.shape == (1, 4, 4, 12)
    assert {tuple(map(int, v)) for v in np.argwhere(site[0])} == {(1, 1, 1), (2, 2, 2)}


def test_ties_are_shared():
    solid = np.ones((2, 2, 12), bool)
    score = np.zeros(solid.shape)
    score[0, 0, 1] = score[0, 0, 10] = 1.0
    failed = np.zeros(solid.shape, bool)
    failed[0, 0, 10] = True
    for sites in (hot_cluster(score, solid, 0.8), hottest_voxel(score, solid)):
        assert len(sites) == 2
        assert hits(sites, failed, 1, 0.1, SPACING) == Hits(0.5, 0.5, 0.5, 1.0)
    score[0, 1, 10] = 1.0  # the maximum twice in one cluster: still two clusters
    assert len(hot_cluster(score, solid, 0.8)) == 2
    assert len(hottest_voxel(score, solid)) == 3


def test_largest_pore_is_its_skin_of_solid_voxels():
    solid = np.ones((6, 6, 12), bool)
    solid[2, 2, 3] = solid[3, 3, 4] = False  # two voxels that share a corner: one pore
    solid[4, 4, 9] = False
    (site,) = largest_pore(solid)
    pore = np.array([(2, 2, 3), (3, 3, 4)])
    expected = np.zeros(solid.shape, bool)
    for voxel in itertools.product(range(6), range(6), range(12)):
        expected[voxel] = solid[voxel] and np.abs(pore - voxel).max(axis=1).min() <= 1
    np.testing.assert_array_equal(site, expected)
    solid[3, 3, 9] = False
    assert len(largest_pore(solid)) == 2
    with pytest.raises(PorefailError, match="no pore"):
        largest_pore(np.ones((2, 2, 2), bool))


def test_weakest_section_is_the_solid_part_of_the_layer_with_the_most_void():
    solid = np.ones((4, 4, 6), bool)
    solid[0, :2, 2] = solid[1, 1, 3] = False
    (site,) = weakest_section(solid)
    assert site.sum() == 14 and site[:, :, 2].sum() == 14
    solid[1, 2, 3] = False
    assert len(weakest_section(solid)) == 2


def test_pool_and_position():
    pooled = pool([Hits(1.0, 1.0, 1.0, 4.0), Hits(0.0, 0.5, 1.0, 8.0)])
    assert pooled == Hits(1.0, 1.5, 2.0, 6.0)
    mask = np.zeros((2, 2, 4), bool)
    mask[0, 0, 0] = mask[1, 0, 3] = True
    np.testing.assert_allclose(position(mask, 0.05), [0.05, 0.025, 0.1])


def test_bad_input_is_refused():
    solid, score, failed = specimen()
    none = np.zeros_like(failed)
    with pytest.raises(PorefailError, match="no voxel has failed"):
        hits(solid[None], none, 1, 0.2, SPACING)
    with pytest.raises(PorefailError, match="no voxel has failed"):
        random_hits(solid, none, 1, 0.2, SPACING)
    with pytest.raises(PorefailError, match="site is empty"):
        hits(none[None], failed, 1, 0.2, SPACING)
    with pytest.raises(PorefailError, match="boolean and of one grid"):
        hits(solid, failed, 1, 0.2, SPACING)
    with pytest.raises(PorefailError, match="empty set"):
        position(none, SPACING)
