"""Whatever breaks while a batch is simulated on Slurm: nothing is lost, nothing is made twice.

Each test breaks something in the middle of a batch of twelve realizations of about a second, and
compares what comes out in the end with a run that nobody disturbed, number by number.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import yaml

from porefail import files, store
from porefail.campaign.queue import Parts

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BATCH = {
    "porosity": {"shape": [8, 8, 32], "realizations": 12, "batch_size": 12, "mean_porosity": 0.02},
    "simulation": {"max_strain_step": 1.0e-4, "max_damage_step": 0.004},
    "execution": {"ranks": 1},
}
RESULTS = Path("results/smoke")
POROSITY = RESULTS / "porosity" / "00000-00011.h5"
SHARD = RESULTS / "simulation" / "00000-00011.h5"
LOG = RESULTS / "logs" / "simulate" / "00000-00011.log"
NUMBERS = list(range(12))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, snakemake) -> Path:
    """A folder with the batch, simulated on this machine."""
    folder = tmp_path_factory.mktemp("undisturbed")
    ended = snakemake(folder, "smoke", BATCH, "--cores", "2", str(SHARD))
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.fixture
def folder(tmp_path, undisturbed) -> Path:
    """A folder with the porosity of the batch."""
    (tmp_path / POROSITY.parent).mkdir(parents=True)
    shutil.copy(undisturbed / POROSITY, tmp_path / POROSITY)
    return tmp_path


@pytest.fixture
def batch(start, cluster, folder):
    """Starts a driver for the batch; with `wait`, waits until two realizations are finished."""

    def batch(*arguments: str, changes: dict | None = None, wait: bool = True, goal: Path = SHARD):
        driver = start(folder, BATCH | (changes or {}), str(goal), *arguments)
        wait_for(lambda: not wait or (len(kept(folder)) >= 2 and running(cluster)), driver)
        return driver

    return batch


def kept(folder: Path) -> set[int]:
    """Realizations of the batch that are finished while it is at work."""
    return set(Parts(folder / SHARD).finished())


def begun(folder: Path) -> dict[int, float]:
    """When the simulations of those that are finished began."""
    paths = [Parts(folder / SHARD).part(number) for number in kept(folder)]
    rows = [store.read(path, ["realization", "provenance/started"])[0] for path in paths]
    return {row["realization"][0]: row["provenance/started"][0] for row in rows}


def running(cluster) -> list[str]:
    """Numbers of the running jobs of rule simulate."""
    listed = cluster.run("squeue", "-h", "-t", "R", "-o", "%i %k").stdout.splitlines()
    return [line.split()[0] for line in listed if "simulate" in line]


def ranks(folder: Path) -> list[int]:
    """Processes of the ranks that are at work in the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if words[1:4] == [b"-m", b"porefail", b"simulate"] and folder.samefile(process / "cwd"):
                found.append(int(process.name))
        except OSError:
            continue  # it has ended
    return found


def wait_for(condition, driver: subprocess.Popen, seconds: float = 150.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if driver.poll() is not None or time.monotonic() > until:
            driver.kill()
            pytest.fail(f"waited in vain: {driver.communicate()[0]}")
        time.sleep(0.05)


def end_of(driver: subprocess.Popen) -> str:
    """The output of a driver that succeeds."""
    output, _ = driver.communicate(timeout=900)
    assert driver.returncode == 0, output
    return output


def assert_whole(folder: Path, undisturbed: Path, before: Mapping[int, float] = {}) -> None:
    """Every realization is there once, as it should be; those in `before` were not made again."""
    found, attributes = store.read(folder / SHARD)
    expected, wanted = store.read(undisturbed / SHARD)
    assert found["realization"].tolist() == NUMBERS
    assert found.keys() == expected.keys()
    for name in expected.keys() - store.PROVENANCE:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
    assert attributes["fingerprint"] == wanted["fingerprint"]
    assert not list(folder.glob("results/**/*.tmp"))
    for number, started in before.items():
        assert found["provenance/started"][number] == started
    if before:
        assert "were finished before" in (folder / LOG).read_text()


def test_a_cancelled_job(cluster, batch, folder, undisturbed):
    driver = batch()
    cluster.run("scancel", *running(cluster))
    before = begun(folder)
    assert "Trying to restart job" in end_of(driver)
    assert_whole(folder, undisturbed, before)


def test_a_job_out_of_memory(batch, folder, undisturbed):
    """The first attempt gets too little, the next one more."""
    output = end_of(batch("--set-resources", "simulate:mem_mb=attempt*250", wait=False))
    (slurm_log,) = folder.glob(".snakemake/slurm_logs/rule_simulate/*/*.log")
    assert "Error in rule simulate" in output and f"{slurm_log} (check log file" in output
    assert "exceeded memory limit" in slurm_log.read_text()
    assert_whole(folder, undisturbed)


def test_a_job_out_of_time(start, tmp_path, undisturbed):
    """It goes on with a longer limit where it stopped; Slurm's shortest limit is a minute."""
    changes = BATCH | {"porosity": BATCH["porosity"] | {"realizations": 140, "batch_size": 140}}
    shard = str(SHARD).replace("00011", "00139")
    driver = start(tmp_path, changes, shard, "--set-resources", "simulate:runtime=9*attempt-8")
    output = end_of(driver)
    assert "Error in rule simulate" in output and "DUE TO TIME LIMIT" in output
    log = (tmp_path / str(LOG).replace("00011", "00139")).read_text()
    before = int(log.split(" of 140 were finished before")[0].split()[-1])
    found, _ = store.read(tmp_path / shard)
    assert found["realization"].tolist() == list(range(140))
    # The longest pause is between the two jobs: none of those before it was made again.
    pauses = np.diff(np.sort(found["provenance/started"]))
    assert 0 < before < 140 and np.argmax(pauses) + 1 == before


def test_a_killed_rank(cluster, batch, folder, undisturbed):
    driver = batch(changes={"execution": {"ranks": 2}})
    before = begun(folder)
    os.kill(ranks(folder)[-1], signal.SIGKILL)
    assert "Trying to restart job" in end_of(driver)
    assert_whole(folder, undisturbed, before)


def test_a_controller_that_dies_and_comes_back(cluster, batch, folder, undisturbed):
    driver = batch()
    time.sleep(6)  # it saves what it knows of its jobs every 5 s
    cluster.kill("slurmctld", signal.SIGKILL)
    time.sleep(15)
    cluster.start_controller()
    assert "Trying to restart job" not in end_of(driver)
    assert_whole(folder, undisturbed)


def test_a_node_that_is_drained_and_comes_back(cluster, batch, folder, undisturbed):
    """The batch ends, the next job waits for the node."""
    driver = batch(goal=RESULTS / "ensemble.h5")
    cluster.run("scontrol", "update", "NodeName=localhost", "State=DRAIN", "Reason=test")
    wait_for(lambda: "PENDING" in cluster.run("squeue", "-h", "-o", "%T").stdout, driver)
    assert (folder / SHARD).exists()
    time.sleep(5)
    cluster.run("scontrol", "update", "NodeName=localhost", "State=RESUME")
    assert "Trying to restart job" not in end_of(driver)
    assert_whole(folder, undisturbed)


def test_a_killed_driver(cluster, batch, folder, undisturbed, start):
    """Its job lives on; that of the next driver waits for it, or finds what it has finished."""
    driver = batch()
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    locked = batch(wait=False)
    output, _ = locked.communicate(timeout=60)
    assert locked.returncode == 1 and "--unlock" in output
    assert batch("--unlock", wait=False).wait(timeout=60) == 0
    end_of(batch(wait=False))
    assert "simulate 00000-00011: was finished before" in (folder / LOG).read_text()
    assert_whole(folder, undisturbed)


def status(folder: Path) -> str:
    """What `python -m porefail status` tells."""
    (folder / "batch.yaml").write_text(yaml.safe_dump(BATCH))
    command = [sys.executable, "-m", "porefail", "status"]
    command += ["--configfile", str(ROOT / "config" / "smoke.yaml"), "batch.yaml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_the_status_while_it_runs_and_after(batch, folder):
    assert "      12 MISSING\n" in status(folder)
    driver = batch()
    text = status(folder)
    assert re.search(r"^ +\d+ FIRST_FAILURE  used$", text, re.M)
    assert "       1 RUNNING\n" in text and "an hour: done in" in text
    end_of(driver)
    assert "      12 FIRST_FAILURE  used\n      12 in all\n100.0 % done" in status(folder)


def test_two_drivers_at_once(batch, folder, undisturbed):
    driver = batch()
    other = batch(wait=False)
    output, _ = other.communicate(timeout=60)
    assert other.returncode == 1
    assert "Directory cannot be locked" in output
    end_of(driver)
    assert_whole(folder, undisturbed)


@pytest.fixture
def small_disk(folder):
    """A file system of 2 MB for the simulations."""
    place = folder / SHARD.parent
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", place])
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_a_full_disk(batch, folder, small_disk, undisturbed):
    driver = batch("--retries", "0")
    ballast = small_disk / "ballast"
    with contextlib.suppress(OSError), open(ballast, "wb") as file:
        while True:
            file.write(bytes(512))
            file.flush()
    before = begun(folder)
    output, _ = driver.communicate(timeout=120)
    assert driver.returncode == 1
    assert "porefail simulate: error: " in output and "No space left on device" in output
    ballast.unlink()
    end_of(batch(wait=False))
    assert_whole(folder, undisturbed, before)


def test_a_truncated_shard(start, tmp_path, undisturbed):
    """gather names it; once it is deleted, the next run makes it again."""
    shutil.copytree(undisturbed / "results", tmp_path / "results")
    for path in (tmp_path / SHARD, Parts(tmp_path / SHARD).complete):
        os.truncate(path, path.stat().st_size // 2)
    ensemble = str(RESULTS / "ensemble.h5")
    driver = start(tmp_path, BATCH, ensemble, "--retries", "0")
    output, _ = driver.communicate(timeout=120)
    assert driver.returncode == 1
    assert f"porefail gather: error: {SHARD}: not an HDF5 file, or truncated" in output
    assert not (tmp_path / ensemble).exists()
    (tmp_path / SHARD).unlink()
    end_of(start(tmp_path, BATCH, ensemble))
    assert_whole(tmp_path, undisturbed)
    account = files.read_table(tmp_path / RESULTS / "account.csv")
    assert account["realization"].tolist() == NUMBERS
