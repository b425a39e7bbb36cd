import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.fe.hexahedron import CORNERS, ELEMENTS, hexahedron

both = pytest.mark.parametrize("element", ELEMENTS)


@both
def test_linear_displacement_gives_its_strain(element):
    spacing = 0.05
    gradient = np.random.default_rng(1).normal(size=(3, 3))
    displacement = (spacing * CORNERS @ gradient.T).ravel()
    g = gradient + gradient.T
    expected = [g[0, 0] / 2, g[1, 1] / 2, g[2, 2] / 2, g[0, 1], g[1, 2], g[2, 0]]
    element = hexahedron(spacing, element)
    for strain in element.strain:
        np.testing.assert_allclose(strain @ displacement, expected, atol=1e-12)
    np.testing.assert_allclose(element.volume @ displacement, np.trace(gradient), atol=1e-12)
    np.testing.assert_allclose(element.dilatation @ displacement, np.trace(gradient), atol=1e-12)


@both
def test_rigid_motion_has_no_strain(element):
    spin = np.array([[0, -0.3, 0.2], [0.3, 0, -0.1], [-0.2, 0.1, 0]])
    displacement = (CORNERS @ spin.T + [1.0, -2.0, 3.0]).ravel()
    for strain in hexahedron(1.0, element).strain:
        np.testing.assert_allclose(strain @ displacement, 0, atol=1e-12)


@both
def test_dilatation_at_the_points(element):
    """Of B-bar the mean of what it is under full integration; the deviators are the same."""
    found, full = hexahedron(0.2, element), hexahedron(0.2, "full")
    dilatation = found.strain[:, :3].sum(axis=1)
    expected = np.broadcast_to(found.dilatation, (8, 24))
    np.testing.assert_allclose(dilatation, expected, atol=1e-12)
    np.testing.assert_allclose(found.dilatation.mean(axis=0), full.volume, atol=1e-12)
    np.testing.assert_allclose(found.deviatoric, full.deviatoric, atol=1e-10)
    assert len(found.dilatation) == {"b_bar": 1, "full": 8}[element]
    assert np.ptp(full.dilatation, axis=0).max() > 0.1


def test_another_element_is_refused():
    with pytest.raises(PorefailError, match="element C3D20: expected one of full, b_bar"):
        hexahedron(0.2, "C3D20")


def test_volume_of_b_bar():
    element = hexahedron(0.2, "b_bar")
    dilatation = element.strain[:, :3].sum(axis=1)
    np.testing.assert_allclose(dilatation, np.broadcast_to(element.volume, (8, 24)), atol=1e-12)


@both
def test_stiffness_has_six_rigid_modes_and_no_hourglass(element):
    unit = hexahedron(1.0, element)
    share = 8 / len(unit.dilatation)
    stiffness = unit.deviatoric.sum(axis=0) + share * unit.dilatation.T @ unit.dilatation
    values = np.linalg.eigvalsh(stiffness)
    assert np.count_nonzero(values < 1e-12 * values[-1]) == 6
