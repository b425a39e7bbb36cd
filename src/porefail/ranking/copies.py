"""Perturbed copies of held-out specimens beside their ranking, read and joined."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from porefail import files, store
from porefail.baselines.sites import hot_spot
from porefail.errors import PorefailError
from porefail.files import tables
from porefail.store import Status

RANKED = ("realization", "rank", "probability")  # columns of the sites of `rank`


class Specimen(NamedTuple):
    """A held-out specimen; fields (nx, ny, nz); what became of its k perturbed copies.

    porosity; failed: bool; elastic: score of one elastic solve, NaN in voids, as the label;
    predicted: label by the trained network; site: rank in the ranking, 0 in none; probability: of
    the ranked sites, (m,); number, status: (k,); strain: (k,), at first failure; places: bool (f,
    nx, ny, nz), where those failed that did.
    """

    realization: int
    porosity: np.ndarray
    failed: np.ndarray
    elastic: np.ndarray
    label: np.ndarray
    predicted: np.ndarray
    site: np.ndarray
    probability: np.ndarray
    number: np.ndarray
    status: np.ndarray
    strain: np.ndarray
    places: np.ndarray


def read_copies(
    shards: Sequence[str | Path], source: Mapping, settings: Mapping
) -> dict[int, dict[str, np.ndarray]]:
    """What became of the perturbations of each realization, by its number."""
    made_with = {key: settings[key] for key in ("simulation", "model_version")}
    names = ["realization", "status", "first_failure_strain", "failed"]
    made_with["porosity"] = source["porosity"]
    found: dict[int, list[dict]] = {}
    distances = set()
    for shard in shards:
        rows, attributes = store.read(shard, names, kind="simulation shard")
        change = {key: attributes["porosity"].pop(key, None) for key in ("perturbed", "distance")}
        if change["perturbed"] is None:
            raise PorefailError(f"{shard}: not a shard of perturbed specimens")
        store.require_attributes(shard, attributes, made_with)
        distances.add(change["distance"])
        if len(distances) > 1:
            raise PorefailError(
                f"{shard}: perturbed within {change['distance']} mm of the failure, others not"
            )
        found.setdefault(int(change["perturbed"]), []).append(rows)
    joined = {
        realization: {name: np.concatenate([each[name] for each in parts]) for name in names}
        for realization, parts in sorted(found.items())
    }
    for realization, made in joined.items():
        number, count = np.unique(made["realization"], return_counts=True)
        if (count > 1).any():
            raise PorefailError(
                f"perturbation {number[count > 1][0]} of realization {realization} is in two shards"
            )
    return joined


def ranked_probabilities(path: str | Path) -> dict[int, np.ndarray]:
    """Probabilities (m,) of the ranked sites of each realization, by its number."""
    table = files.read_table(path, {key: tables.SITES[key] for key in RANKED})
    found = {}
    for number, mine in table.sort_values("rank").groupby("realization"):
        if not np.array_equal(mine["rank"], np.arange(1, 1 + len(mine))):
            raise store.StoreError(
                f"{path}, column rank: of realization {number}, expected 1 to {len(mine)}, each"
                " once"
            )
        found[number] = mine["probability"].to_numpy()
    return found


def specimen(
    realization: int,
    made: Mapping[str, np.ndarray],
    ensemble: str | Path,
    dataset: str | Path,
    prediction: str | Path,
    ranking: str | Path,
    sites: str | Path,
    ranked: Mapping[int, np.ndarray],
) -> Specimen:
    def field(path: str | Path, *names: str) -> list[np.ndarray]:
        numbers = store.read(path, ["realization"])[0]["realization"]
        if realization not in numbers:
            raise PorefailError(f"{path}: holds no realization {realization}, which was perturbed")
        found, _ = store.read_where(path, names, numbers == realization)
        return [found[name][0] for name in names]

    stresses = ("elastic/von_mises", "elastic/pressure")
    porosity, failed, *solved = field(ensemble, "porosity", "failed", *stresses)
    probability = ranked.get(realization, np.empty(0))
    broken = made["status"] == Status.FIRST_FAILURE
    site = field(ranking, "site")[0].astype(int)
    if len(probability) != site.max():
        raise PorefailError(f"{sites}: does not belong to {ranking}: other sites of {realization}")
    return Specimen(
        realization,
        porosity,
        failed == 1,
        hot_spot(*(each[None] for each in (*solved, porosity)))[0],
        *field(dataset, "label"),
        *field(prediction, "mean"),
        site,
        probability,
        made["realization"],
        made["status"],
        made["first_failure_strain"],
        made["failed"][broken] == 1,
    )
