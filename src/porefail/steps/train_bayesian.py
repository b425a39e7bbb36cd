"""train-bayesian: train the Bayesian twin of the trained network; goes on from its checkpoint.

Paper, section 5.
"""

from functools import partial
from pathlib import Path
from typing import Annotated

import pandas as pd

from porefail import files, learning
from porefail.command_line.kinds import File, NewFile, Settings
from porefail.configuration import require_settings
from porefail.configuration.checks import training_problems
from porefail.dataset.split import Part
from porefail.errors import PorefailError
from porefail.learning import uncertain
from porefail.nn import training

SETTINGS = uncertain.SETTINGS


def run(
    dataset: Annotated[File, "data set"],
    trained: Annotated[File, "trained network that it starts from (.keras)"],
    model: Annotated[NewFile, "Bayesian network to write (.keras)"],
    history: Annotated[NewFile, "learning curves to write (CSV)"],
    checkpoint: Annotated[NewFile, "state to write after each epoch and to resume from"],
    settings: Settings,
) -> None:
    """Write the Bayesian network that starts from a trained one, and its learning curves.

    settings: the keys of SETTINGS, those that `trained` was made with. A training that was killed
    goes on from `checkpoint`. Raises PorefailError where `trained` is another network, and where
    the result predicts the same everywhere.
    """
    require_settings(settings, SETTINGS, training_problems)
    if Path(model).suffix != ".keras":
        raise PorefailError(f"{model}: the name of a model must end in .keras")
    if settings["loss"] != "squared_error":
        raise PorefailError(
            f"settings: loss is {settings['loss']}; a Bayesian network needs labels with an error,"
            " so squared_error"
        )
    plain = learning.load(trained, dataset)
    names = [each.name for each in plain.inputs]
    if names != settings["channels"]:
        raise PorefailError(
            f"{trained}: its inputs are {', '.join(names)}, expected the channels"
            f" {', '.join(settings['channels'])}"
        )
    fitted, validation = (
        learning.read(dataset, part, settings["channels"]) for part in (Part.TRAIN, Part.VALIDATION)
    )
    twin, epochs = uncertain.bayesian(
        plain, fitted, validation, settings, checkpoint, partial(print, flush=True)
    )
    training.save(twin, Path(model))
    files.write_table(history, pd.DataFrame(epochs))
