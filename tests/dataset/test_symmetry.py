import numpy as np
import pytest

from porefail.dataset.symmetry import ELEMENTS, apply, inverse
from porefail.errors import PorefailError

FIELD = np.random.default_rng(0).random((4, 4, 6))


def test_the_16_elements_are_distinct():
    assert len(ELEMENTS) == 16
    images = {apply(name, FIELD).tobytes() for name in ELEMENTS}
    assert len(images) == 16
    assert {"identity", "rotate_90", "mirror_z", "inversion", "rotate_90_mirror_z"} <= set(ELEMENTS)


def test_they_are_a_group():
    images = {apply(name, FIELD).tobytes() for name in ELEMENTS}
    for first in ELEMENTS:
        assert {apply(second, apply(first, FIELD)).tobytes() for second in ELEMENTS} == images


@pytest.mark.parametrize("name", ELEMENTS)
def test_the_inverse_takes_an_element_back(name):
    np.testing.assert_array_equal(apply(inverse(name), apply(name, FIELD)), FIELD)
    assert inverse(inverse(name)) == name


def test_each_element_moves_every_voxel_as_its_matrix_moves_its_centre():
    quarter = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])
    matrices = {
        "identity": np.eye(3),
        "rotate_90": quarter,
        "rotate_180": quarter @ quarter,
        "rotate_270": quarter.T,
        "mirror_x": np.diag([-1, 1, 1]),
        "mirror_y": np.diag([1, -1, 1]),
        "mirror_xy": np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]]),
        "mirror_yx": np.array([[0, -1, 0], [-1, 0, 0], [0, 0, 1]]),
    }
    below = np.diag([1, 1, -1])
    matrices |= {f"{name}_mirror_z": below @ matrix for name, matrix in matrices.items()}
    matrices["mirror_z"] = matrices.pop("identity_mirror_z")
    matrices["inversion"] = matrices.pop("rotate_180_mirror_z")
    assert set(matrices) == set(ELEMENTS)
    centre = (np.array(FIELD.shape) - 1) / 2
    for name, matrix in matrices.items():
        turned = apply(name, FIELD)
        for voxel in np.ndindex(FIELD.shape):
            image = np.rint(matrix @ (voxel - centre) + centre).astype(int)
            assert turned[tuple(image)] == FIELD[voxel], name


def test_leading_axes_are_left_alone():
    batch = np.random.default_rng(1).random((2, 3, 4, 4, 6))
    for name in ELEMENTS:
        turned = apply(name, batch)
        for i, j in np.ndindex(2, 3):
            np.testing.assert_array_equal(turned[i, j], apply(name, batch[i, j]))


def test_errors():
    with pytest.raises(PorefailError, match="'turn' is unknown: use one of identity"):
        apply("turn", FIELD)
    oblong = np.zeros((4, 5, 6))
    for name, element in ELEMENTS.items():
        if element.swap:
            with pytest.raises(PorefailError, match="square cross-section, not 4×5"):
                apply(name, oblong)
        else:
            assert apply(name, oblong).shape == oblong.shape
    with pytest.raises(PorefailError, match="three axes"):
        apply("identity", np.zeros((4, 4)))
