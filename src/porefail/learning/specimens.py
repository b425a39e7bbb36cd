"""Specimens in memory: their pores, label, and channels that a network may be given."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from porefail import store
from porefail.baselines.superposition import UNIFORM, superposed
from porefail.configuration.variants import CHANNELS
from porefail.dataset import symmetry
from porefail.dataset.split import Part
from porefail.dataset.transforms import transform


def _log_growth(damage: np.ndarray) -> np.ndarray:
    """Logarithm of what damage has grown by since φ0, that of material that has not flowed.

    Least in voids, and everywhere in a specimen whose step found no solution.
    """
    initial = np.nanmin(damage, axis=(1, 2, 3), keepdims=True, initial=1.0)
    return np.log(np.maximum(np.nan_to_num(damage - initial), 1e-6))


def _log(stress: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(stress, 1e-3))


def _triaxiality(pressure: np.ndarray, von_mises: np.ndarray) -> np.ndarray:
    return np.clip(pressure / np.maximum(von_mises, 1e-3), -1.0, 3.0)


# What is done to the datasets of each channel. Damage grows with powers of the stresses, so
# logarithms do better; in compression there is no growth to tell apart.
CHANGES: dict[str, Callable[..., np.ndarray]] = {
    "porosity": np.asarray,
    "von_mises": np.asarray,
    "pressure": np.asarray,
    "log_von_mises": _log,
    "log_pressure": lambda stress: np.log(np.maximum(stress, 1e-2)),
    "triaxiality": _triaxiality,
    "log_largest_von_mises": _log,
    "lode": np.asarray,
    "log_coarse_damage": _log_growth,
    "submodel_strain": np.asarray,  # 0 where no block failed
    **{f"superposed_{name}": partial(superposed, measure=name) for name in UNIFORM},
}


class Specimens(NamedTuple):
    """realization: (n,); all else (n, nx, ny, nz): porosity, 1 = void; label, NaN in voids."""

    realization: np.ndarray
    porosity: np.ndarray
    label: np.ndarray
    channels: Mapping[str, np.ndarray]

    def where(self, mask: np.ndarray) -> "Specimens":
        """The specimens of a mask (n,)."""
        kept = {name: field[mask] for name, field in self.channels.items()}
        return Specimens(*(field[mask] for field in self[:3]), kept)


def datasets(names: Sequence[str]) -> list[str]:
    """What is stored of the pores and of channels by name."""
    asked = [dataset for name in names for dataset in CHANNELS[name]]
    return list(dict.fromkeys(["porosity", *asked]))


DATASETS = tuple(datasets(list(CHANNELS)))


def channels(fields: Mapping[str, np.ndarray], names: Sequence[str]) -> dict[str, np.ndarray]:
    """Channels by name, from datasets as they are stored; 0 in voids, where a stress is NaN."""
    found = {}
    for name in names:
        given = (fields[each] for each in CHANNELS[name])
        found[name] = np.nan_to_num(CHANGES[name](*given))
    return found


def part(dataset: str | Path, wanted: Part) -> np.ndarray:
    """Which specimens of a data set are in a part, bool (n,); StoreError where none is."""
    mask = store.read(dataset, ["part"])[0]["part"] == wanted
    if not mask.any():
        raise store.StoreError(
            f"{dataset}: its {wanted.name.lower()} part is empty: simulate more realizations"
        )
    return mask


def read(dataset: str | Path, wanted: Part, names: Sequence[str]) -> Specimens:
    """A part of a data set, with channels by name; StoreError where it has no specimen."""
    stored = ["realization", "label", *datasets(names)]
    fields, _ = store.read_where(dataset, stored, part(dataset, wanted))
    return Specimens(
        fields["realization"], fields["porosity"], fields["label"], channels(fields, names)
    )


def truth(settings: Mapping) -> str:
    """The dataset that labels are made of: of sites it is enough to know which voxels failed."""
    return "failed" if settings["transform"] == "site" else "damage"


def label(fields: Mapping[str, np.ndarray], source: Mapping, settings: Mapping) -> np.ndarray:
    """Labels (n, nx, ny, nz) of rows of an ensemble, NaN in voids.

    fields: realization, porosity and truth(settings) of the rows; source: the ensemble's
    attributes; settings: with transform, filter_width and contrast, as in config/schema.yaml.
    """
    maximum = source["simulation"]["material"]["maximum_damage"]
    known = fields[truth(settings)]
    return transform(
        maximum * known if truth(settings) == "failed" else known,
        fields["porosity"],
        settings["transform"],
        filter_width=settings["filter_width"],
        contrast=settings["contrast"],
        maximum_damage=maximum,
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
    stored = list(dict.fromkeys(["realization", "failed", truth(settings), *datasets(names)]))
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
