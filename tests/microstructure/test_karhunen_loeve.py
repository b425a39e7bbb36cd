import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.microstructure.karhunen_loeve import expansion, gaussian_field, realize

SMALL = dict(shape=(8, 8, 16), spacing=0.05, correlation_length=0.1, exponent=2.0)


def test_paper_scale_keeps_about_12000_modes():
    expanded = expansion((20, 20, 80), 0.05, 0.105, 2.0, 0.999)
    assert expanded.modes == pytest.approx(12_000, rel=0.03)


def test_full_expansion_reproduces_the_covariance_matrix():
    shape, spacing, length, exponent = (3, 4, 5), 0.05, 0.12, 1.5
    expanded = expansion(shape, spacing, length, exponent, 1.0)
    modes = np.einsum("ia,jb,kc,abc->ijkabc", *expanded.axes, expanded.amplitude)
    modes = modes.reshape(60, 60)
    position = spacing * np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    position = position.reshape(60, 3)
    distance = np.abs(position[:, None] - position[None])
    covariance = np.exp(-((distance / length) ** exponent)).prod(-1)
    np.testing.assert_allclose(modes @ modes.T, covariance, atol=1e-12)
    np.testing.assert_allclose(expanded.scale, 1.0, atol=1e-12)


def test_truncation_keeps_the_asked_energy_and_no_more_modes_than_needed():
    full = expansion(**SMALL, energy=1.0)
    cut = expansion(**SMALL, energy=0.99)
    total = np.sum(full.amplitude**2)
    kept = np.sort(cut.amplitude[cut.amplitude > 0] ** 2)
    assert kept.sum() >= 0.99 * total
    ties = np.isclose(kept, kept[0], rtol=1e-8).sum()
    assert kept[ties:].sum() < 0.99 * total


def test_ensemble_has_unit_variance_the_correlation_and_the_mean_porosity():
    expanded = expansion(**SMALL, energy=0.999)
    fields = np.stack([gaussian_field(expanded, 1, i) for i in range(2000)])
    assert fields.var(axis=0).mean() == pytest.approx(1.0, abs=0.02)
    neighbours = (fields[:, :, :, 1:] * fields[:, :, :, :-1]).mean()
    assert neighbours == pytest.approx(np.exp(-0.25), abs=0.02)
    voids = np.mean([realize(expanded, 0.02, 1, i).mean() for i in range(2000)])
    assert voids == pytest.approx(0.02, rel=0.06)


def test_realization_depends_on_seed_and_number_alone():
    expanded = expansion(**SMALL, energy=0.999)
    again = expansion(**SMALL, energy=0.999)
    first = realize(expanded, 0.1, 7, 3)
    realize(expanded, 0.1, 7, 4)
    np.testing.assert_array_equal(first, realize(again, 0.1, 7, 3))
    assert not np.array_equal(first, realize(expanded, 0.1, 7, 4))
    assert not np.array_equal(first, realize(expanded, 0.1, 8, 3))


@pytest.mark.parametrize(
    "name, bad",
    [
        ("shape", [(8, 8), (8, 8, 0), (8, 8, -4), (8, 8, 4.0), (8, 8, "8")]),
        ("spacing", [0, -0.05, np.inf, np.nan]),
        ("correlation_length", [0, -0.1, np.inf, np.nan]),
        ("exponent", [0, -1, 2.01, np.nan]),
        ("energy", [0, -0.1, 1.01, np.nan]),
    ],
)
def test_values_out_of_range_are_named(name, bad):
    for value in bad:
        with pytest.raises(PorefailError, match=f"^{name} is .*, expected "):
            expansion(**SMALL | {"energy": 0.9} | {name: value})


def test_a_negative_seed_is_refused():
    with pytest.raises(PorefailError, match="seed is -1, expected"):
        gaussian_field(expansion(**SMALL, energy=0.9), -1, 0)
