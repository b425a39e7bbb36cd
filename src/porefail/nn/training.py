"""Training of a network: epochs, learning curves, checkpoint and resume (paper, section 3.3)."""

import hashlib
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from porefail import files
from porefail.errors import PorefailError
from porefail.nn import checkpoint
from porefail.nn.batches import Batches, Examples, Symmetry
from porefail.nn.checkpoint import Epoch, State
from porefail.nn.heteroencoder import check_grid
from porefail.nn.losses import weighted_mean_squared_error


class Settings(NamedTuple):
    """epochs; batch_size; learning_rate of Adam; seed of the order of the examples.

    copies: symmetric copies of each realization in an epoch.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    seed: int
    copies: int


def train(
    model: keras.Model,
    training: Examples,
    validation: Examples,
    symmetries: Sequence[Symmetry],
    settings: Settings,
    state_file: Path,
    loss: Callable = weighted_mean_squared_error,
    report: Callable[[str], None] = print,
) -> list[Epoch]:
    """Train a model with Adam and leave it with the weights of its lowest validation loss.

    An epoch is every training example in `copies` of the symmetries, others in every epoch;
    validation examples are taken as they are. After each epoch the whole state is written to
    state_file, and a training that finds its own state there goes on from it: the result is the
    same as without the interruption. A state of other data, settings or initial weights is not
    used, which is reported; more epochs than before continue. report gets one line an epoch.
    Returns the learning curves.
    Raises PorefailError on an empty part, on a grid that the network cannot take, on bad settings
    and on a loss that is no longer finite.
    """
    _check(training, validation, settings)
    model.compile(
        optimizer=keras.optimizers.Adam(settings.learning_rate),
        loss=loss,
        # What is learned from the data alone, where layers add to the loss.
        metrics=[keras.metrics.MeanMetricWrapper(loss, name="data")] if _adds(model) else [],
    )
    model.optimizer.build(model.trainable_variables)
    mark = _fingerprint(model, training, validation, symmetries, settings, loss)
    state = _resume(model, mark, settings.epochs, state_file, report)
    best, history = (state.best, state.history) if state else ([], [])
    known = Batches(validation, [np.asarray], settings.batch_size)
    for epoch in range(len(history) + 1, settings.epochs + 1):
        start = time.perf_counter()
        batches = Batches(
            training, symmetries, settings.batch_size, settings.seed, epoch, settings.copies
        )
        fitted, divergence = mean_losses(model.train_on_batch, batches)
        validated, _ = mean_losses(model.test_on_batch, known)
        if not math.isfinite(fitted) or not math.isfinite(validated):
            raise PorefailError(
                f"the loss is no longer finite in epoch {epoch}: lower the learning rate"
            )
        if not history or validated < min(row.validation_loss for row in history):
            best = _values(model.variables)
        seconds = time.perf_counter() - start
        history.append(Epoch(epoch, fitted, validated, divergence, seconds))
        now = State(
            mark, _values(model.variables), _values(model.optimizer.variables), best, history
        )
        checkpoint.write(state_file, now)
        report(_progress(history, settings.epochs))
    _assign(model.variables, best)
    return history


def mean_losses(step: Callable, batches: Batches) -> tuple[float, float]:
    """Do a step, train_on_batch or test_on_batch of a model, with every batch.

    Returns means of examples: of the loss, and of what layers add to it, which is the weighted
    divergence of a Bayesian network. A loop of our own: what Keras' fit sets up takes a tenth of a
    second, each epoch anew.
    """
    total = np.zeros(2)
    count = 0
    for inputs, target in _prepared(batches):
        means = step(inputs, target, return_dict=True)
        data = means.get("data", means["loss"])
        total += np.array([data, means["loss"] - data]) * len(target)
        count += len(target)
    data, added = (total / count).tolist()
    return data, added


def _prepared(batches: Batches) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
    """All batches in their order, each made while the network works on the one before."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        coming = thread.submit(batches.__getitem__, 0)
        for index in range(1, len(batches) + 1):
            ready = coming.result()
            if index < len(batches):
                coming = thread.submit(batches.__getitem__, index)
            yield ready


def save(model: keras.Model, path: Path) -> None:
    """Write a model as a .keras file, whole or not at all; PorefailError where it cannot be."""
    with tempfile.TemporaryDirectory() as folder, files.new_file(path) as file:
        named = Path(folder) / "model.keras"  # Keras takes no other suffix
        model.save(named)
        file.write(named.read_bytes())


def load(path: Path) -> keras.Model:
    """Read a model for prediction; PorefailError where the file is missing or is no model."""
    if not path.is_file():
        raise PorefailError(f"{path}: missing file")
    try:
        model = keras.models.load_model(path, compile=False)
    except Exception as error:  # whatever a damaged archive makes Keras raise
        lines = str(error).split("\n")
        line = next(filter(None, map(str.strip, lines)), type(error).__name__)
        raise PorefailError(f"{path}: not a model: {line}") from None
    if not getattr(model, "inputs", None) or len(model.outputs) != 1:
        raise PorefailError(f"{path}: not a model of ours: expected inputs and one output")
    return model


def _adds(model: keras.Model) -> bool:
    return any(getattr(layer, "divergence_weight", 0.0) for layer in model.layers)


def _check(training: Examples, validation: Examples, settings: Settings) -> None:
    for name, part in (("training", training), ("validation", validation)):
        if not len(part.label):
            raise PorefailError(f"the {name} part is empty: simulate more realizations")
        if part.label.ndim == 4:
            check_grid(part.label.shape[1:])
        if not np.isfinite(part.label).any(axis=tuple(range(1, part.label.ndim))).all():
            raise PorefailError(f"the {name} part holds an example without a label")
    if settings.epochs < 1 or settings.batch_size < 1 or not settings.learning_rate > 0:
        raise PorefailError(f"training needs positive numbers, not {settings}")


def _fingerprint(
    model: keras.Model,
    training: Examples,
    validation: Examples,
    symmetries: Sequence[Symmetry],
    settings: Settings,
    loss: Callable,
) -> str:
    """Hash of all that decides the result but the number of epochs."""
    digest = hashlib.blake2b(digest_size=16)
    channels = [list(part.inputs) for part in (training, validation)]
    # What layers do, without their data type, which Keras describes with an object's address.
    layers = [
        {key: value for key, value in layer.get_config().items() if key != "dtype"}
        for layer in model.layers
    ]
    parts = (settings._replace(epochs=0), loss.__name__, model.name, layers, channels)
    digest.update(repr(parts).encode())
    shape = next(each.shape[-3:] for each in training.inputs.values() if each.ndim > 2)
    voxels = np.arange(math.prod(shape)).reshape(shape)
    for array in (
        *(field for part in (training, validation) for field in part.inputs.values()),
        *(array for part in (training, validation) for array in (part.label, part.weight)),
        *(symmetry(voxels) for symmetry in symmetries),
        *_values(model.variables),
    ):
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def _resume(
    model: keras.Model, mark: str, epochs: int, path: Path, report: Callable[[str], None]
) -> State | None:
    """Put a model and its optimizer into the stored state, if it is a state of this training."""
    state = checkpoint.read(path)
    if state is None:
        if path.exists():
            report(f"{path} is damaged: training starts anew")
        return None
    if state.fingerprint != mark or len(state.history) > epochs:
        report(f"{path} is of other data or settings: training starts anew")
        return None
    for ours, stored in (
        (model.variables, state.variables),
        (model.variables, state.best),
        (model.optimizer.variables, state.optimizer),
    ):
        if [tuple(each.shape) for each in ours] != [each.shape for each in stored]:
            report(f"{path} is of another network: training starts anew")
            return None
    _assign(model.variables, state.variables)
    _assign(model.optimizer.variables, state.optimizer)
    report(f"training goes on after epoch {len(state.history)}/{epochs}")
    return state


def _values(variables: Sequence[keras.Variable]) -> list[np.ndarray]:
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _assign(variables: Sequence[keras.Variable], values: Sequence[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _progress(history: list[Epoch], epochs: int) -> str:
    row = history[-1]
    left = (epochs - row.epoch) * np.median([each.seconds for each in history[-10:]])
    return (
        f"epoch {row.epoch}/{epochs}  loss {row.loss:.3e}  validation {row.validation_loss:.3e}"
        f"  {row.seconds:.1f} s  {int(left // 60)}:{int(left % 60):02d} left"
    )
