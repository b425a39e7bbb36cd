import itertools

import numpy as np
import pytest
from scipy import ndimage

from porefail.baselines import sites


def porosity(count=3, shape=(6, 6, 10), seed=0):
    rng = np.random.default_rng(seed)
    smooth = [ndimage.gaussian_filter(rng.standard_normal(shape), 0.7) for _ in range(count)]
    return (np.array(smooth) > 0.5).astype(np.uint8)


def grown_from(voxel, voids):
    """Voxels of the pore of a voxel, by flood fill."""
    pore, front = {voxel}, [voxel]
    while front:
        place = front.pop()
        for step in itertools.product((-1, 0, 1), repeat=3):
            near = tuple(a + b for a, b in zip(place, step, strict=True))
            inside = all(0 <= a < n for a, n in zip(near, voids.shape, strict=True))
            if inside and voids[near] and near not in pore:
                pore.add(near)
                front.append(near)
    return pore


def test_the_size_of_the_largest_pore_that_a_voxel_touches():
    voids = porosity()
    got = sites.pore_size(voids)
    for field, voxels in zip(got, voids, strict=True):
        size = np.zeros(voxels.shape)
        for void in map(tuple, np.argwhere(voxels)):
            count = len(grown_from(void, voxels))
            around = tuple(slice(max(a - 1, 0), a + 2) for a in void)
            size[around] = np.maximum(size[around], count)
        solid = voxels == 0
        np.testing.assert_allclose(field[solid], size[solid] / size[solid].max(), rtol=1e-6)


def test_the_porosity_of_the_cross_section():
    voids = porosity()
    got = sites.section_porosity(voids)
    for field, voxels in zip(got, voids, strict=True):
        share = [voxels[:, :, z].mean() for z in range(voxels.shape[2])]
        for x, y, z in np.argwhere(voxels == 0):
            assert field[x, y, z] == pytest.approx(share[z] / max(share))


def test_the_hot_spot_is_stress_times_tension():
    voids = porosity()
    rng = np.random.default_rng(1)
    mises, pressure = rng.random(voids.shape), rng.normal(size=voids.shape)
    got = sites.hot_spot(mises, pressure, voids)
    for i in range(len(voids)):
        solid = voids[i] == 0
        product = [max(m * p, 0) for m, p in zip(mises[i][solid], pressure[i][solid], strict=True)]
        np.testing.assert_allclose(got[i][solid], np.array(product) / max(product), rtol=1e-5)


@pytest.mark.parametrize("name", ["pore_size", "section_porosity"])
def test_they_are_nan_in_voids_alone_and_zero_without_a_pore(name):
    voids = porosity()
    voids[0] = 0
    field = getattr(sites, name)(voids)
    assert field.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(field), voids == 1)
    assert (field[0] == 0).all() and np.nanmax(field[1]) == 1


def test_submodels_come_before_hot_spots_and_the_soonest_first():
    voids = porosity(1)
    solid = voids == 0
    stress = np.random.default_rng(1).random(voids.shape)
    strain = np.zeros(voids.shape, np.float32)
    first, second = map(tuple, np.argwhere(solid)[[5, 40]])
    strain[first], strain[second] = 0.06, 0.04
    got = sites.submodel_failure(strain, stress, stress, voids)
    order = np.argsort(-got[solid])
    assert got[second] == 1 and got[solid][order[1]] == got[first]
    others = solid & (strain == 0)
    spots = sites.hot_spot(stress, stress, voids)
    np.testing.assert_allclose(got[others], 0.5 * spots[others], rtol=1e-6)
    assert np.isnan(got[~solid]).all()
    none = sites.submodel_failure(np.zeros_like(strain), stress, stress, voids)
    np.testing.assert_allclose(none[solid], spots[solid], rtol=1e-6)
