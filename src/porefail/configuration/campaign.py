"""The configuration as the workflow resolves it, for the tools that no rule calls.

A user's files lie on top of config/default.yaml, materials.yaml and variants.yaml.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from porefail.configuration.checks import require_valid
from porefail.configuration.documents import read_yaml
from porefail.configuration.schema import CONFIG, schema
from porefail.configuration.variants import laid_over
from porefail.errors import PorefailError


class Campaign(NamedTuple):
    """What a configuration asks to be simulated."""

    name: str
    batches: list[tuple[int, int]]  # first and last realization of each that is simulated
    known: str | None  # file of failures that are not simulated again: of so many,
    known_realizations: int  # from 0 on
    made_with: dict[str, dict]  # attributes of a shard: sections `porosity` and `simulation`


def resolve(configfiles: Sequence[str | Path] = ()) -> dict:
    """A whole configuration, checked.

    configfiles: each lies on top of those before it. Raises PorefailError that names the key or the
    file that is wrong.
    """
    schema()  # tells a package without its configuration
    ours = [CONFIG / f"{name}.yaml" for name in ("default", "materials", "variants")]
    whole: dict = {}
    for path in (*ours, *configfiles):
        whole = laid_over(whole, read_yaml(path))
    require_valid(whole)
    return whole


def campaign(configfiles: Sequence[str | Path] = ()) -> Campaign:
    """What the configuration that `resolve` gives asks for. Raises as `resolve`."""
    return campaign_of(resolve(configfiles))


def campaign_of(whole: Mapping) -> Campaign:
    """The realizations of a whole configuration, in batches, and what they are made with.

    How many there are, and in which batches, changes no realization.
    """
    known = whole["execution"]["known"]
    pores = dict(whole["porosity"])
    del pores["realizations"], pores["batch_size"]
    name = whole["simulation"]["material"]
    return Campaign(
        whole["name"],
        [each for each in batches_of(whole) if each[1] >= known["realizations"]],
        known["file"],
        known["realizations"],
        {
            "porosity": {"seed": whole["seed"], **pores},
            "simulation": whole["simulation"]
            | {"material": {"name": name, **whole["materials"][name]}},
        },
    )


def batches_of(whole: Mapping) -> list[tuple[int, int]]:
    """First and last realization of all batches, also of those that are not simulated again."""
    return batches(whole["porosity"]["realizations"], whole["porosity"]["batch_size"])


def batches(count: int, size: int) -> list[tuple[int, int]]:
    """First and last number of each batch of so many; the last one may be smaller."""
    return [(first, min(first + size, count) - 1) for first in range(0, count, size)]


def perturbed(whole: Mapping) -> list[tuple[int, int, int]]:
    """Number of a specimen, first and last perturbation: of each batch of perturbed copies."""
    asked = whole["sensitivity"]
    return [
        (specimen, first, last)
        for specimen, count in enumerate(asked["perturbations"])
        for first, last in batches(count, asked["batch_size"])
    ]


def material(name: str, configfiles: Sequence[str | Path] = ()) -> dict[str, float]:
    """Parameters of a material (Table 1 of the paper), as config/schema.yaml describes them.

    Raises as `resolve`.
    """
    known = resolve(configfiles)["materials"]
    if name not in known:
        raise PorefailError(f"material {name!r}, expected one of {', '.join(known)}")
    return known[name]


def simulation(configfiles: Sequence[str | Path] = ()) -> dict:
    """Section `simulation`, as config/schema.yaml describes it. Raises as `resolve`."""
    return resolve(configfiles)["simulation"]
