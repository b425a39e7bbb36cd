import numpy as np
import pytest

from porefail.baselines.linear_heteroencoder import encode, fit, predict
from porefail.errors import PorefailError

GRID = (3, 3, 4)
SIZE = 36
MODES = 14


def modes(seed=0):
    """Random orthonormal axes, some products of them kept, and W1 (modes, voxels) built densely."""
    rng = np.random.default_rng(seed)
    axes = tuple(np.linalg.qr(rng.standard_normal((n, n)))[0] for n in GRID)
    kept = np.zeros(GRID, bool)
    kept.flat[rng.choice(SIZE, MODES, replace=False)] = True
    dense = np.einsum("ia,jb,kc->abcijk", *axes).reshape(SIZE, SIZE)[kept.ravel()]
    return axes, kept, dense


def specimens(count, seed=1, voids=0.3):
    rng = np.random.default_rng(seed)
    return (rng.random((count, *GRID)) < voids).astype(np.uint8)


def labelled(count, seed=1, noise=0.5):
    """Specimens whose labels are a planted linear map of the modes, and noise; NaN in voids."""
    porosity = specimens(count, seed)
    rng = np.random.default_rng(99)
    dense = modes()[2]
    label = porosity.reshape(count, -1) @ dense.T @ rng.standard_normal((MODES, SIZE))
    label = label + rng.standard_normal(SIZE)
    label += noise * np.random.default_rng([seed, 1]).standard_normal(label.shape)
    label = label.reshape(porosity.shape).astype(np.float32)
    label[porosity == 1] = np.nan
    return porosity, label


def design(porosity, label):
    """X, Y without their means, as the definition has them, and the means; all dense."""
    filled = label.reshape(len(label), -1).astype(float)
    mean = np.nanmean(filled, axis=0)
    filled = np.where(np.isnan(filled), mean, filled)
    latent = porosity.reshape(len(porosity), -1) @ modes()[2].T
    return latent - latent.mean(axis=0), filled - mean, latent.mean(axis=0), mean


def dense_decoder(x, y, penalty):
    strength = penalty * np.trace(x.T @ x) / MODES
    rows = np.concatenate([x, np.sqrt(strength) * np.eye(MODES)])
    target = np.concatenate([y, np.zeros((MODES, SIZE))])
    return np.linalg.lstsq(rows, target)[0], rows


def mse(model, porosity, label):
    solid = porosity == 0
    return np.mean((predict(model, porosity)[solid] - label[solid]) ** 2)


def equal(one, other):
    for a, b in zip(one.axes + one.decoder, other.axes + other.decoder, strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(one.decoder) == len(other.decoder)
    np.testing.assert_array_equal(one.kept, other.kept)
    np.testing.assert_array_equal(one.bias, other.bias)
    assert one[4:] == other[4:]


def test_encoding_is_the_product_with_the_dense_matrix():
    axes, kept, dense = modes()
    porosity = specimens(5)
    np.testing.assert_allclose(dense @ dense.T, np.eye(MODES), atol=1e-12)
    np.testing.assert_allclose(
        encode(porosity, axes, kept), porosity.reshape(5, -1) @ dense.T, atol=1e-12
    )


def test_a_planted_linear_map_is_recovered():
    # Voids with a label would be replaced, and the map would not be linear any more: one voxel
    # of each specimen carries the map's input and the labels belong to others.
    axes, _, _ = modes()
    kept = np.zeros(GRID, bool)
    kept[:, 0, 0] = True  # three modes
    axes = (axes[0], np.eye(3), np.eye(4))  # that live on the voxels (:, 0, 0)
    rng = np.random.default_rng(5)
    porosity = np.zeros((40, *GRID), np.uint8)
    porosity[:, :, 0, 0] = rng.random((40, 3)) < 0.5
    planted, bias = rng.standard_normal((3, *GRID)), rng.standard_normal(GRID)
    label = (np.tensordot(encode(porosity, axes, kept), planted, 1) + bias).astype(np.float32)
    label[porosity == 1] = np.nan
    model = fit([(porosity[:30], label[:30])], porosity[30:], label[30:], axes, kept, [0.0])
    elsewhere = np.ones(GRID, bool)
    elsewhere[:, 0, 0] = False
    decoder = model.decoder[0].reshape(3, *GRID)
    np.testing.assert_allclose(decoder[:, elsewhere], planted[:, elsewhere], atol=1e-5)
    np.testing.assert_allclose(model.bias[elsewhere], bias[elsewhere], atol=1e-5)
    np.testing.assert_allclose(
        predict(model, porosity)[:, elsewhere], label[:, elsewhere], atol=1e-5
    )
    assert model.parameters == 3 * SIZE + SIZE


@pytest.mark.parametrize("penalty", [0.0, 0.3])
@pytest.mark.parametrize("count", [60, 9])  # more and fewer specimens than modes
def test_full_rank_equals_dense_least_squares(penalty, count):
    axes, kept, dense = modes()
    porosity, label = labelled(count)
    model = fit([(porosity, label)], *labelled(10, 2), axes, kept, [penalty])
    x, y, latent_mean, mean = design(porosity, label)
    decoder, _ = dense_decoder(x, y, penalty)  # the one of least norm where it is not unique
    np.testing.assert_allclose(model.decoder[0], decoder, atol=2e-5)
    new = specimens(7, 3)
    expected = (new.reshape(7, -1) @ dense.T - latent_mean) @ decoder + mean
    got = predict(model, new)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(got), new == 1)
    np.testing.assert_allclose(got[new == 0], expected.reshape(new.shape)[new == 0], atol=1e-4)


@pytest.mark.parametrize("penalty", [0.0, 0.3])
@pytest.mark.parametrize("rank", [1, 4])
def test_reduced_rank_equals_the_truncated_svd_of_the_fit(penalty, rank):
    axes, kept, _ = modes()
    porosity, label = labelled(60)
    model = fit([(porosity, label)], *labelled(10, 2), axes, kept, [penalty], [rank])
    x, y, _, _ = design(porosity, label)
    decoder, rows = dense_decoder(x, y, penalty)
    right = np.linalg.svd(rows @ decoder)[2][:rank]
    assert [matrix.shape for matrix in model.decoder] == [(MODES, rank), (rank, SIZE)]
    assert model.parameters == rank * (MODES + SIZE) + SIZE and model.rank == rank
    np.testing.assert_allclose(
        model.decoder[0] @ model.decoder[1], decoder @ right.T @ right, atol=2e-5
    )


def test_penalty_and_rank_are_the_best_in_validation():
    axes, kept, _ = modes()
    training, validation = labelled(30, noise=3.0), labelled(40, 2)
    penalties, ranks = [0.0, 0.1, 1.0, 10.0, 1e6], [None, 1, 3, 8]
    errors = {
        (penalty, rank or 0): mse(
            fit([training], *validation, axes, kept, [penalty], [rank]), *validation
        )
        for penalty in penalties
        for rank in ranks
    }
    model = fit([training], *validation, axes, kept, penalties, ranks)
    best = min(errors, key=errors.get)
    assert (model.penalty, model.rank) == best and best[0] not in (0.0, 1e6)
    assert model.validation_mse == pytest.approx(errors[best], rel=1e-4)


def test_blocks_may_be_cut_anywhere_and_come_from_a_function():
    axes, kept, _ = modes()
    porosity, label = labelled(31)
    validation = labelled(10, 2)
    cuts = [0, 1, 1, 12, 31]
    parts = [(porosity[a:b], label[a:b]) for a, b in zip(cuts, cuts[1:], strict=False)]
    options = (*validation, axes, kept, [0.1], [5])
    whole = fit([(porosity, label)], *options)
    twice = fit([(porosity, label), (porosity, label)], *options)
    for other in (fit(parts, *options), fit(lambda: iter(parts), *options), twice):
        np.testing.assert_allclose(predict(other, porosity), predict(whole, porosity), atol=1e-5)


def test_what_a_label_holds_in_voids_changes_nothing():
    axes, kept, _ = modes()
    porosity, label = labelled(30)
    validation_porosity, validation_label = labelled(10, 2)
    one = fit([(porosity, label)], validation_porosity, validation_label, axes, kept, [0.1, 1.0])
    label[porosity == 1], validation_label[validation_porosity == 1] = 1e6, np.inf
    other = fit([(porosity, label)], validation_porosity, validation_label, axes, kept, [0.1, 1.0])
    equal(one, other)


def test_a_voxel_that_is_always_void_has_the_mean_label():
    axes, kept, _ = modes()
    porosity, label = labelled(30)
    porosity[:, 0, 0, 0], label[:, 0, 0, 0] = 1, np.nan
    model = fit([(porosity, label)], *labelled(10, 2), axes, kept, [0.1])
    assert predict(model, specimens(3, voids=0.0))[:, 0, 0, 0] == pytest.approx(
        label[porosity == 0].mean(), rel=1e-5
    )


def test_specimens_without_a_void_predict_the_mean():
    axes, kept, _ = modes()
    porosity, label = specimens(4, voids=0.0), np.ones((4, *GRID), np.float32)
    model = fit([(porosity, label)], porosity, label, axes, kept, [0.0, 1.0], [None, 2])
    np.testing.assert_allclose(predict(model, porosity), 1.0)


def test_bad_input_is_refused():
    axes, kept, _ = modes()
    porosity, label = labelled(20)

    def refused(match, **changed):
        options = dict(
            blocks=[(porosity, label)],
            validation_porosity=porosity,
            validation_label=label,
            axes=axes,
            kept=kept,
            penalties=[0.1],
        )
        with pytest.raises(PorefailError, match=match):
            fit(**(options | changed))

    refused("orthonormal", axes=(2 * axes[0], *axes[1:]))
    refused("three square matrices", axes=axes[:2])
    refused("boolean field", kept=kept.astype(float))
    refused("boolean field", kept=np.zeros(GRID, bool))
    refused("penalties are", penalties=[])
    refused("penalties are", penalties=[-1.0])
    refused("ranks are", ranks=[MODES + 1])
    refused("ranks are", ranks=[])
    refused("one pass", blocks=iter([(porosity, label)]))
    refused("no specimen", blocks=[])
    refused("no specimen", blocks=[(porosity[:0], label[:0])])
    refused("no solid voxel", blocks=[(np.ones_like(porosity), label)])
    refused("the grid is", blocks=[(porosity[:, :2], label[:, :2])])
    refused("differ in grid", blocks=[(porosity, label), (porosity[:, :2], label[:, :2])])
    refused("differ in shape", blocks=[(porosity, label[:3])])
    refused("not finite", blocks=[(np.zeros_like(porosity), label)])
    refused("0 .solid. or 1", blocks=[(2 * porosity, np.nan_to_num(label))])
    refused("no solid voxel", validation_porosity=np.ones_like(porosity))
    passes = iter([[(porosity, label)], [(porosity[:5], label[:5])]])
    refused("second pass", blocks=lambda: next(passes))

    model = fit([(porosity, label)], porosity, label, axes, kept, [0.1])
    with pytest.raises(PorefailError, match="the grid is"):
        predict(model, porosity[..., :3])
    with pytest.raises(PorefailError, match="must be .n, nx, ny, nz."):
        predict(model, porosity[0])
