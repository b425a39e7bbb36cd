"""What needs more memory than there is is refused before it is begun, naming the key."""

import subprocess
import sys

import pytest

from porefail import memory
from porefail.errors import PorefailError


def test_the_limit_of_the_process_counts():
    program = (
        "import resource; from porefail import memory\n"
        "resource.setrlimit(resource.RLIMIT_AS, (10**9, 10**9)); print(memory.available())"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert float(run.stdout) == 1e9 < memory.available()


def test_enough_is_enough():
    memory.require(1e6, "a key")
    with pytest.raises(PorefailError, match=r"^a key: needs about 1e\+09 GB of memory, there are"):
        memory.require(1e18, "a key")
