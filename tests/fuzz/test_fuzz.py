"""A part of the odd inputs of fuzz.py, in each kind of case; all of them take hours."""

import subprocess
import sys
from pathlib import Path

import pytest

SHARES = {"files": 0.05, "options": 0.2, "outputs": 0.3, "settings": 0.02, "bits": 0.002}


@pytest.mark.slow
def test_odd_inputs_are_refused_or_work(tmp_path):
    program = Path(__file__).with_name("fuzz.py")
    for kind, share in SHARES.items():
        command = [sys.executable, program, "--folder", tmp_path, "--kind", kind, "--share", share]
        run = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        assert run.returncode == 0 and " 0 broke" in run.stdout, run.stdout + run.stderr
