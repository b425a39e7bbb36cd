"""Networks by their settings: made, trained, loaded, their predictions."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from porefail import store
from porefail.configuration import section
from porefail.configuration.variants import CHANNELS
from porefail.dataset import symmetry
from porefail.dataset.weighting import weights
from porefail.errors import PorefailError
from porefail.learning.specimens import Specimens, symmetries
from porefail.store import memory

if TYPE_CHECKING:
    import keras

    from porefail.nn import batches

BYTES = 20  # a voxel, filter and example, at the peak of a training step
# Settings of a network and of its training, as in config/schema.yaml.
SETTINGS = {"seed": "$defs.training_seed", **section("training", without=("average", "bayesian"))}


def network(settings: Mapping, **options) -> "keras.Model":
    """An untrained network. settings: the keys of SETTINGS; options: further ones of its room."""
    from porefail.nn.heteroencoder import heteroencoder

    return heteroencoder(
        settings["channels"],
        name=settings["loss"],
        filters=settings["filters"],
        seed=settings["seed"],
        skips=settings["skips"],
        dilations=settings["dilations"],
        symmetric=settings["symmetric"],
        **options,
    )


def load(path: str | Path, dataset: str | Path, bayesian: bool = False) -> "keras.Model":
    """A trained network, plain or Bayesian, that takes the specimens of a data set.

    Raises PorefailError that tells what else the file holds.
    """
    from porefail.nn.bayesian import is_drawn
    from porefail.nn.training import load

    model = load(Path(path))
    drawn = is_drawn(model)
    if drawn and not bayesian:
        raise PorefailError(f"{path}: a Bayesian network, expected a plain one, as train makes it")
    if bayesian and not drawn:
        raise PorefailError(f"{path}: not a Bayesian network: none of its weights is drawn")
    for each in model.inputs:
        if each.name not in CHANNELS:
            known = ", ".join(CHANNELS)
            raise PorefailError(f"{path}: its input {each.name} is unknown, known are {known}")
    grid = store.read(dataset, ["porosity"], slice(0, 1))[0]["porosity"].shape[1:]
    # A Bayesian network says a label and how sure it is.
    for each, values in (*((each, 1) for each in model.inputs), (model.outputs[0], 1 + bayesian)):
        found, wanted = tuple(each.shape[1:]), (*grid, values)
        if len(found) != 4 or any(f not in (None, w) for f, w in zip(found, wanted, strict=True)):
            raise PorefailError(
                f"{path}: {each.name} is a field of shape {found}, expected {wanted} for {dataset}"
            )
    return model


def examples(
    part: Specimens, settings: Mapping, table: np.ndarray | None = None
) -> "batches.Examples":
    """A part as a network learns from it; table: of the weights, fitted to this part if None."""
    from porefail.nn import batches

    if table is None:
        table = weights(label=part.label, **settings["weighting"])
    inputs = {name: part.channels[name] for name in settings["channels"]}
    return batches.Examples(inputs, part.label, table)


def train(
    model: "keras.Model",
    training: Specimens,
    validation: Specimens,
    settings: Mapping,
    checkpoint: str | Path,
    report: Callable[[str], None],
) -> list:
    """Train a network; returns its epochs (nn.checkpoint). settings: the keys of SETTINGS."""
    from porefail.nn import training as nn
    from porefail.nn.losses import LOSSES

    voxels, rows = np.prod(training.porosity.shape[1:]), len(training.porosity)
    batch = min(settings["batch_size"], rows * settings["copies"])
    memory.require(
        BYTES * settings["filters"] * batch * voxels,
        f"settings: batch_size {settings['batch_size']} with filters {settings['filters']}",
    )
    fitted = examples(training, settings)
    # Weights are fitted to the training part alone. A weighting per realization has a table for
    # each, so the validation part has its own: it is a property of each true field, not of the
    # training.
    table = fitted.weight if len(fitted.weight) == 1 else None
    return nn.train(
        model,
        fitted,
        examples(validation, settings, table),
        [partial(symmetry.apply, name) for name in settings["symmetries"]],
        nn.Settings(
            settings["epochs"],
            settings["batch_size"],
            settings["learning_rate"],
            settings["seed"],
            settings["copies"],
        ),
        Path(checkpoint),
        LOSSES[settings["loss"]],
        report,
    )


def predict(
    model: "keras.Model", inputs: Mapping[str, np.ndarray], porosity: np.ndarray, average: bool
) -> np.ndarray:
    """Predicted label (n, nx, ny, nz), NaN in voids; average: over all symmetries of the grid.

    From a network that was trained to the likelihood of a site, each specimen's likelihoods are
    relative to its likeliest voxel, so that they fill 0 to 1 as labels do.
    """
    from porefail.nn import prediction

    turns = prediction.AS_IT_IS
    if average:
        turns = [
            (partial(symmetry.apply, name), partial(symmetry.apply, symmetry.inverse(name)))
            for name in symmetries(porosity.shape[1:])
        ]
    damage = prediction.predict(model, inputs, symmetries=turns)
    damage[porosity != 0] = np.nan
    if model.name == "site_likelihood":
        damage = np.exp(damage - np.nanmax(damage, axis=(1, 2, 3), keepdims=True))
    return damage
