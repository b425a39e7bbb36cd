"""scan: where the part in a CT scan will fail: pores, likely sites, how far to trust them."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np

from porefail.command_line.kinds import File, Flag, Name, NewFolder, Number, Numbers, Paths, Real
from porefail.errors import PorefailError
from porefail.learning.candidates import MOST
from porefail.scans import lengths
from porefail.scans.opening import open_scan
from porefail.scans.volume import Raw, Scan
from porefail.verdict.inspection import inspection
from porefail.verdict.judgement import judge
from porefail.verdict.locator import read_locator
from porefail.verdict.output import write_verdict
from porefail.verdict.part import AXES, Choices


def run(
    scan: Annotated[Paths, "scan: a file, a folder of slices, or slices"],
    output: Annotated[NewFolder, "folder of report.html, tables, fields"] | None = None,
    voxel_size: Annotated[Name, "edge of a voxel, 9.8um or 9um,9um,12um"] | None = None,
    axis: Annotated[Name, "axis that the part is pulled along: x, y or z"] | None = None,
    crop: Annotated[Name, "voxels to look at, x0:x1,y0:y1,z0:z1, each may be empty"] | None = None,
    bin: Annotated[Number, "so many voxels along each axis become one"] = 1,
    threshold: Annotated[Real, "grey value between voids and metal"] | None = None,
    metal_value: Annotated[Real, "value of metal in a scan that is segmented"] | None = None,
    void_value: Annotated[Real, "value of voids in a scan that is segmented"] | None = None,
    part_mask: Annotated[File, "scan of the same shape, not 0 where the part is"] | None = None,
    shape: Annotated[Numbers, "voxels along x, y, z of raw data"] | None = None,
    dtype: Annotated[Name, "type of raw data: uint8, int16, float32, ..."] | None = None,
    big_endian: Annotated[Flag, "raw data has the high byte first"] = False,
    skip: Annotated[Number, "bytes before the first voxel of raw data"] = 0,
    dataset: Annotated[Name, "dataset of an HDF5 file"] | None = None,
    locator: Annotated[File, "pores, elastic, coarse, or what `calibrate` wrote"] = "coarse",
    submodels: Annotated[
        Number, "at most so many blocks around likely sites, by which they rank"
    ] = 4,
    simulate: Annotated[Flag, "also by the whole simulation"] = False,
    inspect: Annotated[Flag, "tell what the scan is, and stop"] = False,
) -> None:
    """Write report.html, sites.csv, pores.csv, part.vtkhdf and figures for a scan to `output`.

    With inspect: only print what is in the files; pictures where there is an output. Raises
    PorefailError that names the file or option that is wrong.
    """
    raw = _raw(shape, dtype, big_endian, skip)
    opened = open_scan(scan, raw, dataset)
    spacing = _spacing(opened, voxel_size, required=not inspect)
    if inspect:
        print(inspection(opened, spacing, output))
        return
    for name, value in (("output", output), ("axis", axis)):
        if value is None:
            raise PorefailError(f"--{name} is missing (it is needed without --inspect)")
    for path in scan:
        if Path(path).is_dir() and Path(output).resolve().is_relative_to(Path(path).resolve()):
            raise PorefailError(f"--output {output}: is in the scan's own folder {path}")
    numbers = {"threshold": threshold, "metal-value": metal_value, "void-value": void_value}
    for name, value in numbers.items():
        if value is not None and not np.isfinite(value):
            raise PorefailError(f"--{name} {value}: expected a finite number")
    if bin < 1:
        raise PorefailError(f"--bin {bin}: expected a whole number from 1")
    if not 0 <= submodels <= MOST:
        raise PorefailError(f"--submodels {submodels}: expected a whole number from 0 to {MOST}")
    mask = None if part_mask is None else np.asarray(open_scan([part_mask]).values) != 0
    choices = Choices(axis, _crop(crop), bin, *numbers.values(), mask)
    used = read_locator(locator)
    found = judge(opened, spacing, choices, used, simulate, submodels, _told)
    write_verdict(output, opened, spacing, found, used)


def _told(text: str) -> None:
    print(f"scan: {text}", flush=True)


def _raw(shape: Sequence[int] | None, dtype: str | None, big_endian: bool, skip: int) -> Raw | None:
    if shape is None and dtype is None:
        return None
    if shape is None or dtype is None or len(shape) != 3 or min(shape) < 1 or skip < 0:
        raise PorefailError(
            "raw data needs --shape NX NY NZ and --dtype, all above 0, and --skip 0 or more"
        )
    return Raw(tuple(shape), dtype, big_endian, skip)


def _spacing(scan: Scan, given: str | None, required: bool) -> tuple[float, ...] | None:
    """Edges of a voxel along x, y, z, mm: as given, or as the file says."""
    found = scan.spacing if given is None else lengths.spacing(given, "--voxel-size")
    if found is None:
        if required:
            raise PorefailError(
                f"{scan.path}: {scan.source}: --voxel-size is needed, with its unit, as 9.8um"
            )
        return None
    lengths.plausible(found, scan.values.shape, "--voxel-size" if given else scan.path)
    return found


def _crop(text: str | None) -> tuple[slice, slice, slice] | None:
    if text is None:
        return None
    parts = [re.fullmatch(r"\s*(\d{0,9}):(\d{0,9})\s*", each) for each in text.split(",")]
    if len(parts) != 3 or not all(parts):
        raise PorefailError(
            f"--crop {text!r:.40}: expected x0:x1,y0:y1,z0:z1 in voxels, as :,:,20:380"
        )
    found = [[int(n) if n else None for n in each.groups()] for each in parts]
    for name, (start, stop) in zip(AXES, found, strict=True):
        if stop is not None and stop <= (start or 0):
            raise PorefailError(f"--crop: {name} ends at {stop}, before it begins")
    return tuple(slice(*each) for each in found)
