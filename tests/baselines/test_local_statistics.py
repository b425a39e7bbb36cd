import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from porefail.baselines.local_statistics import features, fit, predict
from porefail.dataset import symmetry
from porefail.errors import PorefailError

GRID = (6, 6, 10)
WIDTHS = (0.8, 2.0)


def labelled(count, seed=0, noise=0.1, grid=GRID):
    """Specimens whose labels depend on the voids around, and noise; NaN in voids."""
    rng = np.random.default_rng(seed)
    porosity = (rng.random((count, *grid)) < 0.1).astype(np.uint8)
    around = np.stack([gaussian_filter(voids.astype(float), 1.2) for voids in porosity])
    label = 3 * around + 20 * around**2 + noise * rng.standard_normal(porosity.shape)
    label[porosity == 1] = np.nan
    return porosity, label.astype(np.float32)


def design(porosity, widths=WIDTHS):
    """Quadratic polynomial of the features of all solid voxels, no constant; and standardised."""
    pairs = np.array([np.broadcast_to(width, 2) for width in widths], float)
    values = np.concatenate([features(voids, pairs) for voids in porosity])
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    products = [
        values[:, i] * values[:, j]
        for i in range(values.shape[1])
        for j in range(i, values.shape[1])
    ]
    columns = np.concatenate([values, np.stack(products, axis=1)], axis=1)
    return (columns - columns.mean(axis=0)) / columns.std(axis=0)


def mse(model, porosity, label):
    solid = porosity == 0
    return np.mean((predict(model, porosity)[solid] - label[solid]) ** 2)


def equal(one, other):
    for a, b in zip((*one, *one.standard), (*other, *other.standard), strict=True):
        np.testing.assert_array_equal(a, b)


def test_features_are_fractions_around_the_voxel():
    porosity = np.zeros((9, 9, 12), np.uint8)
    porosity[4, 4, 6] = 1
    widths = np.array([[1.0, 1.0], [1.0, 2.0]])
    got = np.full((9, 9, 12, 7), np.nan)
    got[porosity == 0] = features(porosity, widths)
    weight = np.exp(-(np.arange(-4, 5) ** 2) / 2)
    weight /= weight.sum()
    assert got[4, 4, 5, 0] == pytest.approx(weight[4] ** 2 * weight[3])
    assert got[3, 4, 6, 0] == pytest.approx(weight[4] ** 2 * weight[3])
    assert got[3, 4, 6, 3] < got[3, 4, 6, 0]  # wider along z
    assert got[4, 4, 0, 1] == pytest.approx(0.0, abs=1e-12)  # in the middle, at an end: no surface
    assert got[0, 4, 0, 1] == pytest.approx(weight[:4].sum())  # at a side, a bit less than half
    assert got[0, 0, 0, 1] == pytest.approx(1 - (1 - weight[:4].sum()) ** 2)
    np.testing.assert_allclose(got[0, 0, :, 6], np.where(np.arange(12) == 6, 1 / 81, 0))
    np.testing.assert_allclose(got[0, 0, 6, 2], weight[4] / 81)


def test_beyond_an_end_is_the_mirror_image():
    porosity, _ = labelled(1)
    double = np.concatenate([porosity[0], porosity[0, :, :, ::-1]], axis=2)
    widths = np.array([[1.0, 1.0]])
    halves = np.full((*double.shape, 4), np.nan)
    halves[double == 0] = features(double, widths)
    single = np.full((*GRID, 4), np.nan)
    single[porosity[0] == 0] = features(porosity[0], widths)
    np.testing.assert_allclose(halves[:, :, :10], single, atol=1e-12)


@pytest.mark.parametrize("penalty", [0.0, 0.05])
@pytest.mark.parametrize("widths", [WIDTHS, (0.8, (2.0, 1.0))])
def test_fit_equals_dense_least_squares(penalty, widths):
    porosity, label = labelled(12)
    model = fit([(porosity, label)], porosity, label, [penalty], widths)
    x, y = design(porosity, widths), label[porosity == 0].astype(float)
    # Columns have variance 1, so the mean eigenvalue of x.T @ x is the number of samples.
    rows = np.concatenate([x, np.sqrt(penalty * len(x)) * np.eye(x.shape[1])])
    slope = np.linalg.lstsq(rows, np.concatenate([y - y.mean(), np.zeros(x.shape[1])]))[0]
    np.testing.assert_allclose(
        predict(model, porosity)[porosity == 0], x @ slope + y.mean(), atol=1e-5
    )
    assert model.parameters == 1 + x.shape[1] == 1 + 7 + 28
    assert model.validation_mse == pytest.approx(np.mean((x @ slope + y.mean() - y) ** 2))


def test_a_planted_polynomial_is_recovered():
    porosity, _ = labelled(20)
    pairs = np.array([[0.8, 0.8], [2.0, 2.0]])
    label = np.full(porosity.shape, np.nan)
    for voids, field in zip(porosity, label, strict=True):
        a, b, c, d, e, f, g = features(voids, pairs).T
        field[voids == 0] = 1 + 2 * a - b * d + 30 * a * c - e * f + g**2
    training, new = slice(0, 14), slice(14, 20)
    model = fit([(porosity[training], label[training])], porosity[new], label[new], [0.0], WIDTHS)
    np.testing.assert_allclose(predict(model, porosity[new]), label[new], atol=1e-6)


def test_the_penalty_is_the_best_in_validation():
    training, validation = labelled(1, noise=1.0), labelled(10, 2)
    penalties = [0.0, 1e-3, 1e-2, 0.1, 1.0, 1e6]
    errors = [
        mse(fit([training], *validation, [penalty], WIDTHS), *validation) for penalty in penalties
    ]
    model = fit([training], *validation, penalties, WIDTHS)
    assert model.penalty == penalties[np.argmin(errors)] and 0 < model.penalty < 1e6
    assert model.validation_mse == pytest.approx(min(errors), rel=1e-4)


def test_it_learns_more_than_the_mean():
    training, held_out = labelled(20, noise=0.02), labelled(5, 1, noise=0.02)
    model = fit([training], *held_out, [1e-6, 1e-3])
    assert mse(model, *held_out) < 0.2 * np.nanvar(held_out[1])


def test_it_predicts_a_larger_specimen():
    training, larger = labelled(20, noise=0.02), labelled(2, 3, noise=0.02, grid=(9, 9, 16))
    model = fit([training], *labelled(5, 1), [1e-6, 1e-3], (0.75, 1.5))
    assert mse(model, *larger) < 0.2 * np.nanvar(larger[1])


def test_a_feature_out_of_its_training_range_counts_as_the_end_of_the_range():
    porosity, label = labelled(5)
    model = fit([(porosity, label)], porosity, label, [1e-3], WIDTHS)
    crowded = np.ones((1, *GRID), np.uint8)
    crowded[0, 3, 3, 5] = 0  # one solid voxel among voids
    standard = model.standard
    values = features(crowded[0], model.widths)[0]
    assert (values[[0, 3, 6]] > standard.highest[[0, 3, 6]]).all()
    values = (values.clip(standard.lowest, standard.highest) - standard.centre) / standard.scale
    first, second = np.triu_indices(7)
    row = np.concatenate([[1], values, values[first] * values[second]])
    assert predict(model, crowded)[0, 3, 3, 5] == pytest.approx(row @ model.coefficients, rel=1e-5)


def test_blocks_may_be_cut_anywhere_and_may_differ_in_number():
    porosity, label = labelled(9)
    parts = [(porosity[:1], label[:1]), (porosity[1:1], label[1:1]), (porosity[1:], label[1:])]
    options = (*labelled(3, 1), [1e-3], WIDTHS)
    whole = fit([(porosity, label)], *options)
    twice = fit([(porosity, label), (porosity, label)], *options)
    for other in (fit(parts, *options), fit(lambda: iter(parts), *options), twice):
        np.testing.assert_allclose(predict(other, porosity), predict(whole, porosity), atol=1e-5)


@pytest.mark.parametrize("name", symmetry.ELEMENTS)
def test_predictions_turn_with_the_specimen(name):
    porosity, label = labelled(4)
    model = fit([(porosity, label)], porosity, label, [1e-3], (*WIDTHS, (1.0, 2.0)))
    turned = predict(model, symmetry.apply(name, porosity))
    np.testing.assert_allclose(
        turned, symmetry.apply(name, predict(model, porosity)), rtol=1e-5, atol=1e-6
    )


def test_symmetric_copies_add_nothing():
    porosity, label = labelled(6)

    def copies():
        for name in symmetry.ELEMENTS:
            yield symmetry.apply(name, porosity), symmetry.apply(name, label)

    options = (*labelled(3, 1), [1e-3], WIDTHS)
    np.testing.assert_allclose(
        predict(fit(copies, *options), porosity),
        predict(fit([(porosity, label)], *options), porosity),
        atol=1e-5,
    )


def test_what_a_label_holds_in_voids_changes_nothing():
    (porosity, label), (held_out, truth) = labelled(5), labelled(3, 1)
    one = fit([(porosity, label)], held_out, truth, [1e-3, 1.0], WIDTHS)
    label[porosity == 1], truth[held_out == 1] = 1e6, np.inf
    equal(one, fit([(porosity, label)], held_out, truth, [1e-3, 1.0], WIDTHS))
    got = predict(one, held_out)
    np.testing.assert_array_equal(np.isnan(got), held_out == 1)
    assert got.dtype == np.float32


def test_specimens_without_a_void_depend_on_the_free_surfaces_alone():
    porosity = np.zeros((2, *GRID), np.uint8)
    label = np.ones(porosity.shape, np.float32)
    label[:, 1:-1, 1:-1] = 0
    model = fit([(porosity, label)], porosity, label, [0.0], WIDTHS)
    got = predict(model, porosity)
    np.testing.assert_allclose(got, got[:, :, :, :1] * np.ones(10), atol=1e-6)
    assert mse(model, porosity, label) < 0.5 * label.var()


def test_bad_input_is_refused():
    porosity, label = labelled(3)

    def refused(match, **changed):
        options = dict(
            blocks=[(porosity, label)],
            validation_porosity=porosity,
            validation_label=label,
            penalties=[0.1],
        )
        with pytest.raises(PorefailError, match=match):
            fit(**(options | changed))

    refused("penalties are", penalties=[np.nan])
    refused("widths are", widths=())
    refused("widths are", widths=(0.0,))
    refused("widths are", widths=((1.0, 2.0, 3.0),))
    refused("widths are", widths=("wide",))
    refused("one pass", blocks=iter([(porosity, label)]))
    refused("no specimen", blocks=[])
    refused("no solid voxel", blocks=[(np.ones_like(porosity), label)])
    refused("no solid voxel", validation_porosity=np.ones_like(porosity))
    refused("not finite", blocks=[(np.zeros_like(porosity), label)])
    refused("differ in shape", validation_label=label[:1])
    model = fit([(porosity, label)], porosity, label, [0.1])
    with pytest.raises(PorefailError, match="must be .n, nx, ny, nz."):
        predict(model, porosity[0])
