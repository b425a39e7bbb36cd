"""PETSc leaves signals to Python, and is imported in one place."""

import re
import subprocess
import sys
from pathlib import Path

import porefail

PROGRAM = """
import os
from porefail.fe.petsc import PETSc
read, write = os.pipe()
os.close(read)
try:
    os.write(write, b"x")
except BrokenPipeError:
    print("told", PETSc.COMM_SELF.size)
"""


def test_a_broken_pipe_is_an_error_of_python():
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "told 1\n", "")


def test_all_others_take_petsc_from_there():
    """Whoever imports petsc4py first sets its handlers."""
    sources = [*Path(porefail.__file__).parent.rglob("*.py"), *Path(__file__).parent.glob("*.py")]
    found = [
        p.name for p in sources if re.search("^from petsc4py|^import petsc4py", p.read_text(), re.M)
    ]
    assert found == ["petsc.py"]
