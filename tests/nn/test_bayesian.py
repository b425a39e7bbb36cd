import keras
import numpy as np
import pytest
import tensorflow_probability as tfp

from porefail.errors import PorefailError
from porefail.nn import bayesian, training
from porefail.nn.batches import Examples
from porefail.nn.flipout import Flipout
from porefail.nn.heteroencoder import heteroencoder
from porefail.nn.losses import negative_log_likelihood
from porefail.nn.noise import Noise
from porefail.nn.prediction import moments, predict

LAYERS = ("encode_1", "encode_2", "latent", "decode_1", "decode_2", "damage")
POROSITY = (np.random.default_rng(0).random((6, 4, 4, 8)) < 0.1).astype(np.float32)


def numpy(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def twin(layers=LAYERS, knots=1, filters=8, **options) -> keras.Model:
    options = {"prior": 1.0, "scale": 0.02} | options
    network = heteroencoder(seed=2, filters=filters, variational={name: options for name in layers})
    return bayesian.with_noise(network, 0.1, knots)


def test_it_has_twice_the_weights_of_the_network_and_the_noise():
    """The paper's 14,770: Flipout's biases are distributions too (Fig. 8)."""
    assert twin().count_params() - 1 - 2 * len(LAYERS) in (14770, 14770 - 2 * len(LAYERS))
    trainable = sum(int(np.prod(each.shape)) for each in twin(knots=5).trainable_variables)
    assert trainable == 14770 + 5
    last = twin(layers=["damage"]).trainable_variables
    assert sum(int(np.prod(each.shape)) for each in last) == 7385 + 217 + 1


def test_a_layer_that_is_not_there_is_refused():
    with pytest.raises(PorefailError, match="the network has no layers decode_3"):
        twin(layers=["decode_3"])


def test_warm_start_gives_the_means_of_a_trained_network():
    trained, model = heteroencoder(seed=5), twin()
    bayesian.warm_start(model, trained)
    inputs = {"porosity": POROSITY}
    np.testing.assert_array_equal(
        predict(bayesian.mean_network(model), inputs), predict(trained, inputs)
    )


@pytest.mark.parametrize(
    "options, match",
    [
        ({"filters": 4}, r"layer encode_1 has weights of shape \(3, 3, 3, 1, 4\)"),
        ({"dilations": (1, 2)}, "layer latent_2 has weights of shape .*, where nothing is"),
        ({"symmetric": True}, r"layer encode_1 has weights of shape \(6, 1, 8\)"),
    ],
)
def test_a_warm_start_from_another_network_is_refused_and_changes_nothing(options, match):
    model = twin()
    before = [numpy(each) for each in model.variables]
    with pytest.raises(PorefailError, match=match):
        bayesian.warm_start(model, heteroencoder(seed=5, **options))
    for one, other in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(one, numpy(other))


def test_draws_have_the_moments_of_the_posterior_and_follow_the_seed():
    model = twin(scale=0.05)
    first = [numpy(net.get_layer("latent").kernel) for net in bayesian.draws(model, 200, 7)]
    again = next(bayesian.draws(model, 1, 7)).get_layer("latent").kernel
    np.testing.assert_array_equal(first[0], numpy(again))
    other = next(bayesian.draws(model, 1, 8)).get_layer("latent").kernel
    assert (first[0] != numpy(other)).any()
    mean = numpy(model.get_layer("latent").kernel)
    error = (np.mean(first, axis=0) - mean) / (0.05 / np.sqrt(200))
    assert np.abs(error).max() < 5 and error.std() == pytest.approx(1, abs=0.1)
    assert np.std(first, axis=0).mean() == pytest.approx(0.05, rel=0.02)


def test_moments_are_streamed_and_equal_those_of_all_draws():
    model, inputs = twin(scale=0.05, knots=4), {"porosity": POROSITY}
    found = moments(bayesian.draws(model, 20, 3), inputs, batch_size=4)
    every = np.stack(
        [numpy(net({"porosity": POROSITY[..., None]})) for net in bayesian.draws(model, 20, 3)]
    )
    np.testing.assert_allclose(found.mean, every[..., 0].mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(found.epistemic, every[..., 0].var(axis=0, ddof=1), rtol=1e-3)
    np.testing.assert_allclose(found.noise, np.exp(2 * every[..., 1]).mean(axis=0), rtol=1e-4)
    with pytest.raises(PorefailError, match="two draws at least, not 1"):
        moments(bayesian.draws(model, 1, 3), inputs)


@pytest.mark.slow
def test_flipout_and_draws_spread_the_prediction_alike():
    """Flipout samples the same posterior that the draws do."""
    model = twin(scale=0.05)
    fields = {"porosity": np.repeat(POROSITY[:1], 400, axis=0)[..., None]}
    flipout = numpy(model(fields))[..., 0]
    drawn = np.stack(
        [
            numpy(net({"porosity": POROSITY[:1, ..., None]}))[0, ..., 0]
            for net in bayesian.draws(model, 400, 1)
        ]
    )
    assert flipout.std(axis=0).mean() == pytest.approx(drawn.std(axis=0).mean(), rel=0.15)


def test_the_likelihood_is_that_of_a_normal_distribution():
    rng = np.random.default_rng(1)
    label = rng.random((3, 4, 4, 8, 1)).astype(np.float32)
    weight = rng.random(label.shape).astype(np.float32)
    said = rng.standard_normal((*label.shape[:-1], 2)).astype(np.float32)
    known = tfp.distributions.Normal(said[..., :1], np.exp(said[..., 1:]))
    expected = -(weight * numpy(known.log_prob(label))).mean(axis=(1, 2, 3, 4))
    target = np.concatenate([label, weight], axis=-1)
    np.testing.assert_allclose(numpy(negative_log_likelihood(target, said)), expected, rtol=1e-4)
    target[0, 0, 0, 0] = np.nan, 3.0  # a void, whatever its weight
    inside = np.ones(label.shape[1:], bool)
    inside[0, 0, 0] = False
    first = -(weight * numpy(known.log_prob(label)))[0][inside].mean()
    assert numpy(negative_log_likelihood(target, said))[0] == pytest.approx(first, rel=1e-4)


def test_noise_between_knots_is_linear_in_its_logarithm_and_constant_beyond():
    layer = Noise(knots=3)
    layer.build((None, 1, 1, 1, 1))
    layer.log_scale.assign([-3.0, -1.0, -2.0])
    mean = np.array([-0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 1.7], np.float32).reshape(7, 1, 1, 1, 1)
    said = numpy(layer(mean))
    np.testing.assert_array_equal(said[..., :1], mean)
    assert said[..., 1].ravel() == pytest.approx([-3, -3, -2, -1, -1.5, -2, -2])


def test_dropout_acts_on_predictions_and_differs_in_each():
    network = heteroencoder(seed=3, dropout=0.3)
    inputs = {"porosity": POROSITY}
    one, other = predict(network, inputs), predict(network, inputs)
    assert not np.array_equal(one, other)
    plain = heteroencoder(seed=3)
    bayesian.warm_start(plain, network)
    draws = np.mean([predict(network, inputs) for _ in range(200)], axis=0)
    said = predict(plain, inputs)
    assert np.corrcoef(draws.ravel(), said.ravel())[0, 1] > 0.7


@pytest.mark.slow
def test_training_logs_data_and_divergence_apart_and_resumes_to_the_same_end(tmp_path):
    label = np.where(POROSITY == 1, np.nan, np.roll(POROSITY, 1, axis=3) * 0.5 + 0.1)
    data = Examples({"porosity": POROSITY}, label.astype(np.float32))
    weight = 1 / np.isfinite(label).sum()

    def run(folder, epochs):
        model = twin(divergence_weight=weight, knots=2)
        folder.mkdir(exist_ok=True)
        settings = training.Settings(epochs, 3, 1e-2, 4, 1)
        history = training.train(
            model, data, data, [np.asarray], settings, folder / "state.npz", negative_log_likelihood
        )
        return model, history

    model, history = run(tmp_path / "whole", 4)
    assert history[-1].loss < history[0].loss
    before = float(
        sum(numpy(each.divergence()) for each in twin().layers if isinstance(each, Flipout))
    )
    assert history[0].divergence == pytest.approx(weight * before, rel=0.05)
    run(tmp_path / "parts", 2)
    resumed, again = run(tmp_path / "parts", 4)
    assert [row[:4] for row in again] == [row[:4] for row in history]
    for one, other in zip(model.variables, resumed.variables, strict=True):
        np.testing.assert_array_equal(numpy(one), numpy(other))
    training.save(model, tmp_path / "model.keras")
    loaded = bayesian.mean_network(training.load(tmp_path / "model.keras"))
    inputs = {"porosity": POROSITY}
    np.testing.assert_array_equal(
        predict(loaded, inputs), predict(bayesian.mean_network(model), inputs)
    )
