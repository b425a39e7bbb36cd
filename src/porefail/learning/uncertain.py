"""Networks that say how sure they are: a Bayesian network, an ensemble of networks, dropout, and
one plain network with its noise, beside which the others have to be better.

Each is asked for predictions by draws: networks that differ as far as the data leave them free. The
epochs of the settings are those of all that is trained for a kind, together (rounded down).
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from porefail import learning
from porefail.configuration import section
from porefail.configuration.variants import UNCERTAIN
from porefail.errors import PorefailError
from porefail.learning import Specimens

if TYPE_CHECKING:
    import keras

KINDS = UNCERTAIN
LIKELIHOOD = "likelihood"  # the loss of them all
# What the training of a Bayesian network does not depend on may be left out.
_FURTHER = ("draws", "members", "dropout")
SETTINGS = learning.SETTINGS | {
    "bayesian": section("training.bayesian", without=_FURTHER)
    | {f"{name}?": f"training.bayesian.{name}" for name in _FURTHER}
}
# A prediction that varies less than this, beside its label, is the uniform field of section 5.4.
UNIFORM = 0.1
PROJECTIONS = 64  # random ones, from which the widths of the weights follow to about 10 %


class Posterior(NamedTuple):
    """What was learnt from data: draws() gives networks one after the other, anew each time.

    parameters: numbers learnt; passes: forward passes of a prediction; epochs: learning curves, of
    the first where there are several; seconds: of all epochs, also of networks that others start
    from.
    """

    draws: Callable[[], Iterable["keras.Model"]]
    parameters: int
    passes: int
    epochs: list
    seconds: float


def fit(
    kind: str,
    training: Specimens,
    validation: Specimens,
    settings: Mapping,
    checkpoint: str | Path,
    report: Callable[[str], None],
) -> Posterior:
    """Fit a network that says how sure it is; settings: the keys of SETTINGS.

    A Bayesian network starts from a plain one, which is trained first, for half of the epochs; the
    networks of an ensemble share them. A training that was killed goes on from `checkpoint`, or
    from files beside it. Raises PorefailError as bayesian() does.
    """
    if kind == "deep_ensemble":
        return _ensemble(training, validation, settings, Path(checkpoint), report)
    if kind == "dropout":
        return _dropout(training, validation, settings, checkpoint, report)
    if kind == "one_network":
        return _one(training, validation, settings, checkpoint, report)
    if kind != "bayesian":
        raise PorefailError(f"settings: kind {kind!r} is unknown")
    from porefail.nn.bayesian import draws

    settings = _shared(settings, 2)
    trained = learning.network(settings)
    first = Path(checkpoint).with_name("trained.npz")
    plain = learning.train(trained, training, validation, settings, first, report)
    model, epochs = bayesian(trained, training, validation, settings, checkpoint, report)
    count = settings["bayesian"]["draws"]
    return Posterior(
        partial(draws, model, count, settings["seed"]),
        sum(int(np.prod(each.shape)) for each in model.trainable_variables),
        count,
        epochs,
        _seconds(plain, epochs),
    )


def bayesian(
    trained: "keras.Model",
    training: Specimens,
    validation: Specimens,
    settings: Mapping,
    checkpoint: str | Path,
    report: Callable[[str], None],
) -> tuple["keras.Model", list]:
    """The Bayesian twin of a trained network, and its learning curves; see fit().

    Raises PorefailError where `trained` is not a network of these settings, and where the twin has
    come to predict the same everywhere (section 5.4).
    """
    from porefail.nn import bayesian
    from porefail.nn.batches import Batches
    from porefail.nn.convolution import Convolution
    from porefail.nn.curvature import settle

    wanted = settings["bayesian"]
    names = [layer.name for layer in trained.layers if isinstance(layer, Convolution)]
    chosen = names if wanted["layers"] == ["all"] else wanted["layers"]
    solid = np.count_nonzero(np.isfinite(training.label))
    options = {
        "prior": wanted["prior"],
        "scale": wanted["scale"],
        # Copies of a realization in other symmetries are no further data.
        "divergence_weight": wanted["correlated_voxels"] / solid,
    }
    network = learning.network(settings, variational=dict.fromkeys(chosen, options))
    said = learning.predict(trained, training.channels, training.porosity, average=False)
    scale = float(np.sqrt(np.nanmean((said - training.label) ** 2)))
    model = bayesian.with_noise(network, scale, wanted["knots"])
    bayesian.warm_start(model, trained)

    def settled(size: int) -> None:
        every = Batches(learning.examples(training, settings), [np.asarray], size)
        settle(model, every, 1 / wanted["correlated_voxels"], settings["seed"], report=report)

    settled(settings["batch_size"])
    epochs = _train(model, training, validation, settings, checkpoint, report)
    # Of the trained means and noise, by many small batches, for its precision grows with them.
    settled(max(1, len(training.label) // PROJECTIONS))
    mean = bayesian.mean_network(model)
    said = learning.predict(mean, validation.channels, validation.porosity, average=False)
    spread, true = np.nanstd(said), np.nanstd(validation.label)
    if spread < UNIFORM * true:
        raise PorefailError(
            f"the Bayesian network predicts nearly the same everywhere (standard deviation"
            f" {spread:.2g}, of the labels {true:.2g}): train the network that it starts from for"
            " longer, or with another weighting"
        )
    return model, epochs


def _ensemble(training, validation, settings, checkpoint, report) -> Posterior:
    members, epochs = [], []
    settings = _shared(settings, settings["bayesian"]["members"])
    for k in range(settings["bayesian"]["members"]):
        own = settings | {"seed": settings["seed"] + 1000 * (k + 1)}
        model = _noisy(training, own)
        path = checkpoint.with_name(f"{checkpoint.stem}-{k}{checkpoint.suffix}")
        report(f"network {k + 1} of {settings['bayesian']['members']}")
        epochs.append(_train(model, training, validation, own, path, report))
        members.append(model)
    parameters = sum(model.count_params() for model in members)
    return Posterior(lambda: members, parameters, len(members), epochs[0], _seconds(*epochs))


def _one(training, validation, settings, checkpoint, report) -> Posterior:
    model = _noisy(training, settings)
    epochs = _train(model, training, validation, settings, checkpoint, report)
    twice = (model, model)  # a variance between draws is of two at least: here it is 0
    return Posterior(lambda: twice, model.count_params(), 1, epochs, _seconds(epochs))


def _dropout(training, validation, settings, checkpoint, report) -> Posterior:
    wanted = settings["bayesian"]
    model = _noisy(training, settings, dropout=wanted["dropout"])
    epochs = _train(model, training, validation, settings, checkpoint, report)
    start = [np.array(each.numpy()) for each in model.non_trainable_variables]

    def draws():
        for variable, value in zip(model.non_trainable_variables, start, strict=True):
            variable.assign(value)  # the random numbers from their start
        for _ in range(wanted["draws"]):
            yield model

    return Posterior(draws, model.count_params(), wanted["draws"], epochs, _seconds(epochs))


def _shared(settings: Mapping, parts: int) -> dict:
    """Settings of one of several trainings that share the epochs."""
    return {**settings, "epochs": max(1, settings["epochs"] // parts)}


def _seconds(*curves: list) -> float:
    return sum(row.seconds for epochs in curves for row in epochs)


def _noisy(training: Specimens, settings: Mapping, **options) -> "keras.Model":
    from porefail.nn import bayesian

    scale = float(np.nanstd(training.label))
    network = learning.network(settings, **options)
    return bayesian.with_noise(network, scale, settings["bayesian"]["knots"])


def _train(model, training, validation, settings, checkpoint, report) -> list:
    own = settings | {"loss": LIKELIHOOD}
    return learning.train(model, training, validation, own, checkpoint, report)
