"""The settings of each step, taken from a configuration: what a change of them reruns."""

from collections.abc import Mapping

from porefail import MODEL_VERSION
from porefail.configuration.campaign import campaign_of
from porefail.configuration.study import study_folds
from porefail.configuration.variants import (
    study_channels,
    study_evaluation,
    study_label,
    study_model,
    without,
)


def step_settings(config: Mapping) -> dict[str, dict]:
    """Settings by the name of the rule; those of `crossvalidate` are `variant_settings`.

    Snakemake records them as text: other keys, or another order of keys, rerun the rule.
    """
    made_with = campaign_of(config).made_with
    seed = {"seed": config["seed"]}
    evaluation, bayesian = config["evaluation"], config["training"]["bayesian"]
    # What the training of the network depends on, so not how it predicts.
    training = without(config["training"], "average", "bayesian")
    return {
        "porosity": made_with["porosity"],
        "simulate": made_with["simulation"],
        "presolve": {"simulation": made_with["simulation"], "presolve": config["presolve"]},
        "gather": made_with
        | {
            "model_version": MODEL_VERSION,
            "realizations": config["porosity"]["realizations"],
            "known": config["execution"]["known"]["realizations"],
        },
        "phenomenology": config["phenomenology"],
        "dataset": seed | config["dataset"],
        "train": seed | training,
        # Not how often it is drawn from.
        "train_bayesian": seed
        | training
        | {"bayesian": without(bayesian, "draws", "members", "dropout")},
        "predict": {
            "site_threshold": evaluation["site_threshold"],
            "average": config["training"]["average"],
        },
        "rank": config["ranking"]
        | seed
        | {
            "draws": bayesian["draws"],
            "near_voxels": evaluation["near_voxels"],
            "specimens": config["report"]["specimens"],
        },
        "evaluate": evaluation,
        "perturb": seed | {"distance": config["sensitivity"]["distance"]},
        "sensitivity": {
            "simulation": made_with["simulation"],
            "model_version": MODEL_VERSION,
            "site_threshold": config["ranking"]["site_threshold"],
            "true_threshold": evaluation["site_threshold"],
            "near_voxels": evaluation["near_voxels"],
        },
        "study": _study(config),
        "campaign": {
            "dataset": seed | config["dataset"],
            "campaign": config["campaign"],
            "near_voxels": evaluation["near_voxels"],
        },
        "reproduction": {
            "site_threshold": evaluation["site_threshold"],
            "cut": config["ranking"]["site_threshold"],
            "weighting": training["weighting"]["kind"],
        },
        "report": config["report"]
        | {key: evaluation[key] for key in ("site_threshold", "near_voxels", "near_z")}
        | {"loss": config["training"]["loss"]},
    }


def _study(config: Mapping) -> dict:
    folds = study_folds(config)
    return {
        "folds": [[*variant, count] for variant, count in folds.items()],
        "dataset": config["dataset"],
        "evaluation": study_evaluation(config),
        "labels": {label: study_label(config, label) for label, _ in folds},
        "weightings": {model: study_model(config, model)[1]["weighting"] for _, model in folds},
        "kinds": {model: study_model(config, model)[0] for _, model in folds},
        "channels": {model: study_channels(config, model) for _, model in folds},
        "comparisons": config["study"]["comparisons"],
        "transfer": config["study"]["transfer"],
    }
