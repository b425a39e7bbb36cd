"""VTKHDF files of voxel grids, one or over time, for ParaView 5.12 or later and VTK 9.3 or later.

Source: https://docs.vtk.org/en/latest/vtk_file_formats/vtkhdf_file_format/ (version 2.0, temporal
ImageData). Arrays are (z, y, x[, component]); symmetric tensors have the components (xx, yy, zz,
xy, yz, xz).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from porefail import store

VERSION = (2, 0)
SUFFIX = ".vtkhdf"


class ImageSeries:
    """An open file that grows by steps; made by `image_series`."""

    def __init__(self, root, target: store.Target, shape: tuple[int, ...], units: Mapping):
        self._root, self._target, self._units = root, target, units
        self._shapes = {"CellData": shape, "PointData": tuple(side + 1 for side in shape)}
        self._times: list[float] = []
        self._offsets: dict[str, list[int]] = {}

    def add(
        self, time: float, cells: Mapping[str, np.ndarray], points: Mapping[str, np.ndarray]
    ) -> None:
        """Append a step.

        cells: arrays (nz, ny, nx[, components]); points: the same with one more along each axis.
        All steps have the same arrays; one that has not changed takes no space. Raises ValueError
        on another shape, or on a time that is not later: bugs.
        """
        if self._times and not time > self._times[-1]:
            raise ValueError(f"step at {time:g} after the one at {self._times[-1]:g}")
        for kind, arrays in (("CellData", cells), ("PointData", points)):
            for name, values in arrays.items():
                if values.shape[:3] != self._shapes[kind]:
                    raise ValueError(f"{name} is {values.shape}, expected {self._shapes[kind]}")
                self._append(f"{kind}/{name}", values)
        self._times.append(time)
        self._target.check()

    def _append(self, place: str, values: np.ndarray) -> None:
        if place not in self._root:
            dataset = self._root.create_dataset(
                place,
                shape=(0, *values.shape),
                maxshape=(None, *values.shape),
                chunks=(1, *values.shape),
                dtype=values.dtype,
                **store.FILTERS,
            )
            dataset.attrs["unit"] = store.stored(self._units[place.split("/")[1]])
            self._offsets[place] = []
        dataset, offsets = self._root[place], self._offsets[place]
        last = len(dataset) - 1
        if last < 0 or not np.array_equal(dataset[last], values, equal_nan=True):
            last += 1
            dataset.resize(last + 1, axis=0)
            dataset[last] = values
        offsets.append(last)

    def close(self, spacing: float) -> None:
        """Write what makes the arrays a grid of voxels with this edge (mm), at these times."""
        _image_attributes(self._root, self._shapes["CellData"], spacing, np.zeros(3))
        steps = self._root.create_group("Steps")
        steps.attrs["NSteps"] = len(self._times)
        steps["Values"] = np.array(self._times)
        for place, offsets in self._offsets.items():
            kind, name = place.split("/")
            steps[f"{kind}Offsets/{name}"] = np.array(offsets, np.int64)


def _image_attributes(root, shape: tuple[int, ...], spacing: float, origin: np.ndarray) -> None:
    """What makes arrays a grid of voxels (nz, ny, nx) with this edge and corner, mm."""
    nz, ny, nx = shape
    root.attrs["Version"] = np.array(VERSION, np.int64)
    root.attrs["Type"] = np.bytes_("ImageData")  # VTK wants fixed-length ASCII
    root.attrs["WholeExtent"] = np.array([0, nx, 0, ny, 0, nz], np.int64)
    root.attrs["Origin"] = np.asarray(origin, float)
    root.attrs["Spacing"] = np.full(3, float(spacing))
    root.attrs["Direction"] = np.eye(3).ravel()


@contextmanager
def image_series(
    path: str | Path, shape: tuple[int, int, int], spacing: float, units: Mapping[str, str]
) -> Iterator[ImageSeries]:
    """A new file; it appears, whole, when the block ends without an error.

    shape: voxels (nz, ny, nx); spacing: their edge, mm; units: of each array by name, written
    beside it for readers of HDF5. Raises StoreError where the system refuses.
    """
    with store.creating(path) as (file, target):
        series = ImageSeries(file.create_group("VTKHDF"), target, shape, units)
        yield series
        series.close(spacing)


def write_image(
    path: str | Path,
    cells: Mapping[str, np.ndarray],
    spacing: float,
    origin: np.ndarray,
    units: Mapping[str, str],
) -> None:
    """A file of one voxel grid without time: cells (nz, ny, nx) by name; origin: (x, y, z), mm."""
    with store.creating(path) as (file, target):
        root = file.create_group("VTKHDF")
        shape = next(iter(cells.values())).shape
        for name, values in cells.items():
            values = np.ascontiguousarray(values)
            dataset = root.create_dataset(f"CellData/{name}", data=values, **store.FILTERS)
            dataset.attrs["unit"] = store.stored(units[name])
        _image_attributes(root, shape, spacing, origin)
        target.check()
