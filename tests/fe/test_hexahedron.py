import numpy as np

from porefail.fe.hexahedron import CORNERS, hexahedron


def test_linear_displacement_gives_its_strain():
    spacing = 0.05
    gradient = np.random.default_rng(1).normal(size=(3, 3))
    displacement = (spacing * CORNERS @ gradient.T).ravel()
    g = gradient + gradient.T
    expected = [g[0, 0] / 2, g[1, 1] / 2, g[2, 2] / 2, g[0, 1], g[1, 2], g[2, 0]]
    element = hexahedron(spacing)
    for strain in element.strain:
        np.testing.assert_allclose(strain @ displacement, expected, atol=1e-12)
    np.testing.assert_allclose(element.volume @ displacement, np.trace(gradient), atol=1e-12)


def test_rigid_motion_has_no_strain():
    spin = np.array([[0, -0.3, 0.2], [0.3, 0, -0.1], [-0.2, 0.1, 0]])
    displacement = (CORNERS @ spin.T + [1.0, -2.0, 3.0]).ravel()
    for strain in hexahedron(1.0).strain:
        np.testing.assert_allclose(strain @ displacement, 0, atol=1e-12)


def test_dilatation_is_the_same_at_every_point():
    element = hexahedron(0.2)
    dilatation = element.strain[:, :3].sum(axis=1)
    np.testing.assert_allclose(dilatation, np.broadcast_to(element.volume, (8, 24)), atol=1e-12)


def test_stiffness_has_six_rigid_modes_and_no_hourglass():
    element = hexahedron(1.0)
    stiffness = element.deviatoric.sum(axis=0) + 8 * np.outer(element.volume, element.volume)
    values = np.linalg.eigvalsh(stiffness)
    assert np.count_nonzero(values < 1e-12 * values[-1]) == 6
