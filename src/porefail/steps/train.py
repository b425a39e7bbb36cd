"""train: train the network; goes on from its checkpoint if there is one (paper, section 3.3)."""

from functools import partial
from pathlib import Path
from typing import Annotated

import pandas as pd

from porefail import files, learning, store
from porefail.command_line.kinds import File, NewFile, Settings
from porefail.configuration import require_settings
from porefail.configuration.checks import training_problems
from porefail.dataset.split import Part
from porefail.errors import PorefailError
from porefail.nn import training

SETTINGS = learning.SETTINGS


def run(
    dataset: Annotated[File, "data set"],
    model: Annotated[NewFile, "best network to write (.keras)"],
    history: Annotated[NewFile, "learning curves to write (CSV)"],
    checkpoint: Annotated[NewFile, "state to write after each epoch and to resume from"],
    settings: Settings,
) -> None:
    """Write the network of the lowest validation loss and its learning curves.

    settings: the keys of SETTINGS. A training that was killed goes on from `checkpoint`.
    """
    require_settings(settings, SETTINGS, training_problems)
    if Path(model).suffix != ".keras":
        raise PorefailError(f"{model}: the name of a model must end in .keras")
    _, source = store.read(dataset, [], kind="data set")
    _require_loss(dataset, settings["loss"], source["dataset"].get("transform"))
    fitted, validation = (
        learning.read(dataset, part, settings["channels"]) for part in (Part.TRAIN, Part.VALIDATION)
    )
    network = learning.network(settings)
    epochs = learning.train(
        network, fitted, validation, settings, checkpoint, partial(print, flush=True)
    )
    training.save(network, Path(model))
    files.write_table(history, pd.DataFrame(epochs))


def _require_loss(dataset: str | Path, loss: str, transform: str | None) -> None:
    """Refuse to learn the likelihood of a site from other labels, and the other way round."""
    if (loss == "site_likelihood") != (transform == "site"):
        raise PorefailError(
            f"{dataset}: its labels have the transform {transform}, and the loss is {loss}:"
            " expected site_likelihood with site, or neither"
        )
