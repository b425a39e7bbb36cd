"""exp and log of the vector loops against NumPy's."""

import numpy as np
import pytest
from numba import njit

from porefail.fe.elementary import exp, log

ULP = 4  # as the module promises


@njit
def exp_of_all(x, out):
    for n in range(x.size):
        out[n] = exp(x[n])


@njit
def log_of_all(x, out):
    for n in range(x.size):
        out[n] = log(x[n])


def of_all(loop, x):
    out = np.empty_like(x)
    loop(x, out)
    return out


def ulps(value, exact):
    """Distance in units of the last place of `exact`."""
    return np.abs(value - exact) / np.spacing(np.abs(exact))


def exponents():
    generator = np.random.default_rng(0)
    small = 10.0 ** generator.uniform(-300, 0, 2000)
    # Where the reduction to |r| <= ln(2)/2 changes its integer, on both sides.
    halves = (np.arange(-1009, 1009) + 0.5) * np.log(2)
    near = [np.nextafter(halves, -np.inf), halves, np.nextafter(halves, np.inf)]
    return np.concatenate([generator.uniform(-700, 700, 100_000), small, -small, *near])


def positive():
    generator = np.random.default_rng(1)
    wide = 2.0 ** generator.uniform(-1022, 1023.99, 100_000)
    around_one = 1.0 + generator.normal(size=20_000) * 10.0 ** generator.uniform(-16, -1, 20_000)
    powers = 2.0 ** np.arange(-1022, 1024)
    root = np.sqrt(0.5) * powers[1:]  # where the exponent taken out changes
    near = [np.nextafter(root, 0), root, np.nextafter(root, np.inf)]
    return np.concatenate([wide, np.abs(around_one), powers, *near])


def test_exp_is_numpys():
    x = exponents()
    worst = ulps(of_all(exp_of_all, x), np.exp(x))
    print("exp: largest error", worst.max(), "ulp, at", x[worst.argmax()])
    assert worst.max() <= ULP


def test_log_is_numpys():
    x = positive()
    worst = ulps(of_all(log_of_all, x), np.log(x))
    print("log: largest error", worst.max(), "ulp, at", x[worst.argmax()])
    assert worst.max() <= ULP


@pytest.mark.parametrize(
    ("function", "loop", "values"), [(exp, exp_of_all, exponents), (log, log_of_all, positive)]
)
def test_a_loop_gives_what_single_calls_give(function, loop, values):
    x = values()[::97]
    np.testing.assert_array_equal(of_all(loop, x), [function(number) for number in x])


def test_exp_is_clipped():
    ends = [exp(-700.0), exp(700.0)]
    assert 0 < ends[0] < 1e-303 and np.isfinite(ends[1])
    assert [exp(-np.inf), exp(np.inf)] == ends
    assert [exp(-1e300), exp(1e300)] == ends


def test_exact_values():
    assert exp(0.0) == exp(-0.0) == exp(1e-300) == 1.0
    assert log(1.0) == 0.0


def test_exp_and_log_undo_each_other():
    x = np.random.default_rng(2).uniform(-690, 690, 1000)
    back = of_all(log_of_all, of_all(exp_of_all, x))
    np.testing.assert_allclose(back, x, rtol=1e-15, atol=2e-15)
