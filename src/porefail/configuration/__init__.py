"""The configuration: read, checked, resolved. Without numerical imports: workflow files use it."""

from porefail.configuration.campaign import (
    Campaign,
    batches_of,
    campaign,
    campaign_of,
    material,
    perturbed,
    resolve,
    simulation,
)
from porefail.configuration.checks import require_valid, require_writable
from porefail.configuration.costs import costs_of, plan
from porefail.configuration.documents import parse_json, read_yaml
from porefail.configuration.locators import LOCATORS
from porefail.configuration.samples import Sample, locator_file, read_samples, samples_of
from porefail.configuration.schema import CONFIG, Settings, require_settings, section
from porefail.configuration.steps import step_settings
from porefail.configuration.study import study_figures, study_folds, study_targets
from porefail.configuration.variants import variant_settings

__all__ = [
    "CONFIG",
    "LOCATORS",
    "Campaign",
    "Sample",
    "Settings",
    "batches_of",
    "campaign",
    "campaign_of",
    "costs_of",
    "locator_file",
    "material",
    "parse_json",
    "perturbed",
    "plan",
    "read_samples",
    "read_yaml",
    "require_settings",
    "require_valid",
    "require_writable",
    "resolve",
    "samples_of",
    "section",
    "simulation",
    "step_settings",
    "study_figures",
    "study_folds",
    "study_targets",
    "variant_settings",
]
