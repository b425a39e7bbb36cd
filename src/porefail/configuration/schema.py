"""config/schema.yaml: every key of a configuration, and with it the settings of every step.

The settings of a step are named by what they are in a configuration: a mapping from each key to its
place in the schema ("porosity.spacing"), or to such a mapping where settings are nested. A key that
ends in ? may be left out; the key * stands for any name.
"""

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

import jsonschema
import yaml

from porefail.errors import PorefailError

# A link to config/ in a checkout, a folder where porefail is installed.
CONFIG = (Path(__file__).parents[1] / "config").resolve()
Settings = Mapping[str, "str | Settings"]

KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "a mapping",
    "boolean": "true or false",
}
BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "multipleOf": "divisible by {}",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "maxLength": "at most {} characters",
}
_PLAIN = jsonschema.Draft202012Validator
# 8.0 is a whole number to JSON, not to us, and no number of ours is infinite or NaN.
_Validator = jsonschema.validators.extend(
    _PLAIN,
    type_checker=_PLAIN.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: type(value) is int,
            "number": lambda _, value: type(value) in (int, float) and -math.inf < value < math.inf,
        }
    ),
)


@cache
def schema() -> dict:
    """The schema. Raises PorefailError where the package came without its configuration."""
    path = CONFIG / "schema.yaml"
    if not path.is_file():
        raise PorefailError(f"{path}: missing file: porefail is not whole, install it anew")
    return yaml.load(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def part(place: str) -> dict:
    """The schema of a key, by its place: "porosity.spacing"; "materials.*" is that of any name."""
    found = schema()
    for name in place.split("."):
        if name == "*":
            found = found["additionalProperties"]
        elif name == "$defs":
            found = {"properties": found["$defs"]}
        else:
            found = found["properties"][name]
        if "$ref" in found:
            found = schema()["$defs"][found["$ref"].rsplit("/", 1)[1]]
    return found


def section(place: str, without: tuple[str, ...] = ()) -> dict[str, str]:
    """Settings that are a section of the configuration, but for some of its keys."""
    return {name: f"{place}.{name}" for name in part(place)["properties"] if name not in without}


def problems(value: object, wanted: dict) -> list[str]:
    """What is not as a schema says, one line each: the key, its value, what was expected."""
    validator = _Validator(wanted | {"$defs": schema()["$defs"]})
    try:
        errors = sorted(
            validator.iter_errors(value), key=lambda error: list(map(str, error.absolute_path))
        )
        # A value of another type than an enum has breaks two rules, and is told once.
        typed = [error.absolute_path for error in errors if error.validator == "type"]
        return [
            _described(error)
            for error in errors
            if error.validator != "enum" or error.absolute_path not in typed
        ]
    except RecursionError:
        return ["nested too deeply"]


def require_settings(
    settings: Mapping, wanted: Settings, *contradictions: Callable[[Mapping], Iterable[str]]
) -> None:
    """Refuse settings of a step that are not as a configuration asks.

    contradictions: functions of porefail.configuration.checks, which find what no single key shows.
    Raises PorefailError that names the key.
    """
    found = problems(settings, _as_schema(wanted))
    for look in contradictions:
        found = found or list(look(settings))
    if found:
        raise PorefailError(f"settings: {found[0]}")


def _as_schema(wanted: str | Settings) -> dict:
    if isinstance(wanted, str):
        return part(wanted)
    properties = {name.removesuffix("?"): _as_schema(each) for name, each in wanted.items()}
    any_name = properties.pop("*", False)
    return {
        "type": "object",
        "additionalProperties": any_name,
        "required": [name for name in wanted if name != "*" and not name.endswith("?")],
        "properties": properties,
    }


def expected(wanted: dict) -> str:
    """What a schema asks for, in words."""
    if "words" in wanted:
        return wanted["words"]
    if "enum" in wanted:
        return "one of " + ", ".join(map(str, wanted["enum"]))
    bounds = " and ".join(text.format(wanted[key]) for key, text in BOUNDS.items() if key in wanted)
    if "maxItems" in wanted and wanted.get("minItems") == wanted["maxItems"]:
        bounds = f"{wanted['minItems']} entries"
    unit = f" ({wanted['unit']})" if wanted.get("unit", "1") != "1" else ""
    return KINDS[wanted["type"]] + (f", {bounds}" if bounds else "") + unit


def _described(error: jsonschema.ValidationError) -> str:
    """One line for a schema error: the key, its value, what was expected."""
    key = re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", ".".join(map(_shown_key, error.absolute_path)))
    prefix = f"{key}." if key else ""
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        unknown = next(name for name in error.instance if name not in known)
        close = difflib.get_close_matches(str(unknown), known, 1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
        return f"{prefix}{_shown_key(unknown)} is not a known key; {hint}"
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        return f"{prefix}{missing} is missing"
    if "propertyNames" in error.absolute_schema_path:
        return f"{key} has the name {shown(error.instance)}, expected {expected(error.schema)}"
    if error.validator == "uniqueItems":
        return f"{key} names an entry twice"
    note = ""
    number = r"-?\d+(\.\d*)?e[-+]?\d+"
    if error.validator == "type" and re.fullmatch(number, shown(error.instance).strip("'"), re.I):
        note = " (YAML takes 1e-3 for text: write 1.0e-3)"
    return f"{key} is {shown(error.instance)}, expected {expected(error.schema)}{note}"


def _shown_key(name: object) -> str:
    return name if isinstance(name, str) and len(name) < 60 and name.isprintable() else shown(name)


def shown(value: object) -> str:
    """A value in at most about 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
