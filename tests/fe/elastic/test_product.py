"""Products in vectors, against a loop over elements and matrices."""

import numpy as np
import pytest

from porefail.fe.elastic.element import coefficients, moduli, stiffness
from porefail.fe.elastic.product import in_lanes, subtract_product
from porefail.fe.hexahedron import CORNERS, ELEMENTS


@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize(
    "shape", [(3, 2, 5), (2, 3, 8), (1, 1, 1), (2, 2, 19), (2, 1, 15)], ids=str
)
@pytest.mark.parametrize(("kind", "tolerance"), [("f4", 1e-6), ("f8", 1e-14)])
def test_a_product_is_the_sum_over_elements(lines_of, field_of, element, shape, kind, tolerance):
    generator = np.random.default_rng(0)
    # Densities that single precision has.
    density = np.round(generator.random(shape) * 8) / 8
    u = generator.standard_normal((*(n + 1 for n in shape), 3)).astype(kind)
    material = moduli(0.27, element)
    unit = stiffness(material)
    expected = np.zeros_like(u, dtype=float)
    for place in np.argwhere(density):
        nodes = [tuple(place + corner[::-1]) for corner in CORNERS]
        forces = density[tuple(place)] * unit @ np.concatenate([u[node] for node in nodes])
        for node, force in zip(nodes, forces.reshape(8, 3), strict=True):
            expected[node] += force
    rest = lines_of(np.ones_like(u))
    subtract_product(coefficients(material), in_lanes(density), lines_of(u), rest)
    np.testing.assert_allclose(1 - field_of(rest, shape), expected, atol=tolerance)
