# Check the configuration against config/schema.yaml before any job starts.
import difflib

import jsonschema
import yaml

KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "a mapping",
}
BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "multipleOf": "divisible by {}",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "pattern": "that matches {}",
}


def expected(schema):
    """What a schema asks for, in words."""
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    bounds = [text.format(schema[key]) for key, text in BOUNDS.items() if key in schema]
    if schema.get("minItems") == schema.get("maxItems") and "minItems" in schema:
        bounds = [f"{schema['minItems']} entries"]
    unit = f" ({schema['unit']})" if schema.get("unit", "1") != "1" else ""
    return f"{KINDS[schema['type']]} {' and '.join(bounds)}".strip() + unit


def described(error):
    """One line for a schema error: the key, its value, what was expected."""
    key = ".".join(str(part) for part in error.absolute_path)
    prefix = f"{key}." if key else ""
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        unknown = next(name for name in error.instance if name not in known)
        close = difflib.get_close_matches(str(unknown), known, 1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
        return f"{prefix}{unknown} is not a known key; {hint}"
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        return f"{prefix}{missing} is missing"
    if error.validator == "uniqueItems":
        return f"{key} names an entry twice"
    note = ""
    if error.validator == "type" and isinstance(error.instance, str):
        try:
            float(error.instance)
            note = " (YAML takes 1e-3 for text: write 1.0e-3)"
        except ValueError:
            pass
    return f"{key} is {error.instance!r}, expected {expected(error.schema)}{note}"


def contradictions(config):
    """What no single key shows, one line each."""
    execution, simulation = config["execution"], config["simulation"]
    ranks, team = execution["ranks"], execution["ranks_per_realization"]
    if ranks % team:
        yield (
            f"execution.ranks is {ranks}, expected a multiple of "
            f"execution.ranks_per_realization, {team}"
        )
    if simulation["material"] not in config["materials"]:
        yield (
            f"simulation.material is {simulation['material']!r}, expected one of "
            + ", ".join(config["materials"])
        )
    for low, high in [
        ("min_strain_step", "max_strain_step"),
        ("max_strain_step", "max_strain"),
    ]:
        if simulation[low] > simulation[high]:
            yield (
                f"simulation.{low} is {simulation[low]}, expected at most "
                f"simulation.{high}, {simulation[high]}"
            )
    x, y, _ = config["porosity"]["shape"]
    for name in config["training"]["symmetries"]:
        if x != y and name.startswith(("rotate_90", "rotate_270", "mirror_xy", "mirror_yx")):
            yield (
                f"training.symmetries names {name}, which needs a square cross-section; "
                f"porosity.shape is {x} x {y}"
            )
    realizations, split = config["porosity"]["realizations"], config["dataset"]["split"]
    if realizations < sum(split):
        yield (
            f"porosity.realizations is {realizations}, expected at least {sum(split)}, "
            f"one block of dataset.split {split}"
        )


def check(config):
    """End with one line if something is wrong with the configuration."""
    with open(f"{workflow.basedir}/config/schema.yaml") as file:
        schema = yaml.safe_load(file)
    plain = jsonschema.Draft202012Validator
    whole = plain.TYPE_CHECKER.redefine(  # 8.0 is a whole number to JSON, not to us
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    validator = jsonschema.validators.extend(plain, type_checker=whole)(schema)
    errors = sorted(validator.iter_errors(config), key=lambda error: list(error.absolute_path))
    problems = [described(error) for error in errors] or list(contradictions(config))
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise WorkflowError(f"configuration: {problems[0]}{more}")


check(config)
