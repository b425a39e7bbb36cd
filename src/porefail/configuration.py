"""The configuration as the workflow resolves it, for the tools that no rule calls.

A user's file lies on top of config/default.yaml and config/materials.yaml. What a tool takes from
it is checked against config/schema.yaml.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import jsonschema
import yaml

from porefail import files
from porefail.errors import PorefailError
from porefail.files import StoreError

CONFIG = Path(__file__).parents[2] / "config"


class Campaign(NamedTuple):
    """What a configuration asks to be simulated."""

    name: str
    batches: list[tuple[int, int]]  # first and last realization of each, as workflow/ensembles.smk
    made_with: dict[str, dict]  # attributes of a shard: sections `porosity` and `simulation`


def campaign(configfiles: Sequence[str | Path] = ()) -> Campaign:
    """The realizations of a configuration, in batches, and what they are made with.

    configfiles: each lies on top of those before it. Raises PorefailError that names the key or the
    file that is wrong.
    """
    whole = {}
    for path in (CONFIG / "default.yaml", *configfiles):
        whole |= {key: value for key, value in _read(path).items() if key in ("name", "seed")}
    schema = _schema()["properties"]
    for key in ("name", "seed"):
        _check(whole[key], schema[key], [key])
    pores = _merged("porosity", configfiles)
    _check(pores, schema["porosity"], ["porosity"])
    settings = simulation(configfiles)
    realizations, size = pores.pop("realizations"), pores.pop("batch_size")
    parameters = {"name": settings["material"], **material(settings["material"], configfiles)}
    return Campaign(
        whole["name"],
        [(n, min(n + size, realizations) - 1) for n in range(0, realizations, size)],
        {
            "porosity": {"seed": whole["seed"], **pores},
            "simulation": settings | {"material": parameters},
        },
    )


def material(name: str, configfiles: Sequence[str | Path] = ()) -> dict[str, float]:
    """Parameters of a material (Table 1 of the paper), as config/schema.yaml describes them.

    Raises as `campaign`.
    """
    known: dict[str, dict] = {}
    for path in (CONFIG / "materials.yaml", *configfiles):
        for other, parameters in _section(path, "materials").items():
            known[other] = known.get(other, {}) | _mapping(path, "materials", parameters)
    if name not in known:
        raise PorefailError(f"material {name!r}, expected one of {', '.join(map(str, known))}")
    _check(known[name], _schema()["$defs"]["material"], ["materials", name])
    return known[name]


def simulation(configfiles: Sequence[str | Path] = ()) -> dict:
    """Section `simulation`, as config/schema.yaml describes it. Raises as `campaign`."""
    settings = _merged("simulation", configfiles)
    _check(settings, _schema()["properties"]["simulation"], ["simulation"])
    return settings


def _merged(section: str, configfiles: Sequence[str | Path]) -> dict:
    found: dict = {}
    for path in (CONFIG / "default.yaml", *configfiles):
        found |= _section(path, section)
    return found


def _schema() -> dict:
    return yaml.safe_load((CONFIG / "schema.yaml").read_text())


def _section(path: str | Path, name: str) -> dict:
    """A section of a configuration; empty where there is no such section."""
    return _mapping(path, name, _read(path, name).get(name))


def _read(path: str | Path, section: str = "name") -> dict:
    """A whole configuration file."""
    if not (CONFIG / "materials.yaml").is_file():
        raise PorefailError(
            f"{CONFIG}: no materials.yaml: this needs the package of a checkout, installed with "
            "`pip install --editable`"
        )
    try:
        whole = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {files.reason(error)}") from None
    except (yaml.YAMLError, ValueError) as error:
        problem = " ".join(str(error).split())
        raise _not_as_expected(path, section, problem) from None
    return _mapping(path, section, whole)


def _mapping(path: str | Path, section: str, found: object) -> dict:
    """What was found, nothing as an empty mapping."""
    if not isinstance(found, dict | None):
        raise _not_as_expected(path, section, f"found {found!r:.40}")
    return dict(found or {})


def _not_as_expected(path: str | Path, section: str, problem: str) -> StoreError:
    return StoreError(f"{path}: expected YAML with `{section}: name: ...` ({problem})")


def _check(found: object, schema: dict, place: list[str]) -> None:
    """Raise PorefailError that names the first key that is not as the schema says."""
    plain = jsonschema.Draft202012Validator
    kinds = plain.TYPE_CHECKER.redefine_many(  # as in workflow/configuration.smk
        {
            "integer": lambda _, value: type(value) is int,
            "number": lambda _, value: type(value) in (int, float) and math.isfinite(value),
        }
    )
    validator = jsonschema.validators.extend(plain, type_checker=kinds)(schema)
    for error in validator.iter_errors(found):
        raise PorefailError(f"{'.'.join([*place, *map(str, error.path)])}: {error.message}")
