import numpy as np
import pytest

from porefail.dataset import symmetry
from porefail.dataset.transforms import (
    PIPELINES,
    masked_gaussian_filter,
    normalise,
    softmax_contrast,
    transform,
)
from porefail.errors import PorefailError

PAPER = [name for name in PIPELINES if name != "site"]  # the variants of section 4.2
SETTINGS = dict(filter_width=1.5, contrast=5.0, maximum_damage=0.5)


def ensemble(count=3, shape=(8, 8, 12), seed=0):
    rng = np.random.default_rng(seed)
    porosity = (rng.random((count, *shape)) < 0.05).astype(np.uint8)
    damage = rng.random((count, *shape)) ** 3 * 0.5
    damage[porosity == 1] = np.nan
    return damage.astype(np.float32), porosity


def test_filter_equals_a_direct_sum_over_the_solid_voxels():
    damage, porosity = ensemble(1, (5, 4, 6))
    field, solid = damage[0], porosity[0] == 0
    width = 0.8  # cut at 4 widths, 3.2 voxels: radius 3
    got = masked_gaussian_filter(field, solid, width)
    for voxel in np.argwhere(solid):
        total = weights = 0.0
        for other in np.argwhere(solid):
            if np.abs(other - voxel).max() <= 3:
                weight = np.exp(-np.sum((other - voxel) ** 2) / (2 * width**2))
                total += weight * field[tuple(other)]
                weights += weight
        assert got[tuple(voxel)] == pytest.approx(total / weights, rel=1e-6)


def test_filter_keeps_a_constant_field_and_ignores_what_voids_hold():
    damage, porosity = ensemble(1)
    solid = porosity[0] == 0
    constant = masked_gaussian_filter(np.where(solid, 0.3, np.nan), solid, 1.5)
    np.testing.assert_allclose(constant[solid], 0.3, rtol=1e-12)
    assert np.isnan(constant[~solid]).all()
    filled = np.where(solid, damage[0], 1e6)
    np.testing.assert_array_equal(
        masked_gaussian_filter(filled, solid, 1.5), masked_gaussian_filter(damage[0], solid, 1.5)
    )


def test_contrast_followed_by_normalisation_equals_the_softmax_with_its_denominator():
    field = ensemble(1)[0][0].astype(float) / 0.5
    exponential = np.exp(5.0 * field)
    expected = normalise(exponential / np.nansum(exponential))
    np.testing.assert_allclose(normalise(softmax_contrast(field, 5.0)), expected, atol=1e-14)
    assert np.nanmax(softmax_contrast(1e4 * field, 5.0)) == 1.0  # does not overflow


@pytest.mark.parametrize("name", PAPER)
def test_labels_span_zero_to_one_with_nan_in_voids_alone(name):
    damage, porosity = ensemble()
    label = transform(damage, porosity, name, **SETTINGS)
    assert label.dtype == np.float32 and label.shape == damage.shape
    np.testing.assert_array_equal(np.isnan(label), porosity == 1)
    np.testing.assert_array_equal(np.nanmin(label, axis=(1, 2, 3)), 0.0)
    np.testing.assert_array_equal(np.nanmax(label, axis=(1, 2, 3)), 1.0)


@pytest.mark.parametrize("name", PAPER)
@pytest.mark.parametrize("element", symmetry.ELEMENTS)
def test_transform_of_a_turned_field_is_the_turned_transform(name, element):
    damage, porosity = ensemble(1)
    turned = transform(
        symmetry.apply(element, damage), symmetry.apply(element, porosity), name, **SETTINGS
    )
    expected = symmetry.apply(element, transform(damage, porosity, name, **SETTINGS))
    np.testing.assert_allclose(turned, expected, atol=1e-6)


def test_id_and_g_do_not_depend_on_the_scale_and_sigma_keeps_the_order():
    damage, porosity = ensemble()
    for name in ("id", "g"):
        np.testing.assert_allclose(
            transform(damage, porosity, name, **SETTINGS),
            transform(3 * damage, porosity, name, **SETTINGS),
            atol=1e-6,
        )
    solid = porosity[0] == 0
    plain = transform(damage, porosity, "id", **SETTINGS)[0][solid]
    contrast = transform(damage, porosity, "sigma", **SETTINGS)[0][solid]
    order = np.argsort(plain, kind="stable")
    assert (np.diff(contrast[order]) >= -1e-6).all()
    assert contrast.mean() < plain.mean()  # contrast pushes low damage down


def test_an_isolated_peak_gives_way_to_a_cluster():
    damage = np.full((1, 8, 8, 16), 0.02)
    damage[0, 2, 2, 2] = 0.40  # isolated
    damage[0, 4:7, 4:7, 11:14] = 0.35
    damage[0, 5, 5, 12] = 0.36
    label = transform(damage, np.zeros(damage.shape, np.uint8), "t", **SETTINGS)[0]
    assert np.unravel_index(label.argmax(), label.shape) == (5, 5, 12)


def test_the_label_site_is_what_failed_and_its_solid_neighbours():
    damage, porosity = ensemble(3)
    damage = damage * np.float32(0.4)  # far below φ_max
    damage[0, 0, 3, 5] = damage[0, 6, 6, 11] = damage[1, 2, 2, 2] = 0.5
    damage[2, 4, 4, 4] = np.nextafter(np.float32(0.5), np.float32(1))
    for i, voxel in ((0, (0, 3, 5)), (0, (6, 6, 11)), (1, (2, 2, 2)), (2, (4, 4, 4))):
        porosity[(i, *voxel)] = 0
    label = transform(damage, porosity, "site", **SETTINGS)
    expected = np.zeros(porosity.shape)
    for i, x, y, z in np.argwhere((porosity == 0) & (np.nan_to_num(damage) >= 0.5)):
        expected[i, max(x - 1, 0) : x + 2, max(y - 1, 0) : y + 2, max(z - 1, 0) : z + 2] = 1
    expected[porosity == 1] = np.nan
    np.testing.assert_array_equal(label, expected)
    assert np.nansum(label, axis=(1, 2, 3)).min() >= 2
    with pytest.raises(PorefailError, match="realization 0: the field is constant"):
        transform(damage * np.float32(0.9), porosity, "site", **SETTINGS)


def test_errors_name_the_realization():
    damage, porosity = ensemble()
    constant = damage.copy()
    constant[1] = 0.1
    with pytest.raises(PorefailError, match="realization 17: .*constant"):
        transform(constant, porosity, "t", **SETTINGS, realization=[16, 17, 18])
    hole = damage.copy()
    hole[(2, *np.argwhere(porosity[2] == 0)[0])] = np.nan
    with pytest.raises(PorefailError, match="realization 2"):
        transform(hole, porosity, "t", **SETTINGS)
    with pytest.raises(PorefailError, match="realization 0: no solid"):
        transform(damage, np.ones_like(porosity), "id", **SETTINGS)


def test_bad_parameters_and_names_are_refused():
    damage, porosity = ensemble(1)
    with pytest.raises(PorefailError, match="'tt' is unknown: use one of id, sigma, g, t"):
        transform(damage, porosity, "tt", **SETTINGS)
    for bad in ({"filter_width": -1}, {"contrast": 0}, {"maximum_damage": float("nan")}):
        with pytest.raises(PorefailError, match="filter_width >= 0"):
            transform(damage, porosity, "t", **(SETTINGS | bad))
    with pytest.raises(PorefailError, match="must both be"):
        transform(damage[0], porosity[0], "t", **SETTINGS)
