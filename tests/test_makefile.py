"""`make demo` typed twice, or again after it was killed: one run at a time, each to its end.

And the settings that `make locators` gives.
"""

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from porefail import configuration
from porefail.configuration.locators import LOCATORS
from porefail.learning.site_network import REACH
from porefail.steps import calibrate
from porefail.verdict.locator import read_locator

ROOT = Path(__file__).parent.parent

# Notes what it is asked, and works until the file `go` is there.
SNAKEMAKE = """#!/bin/sh
shift 2
echo "$@" >> calls
case "$*" in
--rerun-incomplete) echo $$ > working; until [ -e go ]; do sleep 0.05; done; echo end >> calls;;
esac
"""


@pytest.fixture
def clone(tmp_path):
    """A folder, whose name asks for quotes, with the Makefile and a stub of Snakemake."""
    folder = tmp_path / "user's ü folder"
    (folder / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    stub = folder / ".venv" / "bin" / "snakemake"
    stub.write_text(SNAKEMAKE)
    stub.chmod(0o755)
    (folder / "config").mkdir()
    (folder / "config" / "default.yaml").write_text("name: default\n")
    (folder / "results" / "default" / "report").mkdir(parents=True)
    (folder / "results" / "default" / "report" / "summary.txt").write_text("the summary\n")
    return folder


@pytest.fixture
def demo(clone):
    """Starts `make demo` in a session of its own; what is left of it is killed at the end."""
    started = []

    def demo() -> subprocess.Popen:
        with open(clone / f"output{len(started)}", "w") as output:
            command = ["make", "--no-print-directory", "demo", "PYTHON=true"]
            started.append(
                subprocess.Popen(
                    command, cwd=clone, stdout=output, stderr=output, start_new_session=True
                )
            )
        return started[-1]

    yield demo
    (clone / "go").touch()
    for process in started:
        kill(process)


def kill(process: subprocess.Popen) -> None:
    """Kill a run with all its processes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(condition) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def calls(clone: Path) -> list[str]:
    return (clone / "calls").read_text().splitlines()


def holder(clone: Path) -> int:
    """The number of the make that wrote .run.lock."""
    return int((clone / ".run.lock").read_text().split()[0])


RUN = ["--rerun-incomplete", "end", "--report results/default/report.html"]


def test_one_run(clone, demo):
    (clone / "go").touch()
    assert demo().wait(30) == 0
    assert calls(clone) == RUN
    assert (clone / "output0").read_text().startswith("the summary\n")
    assert (clone / ".run.lock").read_text() == ""


def test_a_second_run_waits_for_the_first(clone, demo):
    first = demo()
    wait_for((clone / "working").exists)
    second, number = demo(), holder(clone)
    wait_for(lambda: (clone / "output1").read_text())
    assert (clone / "output1").read_text() == (
        f"porefail: make demo (process {number}) is still at work in this folder: waiting for it\n"
    )
    time.sleep(0.5)
    assert calls(clone) == RUN[:1] and second.poll() is None
    (clone / "go").touch()
    assert first.wait(30) == second.wait(30) == 0
    assert calls(clone) == [*RUN, *RUN]


def test_a_snakemake_that_outlives_its_make_is_waited_for(clone, demo):
    first = demo()
    wait_for((clone / "working").exists)
    os.kill(holder(clone), signal.SIGKILL)
    assert first.wait(30) != 0
    second = demo()
    wait_for(lambda: "waiting for it" in (clone / "output1").read_text())
    time.sleep(0.5)
    assert calls(clone) == RUN[:1] and second.poll() is None
    (clone / "go").touch()
    assert second.wait(30) == 0
    assert calls(clone) == [*RUN[:2], "--unlock", *RUN]
    assert (clone / ".run.lock").read_text() == ""


def test_after_everything_was_killed_the_next_unlocks_and_runs(clone, demo):
    first = demo()
    wait_for((clone / "working").exists)
    kill(first)
    (clone / "go").touch()
    assert demo().wait(30) == 0
    assert calls(clone) == [RUN[0], "--unlock", *RUN]
    assert "waiting" not in (clone / "output1").read_text()


def test_locators_are_made_as_those_that_ship():
    """With settings that `calibrate` takes, and channels of the shipped ones and of the study."""
    told = subprocess.run(
        ["make", "-n", "locators", "PYTHON=true"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    words = shlex.split(told.replace("\\\n", " "))
    given = [json.loads(words[n + 1]) for n, word in enumerate(words) if word == "--settings"]
    assert len(given) == len(LOCATORS)
    blocks = [int(words[n + 1]) for n, word in enumerate(words) if word == "--submodels"]
    first = [int(words[n + 1]) for n, word in enumerate(words) if word == "--calibrate-from"]
    assert first == [1500] * len(LOCATORS)
    made = configuration.resolve(
        [ROOT / "config" / each for each in ("paper.yaml", "locators.yaml")]
    )
    count = made["porosity"]["realizations"]
    assert 1500 < count == made["execution"]["known"]["realizations"]
    variants = ("sites-pores", "sites-points", "sites-coarse")
    models = configuration.resolve([])["study"]["models"]
    for name, variant, settings, most in zip(LOCATORS, variants, given, blocks, strict=True):
        configuration.require_settings(settings, calibrate.SETTINGS)
        shipped = read_locator(name)
        assert tuple(settings["channels"]) == shipped.regression.names
        assert settings["coverage"] == shipped.coverage and most == shipped.blocks.most
        assert {each.reach for each in shipped.committee} == {REACH}
        wanted = settings["network"] | {"channels": settings["channels"]}
        assert wanted == {key: models[variant][key] for key in wanted}
