import keras
import numpy as np
import pytest

from porefail.dataset import symmetry
from porefail.errors import PorefailError
from porefail.nn.heteroencoder import heteroencoder, products
from porefail.nn.prediction import predict

EXTENDED = {
    "skips": {"skips": True},
    "wide": {"dilations": (1, 2)},
    "symmetric": {"symmetric": True},
    "channels": {"channels": ("porosity", "pressure")},
    "all": {
        "channels": ("porosity", "von_mises", "pressure"),
        "filters": 4,
        "skips": True,
        "dilations": (1, 2, 4),
        "symmetric": True,
        "name": "site_likelihood",
    },
}


def fields(model, shape, seed=0):
    """Random inputs of a network."""
    rng = np.random.default_rng(seed)
    return {each.name: rng.random((2, *shape, 1), np.float32) for each in model.inputs}


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_it_has_the_weights_of_figure_8():
    model = heteroencoder()
    layers = [layer for layer in model.layers if layer.count_params()]
    assert [layer.count_params() for layer in layers] == [224, 1736, 1736, 1736, 1736, 217]
    assert model.count_params() == 7385
    fixed = heteroencoder(shape=(20, 20, 80))
    latent = fixed.get_layer("latent").output.shape
    assert latent == (None, 5, 5, 20, 8)  # 4,000 values


@pytest.mark.parametrize("shape", [(4, 4, 4), (8, 8, 32), (4, 12, 20)])
def test_it_takes_any_grid_that_4_divides(shape):
    field = np.zeros((2, *shape, 1), np.float32)
    assert heteroencoder()({"porosity": field}).shape == (2, *shape, 1)
    assert heteroencoder(shape=shape)({"porosity": field}).shape == (2, *shape, 1)


def test_other_sides_are_refused():
    for shape in ((8, 8, 30), (8, 8, 0), (2, 8, 8)):
        with pytest.raises(PorefailError, match="sides divisible by 4, not"):
            heteroencoder(shape=shape)


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
    a, b = (numpy(model({"porosity": f})) for f in (field, np.roll(field, 4, axis=3)))
    inside = np.roll(a, 4, axis=3)[:, :, :, 30:38]
    assert np.abs(inside).max() > 0
    np.testing.assert_allclose(b[:, :, :, 30:38], inside, atol=1e-6)


def test_nothing_to_give_or_to_see_is_refused():
    for wrong in ({"channels": ()}, {"dilations": ()}):
        with pytest.raises(PorefailError, match="at least one channel and one dilation"):
            heteroencoder(**wrong)


@pytest.mark.parametrize("name", EXTENDED)
def test_extensions_take_any_grid_and_keep_their_form_in_a_file(name, tmp_path):
    model = heteroencoder(**EXTENDED[name])
    assert [each.name for each in model.inputs] == list(
        EXTENDED[name].get("channels", ["porosity"])
    )
    given = fields(model, (8, 4, 12))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", compile=False)
    assert again.name == model.name == EXTENDED[name].get("name", "heteroencoder")
    assert model(given).shape == (2, 8, 4, 12, 1)
    np.testing.assert_array_equal(numpy(again(given)), numpy(model(given)))


def biggest_error(model, shape=(8, 8, 12)):
    """How far a network is from commuting with the symmetries, beside its largest value."""
    given = fields(model, shape)
    straight = numpy(model(given))[..., 0]
    errors = []
    for name in symmetry.ELEMENTS:
        turned = {c: symmetry.apply(name, f[..., 0])[..., None] for c, f in given.items()}
        got = numpy(model(turned))[..., 0]
        errors.append(np.abs(got - symmetry.apply(name, straight)).max())
    return max(errors) / np.abs(straight).max()


def test_a_symmetric_network_is_exactly_equivariant():
    assert biggest_error(heteroencoder(**EXTENDED["all"])) < 1e-5
    assert biggest_error(heteroencoder(symmetric=True)) < 1e-5
    assert biggest_error(heteroencoder(skips=True)) > 0.05


def test_the_mean_over_the_symmetries_is_equivariant():
    model = heteroencoder(seed=2)
    group = [
        (lambda f, n=n: symmetry.apply(n, f), lambda f, n=n: symmetry.apply(symmetry.inverse(n), f))
        for n in symmetry.ELEMENTS
    ]
    field = fields(model, (8, 8, 12))["porosity"][..., 0]
    mean = predict(model, {"porosity": field}, symmetries=group)
    for name in symmetry.ELEMENTS:
        turned = {"porosity": symmetry.apply(name, field)}
        got = predict(model, turned, symmetries=group)
        np.testing.assert_allclose(got, symmetry.apply(name, mean), atol=1e-6)
    by_hand = [back(predict(model, {"porosity": turn(field)})) for turn, back in group]
    np.testing.assert_allclose(mean, np.mean(by_hand, axis=0), atol=1e-6)


@pytest.mark.parametrize("dilations, reaches", [((1,), False), ((1, 2), True)])
def test_with_a_dilation_every_voxel_sees_the_width_of_the_papers_specimen(dilations, reaches):
    """Voxel 0 is 19 voxels from the other side of a specimen 20 wide."""
    seen = []
    for seed in range(4):
        model = heteroencoder(seed=seed, dilations=dilations)
        field = np.full((1, 40, 4, 4, 1), 0.5, np.float32)
        other = field.copy()
        other[0, 19] = 2.0
        seen.append(
            np.abs(numpy(model({"porosity": field})) - numpy(model({"porosity": other})))[
                0, 0
            ].max()
        )
    assert (max(seen) > 0) == reaches


def test_products_of_the_papers_network_are_counted_by_hand():
    full, half, quarter = 32000, 4000, 500
    hand = 27 * (full * 8 + half * 64 + quarter * 64) + 8 * (half * 64 + full * 64) + 27 * full * 8
    assert products(heteroencoder(), (20, 20, 80)) == hand
    with pytest.raises(PorefailError, match="divisible by 4"):
        products(heteroencoder(), (20, 20, 82))
