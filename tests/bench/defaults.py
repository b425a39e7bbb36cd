"""Material, settings and specimens of the default configuration, for the benchmarks."""

from pathlib import Path

import numpy as np
import yaml

from porefail.fe.material import Material, material
from porefail.fe.tension import LoadSettings
from porefail.microstructure.karhunen_loeve import expansion, realize

CONFIG = Path(__file__).parents[2] / "config"
SETTINGS = yaml.safe_load((CONFIG / "default.yaml").read_text())
SPACING = SETTINGS["porosity"]["spacing"]  # mm

FULL, SMALL = (20, 20, 80), (8, 8, 32)
MEAN_POROSITY = {FULL: 0.0008, SMALL: 0.01}


MATERIAL = SETTINGS["simulation"]["material"]  # name of the default material


def default_material() -> Material:
    """The default material."""
    materials = yaml.safe_load((CONFIG / "materials.yaml").read_text())["materials"]
    return material(materials[MATERIAL])


def load_settings() -> LoadSettings:
    """How a specimen is pulled."""
    return LoadSettings(**{key: SETTINGS["simulation"][key] for key in LoadSettings._fields})


def pores(shape: tuple[int, int, int], mean: float, number: int) -> np.ndarray:
    """A realization (nx, ny, nz) of the porosity process, 1 = void."""
    keys = ("spacing", "correlation_length", "exponent", "energy")
    process = expansion(shape, *(SETTINGS["porosity"][key] for key in keys))
    return realize(process, mean, SETTINGS["seed"], number)
