"""export: simulate realizations again and write their fields at each load step for ParaView.

No rule of the workflow calls it. Shards hold neither displacement nor stress, and a simulation
takes seconds: so the realizations are simulated again.
"""

import math
from pathlib import Path
from typing import Annotated

import numpy as np

from porefail import configuration, store
from porefail.command_line.kinds import File, Files, NewFileOrFolder, Numbers, Reals
from porefail.errors import PorefailError
from porefail.fe import tension
from porefail.fe.frames import UNITS, LoadSteps
from porefail.fe.material import material
from porefail.files import StoreError
from porefail.store import Collapse, Status
from porefail.store.vtkhdf import SUFFIX, image_series


def run(
    porosity: Annotated[File, "porosity shard"],
    realization: Annotated[Numbers, "numbers of the realizations"],
    output: Annotated[NewFileOrFolder, "file to write (.vtkhdf), or a folder for a file of each"],
    configfile: Annotated[Files, "configurations on top of config/default.yaml (YAML)"] = (),
    strains: Annotated[Reals, "write only the load steps nearest to these nominal strains"] = (),
) -> None:
    """Simulate realizations of the shard `porosity` and write fields of their load steps.

    porosity: shard, or ensemble, that holds the realizations. output: a name that ends in .vtkhdf,
    or an existing folder, which gets realization-<number>.vtkhdf for each. configfile: lies on
    config/default.yaml; of it the sections simulation and materials count. strains: nominal ones;
    the nearest load step of each is written, without any every load step. The time of a step in
    the file is its nominal strain. Says so where the file was simulated with other settings. Raises
    PorefailError that tells what is wrong.
    """
    settings = configuration.simulation(configfile)
    if settings["kinematics"] != "small":
        raise PorefailError(
            f"simulation.kinematics is {settings['kinematics']}, export knows small strains only"
        )
    named = configuration.material(settings["material"], configfile)
    parameters = material(named)
    load = tension.load_settings(settings)
    for strain in strains:
        if not (math.isfinite(strain) and strain > 0):
            raise PorefailError(f"strains: {strain:g}, expected positive numbers")
    paths = _paths(Path(output), sorted(set(realization)))
    specimens, attributes = _specimens(porosity, list(paths))
    spacing = attributes["spacing"]
    if "simulation" in attributes:
        ours = {"simulation": settings | {"material": {"name": settings["material"], **named}}}
        other = store.difference(attributes, ours)
        if other:
            key, there, here = other
            print(f"export: {porosity} was simulated with {key} {there}, here it is {here}")
    for number, path in paths.items():
        voxels = specimens[number]
        with image_series(path, voxels.shape[::-1], spacing, UNITS) as series:
            steps = LoadSteps(voxels, strains, lambda frame, series=series: series.add(*frame))
            result = tension.simulate(voxels, spacing, parameters, load, observe=steps.observe)
            ending = _ending(result)
            if not steps.written or steps.wanted:
                missing = f"strain {steps.wanted[0]:g} is" if steps.wanted else "a load step is"
                raise PorefailError(
                    f"realization {number}: {missing} never reached, the test ended at strain "
                    f"{steps.strain:.4g}: {ending}"
                )
        print(
            f"export: realization {number:05d}: {steps.written} of {steps.count} load steps to "
            f"strain {steps.strain:.4g} ({ending}) -> {path}",
            flush=True,
        )


def _paths(output: Path, numbers: list[int]) -> dict[int, Path]:
    """The file of each realization; refuses what would fail after the simulation."""
    if output.suffix != SUFFIX:
        if not output.is_dir():
            raise StoreError(f"{output}: no such folder, nor a name that ends in {SUFFIX}")
        return {number: output / f"realization-{number:05d}{SUFFIX}" for number in numbers}
    if len(numbers) > 1:
        raise StoreError(f"{output}: one file for {len(numbers)} realizations: name a folder")
    if not output.parent.is_dir():
        raise StoreError(f"{output}: no folder {output.parent}")
    return {numbers[0]: output}


def _specimens(path: str | Path, numbers: list[int]) -> tuple[dict[int, np.ndarray], dict]:
    """Porosity (nx, ny, nz) of each realization, and the attributes of the file."""
    datasets, attributes = store.read(path, ["realization"], kind="porosity shard")
    rows = {number: row for row, number in enumerate(datasets["realization"].tolist())}
    for number in numbers:
        if number not in rows:
            raise StoreError(
                f"{path}: no realization {number}, it holds {len(rows)} from {min(rows)} to "
                f"{max(rows)}"
            )
    chosen = {}
    for number in numbers:
        row = slice(rows[number], rows[number] + 1)
        chosen[number] = store.read(path, ["porosity"], row)[0]["porosity"][0]
    return chosen, attributes


def _ending(result: tension.Tension) -> str:
    """How a test ended, in words."""
    name = Status(result.status).name
    if result.structural_status != Collapse.NOT_RUN:
        name += f", structural failure {Collapse(result.structural_status).name}"
    return name.lower().replace("_", " ")
