"""dataset: turn damage into labels and split the realizations (paper, sections 3 and 3.1)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np

from porefail import __version__, learning, store
from porefail.command_line.kinds import File, NewFile, Settings
from porefail.configuration import require_settings
from porefail.configuration.sections import DATASET
from porefail.dataset.split import Part, split
from porefail.errors import PorefailError

SETTINGS = DATASET
ROWS = 256  # realizations in memory at a time


def run(
    ensemble: Annotated[File, "ensemble"],
    output: Annotated[NewFile, "data set to write (HDF5)"],
    settings: Settings,
) -> None:
    """Write pores, what was known before the simulation, label and part of every realization.

    settings: the keys of SETTINGS. Only the seed and a realization's number decide its part.
    """
    require_settings(settings, SETTINGS)
    found, source = store.read(ensemble, ["realization"], kind="ensemble")
    numbers = found["realization"]
    parts = split(numbers, settings["split"], settings["seed"])
    there = store.shapes(ensemble)
    names = [name for name in learning.DATASETS if name in there]
    attributes = {
        "dataset": dict(settings),
        "porosity": source["porosity"],
        "simulation": source["simulation"],
        "model_version": source["model_version"],
        "spacing": source["spacing"],
        "porefail_version": __version__,
    }
    if "presolve" in source:
        attributes["presolve"] = source["presolve"]
    with store.appending(output, attributes) as file:
        for first in range(0, len(numbers), ROWS):
            rows = slice(first, first + ROWS)
            fields, _ = store.read(ensemble, [learning.truth(settings), *names], rows)
            fields["realization"] = numbers[rows]
            file.append(
                {
                    **{name: fields[name] for name in names},
                    "label": _label(ensemble, fields, source, settings),
                    "realization": numbers[rows],
                    "part": parts[rows],
                }
            )
    counts = ", ".join(f"{np.sum(parts == part)} {part.name.lower()}" for part in Part)
    print(f"dataset: {len(numbers)} realizations, transform {settings['transform']}: {counts}")


def _label(ensemble: str | Path, fields: Mapping, source: Mapping, settings: Mapping) -> np.ndarray:
    try:
        return learning.label(fields, source, settings)
    except PorefailError as error:
        raise PorefailError(f"{ensemble}: {error}") from None
