"""Files: what a killed writer left is removed, and nothing else."""

import os
import socket

import pytest

from porefail import files

DEAD = 4_194_305  # above the largest process number of Linux


@pytest.mark.parametrize("name", ["a.h5", "t[1].csv", "t*.csv", "gpu-1.csv"])
def test_leftovers_of_this_host_and_name_alone_are_removed(name, tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "gpu")
    (tmp_path / f".{name}.gpu-{DEAD}.tmp").touch()
    kept = {
        f".{name}.gpu-1-{DEAD}.tmp",  # of the host gpu-1
        f".{name}.gpu-{DEAD}.tmpx",
        f".{name}.gpu-.tmp",
        f".{name}.gpu-{os.getppid()}.tmp",  # its writer is at work
        f".t1.csv.gpu-{DEAD}.tmp",  # what the names above match as globs
        f".tx.csv.gpu-{DEAD}.tmp",
    }
    for other in kept:
        (tmp_path / other).touch()
    files.write_text(tmp_path / name, "text")
    assert set(os.listdir(tmp_path)) == kept | {name}
