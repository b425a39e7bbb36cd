"""Fixtures for all tests."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def mpiexec() -> str:
    """The launcher of the MPI that mpi4py was built with: beside Python, else a site's own."""
    beside = Path(sys.executable).with_name("mpiexec")
    return str(beside) if beside.exists() else "mpiexec"


@pytest.fixture(scope="session")
def without_locks(tmp_path_factory):
    """Environment of a process on a file system that refuses locks with an error number."""
    library = tmp_path_factory.mktemp("locks") / "without_locks.so"
    source = Path(__file__).with_name("without_locks.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return lambda number: {"LD_PRELOAD": str(library), "LOCK_ERRNO": str(number)}


@pytest.fixture(scope="session")
def read_vtk():
    """Reads a step of a VTKHDF file with VTK's own reader, which is ParaView's.

    Returns the times of all steps, the vtkImageData, its cell and its point arrays (z, y, x, ...).
    """
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline
    from vtkmodules.vtkIOHDF import vtkHDFReader

    def read(path: Path, step: int):
        reader = vtkHDFReader()
        assert reader.CanReadFile(str(path))
        reader.SetFileName(str(path))
        reader.UpdateInformation()
        key = vtkStreamingDemandDrivenPipeline.TIME_STEPS()
        times = reader.GetOutputInformation(0).Get(key)
        reader.UpdateTimeStep(times[step])
        image = reader.GetOutput()
        arrays = []
        for data, more in ((image.GetCellData(), -1), (image.GetPointData(), 0)):
            shape = tuple(side + more for side in image.GetDimensions()[::-1])
            found = [data.GetArray(i) for i in range(data.GetNumberOfArrays())]
            values = {array.GetName(): vtk_to_numpy(array) for array in found}
            arrays.append({name: v.reshape(shape + v.shape[1:]) for name, v in values.items()})
        return times, image, *arrays

    return read


@pytest.fixture(scope="session")
def command(tmp_path_factory):
    """The command line of Snakemake in a folder, with a configuration of ours and changes.

    Sources and environment have paths that must be quoted, as where a user's name is in them.
    """
    place = tmp_path_factory.mktemp("home") / "user's ü folder"
    place.mkdir()
    sources, environment = place / "porefail", place / "environment"
    sources.symlink_to(ROOT)
    environment.symlink_to(sys.prefix)
    python = environment / Path(sys.executable).relative_to(sys.prefix)

    def command(folder: Path, name: str, changes: dict, *arguments: str) -> list[str]:
        files = [sources / "config" / f"{name}.yaml"]
        if changes:
            files.append(tmp_path_factory.mktemp("changes") / "changes.yaml")
            files[-1].write_text(yaml.safe_dump(changes))
        start = [str(python), "-m", "snakemake", "--snakefile", str(sources / "Snakefile")]
        start += ["--directory", str(folder), *arguments]
        return [*start, "--configfile", *map(str, files)]

    return command


@pytest.fixture(scope="session")
def snakemake(command):
    """Runs Snakemake to its end."""

    def run(*arguments) -> subprocess.CompletedProcess:
        return subprocess.run(command(*arguments), capture_output=True, text=True, cwd=ROOT)

    return run


@pytest.fixture(scope="session")
def locator():
    """A locator of the default physics that goes by elastic stress alone, nothing learnt."""
    import numpy as np

    from porefail import configuration
    from porefail.baselines.site_regression import SiteRegression
    from porefail.fe import MODEL_VERSION
    from porefail.ranking.choice import Choice
    from porefail.verdict.locator import SKILL, Locator
    from porefail.verdict.measures import MEASURES

    simulation = configuration.simulation([])
    name = simulation["material"]
    material = {"name": name, **configuration.material(name, [])}
    names = ("log_von_mises", "triaxiality", "log_coarse_damage")
    regression = SiteRegression(names, np.zeros(13), np.ones(13), np.zeros(13), 1.0, 1.0)
    regression.coefficients[:2] = 8.0, 2.0
    return Locator(
        MODEL_VERSION,
        0.05,
        simulation | {"material": material},
        {"strain": 0.01, "newton_tolerance": 0.01, "submodels": 0},
        regression,
        (),
        Choice(np.array([1.0, 0.0]), -3.0),
        -0.1,
        0.9,
        dict.fromkeys(MEASURES, (0.0, 1e9)),
        dict.fromkeys(SKILL, 0.5),
        "nothing learnt",
        (0.0, 0.0),
    )
