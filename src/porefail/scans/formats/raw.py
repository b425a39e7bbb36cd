"""Voxels one after the other: files without a header (.raw, .vol, .bin), data of other headers."""

import math
import os
import zlib
from pathlib import Path

import numpy as np

from porefail.errors import PorefailError
from porefail.scans.volume import Raw, Scan, reading, require_volume
from porefail.store import memory

CHUNK = 1 << 24  # bytes that are decompressed at a time
TYPES = {
    "uint8": "u1",
    "int8": "i1",
    "uint16": "u2",
    "int16": "i2",
    "uint32": "u4",
    "int32": "i4",
    "float32": "f4",
    "float64": "f8",
}


def open_raw(path: str, raw: Raw | None) -> Scan:
    """Scan of a file that holds nothing but voxels, as `raw` says; it has no spacing.

    Raises PorefailError where `raw` is missing or nonsense, and where the file is not as long as
    it says.
    """
    if raw is None:
        beside = Path(path).with_suffix(".vgi")
        more = f"; or give {beside}, its header" if beside.is_file() else ""
        raise PorefailError(
            f"{path}: has no header, expected its shape and type with it (as 1024,1024,2048 and"
            f" uint16){more}"
        )
    if raw.dtype not in TYPES:
        raise PorefailError(f"{path}: type {raw.dtype!r:.60}, expected one of {', '.join(TYPES)}")
    if raw.skip < 0:
        raise PorefailError(f"{path}: skips {raw.skip} bytes, expected 0 or more")
    dtype = np.dtype(TYPES[raw.dtype]).newbyteorder(">" if raw.big_endian else "<")
    values = mapped(path, path, raw.shape, dtype, raw.skip)
    return Scan(path, "raw voxels", values, None, "raw voxels have no spacing")


def mapped(
    path: str, data: str, shape: tuple[int, int, int], dtype: np.dtype, skip: int | None
) -> np.ndarray:
    """Voxels (nx, ny, nz) of the file `data`, x fastest, mapped from it.

    path: the header, which errors name; skip: bytes before the first voxel, None for as many as
    there are beyond the voxels. Raises PorefailError where `data` is not as long as it must be.
    """
    require_volume(path, shape, dtype)
    needed = dtype.itemsize * math.prod(shape)
    try:
        there = os.stat(data).st_size
    except OSError as error:
        raise PorefailError(f"{path}: cannot be read: {error.strerror}") from error
    start = max(there - needed, 0) if skip is None else skip
    if there != start + needed:
        other = "" if data == path else f"{data} "
        sides = " x ".join(map(str, shape))
        before = f" after {start}" if start else ""
        raise PorefailError(
            f"{path}: {other}holds {there} bytes, expected {start + needed} ({sides} voxels of"
            f" {dtype.itemsize} bytes{before})"
        )
    try:
        return np.memmap(data, dtype, "r", start, shape, order="F")
    except OSError as error:
        raise PorefailError(f"{path}: {data} cannot be read: {error.strerror}") from error


def inflated(
    path: str, data: str, shape: tuple[int, int, int], dtype: np.dtype, start: int
) -> np.ndarray:
    """Voxels (nx, ny, nz) of the file `data`, compressed by zlib or gzip from byte `start` on.

    path: the header, which errors name. Raises PorefailError where they are damaged, or not as many
    as they must be.
    """
    needed = dtype.itemsize * math.prod(shape)
    memory.require(needed, path)
    values = np.empty(needed, np.uint8)
    done, either = 0, zlib.MAX_WBITS | 32  # the heads of zlib and of gzip
    with reading(path, "compressed voxels"), open(data, "rb") as file:
        file.seek(start)
        inflate = zlib.decompressobj(either)
        while not inflate.eof:
            more = inflate.unconsumed_tail or file.read(CHUNK)
            part = np.frombuffer(inflate.decompress(more, CHUNK), np.uint8)
            if not more or done + part.size > needed:
                break
            values[done : done + part.size] = part
            done += part.size
        if not inflate.eof or done != needed:
            raise PorefailError(
                f"{path}: its compressed voxels are truncated, or not the {needed} bytes that its"
                " header says"
            )
    return values.view(dtype).reshape(shape, order="F")
