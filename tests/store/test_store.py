"""The store: what is written can be trusted, and what cannot be trusted is refused in one line."""

import errno
import json
import os
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest

from porefail import files, store
from porefail.dataset.split import Part
from porefail.store import Collapse, Status, StoreError

DATASETS = {
    "damage": np.random.default_rng(0).random((40, 4, 4, 8)).astype(np.float32),
    "history/strain": np.arange(80.0).reshape(40, 2),
    "realization": np.arange(40),
}
ATTRIBUTES = {"simulation": {"max_strain": 0.25, "material": {"name": "staged"}}, "spacing": 0.05}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "shard.h5"
    store.write_atomically(path, DATASETS, ATTRIBUTES)
    return path


def refusal(*arguments, **options) -> str:
    with pytest.raises(StoreError) as raised:
        store.read(*arguments, **options)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_what_is_written_is_read(path):
    datasets, attributes = store.read(path)
    assert datasets.keys() == DATASETS.keys()
    for name, values in DATASETS.items():
        assert datasets[name].dtype == values.dtype
        np.testing.assert_array_equal(datasets[name], values)
    assert attributes == {**ATTRIBUTES, "complete": 1}
    assert os.listdir(path.parent) == ["shard.h5"]


def test_names_and_rows(path):
    datasets, _ = store.read(path, ["damage"], slice(3, 5))
    assert list(datasets) == ["damage"]
    np.testing.assert_array_equal(datasets["damage"], DATASETS["damage"][3:5])
    assert store.shapes(path)["history/strain"] == (40, 2)


def test_rows_of_a_mask(path):
    mask = np.arange(40) % 7 == 2
    datasets, _ = store.read_where(path, ["damage"], mask)
    np.testing.assert_array_equal(datasets["damage"], DATASETS["damage"][mask])
    with pytest.raises(StoreError, match="shard.h5: has 40 rows, expected 20"):
        store.read_where(path, ["damage"], mask[:20])


def test_every_dataset_has_a_checksum(path):
    with h5py.File(path) as file:
        assert all(file[name].fletcher32 for name in DATASETS)


def test_every_dataset_says_what_it_is(path):
    with h5py.File(path) as file:
        for name in DATASETS:
            told = tuple(file[name].attrs[key].decode() for key in ("unit", "meaning"))
            assert told == store.FIELDS[name][:2]


def test_a_dataset_outside_the_contract_is_a_bug(tmp_path):
    with pytest.raises(KeyError, match="stress"):
        store.write_atomically(tmp_path / "a.h5", {"stress": np.zeros(3)}, {})
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    "name, codes", [("status", Status), ("structural_status", Collapse), ("part", Part)]
)
def test_codes_are_named_in_the_file(tmp_path, name, codes):
    values = np.array(codes, np.uint8)
    with store.appending(tmp_path / "a.h5", {}) as file:
        file.append({name: values[:2]})
        file.append({name: values[2:]})
    with h5py.File(tmp_path / "a.h5") as file:
        names = h5py.check_enum_dtype(file[name].dtype)
        assert names == {code.name: code.value for code in codes}
    found = store.read(tmp_path / "a.h5")[0][name]
    assert found.dtype == np.uint8 and found.tolist() == list(codes)


def test_rows_are_appended(tmp_path):
    with store.appending(tmp_path / "a.h5", {"x": "y"}) as file:
        file.append({"damage": DATASETS["damage"][:10], "clusters/centroid_mm": np.zeros((0, 3))})
        file.append({"damage": DATASETS["damage"][10:], "clusters/centroid_mm": np.zeros((2, 3))})
    datasets, attributes = store.read(tmp_path / "a.h5")
    np.testing.assert_array_equal(datasets["damage"], DATASETS["damage"])
    assert datasets["clusters/centroid_mm"].shape == (2, 3) and attributes["x"] == "y"


def test_an_error_while_writing_leaves_the_old_file(path):
    before = path.read_bytes()
    with pytest.raises(RuntimeError), store.appending(path, {}) as file:
        file.append({"damage": DATASETS["damage"]})
        raise RuntimeError
    assert path.read_bytes() == before and os.listdir(path.parent) == ["shard.h5"]


def test_missing_file(tmp_path):
    assert refusal(tmp_path / "no.h5") == f"{tmp_path}/no.h5: missing file"


def test_missing_dataset(path):
    assert refusal(path, ["porosity"]).endswith("no dataset /porosity")


def test_file_of_another_kind(path):
    message = refusal(path, kind="ensemble")
    assert message == f"{path}: no attribute porosity, which every ensemble has"


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_truncated_file(path, share):
    os.truncate(path, int(share * path.stat().st_size))
    assert "not an HDF5 file, or truncated" in refusal(path)


def test_text_file(path):
    path.write_text("porosity")
    assert "not an HDF5 file" in refusal(path)


def test_file_without_the_mark_of_completeness(path):
    with h5py.File(path, "r+") as file:
        del file.attrs["complete"]
    assert "not complete" in refusal(path)


# Few attributes lie in the header of the file, many in a heap of their own.
FEW = {"porosity": {"shape": [1, 1, 2], "seed": 1}, "spacing": 0.05}
MANY = {f"setting {i}": "a value of some length" for i in range(9)}
SMALL = {"porosity": np.array([[[[0, 1]]], [[[1, 0]]]], np.uint8), "realization": np.arange(2)}


def flipped(path, attributes: dict, bits: slice) -> dict[str, int]:
    """Reads a small file with one bit flipped, for every such bit; what came of it."""
    store.write_atomically(path, SMALL, attributes)
    whole = path.read_bytes()
    found = {"refused": 0, "harmless": 0}

    def endless(*_):
        raise AssertionError("reading it does not end")

    signal.signal(signal.SIGALRM, endless)
    for bit in range(8 * len(whole))[bits]:
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        signal.alarm(20)
        try:
            datasets, read = store.read(path)
        except StoreError as error:
            assert "\n" not in str(error) and str(path) in str(error)
            found["refused"] += 1
            continue
        finally:
            signal.alarm(0)
        assert read == {**attributes, "complete": 1}, f"bit {bit % 8} of byte {bit // 8}"
        for name, values in SMALL.items():
            np.testing.assert_array_equal(datasets[name], values)
        found["harmless"] += 1
    return found


@pytest.mark.parametrize("attributes", [FEW, FEW | MANY], ids=["few", "many"])
def test_some_flipped_bits_are_noticed_or_harmless(tmp_path, attributes):
    assert flipped(tmp_path / "a.h5", attributes, slice(3, None, 101))["refused"] > 100


def test_a_flipped_bit_of_a_long_attribute_is_noticed(tmp_path):
    """HDF5 has no checksum of those above 4 kB once there are many."""
    path, long = tmp_path / "a.h5", {"simulation": {"snapshot_strains": [0.001] * 900}}
    store.write_atomically(path, SMALL, FEW | MANY | long)
    whole = path.read_bytes()
    first = whole.index(b"0.001, 0.001")
    for place in range(first, first + 5000, 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert "damaged" in refusal(path, [])


@pytest.mark.slow
@pytest.mark.parametrize("attributes", [FEW, FEW | MANY], ids=["few", "many"])
def test_every_flipped_bit_is_noticed_or_harmless(tmp_path, attributes):
    """Not one bit anywhere in the file may change what is read, or keep it from ending."""
    found = flipped(tmp_path / "a.h5", attributes, slice(None))
    print(found)
    assert found["refused"] > 15_000


def test_attributes_of_files_written_before_are_read(path):
    """Texts of any length, without a checksum, as they were until the store checked its files."""
    with h5py.File(path, "r+") as file:
        for name, value in file.attrs.items():
            if isinstance(value, bytes):
                del file.attrs[name]
                file.attrs[name] = value.decode()
        del file.attrs["checksums"]
        assert h5py.check_string_dtype(file.attrs.get_id("simulation").dtype).length is None
    assert store.read(path)[1] == {**ATTRIBUTES, "complete": 1}


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_no_lock_is_needed(path, without_locks, number):
    program = (
        "import fcntl, sys\nfrom porefail import store\n"
        "try:\n    fcntl.flock(0, fcntl.LOCK_SH)\n"
        "except OSError as error:\n    print(error.errno)\n"
        "datasets, attributes = store.read(sys.argv[1])\n"
        "store.write_atomically(sys.argv[2], datasets, {'spacing': 1.0})\n"
        "print(store.shapes(sys.argv[2])['damage'])"
    )
    other = path.with_name("other.h5")
    run = run_python(program, path, other, env=os.environ | without_locks(number))
    assert run.stdout == f"{number}\n(40, 4, 4, 8)\n", run.stderr


def test_what_the_system_refuses_is_not_called_damaged(path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(h5py, "File", refuse)
    assert refusal(path) == f"{path}: cannot be read: Input/output error"


ENSEMBLE = {
    "realization": np.array([3, 5]),
    "porosity": np.array([[[[0, 1]]], [[[1, 0]]]], np.uint8),
    "damage": np.array([[[[0.1, np.nan]]], [[[np.nan, 0.5]]]], np.float32),
    "failed": np.array([[[[1, 0]]], [[[0, 1]]]], np.uint8),
}
MADE_WITH = {
    "porosity": {"shape": [1, 1, 2]},
    "simulation": {"material": {"initial_damage": 0.08, "maximum_damage": 0.5}},
    "model_version": 2,
    "spacing": 0.05,
}


def foreign(path, datasets: dict, attributes: dict) -> None:
    """A file as another tool may write it."""
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            if values is None:
                file.create_group(name)
            else:
                file[name] = values
        for name, value in {"complete": 1, **attributes}.items():
            file.attrs[name] = json.dumps(value) if isinstance(value, dict) else value


def test_a_file_of_another_tool_is_read(tmp_path):
    """Other whole numbers and floats, and datasets and groups that are not of the contract."""
    more = {"porosity": ENSEMBLE["porosity"].astype(np.int64), "notes": np.zeros((7, 3)), "x": None}
    more["damage"] = ENSEMBLE["damage"].astype(np.float64)
    lab = {"lab": "{see the book}"}
    foreign(tmp_path / "a.h5", ENSEMBLE | more, MADE_WITH | lab)
    datasets, attributes = store.read(tmp_path / "a.h5", kind="ensemble")
    assert datasets.keys() == ENSEMBLE.keys() and attributes == {**MADE_WITH, **lab, "complete": 1}
    assert store.shapes(tmp_path / "a.h5").keys() == ENSEMBLE.keys()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"porosity": 255 * ENSEMBLE["porosity"]}, "/porosity holds 255, expected 0 to 1"),
        (
            {"porosity": 0.3 * ENSEMBLE["porosity"]},
            "/porosity holds float64 (2, 1, 1, 2), expected",
        ),
        ({"porosity": ENSEMBLE["porosity"] + 0j}, "/porosity holds complex128"),
        (
            {"porosity": np.full((2, 1, 1, 2), b"void")},
            "/porosity holds |S4 (2, 1, 1, 2), expected",
        ),
        ({"porosity": ENSEMBLE["porosity"][..., 0]}, "/porosity holds uint8 (2, 1, 1), expected"),
        ({"porosity": ENSEMBLE["porosity"][..., :1]}, "/porosity has the grid [1, 1, 1], expected"),
        ({"porosity": ENSEMBLE["porosity"][:1]}, "/porosity has 1 rows, /realization has 2"),
        ({"porosity": None}, "/porosity is a group, expected whole numbers, (n, nx, ny, nz)"),
        ({"porosity": 1}, "/porosity holds int64 (), expected whole numbers, (n, nx, ny, nz)"),
        ({"damage": 3 * ENSEMBLE["damage"]}, "/damage holds 1.5, expected 0 to 1"),
        ({"damage": -ENSEMBLE["damage"]}, "/damage holds -0.5, expected 0 to 1"),
        ({"damage": np.inf * ENSEMBLE["damage"]}, "/damage holds inf, expected 0 to 1"),
        ({"realization": np.array([4, 4])}, "realization 4 appears twice"),
        ({"realization": np.array([-1, 4])}, "/realization holds -1, expected 0 or more"),
        ({"realization": np.array([1.0, np.nan])}, "/realization holds float64 (2,), expected"),
        (
            {"status": np.array([1, 9], np.uint8)},
            "/status holds 9, expected one of 1 FIRST_FAILURE",
        ),
        (
            {"clusters/rank": np.ones(3, int), "clusters/peak": np.ones(2)},
            "/clusters/peak has 2 rows",
        ),
        ({"clusters/centroid_mm": np.ones((3, 2))}, "/clusters/centroid_mm holds float64 (3, 2)"),
        ({"history/strain": np.full((2, 3), -np.inf)}, "/history/strain holds -inf, expected 0 or"),
        (
            {"provenance/host": np.ones(2)},
            "/provenance/host holds float64 (2,), expected text, (n)",
        ),
        ({"snapshots/strain": np.full((2, 1), np.nan)}, "/snapshots/strain holds NaN"),
        (
            {"history/strain": np.ones((2, 3)), "history/stress": np.ones((2, 4))},
            "/history/stress holds 4 along steps, expected 3, as /history/strain",
        ),
        ({"history/strain": np.ones((2, 0))}, "/history/strain holds 0 along steps, expected at"),
        ({"failed": np.ones((2, 1, 2, 1), np.uint8)}, "/failed has the grid [1, 2, 1], expected"),
    ],
)
def test_datasets_are_as_the_contract_says(tmp_path, changes, message):
    foreign(tmp_path / "a.h5", ENSEMBLE | changes, MADE_WITH)
    assert refusal(tmp_path / "a.h5", kind="ensemble").startswith(f"{tmp_path}/a.h5: {message}")


@pytest.mark.parametrize(
    "changes, message",
    [
        (
            {"model_version": np.array([2, 3])},
            "attribute model_version is [2, 3], expected a whole",
        ),
        ({"model_version": h5py.Empty("f")}, "attribute model_version is "),
        ({"complete": 0}, "not complete"),
        ({"spacing": 0.0}, "attribute spacing is 0.0, expected a number above 0 (mm)"),
        ({"spacing": np.inf}, "attribute spacing is inf, expected a number above 0 (mm)"),
        ({"spacing": np.nan}, "attribute spacing is nan, expected a number above 0 (mm)"),
        ({"spacing": "wide"}, "attribute spacing is 'wide', expected a number above 0 (mm)"),
        ({"model_version": 2.5}, "attribute model_version is 2.5, expected a whole number"),
        ({"simulation": "fast"}, "attribute simulation is 'fast', expected a mapping (JSON)"),
        (
            {"simulation": '{"material"'},
            "attribute simulation is '{\"material\"', expected a mapping",
        ),
        ({"simulation": '{"a":' + 9999 * "["}, "attribute simulation is '{"),
        ({"simulation": {"material": 3}}, "attribute simulation.material.initial_damage is None"),
        (
            {"porosity": {"shape": [1, 2, 1]}},
            "/porosity has the grid [1, 1, 2], expected [1, 2, 1]",
        ),
    ],
)
def test_attributes_are_as_the_contract_says(tmp_path, changes, message):
    foreign(tmp_path / "a.h5", ENSEMBLE, MADE_WITH | changes)
    assert refusal(tmp_path / "a.h5", kind="ensemble").startswith(f"{tmp_path}/a.h5: {message}")


def test_damaged_dataset_is_named(path):
    with h5py.File(path) as file:
        place = file["damage"].id.get_chunk_info(0).byte_offset
    data = bytearray(path.read_bytes())
    data[place + 20] ^= 0xFF
    path.write_bytes(data)
    assert refusal(path).endswith("dataset /damage is damaged (checksum)")
    store.read(path, ["realization"])


def test_other_settings_are_named(path):
    _, attributes = store.read(path, [])
    store.require_attributes(path, attributes, ATTRIBUTES)
    with pytest.raises(StoreError, match=r"simulation.max_strain is 0.25, expected 0.3; delete"):
        store.require_attributes(
            path, attributes, {"simulation": ATTRIBUTES["simulation"] | {"max_strain": 0.3}}
        )
    with pytest.raises(StoreError, match='simulation.material.name is "staged", expected not set'):
        store.require_attributes(path, attributes, {"simulation": {"max_strain": 0.25}})
    with pytest.raises(StoreError, match="model_version is not set, expected 1"):
        store.require_attributes(path, attributes, {"model_version": 1})


def test_folder_that_is_a_file(path):
    with pytest.raises(StoreError, match="cannot be written: "):
        store.write_atomically(path / "b.h5", DATASETS, {})


def run_python(program: str, *arguments, env=None) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=env)


FULL = """
import resource, signal, sys
import numpy as np
from porefail import files, store
from porefail.dataset.split import Part
limit = int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
noise = np.random.default_rng(0).random(int(sys.argv[3]))
datasets = {"damage": noise, "history/stress": noise}
for write in (
    lambda: store.write_atomically(sys.argv[1], datasets, {"x": 1}),
    lambda: files.write_text(sys.argv[1], "x" * 8 * noise.size),
):
    try:
        write()
    except store.StoreError as error:
        print(error)
"""


@pytest.mark.parametrize("limit", [1, 600, 3000, 100_000])
def test_file_size_limit_leaves_nothing_half_written(tmp_path, limit):
    run = run_python(FULL, tmp_path / "a.h5", limit, 50_000)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("a.h5: cannot be written: File too large\n") == 2 and not run.stderr
    assert not os.listdir(tmp_path)


@pytest.fixture
def mount(tmp_path):
    """Mounts a file system in a new folder; skips where that is not allowed."""
    mounted = []

    def mount(options: str) -> str:
        folder = tmp_path / "mounted"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("mounting needs root")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("filled", [0, 900, 1012, 1024])
def test_disk_full_leaves_nothing_half_written(mount, filled):
    folder = mount("size=1m")
    (folder / "other").write_bytes(bytes(1024 * filled))
    run = run_python(FULL, folder / "a.h5", 0, 150_000)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("a.h5: cannot be written: No space left on device\n") == 2
    assert not run.stderr and os.listdir(folder) == ["other"]


def test_unwritable_folder(mount):
    folder = mount("ro")
    for path in (folder / "a.h5", folder / "b" / "a.h5"):
        with pytest.raises(StoreError, match="cannot be written: Read-only file system"):
            store.write_atomically(path, DATASETS, {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="cannot be written: Permission denied"):
        store.write_atomically(tmp_path / "a.h5", DATASETS, {})
    tmp_path.chmod(0o700)


def test_leftovers_of_a_killed_writer_are_removed(tmp_path):
    program = (
        "import os, signal, sys, numpy as np\nfrom porefail import store\n"
        "with store.appending(sys.argv[1], {}) as file:\n"
        "    file.append({'realization': np.arange(9)})\n    os.kill(os.getpid(), signal.SIGKILL)"
    )
    run_python(program, tmp_path / "a.h5")
    assert len(os.listdir(tmp_path)) == 1 and not (tmp_path / "a.h5").exists()
    files.write_text(tmp_path / "a.h5", "")
    assert os.listdir(tmp_path) == ["a.h5"]
