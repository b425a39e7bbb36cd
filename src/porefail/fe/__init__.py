"""Finite elements: the mechanics of a porous tension specimen up to first failure."""

import hashlib
from pathlib import Path

import numba

from porefail import MODEL_VERSION as MODEL_VERSION

# Numba looks whether the file of a compiled function has changed, not the files of the functions
# that are compiled into it. One cache for each state of all sources here keeps it from running
# the physics of yesterday.
_FOLDER = Path(__file__).parent
_SOURCES = b"".join(path.read_bytes() for path in sorted(_FOLDER.rglob("*.py")))
numba.config.CACHE_DIR = str(
    Path(numba.config.CACHE_DIR or _FOLDER / "__pycache__")
    / hashlib.sha256(_SOURCES).hexdigest()[:16]
)
