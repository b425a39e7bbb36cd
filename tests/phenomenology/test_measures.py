"""Numbers of section 2.4 on histories and fields whose answers are known."""

import numpy as np
import pytest

from porefail.phenomenology import measures as ph

NAN = np.nan


def mask(shape, *voxels) -> np.ndarray:
    field = np.zeros((1, *shape), bool)
    for voxel in voxels:
        field[(0, *voxel)] = True
    return field


def test_spread_of_known_values():
    got = ph.spread(np.array([1.0, 2.0, NAN, 3.0, 4.0, 10.0]))
    assert got.n == 5
    np.testing.assert_allclose(got[:5], [4, np.sqrt(50 / 4), 3, 2, 4])


def test_spread_of_one_and_of_none():
    one, none = ph.spread(np.array([7.0])), ph.spread(np.array([NAN]))
    assert one.mean == one.median == one.lower == one.upper == 7 and np.isnan(one.deviation)
    assert none.n == 0 and np.isnan(none[:5]).all()


def test_values_between_steps_and_after_the_end():
    strain = np.array([[0.01, 0.02, 0.04], [0.01, 0.015, NAN], [NAN] * 3])
    got = ph.value_at(strain, 10 * strain, 0.03)
    np.testing.assert_allclose(got, [0.3, NAN, NAN])
    np.testing.assert_allclose(ph.value_at(strain, 10 * strain, 0.015), [0.15, 0.15, NAN])
    np.testing.assert_allclose(ph.value_at(strain, 10 * strain, 0.001), [0.1, 0.1, NAN])
    strain = np.array([np.cumsum(np.full(10, 0.01))])  # 0.09999999999999999
    np.testing.assert_allclose(ph.value_at(strain, 10 * strain, 0.1), [1.0])


def test_strain_at_which_a_level_is_first_reached():
    strain = np.array([[0.01, 0.02, 0.03], [0.01, 0.02, NAN], [NAN] * 3, [0.01, 0.02, 0.03]])
    values = np.array([[0.1, 0.5, 0.3], [0.1, 0.2, NAN], [NAN] * 3, [0.6, 0.7, 0.8]])
    np.testing.assert_allclose(ph.strain_at(strain, values, 0.3), [0.015, NAN, NAN, 0.01])
    np.testing.assert_allclose(ph.strain_at(strain, values, 0.5)[0], 0.02)


def test_length_of_a_plateau_is_what_it_was_made():
    """Rise to 0.6 at 2 %, 0.6 to 0.62 until 4 %, then failure at 5 %."""
    strain = np.array([[0.0, 0.02, 0.04, 0.05]])
    damage = np.array([[0.0, 0.6, 0.62, 1.0]])
    length = ph.strain_at(strain, damage, 0.7) - ph.strain_at(strain, damage, 0.5)
    expected = (0.04 + 0.01 * 0.08 / 0.38) - 0.02 * 5 / 6
    np.testing.assert_allclose(length, expected)


def test_peak():
    np.testing.assert_array_equal(ph.peak(np.array([[1.0, 3.0, 2.0], [NAN] * 3])), [3, NAN])


def test_voxels_above_a_level():
    damage = np.full((2, 2, 2, 2), 0.1)
    damage[0, 0, 0] = NAN
    damage[0, 1, 1] = [0.2, 0.3]
    np.testing.assert_array_equal(ph.count_above(damage, 0.2), [2, 0])
    np.testing.assert_array_equal(ph.count_above(damage, 0.0), [6, 8])


def test_failed_fraction_is_of_solid_voxels():
    failed = np.concatenate([mask((2, 2, 4), (0, 0, 0), (1, 1, 3)), mask((2, 2, 4))])
    porosity = np.zeros(failed.shape, np.uint8)
    porosity[:, 0, 1] = 1
    np.testing.assert_allclose(ph.failed_fraction(failed, porosity), [2 / 12, NAN])


def test_heights_of_first_and_final_failure():
    """A layer that holds the first failed voxel, and one voxel five layers above it."""
    first = mask((4, 4, 16), (1, 2, 5))
    final = first.copy()
    final[0, :, :, 5] = True
    final[0, 0, 0, 10] = True
    np.testing.assert_allclose(ph.height(first, 0.05), 0.275)
    np.testing.assert_allclose(ph.height(final, 0.05), (16 * 0.275 + 0.525) / 17)
    np.testing.assert_allclose(ph.densest_layer(final, 0.05), 0.275)
    assert ph.thickness(first, 0.05) == 0
    for measure in (ph.height, ph.thickness, ph.densest_layer):
        np.testing.assert_array_equal(measure(mask((4, 4, 16)), 0.05), [NAN])


def test_tied_layers_count_by_their_mean():
    tied = mask((2, 2, 8), (0, 0, 1), (1, 1, 4), (0, 1, 4), (1, 0, 1), (0, 0, 6))
    np.testing.assert_allclose(ph.densest_layer(tied, 0.1), 0.3)


def test_thickness_of_known_surfaces():
    side = 20
    slanted = mask((side, side, 2 * side), *((i, j, i) for i in range(side) for j in range(side)))
    width = side * 0.05
    tilted = ph.thickness(slanted, 0.05)[0]
    assert tilted == pytest.approx(width / np.sqrt(12), rel=2e-3)
    two = mask((4, 4, 8), *((i, j, k) for i in range(4) for j in range(4) for k in (3, 4)))
    assert ph.thickness(two, 0.05)[0] == pytest.approx(0.025)


def test_correlation():
    one = np.array([0.0, 1.0, 2.0, NAN, 3.0])
    assert ph.correlation(one, 5 - 2 * one) == pytest.approx(-1)
    assert ph.correlation(one, np.array([1.0, 0.0, 1.0, 0.0, 0.0])) == pytest.approx(
        np.corrcoef([0, 1, 2, 3], [1, 0, 1, 0])[0, 1]
    )
    assert np.isnan(ph.correlation(one[:2], one[:2]))
    assert np.isnan(ph.correlation(one, np.ones(5)))


def test_representatives():
    values = np.array([5.0, 1.0, 4.0, 2.0, 3.0])
    assert ph.representatives(values, 1).tolist() == [4]
    assert ph.representatives(values, 3).tolist() == [1, 4, 0]
    assert ph.representatives(values, 9).tolist() == [1, 3, 4, 2, 0]
    assert ph.representatives(values[:1], 3).tolist() == [0]


# Rise to 0.6 at 2 %, 0.6 until 4 %, down to 0.5, failure at 5 %; one that never comes there; none.
STRAIN = np.array([[0.0, 0.02, 0.04, 0.045, 0.05], [0.01, 0.02, NAN, NAN, NAN], [NAN] * 5])
DAMAGE = np.array([[0.0, 0.6, 0.6, 0.5, 1.0], [0.1, 0.2, NAN, NAN, NAN], [NAN] * 5])


def test_strain_spent_between_levels():
    rise, fall = 0.02 * 0.05 / 0.6, 0.005 * 0.05 / 0.1
    again = 0.005 * 0.2 / 0.5
    got = ph.strain_between(STRAIN, DAMAGE, 0.55, 0.75)
    np.testing.assert_allclose(got, [rise + 0.02 + fall + again, 0, NAN])
    np.testing.assert_allclose(ph.strain_between(STRAIN, DAMAGE, 0, 1), [0.05, 0.01, NAN])


def test_mean_of_another_history_between_levels():
    other = np.array([[0.0, 2.0, 4.0, 5.0, 8.0], [1, 1, NAN, NAN, NAN], [NAN] * 5])
    got = ph.mean_between(STRAIN, DAMAGE, other, 0.45, 0.75)
    expected = (0.02 * 2 + 0.02 * 4 + 0.005 * 5) / 0.045
    np.testing.assert_allclose(got, [expected, NAN, NAN])


def test_strain_at_which_a_level_is_exceeded_for_good():
    got = ph.last_strain_at(STRAIN, DAMAGE, 0.55)
    np.testing.assert_allclose(got, [0.045 + 0.005 * 0.05 / 0.5, NAN, NAN])
    assert ph.strain_at(STRAIN, DAMAGE, 0.55)[0] < 0.02


def test_level_of_a_plateau():
    """Exact where it is flat, whatever the flanks; none where damage only accelerates."""
    levels = np.linspace(0.3, 0.9, 61)
    got = ph.plateau_level(STRAIN, DAMAGE, 0.1, levels, 0.01)
    assert got[0] == pytest.approx(0.6, abs=0.01) and np.isnan(got[1:]).all()
    strain = np.array([[0.002, 0.02, 0.04, 0.05]])
    picture = np.array([[0.16, 0.6, 0.6, 1.0]])
    assert ph.plateau_level(strain, picture, 0.1, levels, 0.01)[0] == pytest.approx(0.6, abs=0.01)
    x = np.linspace(0.001, 0.05, 200)
    assert np.isnan(ph.plateau_level(x[None], 0.01 / (0.06 - x[None]), 0.1, levels, 0.01)).all()
    # The last windows hold it, but not as their middle.
    high = np.full((1, 200), levels[-1] + 0.03)
    assert np.isnan(ph.plateau_level(x[None], high, 0.1, levels, 0.01)).all()
