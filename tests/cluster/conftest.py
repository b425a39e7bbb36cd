"""A real Slurm for the tests of this folder; where none can run, they are skipped, and loudly."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from slurm_cluster import Cluster, missing  # noqa: E402 - also a program of its own

WANTED = "POREFAIL_TEST_SLURM"  # set: a missing Slurm is an error


@pytest.fixture(scope="session")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    """A running cluster of one node."""
    lacking = missing()
    if lacking:
        (pytest.fail if os.environ.get(WANTED) else pytest.skip)(f"no Slurm: {lacking}")
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    cluster.start()
    yield cluster
    cluster.stop()


def pytest_terminal_summary(terminalreporter):
    """Say what was not tested where nobody can overlook it."""
    lacking = missing()
    if lacking:
        terminalreporter.section("SLURM NOT TESTED")
        terminalreporter.line(f"tests/cluster was skipped: {lacking}")
