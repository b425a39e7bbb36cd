"""The store: what is written can be trusted, and what cannot be trusted is refused in one line."""

import os
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


def test_every_dataset_has_a_checksum(path):
    with h5py.File(path) as file:
        assert all(file[name].fletcher32 for name in DATASETS)


def test_every_dataset_says_what_it_is(path):
    with h5py.File(path) as file:
        for name in DATASETS:
            assert tuple(file[name].attrs[key] for key in ("unit", "meaning")) == store.FIELDS[name]


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


def test_every_changed_byte_is_noticed_or_harmless(path):
    """Not one flipped byte anywhere in the file may change what is read."""
    whole = path.read_bytes()
    for position in range(0, len(whole), 101):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            datasets, attributes = store.read(path)
        except StoreError as error:
            assert "\n" not in str(error) and str(path) in str(error)
            continue
        assert attributes == {**ATTRIBUTES, "complete": 1}
        for name, values in DATASETS.items():
            np.testing.assert_array_equal(datasets[name], values)


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


def run_python(program: str, *arguments) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True
    )


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
