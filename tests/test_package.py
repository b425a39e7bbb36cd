"""What `pip install .` brings: the command, its configuration files, the extras."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from porefail import __main__

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory) -> Path:
    """A wheel of the checkout, unpacked elsewhere: all that an installed porefail has."""
    folder = tmp_path_factory.mktemp("wheel")
    checkout = folder / "checkout"  # a build leaves files beside the sources
    checkout.mkdir()
    for name in ("src", "config"):
        shutil.copytree(ROOT / name, checkout / name, symlinks=True)
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, checkout)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--no-index", "-w", folder, checkout], check=True)
    (wheel,) = folder.glob("porefail-*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "unpacked")
    shutil.rmtree(checkout)
    return folder / "unpacked"


def porefail(unpacked: Path, *arguments) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "porefail", *map(str, arguments)],
        cwd=unpacked.parent,
        env=os.environ | {"PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_configuration_is_inside(unpacked):
    ours = {path.name: path.read_text() for path in (ROOT / "config").glob("*.yaml")}
    inside = (unpacked / "porefail" / "config").iterdir()
    assert {path.name: path.read_text() for path in inside} == ours and "schema.yaml" in ours


def test_it_is_a_command(unpacked):
    (told,) = unpacked.glob("porefail-*.dist-info/entry_points.txt")
    assert "porefail = porefail.__main__:main" in told.read_text()
    assert porefail(unpacked, "--version").stdout.startswith("porefail ")


def test_verbs_read_the_configuration_outside_the_checkout(unpacked):
    path, out = unpacked.parent / "path.csv", unpacked.parent / "out.csv"
    path.write_text("time,exx,eyy,ezz,exy,eyz,ezx\n0,0,0,0,0,0,0\n1,0,0,1e-4,0,0,0\n")
    ended = porefail(unpacked, "material-point", "--path", path, "--out", out)
    assert ended.returncode == 0, ended.stderr
    assert len(out.read_text().splitlines()) == 3
    ended = porefail(unpacked, "status")
    assert ended.returncode == 0 and "results/default" in ended.stdout, ended.stderr


@pytest.mark.parametrize(
    "module, extras, one",
    [("tensorflow_probability", "nn", "nn"), ("numba", "material or fe", "material")],
)
def test_a_missing_package_is_named_with_its_extra(
    module, extras, one, monkeypatch, tmp_path, capsys
):
    asked = [f'{name}; extra == "{extra}"' for extra in EXTRAS for name in EXTRAS[extra]]

    def missing(name):
        raise ModuleNotFoundError(f"No module named '{module}'", name=f"{module}.part")

    monkeypatch.setattr(__main__, "requires", lambda _: ["numpy", *asked])
    monkeypatch.setattr("importlib.import_module", missing)
    arguments = ["--output", str(tmp_path / "p.h5"), "--first", "0", "--last", "1"]
    assert __main__.main(["porosity", *arguments, "--settings", "{}"]) == 1
    assert capsys.readouterr().err == (
        f"porefail porosity: error: No module named '{module}': it comes with the extra {extras}, "
        f"as in `pip install '.[{one}]'`\n"
    )
