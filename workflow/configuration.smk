# Check before any job starts: the configuration against config/schema.yaml, the folder of results.
import difflib
import itertools
import math
import tempfile

import jsonschema
import yaml

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
    "pattern": "that matches {}",
}


def expected(schema):
    """What a schema asks for, in words."""
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    bounds = " and ".join(text.format(schema[key]) for key, text in BOUNDS.items() if key in schema)
    if "maxItems" in schema and schema["minItems"] == schema["maxItems"]:
        bounds = f"{schema['minItems']} entries"
    unit = f" ({schema['unit']})" if schema.get("unit", "1") != "1" else ""
    return KINDS[schema["type"]] + (f", {bounds}" if bounds else "") + unit


def described(error):
    """One line for a schema error: the key, its value, what was expected."""
    key = re.sub(r"\.(\d+)$", r"[\1]", ".".join(map(str, error.absolute_path)))
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
    if error.validator == "type" and re.fullmatch(r"-?\d+e[-+]?\d+", str(error.instance), re.I):
        note = " (YAML takes 1e-3 for text: write 1.0e-3)"
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
            + ", ".join(map(str, config["materials"]))
        )
    for name, material in config["materials"].items():
        if not isinstance(name, str):
            yield f"materials has the name {name!r}, expected text (in YAML, quote it)"
        if material["initial_damage"] >= material["maximum_damage"]:
            yield (
                f"materials.{name}.initial_damage is {material['initial_damage']}, expected below "
                f"materials.{name}.maximum_damage, {material['maximum_damage']}"
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
    x, y, z = config["porosity"]["shape"]
    if team > z + 1:
        yield (
            f"execution.ranks_per_realization is {team}, expected at most {z + 1}, one above "
            f"porosity.shape[2], {z}"
        )
    for name in config["training"]["symmetries"]:
        if x != y and needs_square(name):
            yield (
                f"training.symmetries names {name}, which needs a square cross-section; "
                f"porosity.shape is {x} x {y}"
            )
    training = config["training"]
    if training["copies"] > len(training["symmetries"]):
        yield (
            f"training.copies is {training['copies']}, expected at most "
            f"{len(training['symmetries'])}, the number of training.symmetries"
        )
    if (training["loss"] == "site_likelihood") != (config["dataset"]["transform"] == "site"):
        yield (
            f"training.loss is {training['loss']} and dataset.transform is "
            f"{config['dataset']['transform']}, expected site_likelihood with site, or neither"
        )
    realizations, split = config["porosity"]["realizations"], config["dataset"]["split"]
    if realizations < sum(split):
        yield (
            f"porosity.realizations is {realizations}, expected at least {sum(split)}, "
            f"one block of dataset.split {split}"
        )


def study_problems(config, validator):
    """What is wrong with labels, models and comparisons, one line each."""
    study = config["study"]
    for part, section, settings in [
        ("labels", "dataset", study_label),
        ("models", "training", lambda name: study_model(name)[1]),
    ]:
        schema = validator.schema["properties"][section]
        for name in study[part]:
            for error in validator.evolve(schema=schema).iter_errors(settings(name)):
                yield f"study.{part}.{name}: {described(error)}"
    for name, change in study["models"].items():
        if change.get("kind", "heteroencoder") not in NETWORKS and len(change) > 1:
            key = next(key for key in change if key != "kind")
            yield f"study.models.{name}.{key}: a model of kind {change['kind']} takes no other key"
    for name, change in study["models"].items():
        training = study_model(name)[1]
        if training["copies"] > len(training["symmetries"]):
            yield (
                f"study.models.{name}: copies is {training['copies']}, expected at most "
                f"{len(training['symmetries'])}, the number of its symmetries"
            )
        if change.get("kind") in UNCERTAIN and training["average"]:
            yield (
                f"study.models.{name}: average is true, expected false: the predictions of a model of"
                f" kind {change['kind']} are draws of their own"
            )
        if change.get("kind") in UNCERTAIN and training["loss"] != "squared_error":
            yield (
                f"study.models.{name}: loss is {training['loss']}, expected squared_error, which a"
                f" model of kind {change['kind']} turns into a likelihood"
            )
    for name, comparison in study["comparisons"].items():
        for part in ("labels", "models"):
            for entry in comparison[part]:
                if entry not in study[part]:
                    close = difflib.get_close_matches(entry, study[part], 1)
                    hint = f"; did you mean {close[0]}?" if close else ""
                    yield f"study.comparisons.{name} names {entry}, not in study.{part}{hint}"
        for label, model in itertools.product(comparison["labels"], comparison["models"]):
            if label in study["labels"] and model in study["models"]:
                site = study_label(label)["transform"] == "site"
                if study_model(model)[1].get("loss") == "site_likelihood" and not site:
                    yield (
                        f"study.comparisons.{name}: the loss of {model}, site_likelihood, needs a"
                        f" label with transform site, not {label}"
                    )
    yield from drawn_problems(study)
    for target, names in study["transfer"].items():
        for name in names:
            if name not in study["comparisons"]:
                yield f"study.transfer.{target} names {name}, not in study.comparisons"
    named = [*study["labels"], *study["models"], *study["transfer"]]
    for name in named:
        if not re.fullmatch(r"[A-Za-z0-9._-]+", str(name)):
            yield f"study has the name {name!r}, expected letters, digits, dots, dashes"


def drawn_problems(study):
    """What the figures of a comparison cannot show, one line each."""
    for name in ("paper", "weightings", "parameters", "uncertainty"):
        comparison = study["comparisons"].get(name, {"labels": [], "models": []})
        labels, models = comparison["labels"], comparison["models"]
        known = set(labels) <= set(study["labels"]) and set(models) <= set(study["models"])
        if not labels or not models or not known:
            continue
        transforms = [study_label(label)["transform"] for label in labels]
        kinds = [study_model(model)[1]["weighting"]["kind"] for model in models]
        repeated = len(set(kinds)) < len(kinds) or "uniform" not in kinds
        if name in ("paper", "weightings") and repeated:
            yield (
                f"study.comparisons.{name}.models have the weightings {', '.join(kinds)}, expected"
                " uniform and others, each once"
            )
        if name == "paper" and (len(set(transforms)) < len(transforms) or "site" in transforms):
            yield (
                f"study.comparisons.paper.labels have the transforms {', '.join(transforms)},"
                " expected each once, and not site"
            )
        if name == "weightings" and len(labels) > 1:
            yield f"study.comparisons.weightings.labels are {', '.join(labels)}, expected one"
        if name == "uncertainty" and len(labels) > 1:
            yield f"study.comparisons.uncertainty.labels are {', '.join(labels)}, expected one"
        for model in models if name == "uncertainty" else []:
            kind = study_model(model)[0]
            if kind not in UNCERTAIN:
                yield (
                    f"study.comparisons.uncertainty.models names {model} of kind {kind}, expected"
                    f" {', '.join(UNCERTAIN)}"
                )
        used = {key: config["dataset"][key] for key in ("filter_width", "contrast")}
        kept = [key for key in used for label in labels if study_label(label)[key] == used[key]]
        if name == "parameters" and not kept:
            yield (
                "study.comparisons.parameters.labels: none keeps dataset.filter_width,"
                f" {used['filter_width']}, or dataset.contrast, {used['contrast']}, at which the other"
                " one is varied"
            )
        if name == "parameters" and len(models) > 1:
            yield f"study.comparisons.parameters.models are {', '.join(models)}, expected one"


def check(config):
    """End with one line if something is wrong with the configuration."""
    with open(f"{workflow.basedir}/config/schema.yaml") as file:
        schema = yaml.safe_load(file)
    plain = jsonschema.Draft202012Validator
    # 8.0 is a whole number to JSON, not to us, and no number of ours is infinite or NaN.
    kinds = plain.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: type(value) is int,
            "number": lambda _, value: type(value) in (int, float) and math.isfinite(value),
        }
    )
    validator = jsonschema.validators.extend(plain, type_checker=kinds)(schema)
    errors = sorted(
        validator.iter_errors(config), key=lambda error: list(map(str, error.absolute_path))
    )
    problems = [described(error) for error in errors]
    problems = problems or [*contradictions(config), *study_problems(config, validator)]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        sys.exit(f"porefail: error: configuration: {problems[0]}{more}")


def check_writable(folder):
    """End with one line if no file can be written in the folder, or in what is there of its path.

    Makes no folder: a dry run leaves none, and jobs that read the Snakefile at the same time
    neither miss nor remove one.
    """
    there = folder
    while not os.path.lexists(there):
        there = os.path.dirname(there) or "."
    try:
        descriptor, path = tempfile.mkstemp(prefix=".porefail-", dir=there)
        try:
            os.write(descriptor, bytes(4096))
        finally:
            os.close(descriptor)
            os.unlink(path)
    except OSError as error:
        sys.exit(f"porefail: error: cannot write to {folder}: {there}: {error.strerror}")


check(config)
check_writable(f"results/{config['name']}")
