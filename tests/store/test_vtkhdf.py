"""VTKHDF files: what VTK's own reader finds in them."""

import errno
import os

import h5py
import numpy as np
import pytest

from porefail import store
from porefail.files import StoreError
from porefail.store.vtkhdf import image_series

SHAPE = (5, 4, 3)  # nz, ny, nx
TIMES = (0.01, 0.02, 0.05)
UNITS = {"void": "1", "level": "1", "tensor": "MPa", "shift": "mm"}


def arrays(step: int) -> tuple[dict, dict]:
    random = np.random.default_rng(step)
    level = random.random(SHAPE).astype(np.float32)
    level[1, 2, 0] = np.nan
    cells = {
        "void": np.isnan(level).astype(np.uint8),
        "level": level,
        "tensor": random.random((*SHAPE, 6)),
    }
    return cells, {"shift": random.random((6, 5, 4, 3)).astype(np.float32)}


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "series.vtkhdf"
    with image_series(path, SHAPE, 0.05, UNITS) as series:
        for step, time in enumerate(TIMES):
            series.add(time, *arrays(step))
    return path


@pytest.mark.parametrize("step", range(3))
def test_every_step_is_read_back(written, read_vtk, step):
    times, image, cells, points = read_vtk(written, step)
    assert times == TIMES
    assert image.GetExtent() == (0, 3, 0, 4, 0, 5)
    assert image.GetSpacing() == (0.05, 0.05, 0.05) and image.GetOrigin() == (0, 0, 0)
    for found, expected in zip((cells, points), arrays(step), strict=True):
        assert set(found) == set(expected)
        for name, values in expected.items():
            assert found[name].dtype == values.dtype
            np.testing.assert_array_equal(found[name], values)


def test_a_place_in_space_finds_its_voxel(written, read_vtk):
    _, image, cells, _ = read_vtk(written, 0)
    place = [0, 0, 0]
    assert image.ComputeStructuredCoordinates((0.02, 0.12, 0.07), place, [0.0, 0.0, 0.0])
    assert place == [0, 2, 1]  # x, y, z
    assert cells["void"][1, 2, 0] == 1 and cells["void"].sum() == 1
    cell = image.ComputeCellId(place)
    assert np.isnan(image.GetCellData().GetArray("level").GetValue(cell))


def test_what_does_not_change_is_stored_once(written):
    with h5py.File(written) as file:
        root = file["VTKHDF"]
        assert root["CellData/void"].shape == (1, *SHAPE)
        assert root["Steps/CellDataOffsets/void"][:].tolist() == [0, 0, 0]
        assert root["CellData/tensor"].shape == (3, *SHAPE, 6)
        assert root["PointData/shift"].attrs["unit"] == b"mm"


def test_what_changes_back_is_right_as_well(tmp_path, read_vtk):
    fields = [np.full(SHAPE, value, np.uint8) for value in (0, 0, 1, 1, 0)]
    with image_series(tmp_path / "s.vtkhdf", SHAPE, 1.0, UNITS) as series:
        for step, values in enumerate(fields):
            series.add(float(step), {"void": values}, {})
    found = [read_vtk(tmp_path / "s.vtkhdf", step)[2]["void"][0, 0, 0] for step in range(5)]
    assert found == [0, 0, 1, 1, 0]


def test_wrong_shapes_and_times_are_bugs(tmp_path):
    cells, points = arrays(0)
    with (
        pytest.raises(ValueError, match=r"level is \(3, 4, 5\), expected \(5, 4, 3\)"),
        image_series(tmp_path / "s.vtkhdf", SHAPE, 1.0, UNITS) as series,
    ):
        series.add(0.1, {"level": cells["level"].T}, points)
    with (
        pytest.raises(ValueError, match="step at 0.1 after the one at 0.1"),
        image_series(tmp_path / "s.vtkhdf", SHAPE, 1.0, UNITS) as series,
    ):
        series.add(0.1, cells, points)
        series.add(0.1, cells, points)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(store.Target, "check", full)
    with (
        pytest.raises(StoreError, match="s.vtkhdf: cannot be written: No space left on device"),
        image_series(tmp_path / "s.vtkhdf", SHAPE, 1.0, UNITS) as series,
    ):
        series.add(0.1, *arrays(0))
    assert not list(tmp_path.iterdir())
