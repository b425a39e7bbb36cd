"""What must be on the machine before the set-up: a line for each thing that is missing."""

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from stages import ROOT, VENV

GIGABYTES = 4  # of disk space, needed while setting up
# Not in PATH, or not quoted in the first line that pip writes in a script.
NOT_IN_SCRIPTS = set(':"$`\\')
OLDEST_PETSC = (3, 23)  # petsc4py's Mat.setPreallocationCOO


def missing_prerequisites(environment):
    """A line for each thing that set-up needs and does not find."""
    missing = []
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        missing.append("this is not Linux on x86_64, which the locked packages are for")
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        version = platform.python_version()
        missing.append(f"Python 3.11 to 3.13 is needed, python3 is {version}")
    if run_quietly([base_python(), "-c", "import venv, ensurepip"]):
        missing.append("no venv module in Python (Debian: apt install python3-venv)")
    if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
        missing.append("no Python.h, to compile petsc4py with (Debian: apt install python3-dev)")
    if not shutil.which("cc"):
        missing.append("no C compiler: cc was not found (Debian: apt install gcc libc6-dev)")
    elif run_quietly(["cc", "-xc", "-o", os.devnull, "-"], "#include <stdio.h>\nint main() {}\n"):
        missing.append("cc cannot compile a C program (Debian: apt install gcc libc6-dev)")
    for command, package in (("make", "make"), ("flock", "util-linux")):
        if not shutil.which(command):
            missing.append(f"no {command} (Debian: apt install {package})")
    for sign in sorted(set(str(ROOT)) & NOT_IN_SCRIPTS):
        missing.append(f"no Python environment works in a path with {sign} in it: {ROOT}")
    if not os.access(ROOT, os.W_OK):
        missing.append("no permission to write in " + str(ROOT))
    free = shutil.disk_usage(ROOT).free / 1e9
    if not VENV.exists() and free < GIGABYTES:
        missing.append(f"{GIGABYTES} GB of disk space are needed in {ROOT}, {free:.1f} are free")
    return missing + wrong_petsc(environment.get("PETSC_DIR"), environment.get("MPICC"))


def wrong_petsc(petsc_dir, mpicc):
    """What is wrong with a given PETSc and MPI, in lines."""
    if not petsc_dir and not mpicc:
        return []
    if not (petsc_dir and mpicc):
        return ["set PETSC_DIR and MPICC together to use that PETSc and MPI, or neither"]
    wrong = []
    if not Path(petsc_dir, "include", "petscversion.h").exists():
        wrong.append(f"PETSC_DIR holds no PETSc: no {petsc_dir}/include/petscversion.h")
    elif petsc_series(petsc_dir) < OLDEST_PETSC:
        found, oldest = (".".join(map(str, v)) for v in (petsc_series(petsc_dir), OLDEST_PETSC))
        wrong.append(f"PETSC_DIR holds PETSc {found}, expected {oldest} or newer")
    if not shutil.which(mpicc):
        wrong.append("MPICC names no program: " + mpicc)
    return wrong


def petsc_series(petsc_dir):
    """Version (major, minor) of a PETSc."""
    header = Path(petsc_dir, "include", "petscversion.h").read_text()
    pattern = r"#define\s+PETSC_VERSION_{}\s+(\d+)"
    return tuple(
        int(re.search(pattern.format(part), header).group(1)) for part in ("MAJOR", "MINOR")
    )


def base_python():
    """The Python outside any virtual environment: .venv cannot be made from itself."""
    return getattr(sys, "_base_executable", sys.executable)


def run_quietly(command, given=""):
    """The exit status of a command that shall print nothing."""
    return subprocess.run(
        command, input=given.encode(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ).returncode
