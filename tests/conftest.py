"""Fixtures for all tests."""

import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def mpiexec() -> str:
    """The launcher of the MPI that mpi4py was built with: beside Python, else a site's own."""
    beside = Path(sys.executable).with_name("mpiexec")
    return str(beside) if beside.exists() else "mpiexec"
