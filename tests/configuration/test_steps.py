"""What each step is given of a configuration is what it asks for."""

import importlib
import json

import pytest

from porefail import configuration
from porefail.configuration.checks import training_problems

WHOLE = configuration.resolve()
SETTINGS = configuration.step_settings(WHOLE)


@pytest.mark.slow
@pytest.mark.parametrize("step", SETTINGS)
def test_a_step_takes_its_settings(step):
    wanted = importlib.import_module(f"porefail.steps.{step}").SETTINGS
    configuration.require_settings(json.loads(json.dumps(SETTINGS[step])), wanted)


@pytest.mark.parametrize(
    "section, key, value, steps",
    [
        ("execution", "ranks", 4, set()),
        ("porosity", "batch_size", 7, set()),
        ("porosity", "realizations", 300, {"gather"}),
        ("training", "average", True, {"predict"}),
        ("evaluation", "thresholds", 9, {"evaluate", "study"}),
        ("sensitivity", "perturbations", [2], set()),
        ("study", "folds", 2, {"study"}),
        ("report", "specimens", 2, {"rank", "report"}),
    ],
)
def test_a_key_is_given_to_the_steps_that_use_it(section, key, value, steps):
    changed = configuration.step_settings(WHOLE | {section: WHOLE[section] | {key: value}})
    assert {step for step in changed if changed[step] != SETTINGS[step]} == steps


def test_a_twin_is_trained_anew_by_what_its_training_uses():
    def twin(**change):
        bayesian = WHOLE["training"]["bayesian"] | change
        training = WHOLE["training"] | {"bayesian": bayesian}
        return configuration.step_settings(WHOLE | {"training": training})["train_bayesian"]

    assert twin(draws=7, members=2, dropout=0.5) == SETTINGS["train_bayesian"] != twin(prior=2.0)
    assert not list(training_problems(twin()))
