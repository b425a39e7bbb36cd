"""train-bayesian: a twin that starts from the trained network, and goes on where it was stopped."""

import keras
import numpy as np
import pytest

from porefail import files
from porefail.errors import PorefailError
from porefail.learning import uncertain
from porefail.nn import bayesian, training
from porefail.nn.flipout import Flipout
from porefail.nn.heteroencoder import heteroencoder
from porefail.steps import train_bayesian


@pytest.fixture
def run(made, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(uncertain, "UNIFORM", 0.0)  # nothing is learnt in two epochs

    def go(folder="one", trained=None, **changes):
        place = tmp_path / folder
        bayes = settings["bayesian"] | changes.pop("bayesian", {})
        train_bayesian.run(
            made["dataset"],
            trained or made["model"],
            place / "model.keras",
            place / "history.csv",
            place / "checkpoint.npz",
            settings["train"] | {"bayesian": bayes} | changes,
        )
        return training.load(place / "model.keras"), files.read_table(place / "history.csv")

    return go


@pytest.mark.slow
def test_contract(run, made):
    model, history = run(epochs=1)
    layers = [layer for layer in model.layers if isinstance(layer, Flipout)]
    assert len(layers) == 6 and history["epoch"].tolist() == [1]
    assert history["divergence"][0] > 0
    # One epoch of small steps: still close to what it started from.
    trained = training.load(made["model"])
    for layer in layers:
        ours, theirs = (
            keras.ops.convert_to_numpy(each.kernel).ravel()
            for each in (layer, trained.get_layer(layer.name))
        )
        assert np.corrcoef(ours, theirs)[0, 1] > 0.98
    assert bayesian.mean_network(model).count_params() == trained.count_params() + 1


@pytest.mark.slow
def test_a_stopped_training_goes_on_to_the_same_result(run, capsys):
    whole, curves = run("whole", epochs=2)
    run("stopped", epochs=1)
    capsys.readouterr()
    again, other = run("stopped", epochs=2)
    assert "training goes on after epoch 1/2" in capsys.readouterr().out
    for one, two in zip(whole.variables, again.variables, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(curves["loss"], other["loss"], rtol=1e-4)


@pytest.mark.slow
def test_only_the_last_layer(run):
    model, _ = run(epochs=1, bayesian={"layers": ["damage"], "knots": 3})
    layers = [layer.name for layer in model.layers if isinstance(layer, Flipout)]
    assert layers == ["damage"] and model.get_layer("noise").knots == 3


def test_errors(run, tmp_path):
    with pytest.raises(PorefailError, match=r"its layer encode_1 has weights of shape"):
        run(filters=4)
    with pytest.raises(PorefailError, match="loss is site_likelihood; a Bayesian network needs"):
        run(loss="site_likelihood")
    with pytest.raises(PorefailError, match="its inputs are porosity, expected the channels por"):
        run(channels=["porosity", "von_mises"])
    options = {"prior": 1.0, "scale": 0.01, "divergence_weight": 0.0}
    twin = heteroencoder(variational={"damage": options})
    training.save(twin, tmp_path / "twin.keras")
    with pytest.raises(PorefailError, match=r"twin\.keras: a Bayesian network, expected a plain"):
        run(trained=tmp_path / "twin.keras")
    with pytest.raises(PorefailError, match="missing file"):
        run(trained=tmp_path / "none.keras")
    assert not (tmp_path / "one" / "model.keras").exists()
