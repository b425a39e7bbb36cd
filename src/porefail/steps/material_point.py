"""material-point: follow one point of the material along a path of strains, stresses or both.

No rule of the workflow calls it. It serves calibration and checks from outside.
"""

import math
from pathlib import Path
from typing import Annotated

import numpy as np

from porefail import configuration, files
from porefail.command_line.kinds import File, Files, Name, NewFile, Real
from porefail.errors import PorefailError
from porefail.fe import material_point
from porefail.fe.constitutive import ETA, KAPPA, PHI
from porefail.fe.material import material as material_of
from porefail.fe.material_point import COMPONENTS, SHEAR
from porefail.files import StoreError

STRAINS = [f"e{name}" for name in COMPONENTS]
STRESSES = [f"s{name}" for name in COMPONENTS]


def run(
    path: Annotated[File, "path to follow (CSV): time, and exx or sxx, ... for each component"],
    out: Annotated[NewFile, "response at each row of the path, to write (CSV)"],
    material: Annotated[Name, "name of a material, simulation.material if not given"] | None = None,
    configfile: Annotated[Files, "configurations whose materials come on top (YAML)"] = (),
    max_strain_step: Annotated[Real, "largest change of a strain in one substep"] = 1e-4,
) -> None:
    """Write the response at each row of the table `path` to the table `out`.

    path: columns `time` (s) and, for each component, a tensor strain (exx, ...) or a stress in MPa
    (sxx, ...); the first row is the undeformed start. material: a name of config/materials.yaml,
    with the section `materials` of `configfile` laid over it; simulation.material if None. out:
    time, tensor strains, stresses, κ (MPa), η (1/µm³), damage, equivalent plastic strain. Eqs 1-5
    go on beyond φ_max, where an element of a specimen no longer carries load. Raises PorefailError
    that names what is wrong.
    """
    if not (math.isfinite(max_strain_step) and max_strain_step > 0):
        raise PorefailError(f"max-strain-step is {max_strain_step:g}, expected a positive number")
    if material is None:
        material = configuration.simulation(configfile)["material"]
    parameters = material_of(configuration.material(material, configfile))
    given = _read(path)
    try:
        response = material_point.follow(given, parameters, max_strain_step)
    except PorefailError as error:
        raise PorefailError(f"{path}: {error}") from None
    files.write_table(
        out,
        {
            "time": given.time,
            **dict(zip(STRAINS, (response.strain / SHEAR).T, strict=True)),
            **dict(zip(STRESSES, response.stress.T, strict=True)),
            "kappa": response.state[:, KAPPA],
            "eta": response.state[:, ETA],
            "damage": response.state[:, PHI],
            "eqps": response.plastic_strain,
        },
    )
    print(
        f"material-point: {len(given.time)} rows, material {material}; at the end damage "
        f"{response.state[-1, PHI]:.4g}, plastic strain {response.plastic_strain[-1]:.4g}"
    )


def _read(path: str | Path) -> material_point.Path:
    """The path that a table prescribes; names the line and the column of what is wrong."""
    header, lines = files.read_lines(path)
    if len(lines) < 2:
        raise StoreError(f"{path}: expected a header and at least two rows")
    stressed = _stressed(path, header)
    columns = files.convert(path, header, lines, dict.fromkeys(header, float))
    for i, (line, _) in enumerate(lines[1:], 1):
        if not columns["time"][i] > columns["time"][i - 1]:
            raise StoreError(
                f"{path}, line {line}, column time: {columns['time'][i]:g} is not later than "
                f"{columns['time'][i - 1]:g}"
            )
    for name, column in columns.items():
        if name != "time" and column[0] != 0:
            raise StoreError(
                f"{path}, line {lines[0][0]}, column {name}: is {column[0]:g}, expected 0: "
                "the first row is the undeformed start"
            )
    goal = [
        columns[stress] if given else factor * columns[strain]
        for strain, stress, given, factor in zip(STRAINS, STRESSES, stressed, SHEAR, strict=True)
    ]
    return material_point.Path(columns["time"], np.stack(goal, axis=1), stressed)


def _stressed(path: str | Path, header: list[str]) -> np.ndarray:
    """Which components have a stress column, (6,); checks the header."""
    known = ["time", *STRAINS, *STRESSES]
    for name in header:
        if name not in known:
            raise StoreError(f"{path}: unknown column {name!r}, known are {', '.join(known)}")
    if "time" not in header:
        raise StoreError(f"{path}: missing column time")
    for strain, stress in zip(STRAINS, STRESSES, strict=True):
        if strain in header and stress in header:
            raise StoreError(f"{path}: columns {strain} and {stress}, expected one of them")
        if strain not in header and stress not in header:
            raise StoreError(f"{path}: missing column {strain} or {stress}")
    return np.array([stress in header for stress in STRESSES])
