import numpy as np
import pytest
from mpi4py import MPI

from porefail.fe.secants import Secants


def test_secants_make_up_for_a_rough_tangent():
    """A linear problem whose tangent is ten times too stiff along a few directions."""
    generator = np.random.default_rng(0)
    axes = np.linalg.qr(generator.normal(size=(30, 30)))[0]
    true = axes @ np.diag(np.append([0.1, 0.15, 0.2], np.linspace(0.9, 1.1, 27))) @ axes.T
    wanted = generator.normal(size=30)
    steps = {}
    for learns in (True, False):
        secants, x = Secants(MPI.COMM_SELF), np.zeros(30)
        force, steps[learns] = wanted.copy(), 0
        while np.linalg.norm(force) > 1e-8 * np.linalg.norm(wanted):
            correction, solved = secants.solve(lambda f: (f.copy(), True), force)
            assert solved
            assert np.vdot(correction, force) > 0
            x, before = x + correction, force
            force = wanted - true @ x
            if learns:
                secants.learn(correction, before - force)
            steps[learns] += 1
    print("corrections with and without:", steps)
    assert steps[True] < 0.2 * steps[False]


def test_negative_work_is_not_learnt():
    secants = Secants(MPI.COMM_SELF)
    secants.learn(np.array([1.0, 0.0]), np.array([-1.0, 0.0]))
    correction, solved = secants.solve(lambda f: (0.5 * f, False), np.array([2.0, 4.0]))
    assert not solved
    assert correction == pytest.approx([1.0, 2.0])
