"""Runs of the real workflow in a folder of their own."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def command(tmp_path_factory):
    """The command line of Snakemake in a folder, with a configuration of ours and changes."""

    def command(folder: Path, name: str, changes: dict, *arguments: str) -> list[str]:
        files = [ROOT / "config" / f"{name}.yaml"]
        if changes:
            files.append(tmp_path_factory.mktemp("changes") / "changes.yaml")
            files[-1].write_text(yaml.safe_dump(changes))
        start = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        start += ["--directory", str(folder), *arguments]
        return [*start, "--configfile", *map(str, files)]

    return command


@pytest.fixture(scope="session")
def snakemake(command):
    """Runs Snakemake to its end."""

    def run(*arguments) -> subprocess.CompletedProcess:
        return subprocess.run(command(*arguments), capture_output=True, text=True, cwd=ROOT)

    return run
