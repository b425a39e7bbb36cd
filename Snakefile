# The workflow: porosity -> simulate -> gather -> dataset -> train -> predict -> evaluate -> report.
# One rule for each verb of `python -m porefail`; the rules are in workflow/, by topic.
import json
import os
import re
import shlex
import sys

from snakemake.settings.types import DeploymentMethod
from snakemake.utils import min_version

min_version("9.0")


configfile: f"{workflow.basedir}/config/default.yaml"
configfile: f"{workflow.basedir}/config/materials.yaml"
configfile: f"{workflow.basedir}/config/variants.yaml"


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


include: "workflow/variants.smk"
include: "workflow/configuration.smk"
include: "workflow/resources.smk"
include: "workflow/simulate.smk"
include: "workflow/ensembles.smk"
include: "workflow/learn.smk"
include: "workflow/assess.smk"
include: "workflow/phenomenology.smk"
include: "workflow/rank.smk"
include: "workflow/sensitivity.smk"
include: "workflow/study.smk"
include: "workflow/plan.smk"
include: "workflow/slurm.smk"


localrules:
    all,


rule all:
    default_target: True
    input:
        expand(rules.report.output, name=config["name"]),
