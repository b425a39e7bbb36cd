from pathlib import Path

import pytest
import yaml

from porefail.fe.material import Material, material

CONFIG = Path(__file__).parents[2] / "config" / "materials.yaml"


@pytest.fixture(scope="session")
def named():
    """Materials by name, from the configuration that users run."""

    def load(name: str) -> Material:
        return material(yaml.safe_load(CONFIG.read_text())["materials"][name])

    return load
