"""porosity: draw the explicit pores of a batch of realizations (paper, section 2.2)."""

import math
from typing import Annotated

import numpy as np

from porefail import __version__, store
from porefail.command_line.kinds import NewFile, Number, Settings
from porefail.configuration import require_settings
from porefail.configuration.sections import PORES
from porefail.errors import PorefailError
from porefail.microstructure import karhunen_loeve
from porefail.store import memory

SETTINGS = PORES
BYTES = 72  # a voxel, at the peak of an expansion


def run(
    output: Annotated[NewFile, "porosity shard to write (HDF5)"],
    first: Annotated[Number, "number of the first realization"],
    last: Annotated[Number, "number of the last realization, inclusive"],
    settings: Settings,
) -> None:
    """Write realizations `first` to `last` (inclusive) to `output`.

    settings: the keys of SETTINGS. A realization depends on its number and on the settings alone.
    """
    require_settings(settings, SETTINGS)
    if not 0 <= first <= last:
        raise PorefailError(f"realizations {first} to {last}: expected 0 <= first <= last")
    count = last - first + 1
    memory.require(
        math.prod(settings["shape"]) * (BYTES + 2 * count),
        f"settings: shape {settings['shape']} for {count} realizations",
    )
    expansion = karhunen_loeve.expansion(
        tuple(settings["shape"]),
        settings["spacing"],
        settings["correlation_length"],
        settings["exponent"],
        settings["energy"],
    )
    numbers = np.arange(first, last + 1, dtype=np.int64)
    voxels = np.stack(
        [
            karhunen_loeve.realize(expansion, settings["mean_porosity"], settings["seed"], number)
            for number in numbers.tolist()
        ]
    )
    store.write_atomically(
        output,
        {"porosity": voxels, "realization": numbers},
        {
            "porosity": dict(settings),
            "spacing": settings["spacing"],
            "modes": expansion.modes,
            "porefail_version": __version__,
        },
    )
    print(
        f"porosity {first:05d}-{last:05d}: {expansion.modes} modes hold "
        f"{100 * settings['energy']:g} % of the energy; porosity {voxels.mean():.5f} "
        f"(expected {settings['mean_porosity']:g}), "
        f"{np.count_nonzero(~voxels.any(axis=(1, 2, 3)))} of {len(numbers)} without a pore"
    )
