"""The V-cycle: symmetric and positive, as conjugate gradients need it."""

import numpy as np
import pytest
from mpi4py import MPI

from porefail.fe.elastic.cycle import Cycle
from porefail.fe.elastic.element import moduli
from porefail.fe.elastic.grid import grids
from porefail.fe.grid import load_bearing
from porefail.fe.hexahedron import ELEMENTS


@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize("shape", [(16, 8, 8), (21, 11, 6)], ids=str)
def test_the_cycle_is_symmetric_and_positive(element, shape):
    generator = np.random.default_rng(0)
    bearing = load_bearing(generator.random(shape) < 0.8)
    levels = grids(bearing, MPI.COMM_SELF)
    cycle = Cycle(levels, moduli(0.27, element))
    free = levels[0].inverse[:, :, None].repeat(3, axis=2) > 0
    loads, answers = [], []
    for _ in range(3):
        load = np.zeros_like(cycle.rest[0])
        load[:-8] = (free * generator.standard_normal(free.shape)).ravel()
        levels[0].hold(load)
        cycle.rest[0][:] = load
        cycle.apply()
        loads.append(load.astype(float))
        answers.append(cycle.total[0].astype(float))
    products = np.array(loads) @ np.array(answers).T
    np.testing.assert_allclose(products, products.T, atol=1e-5 * np.abs(products).max())
    assert np.linalg.eigvalsh(0.5 * (products + products.T))[0] > 0
