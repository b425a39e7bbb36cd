"""The configuration: read, checked, resolved. Without numerical imports: workflow files use it."""

from porefail.configuration.campaign import (
    Campaign,
    campaign,
    campaign_of,
    material,
    resolve,
    simulation,
)
from porefail.configuration.checks import require_valid, require_writable
from porefail.configuration.documents import parse_json, read_yaml
from porefail.configuration.schema import CONFIG, Settings, require_settings, section

__all__ = [
    "CONFIG",
    "Campaign",
    "Settings",
    "campaign",
    "campaign_of",
    "material",
    "parse_json",
    "read_yaml",
    "require_settings",
    "require_valid",
    "require_writable",
    "resolve",
    "section",
    "simulation",
]
