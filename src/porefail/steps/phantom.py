"""phantom: write the CT scan of a realization, whose pores are known, as a TIFF stack.

No rule of the workflow calls it. What is measured in the scan can be compared with the file.
"""

import math
from pathlib import Path
from typing import Annotated

import numpy as np
import tifffile

from porefail import files, store
from porefail.command_line.kinds import File, Name, NewFile, Number, Real
from porefail.errors import PorefailError
from porefail.files import StoreError
from porefail.scans import phantom
from porefail.scans.lengths import length
from porefail.store import memory

SUFFIXES = (".tif", ".tiff")
LARGEST = 4_200_000_000  # bytes of the voxels of a TIFF, whose offsets have 32 bits
# Memory of a scan: of each of its voxels, and of each of those that are made at a time.
BYTES, BYTES_AT_WORK = 2, 60


def run(
    porosity: Annotated[File, "file with pores: porosity shard, ensemble or data set"],
    realization: Annotated[Number, "number of the realization"],
    output: Annotated[NewFile, "scan to write (TIFF stack, as ImageJ's)"],
    voxel_size: Annotated[Name, "edge of the voxels of the scan, with its unit: 12um"],
    section: Annotated[Name, "square, or round: a cylinder inscribed in the specimen"] = "square",
    blur: Annotated[Real, "point spread, standard deviation in voxels of the scan"] = 0.7,
    noise: Annotated[Real, "standard deviation over the contrast"] = 0.05,
    rings: Annotated[Real, "standard deviation of ring artefacts over the contrast"] = 0.0,
    cupping: Annotated[Real, "beam hardening: fall in the middle over the contrast"] = 0.0,
    tilt: Annotated[Real, "degrees of the specimen's axis from z"] = 0.0,
    seed: Annotated[Number, "of noise and rings, from 0"] = 0,
) -> None:
    """Write the scan of one realization: pages along z, rows along y, 16 bits, edges in micron.

    The other parameters: see phantom.Scanner. The same seed gives the same scan. Raises
    PorefailError that tells what is wrong.
    """
    if Path(output).suffix.lower() not in SUFFIXES:
        raise StoreError(f"{output}: expected a name that ends in {' or '.join(SUFFIXES)}")
    scanner = phantom.Scanner(
        voxel=length(voxel_size, "voxel-size"),
        blur=blur,
        noise=noise,
        rings=rings,
        cupping=cupping,
        tilt=tilt,
        section=section,
    )
    voxels, failed, spacing = _specimen(porosity, realization)
    shape = phantom.size(voxels.shape, spacing, scanner)
    count = math.prod(shape)
    name = f"voxel-size {voxel_size}: a scan of {' x '.join(map(str, shape))} voxels"
    if BYTES * count > LARGEST:
        raise PorefailError(f"{name}, a TIFF holds {LARGEST // BYTES:.2g}: ask for larger ones")
    at_work = shape[0] * shape[1] * phantom.SLAB
    memory.require(BYTES * count + BYTES_AT_WORK * at_work, name)
    values = phantom.scan(voxels, spacing, scanner, seed)
    edge = 1000 * scanner.voxel
    with files.new_file(output) as file:
        tifffile.imwrite(
            file,
            values.T,  # pages, rows, columns
            imagej=True,
            resolution=(1 / edge, 1 / edge),
            metadata={"axes": "ZYX", "spacing": edge, "unit": "micron"},
        )
    print(
        f"phantom: realization {realization:05d}: {' x '.join(map(str, shape))} voxels of "
        f"{edge:.4g} µm -> {output}"
    )
    for at in np.argwhere(failed) if tilt == 0 else ():
        corner = 0.5 * (np.array(shape) * scanner.voxel - np.array(voxels.shape) * spacing)
        x, y, z = corner + (at + 0.5) * spacing  # scan and specimen share their middle
        print(f"phantom: the truth: it failed first at x = {x:.3f}, y = {y:.3f}, z = {z:.3f} mm")


def _specimen(path: str | Path, number: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Porosity (nx, ny, nz) of a realization, where it failed first (bool), its spacing in mm.

    Nowhere, as far as a file without simulations knows.
    """
    datasets, attributes = store.read(path, ["realization"], kind="porosity shard")
    rows = np.flatnonzero(datasets["realization"] == number)
    if not rows.size:
        there = datasets["realization"]
        span = f" from {there.min()} to {there.max()}" if there.size else ""
        raise StoreError(f"{path}: no realization {number}, it holds {there.size}{span}")
    row = slice(rows[0], rows[0] + 1)
    names = ["porosity", *({"failed"} & set(store.shapes(path)))]
    fields, _ = store.read(path, names, row)
    voxels = fields["porosity"][0]
    failed = fields["failed"][0] == 1 if "failed" in fields else np.zeros(voxels.shape, bool)
    return voxels, failed, attributes["spacing"]
