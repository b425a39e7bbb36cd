"""The stages of the constitutive update, which the vector loops join as the update does."""

import numpy as np

from porefail.fe.constitutive import (
    KAPPA,
    LAST_CORRECTION,
    PHI,
    STATE,
    consistent_tangent,
    flow,
    grow,
    initial_state,
    settle,
    trial_stress,
    update,
)


def by_stages(strain, old, dt, material, lag=0.0, voids=True):
    """What `grow` returns for one point, the flow equation solved to rounding."""
    trial = old[:6] + strain
    mises, y = trial_stress(*trial, old[KAPPA], dt, material)
    for _ in range(60):
        unbalance, slope, increment, hardened = flow(y, mises, old[KAPPA], dt, material)
        y += unbalance / slope
    return grow(*trial, *old, increment, slope, hardened, lag, voids, material)


def test_stages_make_up_the_update(named):
    """State and stress, of a point that flows and of one that does not."""
    material = named("staged")
    for size in (1e-4, 0.02):
        old, new, stress = initial_state(material), np.empty(STATE), np.empty(6)
        strain = size * np.array([-0.2, -0.15, 1.0, 0.2, -0.1, 0.05])
        update(strain, old, 1.0, material, new, stress)
        assert (new[KAPPA] > old[KAPPA]) == (size > 1e-3)
        result = by_stages(strain, old, 1.0, material)
        np.testing.assert_allclose(new, result[:9], rtol=1e-11)
        mean = [result[15]] * 3 + [0] * 3
        np.testing.assert_allclose(stress, np.add(result[9:15], mean), rtol=1e-11)


def test_lagging_damage_changes_the_stress_alone(named):
    """With lag the stress feels φ as it was: σ = (1−φ_old)·σ̃, and so do the moduli."""
    material = named("staged")
    strain = np.array([-0.004, -0.003, 0.02, 0.004, -0.002, 0.001])
    old = initial_state(material)
    with_lag, without = (np.array(by_stages(strain, old, 1.0, material, x)) for x in (1.0, 0.0))
    assert without[PHI] > old[PHI]
    ratio = (1 - old[PHI]) / (1 - without[PHI])
    np.testing.assert_array_equal(with_lag[:9], without[:9])
    np.testing.assert_allclose(with_lag[9:18], ratio * without[9:18], rtol=1e-13)
    np.testing.assert_allclose(with_lag[18], without[18] / ratio, rtol=1e-13)


def test_where_there_are_no_voids_none_grow(named):
    """What `grow` leaves out then would have changed nothing; in tension and in compression."""
    material = named("staged")._replace(void_density=0.0, initial_damage=0.0)
    strain = np.array([-0.004, -0.003, 0.02, 0.004, -0.002, 0.001])
    for sign in (1.0, -1.0):
        whole, less = (
            by_stages(sign * strain, initial_state(material), 1.0, material, voids=voids)
            for voids in (True, False)
        )
        assert whole[PHI] == 0.0 and whole[KAPPA] > material.initial_hardening
        np.testing.assert_array_equal(less, whole)


def test_solver_tangent_is_the_consistent_one_without_softening(named):
    material = named("staged")._replace(void_density=0.0, initial_damage=0.0)
    strain = np.array([-0.004, -0.003, 0.02, 0.004, -0.002, 0.001])
    old = initial_state(material)
    result = by_stages(strain, old, 1.0, material)
    deviator, (bulk, shear, radial) = np.array(result[9:15]), result[16:19]
    assert radial < 0
    volume = np.outer([1, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0])
    identity = np.diag([1, 1, 1, 0.5, 0.5, 0.5])
    expected = (
        bulk * volume + 2 * shear * (identity - volume / 3) + radial * np.outer(deviator, deviator)
    )
    tangent = np.empty((6, 6))
    consistent_tangent(strain, old, 1.0, material, tangent)
    np.testing.assert_allclose(tangent, expected, rtol=1e-10, atol=1e-6)
    np.testing.assert_allclose(tangent, tangent.T, rtol=1e-10, atol=1e-6)


def test_last_correction_needs_no_other_look(named):
    """Γ and κ after it are those of the solved flow equation."""
    material, old = named("staged"), initial_state(named("staged"))
    strain = np.array([-0.004, -0.003, 0.02, 0.004, -0.002, 0.001])
    mises, y = trial_stress(*strain, old[KAPPA], 1.0, material)
    for _ in range(60):
        unbalance, slope, increment, hardened = flow(y, mises, old[KAPPA], 1.0, material)
        y += unbalance / slope
    unbalance, slope, near, _ = flow(y + LAST_CORRECTION, mises, old[KAPPA], 1.0, material)
    settled = settle(unbalance / slope, near, old[KAPPA], material)
    assert abs(near / increment - 1) > 0.5 * LAST_CORRECTION
    np.testing.assert_allclose(settled, (increment, hardened), rtol=1e-11)
