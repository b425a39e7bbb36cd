"""A configuration through a real Slurm of one node (root; tests/cluster), and through this machine.

Runs the whole workflow twice: with `--profile slurm`, train and predict on the partition of the
GPU, `sacct` asked for states, and with `--cores`. Compares every number, then tells what a job
costs beyond simulating, and what that is in a campaign of the paper's size.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml

from porefail import store

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "cluster"))
from slurm_cluster import Cluster, missing  # noqa: E402 - no package

ON_GPU = [
    f"{rule}:{what}" for rule in ("train", "predict") for what in ("slurm_partition=gpu", "gpu=1")
]
SLURM = ["--profile", "slurm", "--slurm-status-command", "sacct", "--set-resources", *ON_GPU]
SLURM += ["--slurm-init-seconds-before-status-checks", "5"]
SUBMITTED = re.compile(r"submitted with SLURM jobid (\d+) \(log: \S*/rule_([a-z]+)/(\S+)/\d+\.log")
TABLES = ("evaluation/curves.csv", "evaluation/sites.csv", "evaluation/specimens.csv")
PAPER = {"realizations": 18452, "seconds": 3.7, "batch_size": 100}  # docs/results/mechanics.md


def snakemake(folder: Path, configfile: Path, options: list[str], environment: dict) -> str:
    """The output of a run of the whole workflow; ends the program if it fails."""
    command = [sys.executable, "-m", "snakemake", "--directory", str(folder), *options]
    done = subprocess.run(
        [*command, "--configfile", str(configfile)],
        cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{done.stdout}\nporefail: error: a run failed; its output is above")
    return done.stdout


def differences(one: Path, other: Path) -> list[str]:
    """What differs between two folders of results; who simulated what is not looked at."""
    found = []
    for name in sorted({str(p.relative_to(f)) for f in (one, other) for p in f.rglob("*.*")}):
        if ".parts" in name or not (name in TABLES or name.endswith(".h5")):
            continue
        if not ((one / name).exists() and (other / name).exists()):
            found.append(f"{name} is missing")
        elif name in TABLES:
            if (one / name).read_bytes() != (other / name).read_bytes():
                found.append(name)
        else:
            (mine, _), (theirs, _) = store.read(one / name), store.read(other / name)
            for key in sorted({*mine, *theirs}.difference(store.PROVENANCE)):
                pair = [values.get(key, np.empty(0)) for values in (mine, theirs)]
                if not np.array_equal(*pair, equal_nan=pair[0].dtype.kind == "f"):
                    found.append(f"{name} /{key}")
    return found


class Job(NamedTuple):
    """A job that Slurm has run."""

    rule: str
    what: str  # wildcards, as in the folder of its log
    seconds: float
    cores: int
    partition: str


def finished(cluster: Cluster, output: str) -> list[Job]:
    """The jobs that a driver tells of in its output."""
    names = {job: rest for job, *rest in SUBMITTED.findall(output)}
    told = cluster.run("sacct", "-X", "-n", "-P", "-o", "JobID,ElapsedRaw,AllocCPUS,Partition")
    rows = [line.split("|") for line in told.stdout.splitlines()]
    return [Job(*names[n], float(s), int(c), where) for n, s, c, where in rows if n in names]


def report(results: Path, jobs: list[Job]) -> None:
    """Print what the jobs of each rule took, and what is beyond simulating."""
    print(f"{'rule':12} {'jobs':>5} {'partition':>10} {'s a job':>8} {'of it the command':>18}")
    beyond = {}
    for rule in dict.fromkeys(job.rule for job in jobs):
        mine = [job for job in jobs if job.rule == rule]
        inside = np.mean([seconds(path) for path in benchmarks(results, rule)])
        mean = np.mean([job.seconds for job in mine])
        print(f"{rule:12} {len(mine):5} {mine[0].partition:>10} {mean:8.1f} {inside:18.1f}")
        beyond[rule] = mean - inside
    work, cost = [], []  # core seconds
    for job in jobs:
        if job.rule == "simulate":
            shard = results / "simulation" / f"{'-'.join(job.what.split('_')[-2:])}.h5"
            rows, _ = store.read(shard, ["provenance/seconds", "provenance/ranks"])
            work.append((rows["provenance/seconds"] * rows["provenance/ranks"]).sum())
            cost.append(job.seconds * job.cores - work[-1])
    print(
        f"\na job of simulate: {np.mean(work):.1f} core seconds of simulations, and "
        f"{np.mean(cost):.1f} beyond them (from {min(cost):.1f} to {max(cost):.1f})"
    )
    batches = -(-PAPER["realizations"] // PAPER["batch_size"])
    hours = PAPER["realizations"] * PAPER["seconds"] / 3600
    extra = batches * (np.mean(cost) + beyond["porosity"]) / 3600
    print(
        f"{PAPER['realizations']} realizations of {PAPER['seconds']} s in {batches} batches: "
        f"{hours:.1f} core hours of simulations, {extra:.2f} beyond them "
        f"({100 * extra / hours:.1f} %)"
    )


def seconds(benchmark: Path) -> float:
    """Wall time of a command, from Snakemake's table."""
    names, values = (line.split("\t") for line in benchmark.read_text().splitlines()[:2])
    return float(values[names.index("s")])


def benchmarks(results: Path, rule: str) -> list[Path]:
    whole = results / "benchmarks" / f"{rule}.tsv"
    return [whole] if whole.exists() else sorted((results / "benchmarks" / rule).glob("*.tsv"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--configfile", type=Path, default=ROOT / "config" / "default.yaml")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    lacking = missing(accounting=True)
    if lacking:
        sys.exit(f"porefail: error: {lacking}")
    settings = yaml.safe_load((ROOT / "config" / "default.yaml").read_text())
    name = (yaml.safe_load(arguments.configfile.read_text()) or {}).get("name", settings["name"])
    with tempfile.TemporaryDirectory() as temporary:
        folders = [Path(temporary, kind) for kind in ("slurm", "local")]
        cluster = Cluster(Path(temporary, "cluster"), accounting=True)
        try:
            cluster.start()
            options = [*SLURM, "--jobs", str(arguments.jobs)]
            output = snakemake(folders[0], arguments.configfile, options, cluster.environment)
            jobs = finished(cluster, output)
        finally:
            cluster.stop()
        snakemake(folders[1], arguments.configfile, ["--cores", "all"], dict(os.environ))
        results = [folder / "results" / name for folder in folders]
        different = differences(*results)
        print("every number is the same" if not different else f"these differ: {different}")
        report(results[0], jobs)
        sys.exit(bool(different))


if __name__ == "__main__":
    main()
