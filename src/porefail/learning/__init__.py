"""What learns from the data: specimens in memory, networks, networks that say how sure they are."""

from porefail.learning.networks import SETTINGS, examples, load, network, predict, train
from porefail.learning.specimens import (
    CHANNELS,
    DATASETS,
    Specimens,
    channels,
    label,
    part,
    read,
    specimens,
    symmetries,
    truth,
)

__all__ = [
    "CHANNELS",
    "DATASETS",
    "SETTINGS",
    "Specimens",
    "channels",
    "examples",
    "label",
    "load",
    "network",
    "part",
    "predict",
    "read",
    "specimens",
    "symmetries",
    "train",
    "truth",
]
