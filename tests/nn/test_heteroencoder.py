import keras
import numpy as np
import pytest

from porefail.errors import PorefailError
from porefail.nn.heteroencoder import heteroencoder


def test_it_has_the_weights_of_figure_8():
    model = heteroencoder()
    layers = [layer for layer in model.layers if layer.count_params()]
    assert [layer.count_params() for layer in layers] == [224, 1736, 1736, 1736, 1736, 217]
    assert model.count_params() == 7385
    fixed = heteroencoder((20, 20, 80, 1))
    latent = fixed.get_layer("latent").output.shape
    assert latent == (None, 5, 5, 20, 8)  # 4,000 values


@pytest.mark.parametrize("shape", [(4, 4, 4), (8, 8, 32), (4, 12, 20)])
def test_it_takes_any_grid_that_4_divides(shape):
    field = np.zeros((2, *shape, 1), np.float32)
    assert heteroencoder()(field).shape == (2, *shape, 1)
    assert heteroencoder((*shape, 1))(field).shape == (2, *shape, 1)


def test_other_sides_are_refused():
    for shape in ((8, 8, 30), (8, 8, 0), (2, 8, 8)):
        with pytest.raises(PorefailError, match="sides divisible by 4, not"):
            heteroencoder((*shape, 1))


def test_weights_follow_the_seed_and_differ_between_layers():
    one, same, other = heteroencoder(seed=1), heteroencoder(seed=1), heteroencoder(seed=2)
    for a, b, c in zip(one.get_weights(), same.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.ndim == 1 or not np.array_equal(a, c)
    kernels = [w for w in one.get_weights() if w.shape == (3, 3, 3, 8, 8)]
    assert len(kernels) == 4
    assert len({kernel.tobytes() for kernel in kernels}) == 4


def test_a_translation_by_the_coarsest_voxel_translates_the_inside_of_the_prediction():
    """Convolutions, pooling and upsampling know no place but the border."""
    model = heteroencoder(seed=3)
    field = np.zeros((1, 24, 24, 64, 1), np.float32)
    field[0, 11:13, 12, 30] = 1.0
    a, b = (keras.ops.convert_to_numpy(model(f)) for f in (field, np.roll(field, 4, axis=3)))
    inside = np.roll(a, 4, axis=3)[:, :, :, 30:38]
    assert np.abs(inside).max() > 0
    np.testing.assert_allclose(b[:, :, :, 30:38], inside, atol=1e-6)
