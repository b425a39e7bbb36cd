"""State of a training after an epoch, in one file that is replaced whole or not at all."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from porefail import files


class Epoch(NamedTuple):
    """One row of the learning curves; epoch counts from 1, the losses are means a sample.

    divergence: of a Bayesian network, weighted as it is added to the training loss; else 0.
    """

    epoch: int
    loss: float
    validation_loss: float
    divergence: float
    seconds: float


class State(NamedTuple):
    """All that an epoch leaves to the next one.

    fingerprint: of data and settings (see training); variables: of the model, optimizer: of the
    optimizer, best: of the model at its lowest validation loss; history: the epochs so far.
    """

    fingerprint: str
    variables: list[np.ndarray]
    optimizer: list[np.ndarray]
    best: list[np.ndarray]
    history: list[Epoch]


_LISTS = ("variables", "optimizer", "best")


def write(path: Path, state: State) -> None:
    """Write a state to an .npz file. Raises PorefailError where the file cannot be written."""
    arrays = {"fingerprint": np.array(state.fingerprint), "history": np.array(state.history)}
    for name in _LISTS:
        arrays |= {f"{name}_{k:03d}": value for k, value in enumerate(getattr(state, name))}
    with files.new_file(path) as file:  # an open file: savez would add a suffix to a name
        np.savez(file, **arrays)


def read(path: Path) -> State | None:
    """The state in a file; None where there is no file, or it is no state (of this version)."""
    try:
        with np.load(path, allow_pickle=False) as file:
            lists = (
                [file[key] for key in sorted(file.files) if key.startswith(f"{name}_")]
                for name in _LISTS
            )
            history = [Epoch(int(row[0]), *map(float, row[1:])) for row in file["history"]]
            return State(str(file["fingerprint"]), *lists, history)
    except Exception:  # whatever a damaged archive, or one of other things, makes NumPy raise
        return None
