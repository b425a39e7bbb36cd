"""A real Slurm for the tests of this folder; where none can run, they are skipped, and loudly."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from slurm_cluster import Cluster, missing  # noqa: E402 - also a program of its own

ROOT = Path(__file__).parents[2]
LACKING = pytest.StashKey[str]()  # why there is no Slurm
WANTED = "POREFAIL_TEST_SLURM"  # set: a missing Slurm is an error
# The first look at a job comes after 40 s otherwise, the longest wait for its files after 60 s.
IMPATIENT = ["--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "10"]


@pytest.fixture(scope="session")
def cluster(tmp_path_factory, request) -> Iterator[Cluster]:
    """A running cluster of one node."""
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    lacking = missing()
    if not lacking:
        try:
            cluster.start()
        except RuntimeError as error:
            cluster.stop()
            lacking = f"it does not start: {error}"
    if lacking:
        request.config.stash[LACKING] = lacking
        (pytest.fail if os.environ.get(WANTED) else pytest.skip)(f"no Slurm: {lacking}")
    yield cluster
    cluster.stop()


@pytest.fixture
def start(cluster, command):
    """Starts the workflow on the cluster, in a folder; its output and errors are one text."""
    drivers = []

    def start(folder: Path, changes: dict, *arguments: str) -> subprocess.Popen:
        driver = subprocess.Popen(
            command(folder, "smoke", changes, "--profile", "slurm", *IMPATIENT, *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=cluster.environment,
            start_new_session=True,
        )
        drivers.append(driver)
        return driver

    yield start
    for driver in drivers:
        driver.kill()
    cluster.run("scancel", "--user", "root", "--quiet")


@pytest.fixture
def on_slurm(start):
    """Runs the workflow on the cluster to its end; its exit status and output."""

    def run(*arguments) -> tuple[int, str]:
        driver = start(*arguments)
        output, _ = driver.communicate(timeout=600)
        return driver.returncode, output

    return run


def pytest_terminal_summary(terminalreporter, config):
    """Say what was not tested where nobody can overlook it."""
    lacking = config.stash.get(LACKING, None)
    if lacking:
        terminalreporter.section("SLURM NOT TESTED")
        terminalreporter.line(f"tests/cluster was skipped: {lacking}")
