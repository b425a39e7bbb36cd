"""The compiled constitutive update gives what its Python source says."""

import numpy as np
import pytest

from porefail.fe import constitutive, void_growth
from porefail.fe.constitutive import KAPPA, STATE, initial_state


def random_step(generator, material):
    """A state after some random steps, and a next step: of any direction, size and speed."""
    state, stress = initial_state(material), np.empty(6)
    for last in [False] * generator.integers(0, 10) + [True]:
        change = generator.normal(size=6) * 10.0 ** generator.uniform(-5, -1.5)
        dt = 10.0 ** generator.uniform(-4, 2)
        if not last:
            new = np.empty(STATE)
            constitutive.update(change, state, dt, material, new, stress)
            state = new
    return change, state, dt


def evaluated(steps, material):
    """Elastic strain, κ, η, φ, stress and tangent of each step, as arrays."""
    results = []
    for change, state, dt in steps:
        new, stress, tangent = np.empty(STATE), np.empty(6), np.empty((6, 6))
        with np.errstate(all="ignore"):  # compiled code does not warn either
            constitutive.update(change, state, dt, material, new, stress)
            constitutive.consistent_tangent(change, state, dt, material, tangent)
        results.append((new[:6], *new[KAPPA:, None], stress, tangent))
    return results


def interpret(monkeypatch):
    """Replace the compiled functions of these modules by what they are compiled from."""
    modules = (constitutive, void_growth)
    names = {module.__name__ for module in modules}
    for module in modules:
        for name, value in list(vars(module).items()):
            function = getattr(value, "py_func", None)
            if function is not None and function.__module__ in names:
                monkeypatch.setattr(module, name, function)


@pytest.mark.parametrize("name", ["staged", "literal"])
def test_compiled_code_is_its_source(name, named, monkeypatch):
    """State, stress and tangent, equal to rounding."""
    material, generator = named(name), np.random.default_rng(11)
    steps = [random_step(generator, material) for _ in range(300)]
    compiled, source = evaluated(steps, material), constitutive.update.py_func
    interpret(monkeypatch)  # only now: it must not reach what is being compiled
    assert constitutive.update is source
    interpreted = evaluated(steps, material)
    worst, flowing = 0.0, 0
    for (_, state, _), one, other in zip(steps, compiled, interpreted, strict=True):
        flowing += one[1][0] != state[KAPPA] and one[3][0] < 0.99
        for a, b in zip(one, other, strict=True):
            assert np.all(np.isfinite(a))
            worst = np.maximum(worst, np.abs(a - b).max() / max(np.abs(b).max(), 1e-9))
    print("largest difference, relative:", worst, "steps with flow:", flowing, "of", len(steps))
    assert 50 < flowing < 250
    assert worst < 1e-9
