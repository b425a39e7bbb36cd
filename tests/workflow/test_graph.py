"""What a user sees before anything runs: the rule graph, the jobs, what they cost."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def edges(graph: str) -> set[tuple[str, str]]:
    """Pairs of rule names in a graph of Mermaid's."""
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", graph))
    return {(names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", graph)}


def test_the_page_shows_the_rules_as_they_are(tmp_path, snakemake):
    drawn = snakemake(tmp_path, "default", {}, "--rulegraph", "mermaid-js")
    assert drawn.returncode == 0, drawn.stderr
    shown = re.search(r"```mermaid\n(.*?)```", (ROOT / "docs" / "workflow.md").read_text(), re.S)
    assert edges(shown.group(1)) == edges(drawn.stdout)
    assert ("simulate", "gather") in edges(drawn.stdout)


def test_a_dry_run_tells_jobs_and_costs(tmp_path, snakemake):
    told = snakemake(tmp_path, "paper", {}, "-n")
    assert told.returncode == 0, told.stderr
    text = told.stdout + told.stderr
    assert re.search(r"^simulate +185$", text, re.M)
    assert (
        "simulate: 185 jobs, each about 8 min on a core, in all 25 core hours; all "
        "results take about 11 GB of disk"
    ) in text
    assert not list(tmp_path.glob("results/**/*"))


def test_finished_batches_cost_nothing_more(tmp_path, snakemake):
    """Only jobs that Snakemake would run count."""
    folder = tmp_path / "results" / "smoke"
    for kind in ("porosity", "simulation"):
        (folder / kind).mkdir(parents=True)
        for first in (0, 5, 15):
            (folder / kind / f"{first:05d}-{first + 4:05d}.h5").touch()
    changes = {"execution": {"ranks": 2}, "porosity": {"shape": [20, 20, 80]}}
    told = snakemake(tmp_path, "smoke", changes, "-n")
    line = "simulate: 1 jobs, each about 0.2 min on 2 cores, in all 0.0067 core hours"
    assert line in told.stdout + told.stderr
    drawn = snakemake(tmp_path, "smoke", changes, "-n", "results/smoke/simulation/00000-00004.h5")
    assert "simulate:" not in drawn.stdout + drawn.stderr
