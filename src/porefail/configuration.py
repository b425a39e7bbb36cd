"""The configuration as the workflow resolves it, for the tools that no rule calls.

A user's file lies on top of config/default.yaml and config/materials.yaml. What a tool takes from
it is checked against config/schema.yaml.
"""

import math
from pathlib import Path

import jsonschema
import yaml

from porefail import files
from porefail.errors import PorefailError
from porefail.files import StoreError

CONFIG = Path(__file__).parents[2] / "config"


def material(name: str, configfile: str | Path | None = None) -> dict[str, float]:
    """Parameters of a material (Table 1 of the paper), as config/schema.yaml describes them.

    Raises PorefailError that names the key or the file that is wrong.
    """
    known = {
        other: _mapping(CONFIG / "materials.yaml", "materials", parameters)
        for other, parameters in _section(CONFIG / "materials.yaml", "materials").items()
    }
    for other, parameters in _section(configfile, "materials").items():
        known[other] = known.get(other, {}) | _mapping(configfile, "materials", parameters)
    if name not in known:
        raise PorefailError(f"material {name!r}, expected one of {', '.join(map(str, known))}")
    _check(known[name], _schema()["$defs"]["material"], ["materials", name])
    return known[name]


def simulation(configfile: str | Path | None = None) -> dict:
    """Section `simulation`, as config/schema.yaml describes it. Raises as `material`."""
    settings = _section(CONFIG / "default.yaml", "simulation")
    settings |= _section(configfile, "simulation")
    _check(settings, _schema()["properties"]["simulation"], ["simulation"])
    return settings


def _schema() -> dict:
    return yaml.safe_load((CONFIG / "schema.yaml").read_text())


def _section(path: str | Path | None, name: str) -> dict:
    """A section of a configuration; empty where there is no such section, or no file is given."""
    if path is None:
        return {}
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
        raise _not_as_expected(path, name, problem) from None
    return _mapping(path, name, _mapping(path, name, whole).get(name))


def _mapping(path: str | Path, section: str, found: object) -> dict:
    """What was found, nothing as an empty mapping."""
    if not isinstance(found, dict | None):
        raise _not_as_expected(path, section, f"found {found!r:.40}")
    return dict(found or {})


def _not_as_expected(path: str | Path, section: str, problem: str) -> StoreError:
    return StoreError(f"{path}: expected YAML with `{section}: name: ...` ({problem})")


def _check(found: dict, schema: dict, place: list[str]) -> None:
    """Raise PorefailError that names the first key that is not as the schema says."""
    plain = jsonschema.Draft202012Validator
    kinds = plain.TYPE_CHECKER.redefine(
        "number", lambda _, value: type(value) in (int, float) and math.isfinite(value)
    )
    validator = jsonschema.validators.extend(plain, type_checker=kinds)(schema)
    for error in validator.iter_errors(found):
        raise PorefailError(f"{'.'.join([*place, *map(str, error.path)])}: {error.message}")
