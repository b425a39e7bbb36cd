"""`snakemake scans`: a job for each line of a table, whatever is in the names of its files."""

import re
import shlex
from pathlib import Path

import pytest

MASK = "mask.tif"


@pytest.fixture
def folder(tmp_path) -> Path:
    """A working directory with scans in a folder."""
    (tmp_path / "scans").mkdir()
    for name in ("user's  $(false) ü.tif", "-b.raw", "c.raw", MASK):
        (tmp_path / "scans" / name).touch()
    (tmp_path / "loc's.json").touch()
    return tmp_path


def write(folder: Path, rows: str) -> dict:
    header = "name,file,axis,voxel_size,part_mask,shape,dtype\n"
    (folder / "scans" / "samples.csv").write_text(header + rows)
    return {"scan": {"samples": "scans/samples.csv"}}


def commands(text: str) -> list[list[str]]:
    """Words of each command `scan`, as a shell takes them, without the log."""
    lines = re.findall(r"python -m porefail (scan .*) 2>&1 \| tee .*$", text, re.M)
    return [shlex.split(line) for line in lines]


def test_two_samples_are_two_jobs(folder, snakemake):
    rows = "one,user's  $(false) ü.tif,z,9.8 µm,,,\ntwo,-b.raw;c.raw,x,,mask.tif,4 5 6,uint8\n"
    changes = write(folder, rows)
    changes["scan"] |= {"locator": "loc's.json", "submodels": 2, "simulate": True}
    ended = snakemake(folder, "default", changes, "-n", "-p", "scans")
    text = ended.stdout + ended.stderr
    assert ended.returncode == 0, text
    counts = dict(re.findall(r"^(\w+) +(\d+)$", text, re.M))
    assert counts == {"scan": "2", "scans": "1", "total": "3"}
    last = ["--locator=loc's.json", "--submodels=2", "--simulate", "--"]
    one = ["scan", "--axis=z", "--voxel-size=9.8 µm", "--output=results/default/scans/one", *last]
    two = ["scan", "--part-mask=scans/mask.tif", "--axis=x", "--shape", "4", "5", "6"]
    two += ["--dtype=uint8", "--output=results/default/scans/two", *last]
    assert sorted(commands(text)) == sorted(
        [[*one, "scans/user's  $(false) ü.tif"], [*two, "scans/-b.raw", "scans/c.raw"]]
    )
    assert not (folder / "results").exists()


def test_a_locator_that_ships_is_no_file(folder, snakemake):
    changes = write(folder, "one,c.raw,z,9.8um,,4 5 6,uint8\n")
    changes["scan"] |= {"locator": "pores"}
    ended = snakemake(folder, "default", changes, "-n", "-p", "scans")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    ((*_, locator, blocks, _, _),) = commands(ended.stdout + ended.stderr)
    assert (locator, blocks) == ("--locator=pores", "--submodels=4")


@pytest.mark.parametrize(
    "rows, message",
    [
        (
            "my bar,c.raw,z,,,,\n",
            "scans/samples.csv, line 2, column name: is 'my bar', expected text of letters, digits,"
            " _, dots, dashes, at most 100, the first no dot or dash",
        ),
        (
            "bar,no.tif,z,,,,\n",
            "scans/samples.csv, line 2, column file: scans/no.tif: missing file",
        ),
        (
            None,
            "configuration: scan.samples is null, expected the path of a CSV table with columns"
            " name, file, axis",
        ),
    ],
)
def test_a_bad_table_starts_nothing(folder, snakemake, rows, message):
    changes = write(folder, rows) if rows else {}
    ended = snakemake(folder, "default", changes, "scans")
    lines = [line for line in ended.stderr.splitlines() if "error" in line.lower()]
    assert ended.returncode == 1 and lines == [f"porefail: error: {message}"], ended.stderr
    assert "Traceback" not in ended.stderr and not (folder / "results").exists()


def test_a_table_changes_nothing_of_a_plain_run(folder, snakemake):
    changes = write(folder, "one,c.raw,z,,,,\n")
    graphs = [
        snakemake(folder, "default", each, "--rulegraph", "mermaid-js") for each in ({}, changes)
    ]
    assert all(graph.returncode == 0 for graph in graphs)
    plain, other = (sorted(graph.stdout.splitlines()) for graph in graphs)
    assert len(plain) == len(other) and "report" in graphs[0].stdout
    assert not any("scan" in graph.stdout for graph in graphs)
