"""Whether a file can be written, before the work that makes it.

Without numerical imports: the configuration, which workflow files use, looks too.
"""

import os
import tempfile
from pathlib import Path


def existing(folder: str | Path) -> str:
    """The folder, or the first thing above it that is there; what is missing is made later."""
    there = str(folder) or "."
    while not os.path.lexists(there):
        there = os.path.dirname(there) or "."
    return there


def try_writing(folder: str | Path) -> None:
    """Raise OSError if no file can be written in an existing folder. Nothing is left there."""
    descriptor, path = tempfile.mkstemp(prefix=".porefail-", dir=folder)
    try:
        os.write(descriptor, bytes(4096))
    finally:
        os.close(descriptor)
        os.unlink(path)
