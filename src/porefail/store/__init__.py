"""HDF5 files of the workflow: the contract, writing, reading. The only user of h5py."""

from porefail.files import StoreError
from porefail.store.contract import (
    CODES,
    DATASETS,
    FIELDS,
    HISTORY,
    KINDS,
    PROVENANCE,
    Collapse,
    Status,
)
from porefail.store.reading import (
    OtherSettings,
    difference,
    read,
    read_where,
    require_attributes,
    shapes,
)
from porefail.store.writing import (
    FILTERS,
    Appender,
    Target,
    appending,
    creating,
    stored,
    write_atomically,
)

__all__ = [
    "CODES",
    "DATASETS",
    "FIELDS",
    "FILTERS",
    "HISTORY",
    "KINDS",
    "PROVENANCE",
    "Appender",
    "Collapse",
    "OtherSettings",
    "Status",
    "StoreError",
    "Target",
    "appending",
    "creating",
    "read",
    "read_where",
    "difference",
    "require_attributes",
    "shapes",
    "stored",
    "write_atomically",
]
