"""Whatever predicts a label: networks, plain or uncertain, regressions, and what learns nothing."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from porefail import learning
from porefail.baselines import linear_heteroencoder, local_statistics, site_regression, sites
from porefail.dataset import symmetry
from porefail.errors import PorefailError
from porefail.learning import Specimens, site_network, uncertain
from porefail.learning.candidates import MOST
from porefail.microstructure.karhunen_loeve import ARGUMENTS, expansion
from porefail.nn.checkpoint import Epoch

# Predictors that learn nothing, from what is known before a simulation.
UNTRAINED: dict[str, Callable[[Specimens], np.ndarray]] = {
    "elastic_hot_spot": lambda s: sites.hot_spot(
        s.channels["von_mises"], s.channels["pressure"], s.porosity
    ),
    "coarse_step": lambda s: sites.coarse_damage(s.channels["log_coarse_damage"], s.porosity),
    "submodels": lambda s: sites.submodel_failure(*s.channels.values(), s.porosity),
    "largest_pore": lambda s: sites.pore_size(s.porosity),
    "porous_section": lambda s: sites.section_porosity(s.porosity),
}
BLOCK = 64  # specimens


class Prediction(NamedTuple):
    """Of the label, (n, nx, ny, nz): mean, NaN in voids; parts of the variance, where known."""

    mean: np.ndarray
    epistemic: np.ndarray | None = None
    noise: np.ndarray | None = None


class Fitted(NamedTuple):
    """How specimens are predicted; numbers learnt; seconds of learning.

    products: multiplications a specimen, of a network.
    """

    predict: Callable[[Specimens], Prediction]
    parameters: int
    products: int
    seconds: float


def fit_predictor(
    training: Specimens,
    validation: Specimens,
    source: Mapping,
    checkpoint: str | Path,
    settings: Mapping,
) -> tuple[Fitted, list[Epoch]]:
    """What predicts, and the epochs of its training, none where there are none."""
    kind, baselines = settings["kind"], settings["baselines"]
    start = time.perf_counter()
    epochs: list[Epoch] = []
    if kind == "heteroencoder":
        fitted, epochs = _network(training, validation, checkpoint, settings)
    elif kind in UNTRAINED:
        fitted = Fitted(lambda s: Prediction(UNTRAINED[kind](s)), 0, 0, 0.0)
    elif kind in uncertain.KINDS:
        fitted, epochs = _posterior(training, validation, checkpoint, settings)
    elif kind == "linear_heteroencoder":
        pores = source["porosity"]
        missing = [name for name in ARGUMENTS if name not in pores]
        if missing:
            raise PorefailError(
                f"the ensemble's attribute porosity lacks {', '.join(missing)}, which the linear"
                " heteroencoder needs"
            )
        modes = expansion(*(pores[name] for name in ARGUMENTS))
        model = linear_heteroencoder.fit(
            partial(_blocks, training),
            validation.porosity,
            validation.label,
            modes.axes,
            modes.amplitude > 0,
            baselines["penalties"],
            baselines["ranks"],
        )
        fitted = _baseline(linear_heteroencoder, model, start)
    elif kind == "local_statistics":
        model = local_statistics.fit(
            [(training.porosity, training.label)],  # it knows the symmetries by itself
            validation.porosity,
            validation.label,
            baselines["penalties"],
            baselines["widths"],
        )
        fitted = _baseline(local_statistics, model, start)
    elif kind == site_regression.KIND:
        model = _regression(training, validation, baselines["penalties"])
        fitted = Fitted(
            lambda s: Prediction(site_regression.predict(model, s.channels, s.porosity)),
            model.parameters,
            0,
            time.perf_counter() - start,
        )
    elif kind == site_network.KIND:
        fitted, epochs = _site_network(training, validation, checkpoint, settings)
    else:
        raise PorefailError(f"settings: kind {kind!r} is unknown")
    return fitted, epochs


def _regression(
    training: Specimens, validation: Specimens, penalties: Sequence[float]
) -> site_regression.SiteRegression:
    model = site_regression.fit(
        training.channels,
        training.porosity,
        training.label == 1,
        validation.channels,
        validation.porosity,
        validation.label == 1,
        penalties,
    )
    print(
        f"{site_regression.KIND}: penalty {model.penalty:g}, -log likelihood"
        f" {model.validation_loss:.3f}"
    )
    return model


def _site_network(
    training: Specimens, validation: Specimens, checkpoint: str | Path, settings: Mapping
) -> tuple[Fitted, list[Epoch]]:
    start = time.perf_counter()
    regression = _regression(training, validation, settings["baselines"]["penalties"])
    names = settings["training"]["channels"]

    def regressed(part: Specimens) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """Likelihood and channels of each specimen."""
        likely = site_regression.predict(regression, part.channels, part.porosity)
        for n, each in enumerate(likely):
            yield each, {name: part.channels[name][n] for name in names}

    around = [site_network.surroundings(*each, names) for each in regressed(training)]
    known = time.perf_counter() - start
    committee, curves = site_network.fit(
        around, training.label == 1, settings["training"], checkpoint, partial(print, flush=True)
    )

    def predict(specimens: Specimens) -> Prediction:
        ranked = (site_network.ranked(committee, *each) for each in regressed(specimens))
        return Prediction(np.stack([likely for _, likely in ranked]))

    fitted = Fitted(
        predict,
        regression.parameters + sum(model.parameters for model in committee),
        MOST * sum(model.products for model in committee),
        known + sum(epoch.seconds for epochs in curves for epoch in epochs),
    )
    return fitted, curves[0]


def _baseline(room, model, start: float) -> Fitted:
    print(f"{room.KIND}: penalty {model.penalty:g}, mean squared error {model.validation_mse:.3e}")
    return Fitted(
        lambda s: Prediction(room.predict(model, s.porosity)),
        model.parameters,
        0,
        time.perf_counter() - start,
    )


def _network(
    training: Specimens, validation: Specimens, checkpoint: str | Path, settings: Mapping
) -> tuple[Fitted, list[Epoch]]:
    from porefail.nn.heteroencoder import products

    model = learning.network(settings["training"])
    epochs = learning.train(
        model, training, validation, settings["training"], checkpoint, partial(print, flush=True)
    )
    average = settings["training"]["average"]
    shape = training.porosity.shape[1:]
    passes = len(learning.symmetries(shape)) if average else 1
    return (
        Fitted(
            lambda s: Prediction(learning.predict(model, s.channels, s.porosity, average)),
            model.count_params(),
            passes * products(model, shape),
            sum(epoch.seconds for epoch in epochs),
        ),
        epochs,
    )


def _posterior(
    training: Specimens, validation: Specimens, checkpoint: str | Path, settings: Mapping
) -> tuple[Fitted, list[Epoch]]:
    from porefail.nn.heteroencoder import products
    from porefail.nn.prediction import moments

    found = uncertain.fit(
        settings["kind"],
        training,
        validation,
        settings["training"],
        checkpoint,
        partial(print, flush=True),
    )

    def predict(specimens: Specimens) -> Prediction:
        predicted = moments(found.draws(), specimens.channels)
        predicted.mean[specimens.porosity != 0] = np.nan
        return Prediction(*predicted)

    once = products(next(iter(found.draws())), training.porosity.shape[1:])
    fitted = Fitted(predict, found.parameters, found.passes * once, found.seconds)
    return fitted, found.epochs


def _blocks(part: Specimens):
    """The training part, block by block, in every symmetry of its grid."""
    shape = part.porosity.shape
    names = learning.symmetries(shape[1:])
    for first in range(0, shape[0], BLOCK):
        rows = slice(first, first + BLOCK)
        for name in names:
            yield symmetry.apply(name, part.porosity[rows]), symmetry.apply(name, part.label[rows])
