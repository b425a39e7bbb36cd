"""One stage of the set-up: commands with their output in a log, and a person kept informed."""

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
BUILD = VENV / "build"  # thrown away at the end
LOG = VENV / "setup.log"
# Variables that would reach the builds from outside and make them depend on the day.
HARMFUL = re.compile(
    r"(MAKEFLAGS|MFLAGS|MAKELEVEL|CC|CXX|FC|C(PP|XX)?FLAGS|LDFLAGS|PYTHON(PATH|HOME)|VIRTUAL_ENV"
    r"|PETSC_.*|MPICC|PIP_(TARGET|PREFIX|USER|REQUIRE_VIRTUALENV|REQUIREMENT|CONSTRAINT))$"
)
START = time.monotonic()


class SetupError(Exception):
    """Set-up cannot go on; one line says why."""


def step(title, *commands, environment=None):
    """Says what is done, runs commands (or functions), and tells the time while they run."""
    say(title)
    inherited = {key: value for key, value in os.environ.items() if not HARMFUL.match(key)}
    own = {"POREFAIL_SETUP": str(ROOT), "TMPDIR": str(BUILD / "tmp"), "TF_CPP_MIN_LOG_LEVEL": "2"}
    own["LC_ALL"] = "C.UTF-8"  # setuptools writes our path in the encoding of the locale
    path = {"PATH": "{}:{}".format(VENV / "bin", os.environ["PATH"])}
    with open(LOG, "a") as log:
        for command in commands:
            if callable(command):
                command()
                continue
            log.write("\n--- {} | {}\n".format(clock(), " ".join(map(str, command))))
            log.flush()
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**inherited, **own, **path, **(environment or {})},
                cwd=str(ROOT),
                start_new_session=True,
            )
            try:
                watch(process)
            except BaseException:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise
            if process.returncode:
                raise SetupError(explanation(title))


def watch(process, every=30.0):
    """Waits for a process; a line every half minute."""
    begin = LOG.stat().st_size
    while True:
        try:
            process.wait(every)
            return
        except subprocess.TimeoutExpired:
            with open(LOG, "rb") as log:
                log.seek(begin)
                compiled = len(re.findall(rb"^\s+CC ", log.read(), flags=re.MULTILINE))
            say("    still at it" + (f": {compiled} files compiled" if compiled else ""))


def explanation(title):
    """The end of the log, printed, and one line for the error."""
    lines = LOG.read_text(errors="replace").splitlines()[-40:]
    print("\n".join(lines), flush=True)
    text = "\n".join(lines)
    hint = ""
    if "No space left on device" in text:
        hint = ": the disk is full"
    elif re.search(
        r"NewConnectionError|Name or service not known|Read timed out|No matching", text
    ):
        hint = ": can this machine reach a Python package index?"
    return f"set-up stopped at '{title}'{hint} (the end of .venv/setup.log is above)"


def pip(command, python=PYTHON):
    return [python, "-m", "pip", "--disable-pip-version-check", "--no-input", command]


def pip_install(lock, names):
    options = ["--no-deps", "--no-build-isolation", "--require-hashes"]
    return [*pip("install"), *options, "-r", requirements_of(lock, names)]


def requirements_of(lock, names):
    """A requirements file with these packages of the lock, no others."""
    path = BUILD / f"requirements-{names[0]}.txt"
    path.write_text("".join(lock[name] for name in names))
    return path


def read_lock(path):
    """The requirements of a lock file: {name: its lines}."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", path.read_text(), flags=re.MULTILINE)
    return {block.split("==")[0]: block for block in blocks if "==" in block}


def clock():
    return "{:2d}:{:02d}".format(*divmod(int(time.monotonic() - START), 60))


def say(text):
    print(f"porefail: {clock()}  {text}", flush=True)
