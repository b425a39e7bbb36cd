"""Training of the network: samples a second, beside the bare network, other forms, and PyTorch.

Part of `make bench`. Wall time on the threads that the environment gives; all are timed in turn,
several times: the least time of each, and the median ratio of a round to the bare network.
"""

import argparse
import os
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from defaults import FULL, SMALL
from roofline import flops

from porefail.dataset import symmetry
from porefail.nn.batches import Batches, Examples
from porefail.nn.heteroencoder import heteroencoder, products
from porefail.nn.losses import weighted_mean_squared_error
from porefail.nn.training import mean_losses

THREADS = int(os.environ.get("OMP_NUM_THREADS", "1"))
# Multiply-adds of a training step beside those of a forward pass: also for the gradients of the
# fields and of the weights.
TRAINING = 3


def known_layers(channels: int = 8):
    """The paper's network in Keras' own layers, as Fig. 8 lists them."""
    import keras

    def convolution(count: int = channels, activation: str = "relu"):
        return keras.layers.Conv3D(count, 3, padding="same", activation=activation)

    pool, double = keras.layers.MaxPooling3D, keras.layers.UpSampling3D
    return keras.Sequential(
        [
            keras.Input((None, None, None, 1)),
            convolution(),
            pool(2),
            convolution(),
            pool(2),
            convolution(),
            double(2),
            convolution(),
            double(2),
            convolution(),
            convolution(1, "linear"),
        ]
    )


def keras_step(model, inputs, target) -> Callable[[], float]:
    import keras

    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=weighted_mean_squared_error)
    return lambda: model.train_on_batch(inputs, target)


def torch_step(porosity: np.ndarray, label: np.ndarray) -> Callable[[], float]:
    """The same network, loss and optimizer in PyTorch; raises ImportError where it is not."""
    import torch
    from torch import nn

    torch.set_num_threads(THREADS)

    def convolution(inner: int, outer: int):
        return nn.Conv3d(inner, outer, 3, padding=1)

    def double():
        return nn.Upsample(scale_factor=2, mode="nearest")

    model = nn.Sequential(
        *(convolution(1, 8), nn.ReLU(), nn.MaxPool3d(2)),
        *(convolution(8, 8), nn.ReLU(), nn.MaxPool3d(2)),
        *(convolution(8, 8), nn.ReLU(), double()),
        *(convolution(8, 8), nn.ReLU(), double()),
        *(convolution(8, 8), nn.ReLU(), convolution(8, 1)),
    ).to(memory_format=torch.channels_last_3d)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    fields, target = (torch.from_numpy(array[:, None]) for array in (porosity, label))
    fields = fields.to(memory_format=torch.channels_last_3d)

    def step() -> float:
        optimizer.zero_grad()
        loss = ((model(fields) - target) ** 2).mean()
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def rounds(runs: dict[str, Callable[[], object]], times: int) -> dict[str, np.ndarray]:
    """Wall seconds of each (times,), timed in turn."""
    for run in runs.values():
        run()
    seconds = {name: np.empty(times) for name in runs}
    for i in range(times):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            seconds[name][i] = time.perf_counter() - began
    return seconds


def measure(shape: tuple[int, int, int], batch: int, steps: int, times: int, peak: float) -> None:
    """Print one table."""
    import tensorflow as tf

    rng = np.random.default_rng(0)
    porosity = (rng.random((steps * batch, *shape)) < 0.01).astype(np.float32)
    label = rng.random(porosity.shape, np.float32)
    model = heteroencoder(seed=1)
    inputs = {"porosity": tf.constant(porosity[:batch, ..., None])}
    target = tf.constant(np.stack([label[:batch], np.ones_like(label[:batch])], axis=-1))
    bare = keras_step(model, inputs, target)
    group = [partial(symmetry.apply, name) for name in symmetry.ELEMENTS]
    batches = Batches(Examples({"porosity": porosity}, label), group, batch, 1, 1, copies=1)

    # As much work for the input as there is: five channels, a table of weights for each specimen.
    channels = [f"channel {k}" for k in range(5)]
    wide = heteroencoder(channels, seed=1)
    weight = rng.random((len(label), 50), np.float32)
    examples = Examples(dict.fromkeys(channels, porosity), label, weight)
    many = Batches(examples, group, batch, 1, 1, copies=1)
    same = {name: inputs["porosity"] for name in channels}
    wide_step = keras_step(wide, same, target)
    runs = {
        "bare network, data at hand": partial(repeat, bare, steps),
        "training, symmetries on the fly": partial(mean_losses, model.train_on_batch, batches),
        "bare, five channels": partial(repeat, wide_step, steps),
        "training, five channels, IHpr": partial(mean_losses, wide.train_on_batch, many),
        "bare, UpSampling3D and Conv3D apart": partial(
            repeat, keras_step(known_layers(), inputs["porosity"], target), steps
        ),
    }
    try:
        runs["PyTorch, the same step"] = partial(
            repeat, torch_step(porosity[:batch], label[:batch]), steps
        )
    except ImportError:
        print("PyTorch is left out: it is not installed (pip install torch)")
    seconds = rounds(runs, times)
    first = seconds["bare network, data at hand"]
    work = 2 * TRAINING * products(model, shape)
    print(
        f"\n{'x'.join(map(str, shape))} voxels, batches of {batch}, {THREADS} thread(s),"
        f" {steps} steps, {times} rounds; {1e-6 * work:.0f} MFLOP a sample and step\n"
        f"{'':37}{'samples/s':>10}{'ms/sample':>10}{'beside the first':>18}"
    )
    for name, spent in seconds.items():
        each = spent.min() / (steps * batch)
        beside = np.median(first / spent)  # of the same round: the machine's speed drifts
        print(f"{name:37}{1 / each:10.0f}{1e3 * each:10.2f}{beside:17.0%}", flush=True)
    rate = 1e-9 * work * steps * batch / first.min()
    print(
        f"the bare network does {rate:.0f} GFLOP/s, {rate / (peak * THREADS):.0%} of"
        f" {peak * THREADS:.0f} GFLOP/s (multiply-adds in single precision, {THREADS} core(s))"
    )


def repeat(step: Callable[[], object], steps: int) -> None:
    for _ in range(steps):
        step()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="8x8x32 voxels alone, few steps")
    arguments = parser.parse_args()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    peak = flops(np.float32)
    if arguments.small:
        measure(SMALL, 8, 4, 2, peak)
        return
    measure(SMALL, 32, 80, 7, peak)
    measure(FULL, 16, 20, 6, peak)


if __name__ == "__main__":
    main()
