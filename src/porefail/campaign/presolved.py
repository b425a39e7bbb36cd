"""What presolve shards tell of realizations, to stand beside their simulations."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from porefail import store

ADDED = ("elastic/", "presolve/", "submodels/")  # to what a simulation tells itself


class Presolved:
    """Presolve shards; reads rows when they are asked for.

    held: datasets that a simulation tells itself. attributes: `presolve`, what the shards were made
    with; empty without shards. Raises PorefailError where shards were made with other settings than
    `made_with`, or than each other, where they hold other datasets, or where a realization appears
    twice.
    """

    def __init__(self, shards: Sequence[str | Path], made_with: Mapping, held: Collection[str]):
        self.attributes: dict = {}
        self._places: dict[int, tuple[str | Path, int]] = {}
        self._names: list[str] = []
        for shard in shards:
            found, attributes = store.read(shard, ["realization"], kind="presolve shard")
            store.require_attributes(shard, attributes, made_with | self.attributes)
            self.attributes = {"presolve": attributes["presolve"]}
            names = [n for n in store.shapes(shard) if n.startswith(ADDED) and n not in held]
            if self._names and names != self._names:
                raise store.StoreError(f"{shard}: holds other datasets than {shards[0]}")
            self._names = names
            for row, number in enumerate(found["realization"].tolist()):
                if number in self._places:
                    raise store.StoreError(
                        f"realization {number} is in {self._places[number][0]} and in {shard}"
                    )
                self._places[number] = shard, row

    def rows(self, realizations: np.ndarray, porosity: np.ndarray) -> dict[str, np.ndarray]:
        """Datasets of realizations (n,), of the pores (n, nx, ny, nz); none without shards.

        Raises StoreError where one is in no shard, or is another specimen there.
        """
        if not self._names:
            return {}
        missing = [number for number in realizations.tolist() if number not in self._places]
        if missing:
            raise store.StoreError(f"realization {missing[0]} is in no presolve shard")
        places = [self._places[number] for number in realizations.tolist()]
        found: dict[str, np.ndarray] = {}
        for shard in dict.fromkeys(each for each, _ in places):
            here = [n for n, (each, _) in enumerate(places) if each == shard]
            rows = [places[n][1] for n in here]
            datasets, _ = store.read(shard, ["porosity", *self._names])
            if not np.array_equal(datasets["porosity"][rows], porosity[here]):
                raise store.StoreError(f"{shard}: its pores are not those of the simulations")
            for name in self._names:
                values = datasets[name]
                if name not in found:
                    found[name] = np.empty((len(places), *values.shape[1:]), values.dtype)
                found[name][here] = values[rows]
        return found
