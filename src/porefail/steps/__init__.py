"""One module a rule of the workflow: read files, call the rooms, write files."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from porefail import store


def same_origin(dataset: str | Path, prediction: str | Path, ensemble: str | Path) -> dict:
    """Attributes of a data set, once it is sure that prediction and ensemble belong to it.

    Raises StoreError where one of them was made with other settings.
    """
    _, source = store.read(dataset, [], kind="data set")
    require_origin(prediction, "prediction", source)
    require_origin(ensemble, "ensemble", source)
    return source


def require_origin(path: str | Path, kind: str, source: Mapping) -> None:
    """Refuse a file of a kind of store.KINDS that does not belong to a data set.

    source: attributes of the data set. Raises StoreError where the file was made with others.
    """
    _, attributes = store.read(path, [], kind=kind)
    shared = [name for name in store.KINDS[kind] if name in store.KINDS["data set"]]
    store.require_attributes(path, attributes, {name: source[name] for name in shared})


def same_specimens(dataset: str | Path, ensemble: str | Path) -> dict:
    """Attributes of a data set, once it is sure that it was made of the ensemble, row by row.

    Raises StoreError where the ensemble was made with other settings, or has other realizations.
    """
    _, source = store.read(dataset, [], kind="data set")
    require_origin(ensemble, "ensemble", source)
    ours, theirs = (
        store.read(path, ["realization"])[0]["realization"] for path in (dataset, ensemble)
    )
    if not np.array_equal(ours, theirs):
        raise store.StoreError(f"{dataset} and {ensemble} hold different realizations")
    return source
