"""What Snakemake's catalogue of workflows asks for."""

from fnmatch import fnmatch
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_how_the_workflow_is_used():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage == {
        "software-stack-deployment": {
            "conda": True,
            "singularity": False,
            "singularity+conda": False,
        },
        "report": True,
    }
    assert list((ROOT / "workflow" / "rules").glob("*.smk"))


def test_every_configuration_is_in_its_readme():
    text = (ROOT / "config" / "README.md").read_text()
    named = [word for word in text.split("`") if word.endswith(".yaml")]
    for path in (ROOT / "config").glob("*.yaml"):
        assert any(fnmatch(path.name, name) for name in named), path.name
