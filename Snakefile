# The workflow: porosity -> simulate -> gather -> dataset -> train -> predict -> evaluate -> report.
# One rule for each verb of `python -m porefail`; the rules are in workflow/rules/, by topic.
import json
import os
import re
import shlex
import sys

from snakemake.settings.types import DeploymentMethod
from snakemake.utils import min_version

sys.path.insert(0, f"{workflow.basedir}/src")  # the package of this checkout, installed or not
from porefail import MODEL_VERSION, configuration
from porefail.errors import PorefailError

min_version("9.0")


configfile: f"{workflow.basedir}/config/default.yaml"
configfile: f"{workflow.basedir}/config/materials.yaml"
configfile: f"{workflow.basedir}/config/variants.yaml"


# Before anything uses it: Snakemake takes the last of two equal keys in silence.
try:
    for path in workflow.configfiles:
        configuration.read_yaml(path)
    configuration.require_valid(config)
    RESULTS = f"results/{config['name']}"
    configuration.require_writable(RESULTS)
    SAMPLES = configuration.samples_of(config)  # scans by name
except PorefailError as error:
    sys.exit(f"porefail: error: {error}")

SETTINGS = configuration.step_settings(config)  # of each rule, its only part of the configuration
# Memory and time on a cluster (GPUs and partitions are in profiles/slurm).
COSTS = configuration.costs_of(config)


report: "workflow/report/workflow.rst"


# Jobs use the package of this checkout, and the Python and the MPI of the environment that
# Snakemake runs in, activated or not. With `--sdm conda` these are of the rule's environment, which
# is activated before this prefix.
SEARCH = f"{shlex.quote(os.path.dirname(sys.executable))}:$PATH"
if DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method:
    SEARCH = "$PATH"
shell.prefix(
    f"set -euo pipefail; export PATH={SEARCH}"
    f" PYTHONPATH={shlex.quote(f'{workflow.basedir}/src')}; "
)


wildcard_constraints:
    name=re.escape(str(config["name"])),
    first=r"\d+",
    last=r"\d+",
    label="|".join(map(re.escape, config["study"]["labels"])) or "none",
    model="|".join(map(re.escape, config["study"]["models"])) or "none",
    fold=r"\d+",


include: "workflow/blocks.smk"
include: "workflow/plan.smk"
include: "workflow/slurm.smk"
include: "workflow/rules/ensembles.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/learn.smk"
include: "workflow/rules/assess.smk"
include: "workflow/rules/phenomenology.smk"
include: "workflow/rules/rank.smk"
include: "workflow/rules/sensitivity.smk"
include: "workflow/rules/study.smk"
include: "workflow/rules/campaign.smk"
include: "workflow/rules/reproduction.smk"
include: "workflow/rules/scan.smk"


localrules:
    all,


rule all:
    default_target: True
    input:
        whole_report,
