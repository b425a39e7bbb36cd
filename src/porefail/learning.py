"""What learns from the data: specimens in memory, networks by their settings, their predictions.

The step that trains one network and the step that cross-validates many variants share it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from porefail import memory, store
from porefail.configuration import section
from porefail.dataset import symmetry
from porefail.dataset.split import Part
from porefail.dataset.transforms import transform
from porefail.dataset.weighting import weights
from porefail.errors import PorefailError

if TYPE_CHECKING:
    import keras

    from porefail.nn import batches

# What a network can be given: the dataset it comes from, and what is done to it. All are known
# before a simulation. Damage grows with powers of the stresses, so a network does better with their
# logarithms; in compression there is no growth to tell apart.
CHANNELS: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "porosity": ("porosity", np.asarray),
    "von_mises": ("elastic/von_mises", np.asarray),
    "pressure": ("elastic/pressure", np.asarray),
    "log_von_mises": ("elastic/von_mises", lambda stress: np.log(np.maximum(stress, 1e-3))),
    "log_pressure": ("elastic/pressure", lambda stress: np.log(np.maximum(stress, 1e-2))),
}
DATASETS = tuple(dict.fromkeys(dataset for dataset, _ in CHANNELS.values()))
BYTES = 20  # a voxel, filter and example, at the peak of a training step
# Settings of a network and of its training, as in config/schema.yaml.
SETTINGS = {"seed": "$defs.training_seed", **section("training", without=("average", "bayesian"))}


class Specimens(NamedTuple):
    """realization: (n,); all else (n, nx, ny, nz): porosity, 1 = void; label, NaN in voids."""

    realization: np.ndarray
    porosity: np.ndarray
    label: np.ndarray
    channels: Mapping[str, np.ndarray]

    def where(self, mask: np.ndarray) -> "Specimens":
        """The specimens of a mask (n,)."""
        channels = {name: field[mask] for name, field in self.channels.items()}
        return Specimens(*(field[mask] for field in self[:3]), channels)


def datasets(names: Sequence[str]) -> list[str]:
    """What is stored of the pores and of channels by name."""
    return list(dict.fromkeys(["porosity", *(CHANNELS[name][0] for name in names)]))


def channels(fields: Mapping[str, np.ndarray], names: Sequence[str]) -> dict[str, np.ndarray]:
    """Channels by name, from datasets as they are stored; 0 in voids, where a stress is NaN."""
    found = {}
    for name in names:
        dataset, change = CHANNELS[name]
        found[name] = np.nan_to_num(change(fields[dataset]))
    return found


def part(dataset: str | Path, wanted: Part) -> np.ndarray:
    """Which specimens of a data set are in a part, bool (n,); StoreError where none is."""
    mask = store.read(dataset, ["part"])[0]["part"] == wanted
    if not mask.any():
        raise store.StoreError(
            f"{dataset}: its {wanted.name.lower()} part is empty: simulate more realizations"
        )
    return mask


def read(dataset: str | Path, mask: np.ndarray, names: Sequence[str]) -> Specimens:
    """The specimens of a data set where mask (n,) is true, with channels by name."""
    fields, _ = store.read_where(dataset, ["realization", "label", *datasets(names)], mask)
    return Specimens(
        fields["realization"], fields["porosity"], fields["label"], channels(fields, names)
    )


def label(fields: Mapping[str, np.ndarray], source: Mapping, settings: Mapping) -> np.ndarray:
    """Labels (n, nx, ny, nz) of rows of an ensemble, NaN in voids.

    fields: realization, damage and porosity of the rows; source: the ensemble's attributes;
    settings: with transform, filter_width and contrast, as in config/schema.yaml.
    """
    return transform(
        fields["damage"],
        fields["porosity"],
        settings["transform"],
        filter_width=settings["filter_width"],
        contrast=settings["contrast"],
        maximum_damage=source["simulation"]["material"]["maximum_damage"],
        realization=fields["realization"].tolist(),
    )


def specimens(
    ensemble: str | Path, settings: Mapping, names: Sequence[str] = (), rows: slice | None = None
) -> tuple[Specimens, np.ndarray]:
    """Specimens of an ensemble, with labels made as in `dataset`, and the voxels that failed.

    settings: see label; names: of the channels; rows: all if not given. Returns also failed, bool
    (n, nx, ny, nz).
    """
    _, source = store.read(ensemble, [], kind="ensemble")
    stored = ["realization", "damage", "failed", *datasets(names)]
    fields, _ = store.read(ensemble, stored, rows)
    found = Specimens(
        fields["realization"],
        fields["porosity"],
        label(fields, source, settings),
        channels(fields, names),
    )
    return found, fields["failed"] == 1


def symmetries(shape: Sequence[int]) -> list[str]:
    """Names of the symmetries of a grid (nx, ny, nz): all 16 if it is square."""
    square = shape[0] == shape[1]
    return [name for name, each in symmetry.ELEMENTS.items() if square or not each.swap]


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
    """Train a network; returns its learning curves. settings: the keys of SETTINGS."""
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


def curves(epochs: Sequence) -> dict[str, tuple]:
    """Learning curves as columns of a table, from the rows that train() returns."""
    return dict(zip(epochs[0]._fields, zip(*epochs, strict=True), strict=True))


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
