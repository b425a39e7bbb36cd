"""perturb: move one void voxel near the failure of a held-out specimen, in many ways.

Paper, section 2.5.
"""

from typing import Annotated

import numpy as np

from porefail import __version__, store
from porefail.command_line.kinds import File, NewFile, Number, Settings
from porefail.configuration import require_settings
from porefail.dataset.split import Part
from porefail.errors import PorefailError
from porefail.microstructure.perturbation import edges, swap
from porefail.steps import same_specimens
from porefail.store import memory

SETTINGS = {"seed": "seed", "distance": "sensitivity.distance"}


def run(
    ensemble: Annotated[File, "ensemble"],
    dataset: Annotated[File, "data set"],
    output: Annotated[NewFile, "porosity shard to write (HDF5)"],
    specimen: Annotated[Number, "which specimen of the test part with a pore there, from 0"],
    first: Annotated[Number, "number of the first perturbation"],
    last: Annotated[Number, "number of the last perturbation, inclusive"],
    settings: Settings,
) -> None:
    """Write perturbations `first` to `last` (inclusive) of a held-out realization.

    specimen: which one, counted from 0 among those of the data set's test part that have a pore
    near their failure. settings: the keys of SETTINGS; distance in mm. The shard numbers
    perturbations as others do realizations, and is simulated as they are. A perturbation depends on
    the seed, the realization and its number alone.
    """
    require_settings(settings, SETTINGS)
    if not 0 <= first <= last or specimen < 0:
        raise PorefailError(
            f"specimen {specimen}, perturbations {first} to {last}: expected 0 <= specimen and"
            " 0 <= first <= last"
        )
    source = same_specimens(dataset, ensemble)
    test = store.read(dataset, ["part"])[0]["part"] == Part.TEST
    fields, _ = store.read_where(ensemble, ["realization", "porosity", "failed"], test)
    distance = settings["distance"] / source["spacing"]
    chosen = [
        row
        for row, (porosity, failed) in enumerate(
            zip(fields["porosity"], fields["failed"], strict=True)
        )
        if edges(porosity, failed == 1, distance).size
    ]
    if specimen >= len(chosen):
        raise PorefailError(
            f"{dataset}: specimen {specimen} is asked for; {len(chosen)} of its test part have a"
            f" pore within {settings['distance']:g} mm of their failure"
        )
    row = chosen[specimen]
    count = last - first + 1
    memory.require(2 * count * fields["porosity"][row].size, f"{count} perturbations")
    realization = int(fields["realization"][row])
    numbers = np.arange(first, last + 1, dtype=np.int64)
    voxels = np.stack(
        [
            swap(
                fields["porosity"][row],
                fields["failed"][row] == 1,
                distance,
                settings["seed"],
                realization,
                number,
            )
            for number in numbers.tolist()
        ]
    )
    store.write_atomically(
        output,
        {"porosity": voxels, "realization": numbers},
        {
            "porosity": source["porosity"] | {"perturbed": realization, **settings},
            "spacing": source["spacing"],
            "porefail_version": __version__,
        },
    )
    print(f"perturb {realization:05d}: {len(numbers)} specimens, one voxel moved in each")
