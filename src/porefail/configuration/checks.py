"""What is wrong with a configuration, before anything uses it: one line each."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from porefail.configuration import writable
from porefail.configuration.schema import part, problems, schema
from porefail.configuration.study import compared
from porefail.configuration.variants import (
    NETWORKS,
    SITE_KINDS,
    TAKEN,
    UNCERTAIN,
    needs_square,
    presolved,
    study_channels,
    study_label,
    study_model,
)
from porefail.errors import PorefailError


def require_valid(config: Mapping) -> None:
    """Raise PorefailError, one line, if something is wrong with a whole configuration."""
    found: list[str] = []
    for look in (_by_schema, _variants_by_schema, _contradictions):
        found = found or list(look(config))
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise PorefailError(f"configuration: {found[0]}{more}")


def require_writable(folder: str | Path) -> None:
    """Raise PorefailError if no file can be written in the folder, or in what is there of its path.

    Makes no folder: a dry run leaves none, and jobs that read the Snakefile at the same time
    neither miss nor remove one.
    """
    there = writable.existing(folder)
    try:
        writable.try_writing(there)
    except OSError as error:
        raise PorefailError(f"cannot write to {folder}: {there}: {error.strerror}") from None


def _by_schema(config: Mapping) -> list[str]:
    return problems(config, schema())


def _variants_by_schema(config: Mapping) -> Iterator[str]:
    """Labels and models of the study, as the sections that they become."""
    study = config["study"]
    for group, section, settings in [
        ("labels", "dataset", study_label),
        ("models", "training", lambda config, name: study_model(config, name)[1]),
    ]:
        for name in study[group]:
            for problem in problems(settings(config, name), part(section)):
                yield f"study.{group}.{name}: {problem}"


def _contradictions(config: Mapping) -> Iterator[str]:
    """What no single key shows."""
    execution = config["execution"]
    ranks, team = execution["ranks"], execution["ranks_per_realization"]
    if ranks % team:
        yield (
            f"execution.ranks is {ranks}, expected a multiple of "
            f"execution.ranks_per_realization, {team}"
        )
    known, pores = execution["known"], config["porosity"]
    if bool(known["realizations"]) != (known["file"] is not None):
        yield (
            f"execution.known.file is {known['file']} and execution.known.realizations is"
            f" {known['realizations']}, expected both or neither"
        )
    if known["realizations"] % pores["batch_size"] or known["realizations"] > pores["realizations"]:
        yield (
            f"execution.known.realizations is {known['realizations']}, expected a multiple of"
            f" porosity.batch_size, {pores['batch_size']}, up to porosity.realizations,"
            f" {pores['realizations']}"
        )
    if known["realizations"]:
        yield from _known_problems(config)
    if config["simulation"]["material"] not in config["materials"]:
        yield (
            f"simulation.material is {config['simulation']['material']!r}, expected one of "
            + ", ".join(map(str, config["materials"]))
        )
    for name, material in config["materials"].items():
        yield from material_problems(material, f"materials.{name}.")
    yield from simulation_problems(config["simulation"], "simulation.")
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
    yield from training_problems(config["training"], "training.")
    yield from presolve_problems(config["presolve"])
    for problem in _presolved_problems(config, config["training"]["channels"]):
        yield f"training.channels names {problem}"
    if (config["training"]["loss"] == "site_likelihood") != (
        config["dataset"]["transform"] == "site"
    ):
        yield (
            f"training.loss is {config['training']['loss']} and dataset.transform is "
            f"{config['dataset']['transform']}, expected site_likelihood with site, or neither"
        )
    realizations, split = config["porosity"]["realizations"], config["dataset"]["split"]
    if realizations < sum(split):
        yield (
            f"porosity.realizations is {realizations}, expected at least {sum(split)}, "
            f"one block of dataset.split {split}"
        )
    for problem in _presolved_problems(config, config["campaign"]["channels"]):
        yield f"campaign.channels names {problem}"
    yield from campaign_problems(config["campaign"], "campaign.")
    yield from _study_problems(config)


def _known_problems(config: Mapping) -> Iterator[str]:
    """What an ensemble with known realizations has not: damage, and stresses of the simulations."""
    if config["presolve"]["strain"] == 0:
        yield "presolve.strain is 0, expected above 0 where execution.known has realizations"
    if config["dataset"]["transform"] != "site":
        yield (
            f"dataset.transform is {config['dataset']['transform']}, expected site where"
            " execution.known has realizations: of these no damage is known"
        )
    for name, comparison in config["study"]["comparisons"].items():
        for label in comparison["labels"] if comparison["models"] else ():
            if study_label(config, label)["transform"] != "site":
                yield (
                    f"study.comparisons.{name}: label {label} needs damage, which is not known"
                    " where execution.known has realizations"
                )


def presolve_problems(presolve: Mapping) -> Iterator[str]:
    """Contradictions in a section `presolve`."""
    if presolve["submodels"] > 0 and presolve["strain"] == 0:
        yield (
            f"presolve.submodels is {presolve['submodels']}, expected 0 where presolve.strain is 0"
        )


def campaign_problems(campaign: Mapping, prefix: str = "") -> Iterator[str]:
    """Contradictions in a section `campaign`."""
    sizes = campaign["sizes"]
    if sizes != sorted(set(sizes)):
        yield f"{prefix}sizes is {sizes}, expected rising numbers"


def _presolved_problems(config: Mapping, channels: Sequence[str]) -> Iterator[str]:
    """What of the channels the simulations alone do not give."""
    lacking = [each for each in channels if presolved(each)]
    if lacking and config["presolve"]["strain"] == 0:
        yield f"{lacking[0]}, which needs presolve.strain above 0"
    if "submodel_strain" in channels and config["presolve"]["submodels"] == 0:
        yield "submodel_strain, which needs presolve.submodels above 0"


def material_problems(material: Mapping, prefix: str = "") -> Iterator[str]:
    """Contradictions in the parameters of a material."""
    if material["initial_damage"] >= material["maximum_damage"]:
        yield (
            f"{prefix}initial_damage is {material['initial_damage']}, expected below "
            f"{prefix}maximum_damage, {material['maximum_damage']}"
        )


def simulation_problems(simulation: Mapping, prefix: str = "") -> Iterator[str]:
    """Contradictions in a section `simulation`."""
    for low, high in [("min_strain_step", "max_strain_step"), ("max_strain_step", "max_strain")]:
        if simulation[low] > simulation[high]:
            yield (
                f"{prefix}{low} is {simulation[low]}, expected at most {prefix}{high},"
                f" {simulation[high]}"
            )


def training_problems(training: Mapping, prefix: str = "") -> Iterator[str]:
    """Contradictions in a section `training`, with or without `bayesian`."""
    if training["copies"] > len(training["symmetries"]):
        yield (
            f"{prefix}copies is {training['copies']}, expected at most "
            f"{len(training['symmetries'])}, the number of {prefix}symmetries"
        )
    latent = [
        f"latent_{n}" if n > 1 else "latent" for n in range(1, len(training["dilations"]) + 1)
    ]
    there = ["encode_1", "encode_2", *latent, "decode_1", "decode_2"]
    there += ["join"] * training["skips"] + ["damage"]
    for layer in training.get("bayesian", {}).get("layers", ()):
        if layer != "all" and layer not in there:
            yield (
                f"{prefix}bayesian.layers names {layer}, which the network has not; it has "
                + ", ".join(there)
            )
        if layer == "all" and len(training["bayesian"]["layers"]) > 1:
            yield f"{prefix}bayesian.layers names all and others, expected all alone"


def _study_problems(config: Mapping) -> Iterator[str]:
    """Contradictions in labels, models and comparisons."""
    study = config["study"]
    for name, change in study["models"].items():
        kind, training = study_model(config, name)
        taken = {"kind", *TAKEN.get(kind, ())}
        if kind not in NETWORKS and not taken.issuperset(change):
            key = next(key for key in change if key not in taken)
            yield f"study.models.{name}.{key}: a model of kind {kind} takes no such key"
        for problem in training_problems(training):
            yield f"study.models.{name}: {problem}"
        if kind in UNCERTAIN and training["average"]:
            yield (
                f"study.models.{name}: average is true, expected false: the predictions of a model"
                f" of kind {kind} are draws of their own"
            )
        if kind in UNCERTAIN and training["loss"] != "squared_error":
            yield (
                f"study.models.{name}: loss is {training['loss']}, expected squared_error, which a"
                f" model of kind {kind} turns into a likelihood"
            )
    for name, comparison in study["comparisons"].items():
        for group in ("labels", "models"):
            for entry in comparison[group]:
                if entry not in study[group]:
                    close = difflib.get_close_matches(entry, study[group], 1)
                    hint = f"; did you mean {close[0]}?" if close else ""
                    yield f"study.comparisons.{name} names {entry}, not in study.{group}{hint}"
        for label, model in compared(comparison):
            if label in study["labels"] and model in study["models"]:
                channels = study_channels(config, model)
                for problem in _presolved_problems(config, channels):
                    yield f"study.comparisons.{name}: {model} takes {problem}"
                timed = name == "frontier" and channels != ["porosity"]
                if timed and config["presolve"]["strain"] == 0:
                    yield (
                        f"study.comparisons.frontier: the seconds that {model} takes are known only"
                        " where presolve.strain is above 0"
                    )
                kind = study_model(config, model)[0]
                site = study_label(config, label)["transform"] == "site"
                if kind in SITE_KINDS and not site:
                    yield (
                        f"study.comparisons.{name}: {model} of kind {kind} needs a label with"
                        f" transform site, not {label}"
                    )
                if study_model(config, model)[1]["loss"] == "site_likelihood" and not site:
                    yield (
                        f"study.comparisons.{name}: the loss of {model}, site_likelihood, needs a"
                        f" label with transform site, not {label}"
                    )
    yield from _drawn_problems(config)
    for target, names in study["transfer"].items():
        for name in names:
            if name not in study["comparisons"]:
                yield f"study.transfer.{target} names {name}, not in study.comparisons"


def _drawn_problems(config: Mapping) -> Iterator[str]:
    """What the figures of a comparison cannot show."""
    study = config["study"]
    for name in ("paper", "weightings", "parameters", "uncertainty"):
        comparison = study["comparisons"].get(name, {"labels": [], "models": []})
        labels, models = comparison["labels"], comparison["models"]
        known = set(labels) <= set(study["labels"]) and set(models) <= set(study["models"])
        if not labels or not models or not known:
            continue
        transforms = [study_label(config, label)["transform"] for label in labels]
        kinds = [study_model(config, model)[1]["weighting"]["kind"] for model in models]
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
        if name in ("weightings", "uncertainty") and len(labels) > 1:
            yield f"study.comparisons.{name}.labels are {', '.join(labels)}, expected one"
        for model in models if name == "uncertainty" else []:
            kind = study_model(config, model)[0]
            if kind not in UNCERTAIN:
                yield (
                    f"study.comparisons.uncertainty.models names {model} of kind {kind}, expected"
                    f" {', '.join(UNCERTAIN)}"
                )
        used = {key: config["dataset"][key] for key in ("filter_width", "contrast")}
        each = [study_label(config, label) for label in labels]
        if name == "parameters" and not any(one[key] == used[key] for key in used for one in each):
            yield (
                "study.comparisons.parameters.labels: none keeps dataset.filter_width,"
                f" {used['filter_width']}, or dataset.contrast, {used['contrast']}, at which the"
                " other one is varied"
            )
        if name == "parameters" and len(models) > 1:
            yield f"study.comparisons.parameters.models are {', '.join(models)}, expected one"
