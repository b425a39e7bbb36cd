"""train: fit the network to the training part (paper, section 3.3)."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from porefail import files, store
from porefail.dataset import symmetry
from porefail.dataset.split import Part
from porefail.errors import PorefailError
from porefail.nn import training
from porefail.nn.batches import Examples
from porefail.nn.heteroencoder import heteroencoder
from porefail.steps import require_settings

SETTINGS = {
    "seed": int,
    "symmetries": list,
    "epochs": int,
    "batch_size": int,
    "learning_rate": float,
    "filters": int,
}


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
    require_settings(settings, SETTINGS)
    if Path(model).suffix != ".keras":
        raise PorefailError(f"{model}: the name of a model must end in .keras")
    part = store.read(dataset, ["part"])[0]["part"]
    network = heteroencoder(filters=settings["filters"], seed=settings["seed"])
    epochs = training.train(
        network,
        _examples(dataset, part == Part.TRAIN),
        _examples(dataset, part == Part.VALIDATION),
        [partial(symmetry.apply, name) for name in settings["symmetries"]],
        training.Settings(
            settings["epochs"],
            settings["batch_size"],
            settings["learning_rate"],
            settings["seed"],
        ),
        Path(checkpoint),
        report=partial(print, flush=True),
    )
    training.save(network, Path(model))
    columns = zip(*epochs, strict=True)
    files.write_table(history, dict(zip(epochs[0]._fields, columns, strict=True)))


def _examples(dataset: str | Path, mask: np.ndarray) -> Examples:
    fields, _ = store.read_where(dataset, ["porosity", "label"], mask)
    return Examples(fields["porosity"], fields["label"])
