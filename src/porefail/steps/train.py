"""train: fit the network to the training part (paper, section 3.3)."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from porefail import files, learning, store
from porefail.configuration import require_settings
from porefail.configuration.checks import training_problems
from porefail.dataset.split import Part
from porefail.errors import PorefailError
from porefail.nn import training

SETTINGS = learning.SETTINGS


def run(
    dataset: str | Path,
    model: str | Path,
    history: str | Path,
    checkpoint: str | Path,
    settings: Mapping,
) -> None:
    """Write the network of the lowest validation loss and its learning curves.

    settings: the keys of SETTINGS. A training that was killed goes on from `checkpoint`.
    """
    require_settings(settings, SETTINGS, training_problems)
    if Path(model).suffix != ".keras":
        raise PorefailError(f"{model}: the name of a model must end in .keras")
    part = store.read(dataset, ["part"])[0]["part"]
    network = learning.network(settings)
    epochs = learning.train(
        network,
        learning.read(dataset, part == Part.TRAIN, settings["channels"]),
        learning.read(dataset, part == Part.VALIDATION, settings["channels"]),
        settings,
        checkpoint,
        partial(print, flush=True),
    )
    training.save(network, Path(model))
    files.write_table(history, learning.curves(epochs))
