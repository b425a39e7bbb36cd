"""Compiled code is never older than the sources it is made from."""

import shutil
import subprocess
import sys
from pathlib import Path

import porefail

SHOW = "import numba, porefail.fe; print(numba.config.CACHE_DIR)"


def cache(folder: Path) -> str:
    command = [sys.executable, "-c", SHOW]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_change_of_any_source_starts_another_cache(tmp_path):
    shutil.copytree(Path(porefail.__file__).parent, tmp_path / "porefail")
    first = cache(tmp_path)
    assert Path(first).is_relative_to(tmp_path)
    assert cache(tmp_path) == first
    with (tmp_path / "porefail" / "fe" / "void_growth.py").open("a") as file:
        file.write("# another physics\n")
    assert cache(tmp_path) != first
