# Labels and models of the study as whole sections of the configuration.

UNCERTAIN = ("bayesian", "deep_ensemble", "dropout")  # kinds of networks that say how sure they are
NETWORKS = ("heteroencoder", *UNCERTAIN)


def laid_over(base, change):
    """A section of the configuration with the keys of another over it, nested ones too."""
    nested = {
        key: laid_over(base[key], value)
        for key, value in change.items()
        if isinstance(value, dict) and isinstance(base.get(key), dict)
    }
    return base | change | nested


def study_label(name):
    """Settings of a label of the study: a section `dataset`."""
    return laid_over(config["dataset"], config["study"]["labels"][name])


def without_bayesian(training):
    """A section `training` as a network without uncertainty takes it."""
    return {key: value for key, value in training.items() if key != "bayesian"}


def needs_square(symmetry):
    """Whether a symmetry is one of a square cross-section alone."""
    return symmetry.startswith(("rotate_90", "rotate_270", "mirror_xy", "mirror_yx"))


def study_model(name):
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


def study_evaluation():
    """How the study judges: a section `evaluation`, and what makes the sites of a prediction."""
    return config["evaluation"] | {
        key: config["study"][key] for key in ("site_recall", "site_volume")
    }


def variant_settings(wildcards):
    """What a variant is made with: its label, its model, its fold."""
    kind, training = study_model(wildcards.model)
    if kind not in UNCERTAIN:
        training = without_bayesian(training)
    fold = int(wildcards.fold)
    return json.dumps(
        {
            "label": wildcards.label,
            "model": wildcards.model,
            "kind": kind,
            "fold": fold,
            "dataset": {"seed": config["seed"]} | study_label(wildcards.label),
            # Folds are repetitions: each begins from other random weights.
            "training": {"seed": config["seed"] + fold} | training,
            "baselines": config["baselines"],
            "evaluation": study_evaluation(),
        }
    )
