"""The networks, their losses and their training are Keras alone: other backends learn the same.

These are not part of the set-up (pip install "jax[cpu]" torch); without them nothing is compared.
"""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

# Trains a network from the weights in the folder; what the network says before and after.
SCRIPT = """
import sys
from pathlib import Path

import keras
import numpy as np

from porefail.nn.batches import Examples
from porefail.nn.heteroencoder import heteroencoder
from porefail.nn.losses import LOSSES
from porefail.nn.prediction import predict
from porefail.nn.training import Settings, train

folder, backend = Path(sys.argv[1]), sys.argv[2]
assert keras.backend.backend() == backend and ("tensorflow" in sys.modules) == (
    backend == "tensorflow"
)
rng = np.random.default_rng(0)
inputs = {name: rng.random((6, 4, 4, 8)).astype(np.float32) for name in ("porosity", "pressure")}
label = (rng.random((6, 4, 4, 8)) < 0.1).astype(np.float32)
label[:, 0, 0, 0], label[:, 1, 1, 1] = np.nan, 1
examples, turns = Examples(inputs, label), [np.asarray, lambda field: field[..., ::-1]]
found = {}
for loss in ("squared_error", "site_likelihood"):  # the other one takes a noise too
    for name, options in {
        "plain": {},
        "changed": {"skips": True, "dilations": (1, 2), "symmetric": True},
    }.items():
        model = heteroencoder(tuple(inputs), seed=1, filters=8, **options)
        weights = folder / f"{loss}-{name}.npz"
        if backend == "tensorflow":
            np.savez(weights, *model.get_weights())
        with np.load(weights) as stored:
            model.set_weights(list(stored.values()))
        found[f"{loss} {name} before"] = predict(model, inputs)
        state = folder / f"{backend}-{loss}-{name}.npz"
        settings = Settings(2, 4, 1e-3, 3, 1)
        history = train(model, examples, examples, turns, settings, state, LOSSES[loss])
        found[f"{loss} {name} after"] = predict(model, inputs)
        found[f"{loss} {name} losses"] = [(row.loss, row.validation_loss) for row in history]
np.savez(folder / f"{backend}.npz", **found)
"""


def trained(folder, backend) -> dict[str, np.ndarray]:
    environment = os.environ | {"KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, str(folder), backend]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with np.load(folder / f"{backend}.npz") as file:
        return dict(file)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_learns_the_same(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    known, other = trained(tmp_path, "tensorflow"), trained(tmp_path, backend)
    assert known.keys() == other.keys() and len(known) == 12
    for name in known:
        np.testing.assert_allclose(other[name], known[name], rtol=1e-3, atol=2e-4, err_msg=name)
