"""Labels and models of the study as whole sections of the configuration."""

from collections.abc import Mapping

# Kinds of networks that say how sure they are.
UNCERTAIN = ("bayesian", "deep_ensemble", "dropout", "one_network")
NETWORKS = ("heteroencoder", *UNCERTAIN)
SITE_KINDS = ("site_regression", "site_network")  # they learn the label of transform site alone
# Kinds that take the channels of their settings; those of others that take any.
GIVEN_CHANNELS = (*NETWORKS, *SITE_KINDS)
# Keys of `training` that kinds take which are none of NETWORKS.
TAKEN: dict[str, tuple[str, ...]] = {
    "site_regression": ("channels",),
    "site_network": ("channels", "filters", "epochs", "batch_size", "learning_rate"),
}
UNTRAINED_CHANNELS = {
    "elastic_hot_spot": ["von_mises", "pressure"],
    "coarse_step": ["log_coarse_damage"],
    "submodels": ["submodel_strain", "von_mises", "pressure"],
}
# The datasets that each channel is made from. All are known before a simulation.
CHANNELS: dict[str, tuple[str, ...]] = {
    "porosity": ("porosity",),
    "von_mises": ("elastic/von_mises",),
    "pressure": ("elastic/pressure",),
    "log_von_mises": ("elastic/von_mises",),
    "log_pressure": ("elastic/pressure",),
    "triaxiality": ("elastic/pressure", "elastic/von_mises"),
    "log_largest_von_mises": ("elastic/largest_von_mises",),
    "lode": ("elastic/lode",),
    "log_coarse_damage": ("presolve/damage",),
    "submodel_strain": ("submodels/strain",),
    # By superposition, without a solve.
    "superposed_log_von_mises": ("porosity",),
    "superposed_log_largest_von_mises": ("porosity",),
    "superposed_triaxiality": ("porosity",),
    "superposed_largest_pressure": ("porosity",),
    "superposed_lode": ("porosity",),
}
SIMULATED = ("porosity", "elastic/von_mises", "elastic/pressure")  # that a simulation tells itself


def presolved(channel: str) -> bool:
    """Whether an ensemble has a channel only where presolve.strain is above 0."""
    return not set(CHANNELS[channel]).issubset(SIMULATED)


def laid_over(base: Mapping, change: Mapping) -> dict:
    """A section of the configuration with the keys of another over it, nested ones too."""
    nested = {
        key: laid_over(base[key], value)
        for key, value in change.items()
        if isinstance(value, dict) and isinstance(base.get(key), dict)
    }
    return {**base, **change, **nested}


def study_label(config: Mapping, name: str) -> dict:
    """Settings of a label of the study: a section `dataset`."""
    return laid_over(config["dataset"], config["study"]["labels"][name])


def without(section: Mapping, *names: str) -> dict:
    """A section of the configuration without some of its keys."""
    return {key: value for key, value in section.items() if key not in names}


def needs_square(symmetry: str) -> bool:
    """Whether a symmetry is one of a square cross-section alone."""
    return symmetry.startswith(("rotate_90", "rotate_270", "mirror_xy", "mirror_yx"))


def study_model(config: Mapping, name: str) -> tuple[str, dict]:
    """Kind and settings of a model of the study: a section `training`.

    Of its symmetries those that the cross-section has.
    """
    training = laid_over(config["training"], config["study"]["training"])
    change = dict(config["study"]["models"][name])
    kind = change.pop("kind", "heteroencoder")
    training = laid_over(training, change)
    if kind in UNCERTAIN and "average" not in change:
        training["average"] = False  # their predictions are means of draws
    x, y, _ = config["porosity"]["shape"]
    names = training.get("symmetries")
    if x != y and isinstance(names, list):
        training["symmetries"] = [each for each in names if not needs_square(str(each))]
    return kind, training


def channels_of(kind: str, training: Mapping) -> list[str]:
    """Channels that the fit of a kind of model takes; training: a section of the configuration."""
    if kind in GIVEN_CHANNELS:
        return training["channels"]
    return UNTRAINED_CHANNELS.get(kind, ["porosity"])


def study_channels(config: Mapping, name: str) -> list[str]:
    """Channels that a model of the study takes."""
    return channels_of(*study_model(config, name))


def study_evaluation(config: Mapping) -> dict:
    """How the study judges: a section `evaluation`, and what makes the sites of a prediction."""
    return config["evaluation"] | {
        key: config["study"][key] for key in ("site_recall", "site_volume")
    }


def variant_settings(config: Mapping, label: str, model: str, fold: int) -> dict:
    """What a variant of the study is made with: the settings of `crossvalidate`."""
    kind, training = study_model(config, model)
    if kind not in UNCERTAIN:
        training = without(training, "bayesian")
    return {
        "label": label,
        "model": model,
        "kind": kind,
        "fold": fold,
        "dataset": {"seed": config["seed"]} | study_label(config, label),
        # Folds are repetitions: each begins from other random weights.
        "training": {"seed": config["seed"] + fold} | training,
        "baselines": config["baselines"],
        "evaluation": study_evaluation(config),
    }
