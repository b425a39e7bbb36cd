"""Files written atomically.

A file is written under a temporary name, flushed to the disk and renamed, so a name that exists is
a whole file.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from porefail.configuration import writable
from porefail.errors import PorefailError


class StoreError(PorefailError):
    """A file that cannot be read, written or trusted; one line that names it."""


_READ_ONLY: list[str | Path] = []  # of this process


def never_write(paths: Sequence[str | Path]) -> None:
    """From now on `replacing` refuses these files, also through links: they are what is read."""
    _READ_ONLY[:] = paths


def same(path: str | Path, other: str | Path) -> bool:
    """Whether two paths, of files that need not be there, lead to one file."""
    try:
        return os.path.samefile(path, other)
    except OSError:
        return os.path.realpath(path) == os.path.realpath(other)


def require_regular(path: str | Path) -> None:
    """Raise StoreError where a folder or a device stands in the place of a file to be written."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise StoreError(f"{path}: cannot be written: it is there and is no regular file")


def require_writable(path: str | Path) -> None:
    """Raise StoreError where a file cannot be written, before the work that makes it.

    Folders that are missing are made when it is written; nothing is left here.
    """
    require_regular(path)
    with writing(path):
        writable.try_writing(writable.existing(os.path.dirname(path)))


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Turn what the system refuses (permission, disk full) into one line that names `path`."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {reason(error)}") from error


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary name beside `path` that replaces it when the block ends without an error."""
    path = Path(path)
    if any(same(path, each) for each in _READ_ONLY):
        raise StoreError(f"{path}: is read here, so it is not written")
    require_regular(path)
    start = f".{path.name}.{socket.gethostname()}-"
    temporary = path.with_name(f"{start}{os.getpid()}.tmp")
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            for old in path.parent.iterdir():
                # No glob: a name may hold its signs, and `gpu-*` would be of the host gpu-1 too.
                owner = old.name.removeprefix(start).removesuffix(".tmp")
                if old.name != f"{start}{owner}.tmp" or not owner.isdecimal():
                    continue
                if owner == str(os.getpid()) or not Path(f"/proc/{owner}").exists():
                    old.unlink(missing_ok=True)  # its writer was killed
            yield temporary
            os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def reason(error: OSError) -> str:
    """What the system says, without the chatter of HDF5."""
    return error.strerror if error.strerror and error.errno else str(error).split("\n")[0]


@contextmanager
def new_file(path: str | Path) -> Iterator[BinaryIO]:
    """An open file, for bytes, with the same guarantees."""
    with replacing(path) as temporary, open(temporary, "xb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def write_bytes(path: str | Path, data: bytes) -> None:
    """Write a file with the same guarantees."""
    with new_file(path) as file:
        file.write(data)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file with the same guarantees."""
    write_bytes(path, text.encode())


def require(path: str | Path, valid: bool, expected: str) -> None:
    """Refuse a table, or another file, that says something else than expected."""
    if not valid:
        raise StoreError(f"{path}: expected {expected}")
