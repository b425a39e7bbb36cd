"""Other ensembles that a variant is scored on: of other specimens than those it learnt from."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from porefail import learning, store
from porefail.configuration.variants import CHANNELS
from porefail.errors import PorefailError

PRESOLVE = "presolve/damage"


def transfer_ensembles(
    transfer: Sequence[str | Path],
    sets: Mapping,
    source: Mapping,
    dataset: Mapping,
    channels: Sequence[str],
) -> dict[str, str | Path]:
    """Other ensembles by name; refused before anything is learnt, not after."""
    others: dict[str, str | Path] = {}
    for path in transfer:
        name = Path(path).parent.name
        if name in sets or name in others:
            raise PorefailError(f"{path}: two sets of specimens are called {name}")
        _require_others(path, source)
        if any(PRESOLVE in CHANNELS[channel] for channel in channels):
            _require_same_step(path, source)
        learning.specimens(path, dataset, channels, slice(0, 1))
        others[name] = path
    return others


def _require_same_step(path: str | Path, source: Mapping) -> None:
    """Refuse damage after another coarse step than that learnt from."""
    _, other = store.read(path, [], kind="ensemble")
    ours, theirs = source.get("presolve"), other.get("presolve")
    if ours != theirs:
        raise PorefailError(f"{path}: its coarse step is {theirs}, expected {ours}, as learnt from")


def _require_others(path: str | Path, source: Mapping) -> None:
    """Refuse specimens that are cut from the same random fields as those learnt from."""
    _, other = store.read(path, [], kind="ensemble")
    names = ("seed", "shape", "spacing", "correlation_length", "exponent", "energy")
    ours, theirs = ([each["porosity"].get(name) for name in names] for each in (source, other))
    if ours == theirs:
        raise PorefailError(
            f"{path}: its pores are at the places of those learnt from, whatever their number: "
            "give its configuration a seed of its own"
        )
