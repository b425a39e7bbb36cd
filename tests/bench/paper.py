"""Specimens of the paper's size, for what is measured on them."""

import numpy as np

from porefail import configuration
from porefail.microstructure.karhunen_loeve import expansion, realize


def specimens(count: int) -> tuple[list[np.ndarray], float]:
    """Pores (nx, ny, nz) of the first realizations of config/paper.yaml, edge of voxels in mm."""
    config = configuration.resolve([configuration.CONFIG / "paper.yaml"])
    settings = config["porosity"]
    names = ("correlation_length", "exponent", "energy")
    expanded = expansion(
        settings["shape"], settings["spacing"], *(settings[name] for name in names)
    )
    mean, seed = settings["mean_porosity"], config["seed"]
    return [realize(expanded, mean, seed, number) for number in range(count)], settings["spacing"]
