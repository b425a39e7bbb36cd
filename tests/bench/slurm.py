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
from collections import defaultdict
from pathlib import Path

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
SUBMITTED = re.compile(r"submitted with SLURM jobid (\d+) \(log: \S*/rule_(\w+)/")
TABLES = ("evaluation/curves.csv", "evaluation/sites.csv", "evaluation/specimens.csv")
PAPER = {"realizations": 18452, "seconds": 8.4, "batch_size": 100}  # README, "The mechanics"


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
    for path in sorted(one.rglob("*")):
        twin = other / path.relative_to(one)
        name = str(path.relative_to(one))
        if path.suffix == ".h5" and ".parts" not in name:
            (mine, _), (theirs, _) = store.read(path), store.read(twin)
            for key in {*mine, *theirs}.difference(store.PROVENANCE):
                if not np.array_equal(mine[key], theirs[key], mine[key].dtype.kind == "f"):
                    found.append(f"{name} /{key}")
        elif name in TABLES and path.read_bytes() != twin.read_bytes():
            found.append(name)
    return found


def elapsed(cluster: Cluster, jobs: dict[str, str]) -> dict[str, list[tuple[float, int, str]]]:
    """For each rule, (wall time in s, cores, partition) of its jobs."""
    told = cluster.run("sacct", "-X", "-n", "-P", "-o", "JobID,ElapsedRaw,AllocCPUS,Partition")
    found = defaultdict(list)
    for line in told.stdout.splitlines():
        job, seconds, cores, partition = line.split("|")
        if job in jobs:
            found[jobs[job]].append((float(seconds), int(cores), partition))
    return found


def report(results: Path, found: dict[str, list[tuple[float, int, str]]]) -> None:
    print(f"{'rule':12} {'jobs':>5} {'partition':>10} {'s a job':>8} {'of it the command':>18}")
    beyond = {}
    for rule, jobs in found.items():
        inside = [seconds(path) for path in benchmarks(results, rule)]
        mean, command = np.mean([seconds for seconds, _, _ in jobs]), np.mean(inside)
        print(f"{rule:12} {len(jobs):5} {jobs[0][2]:>10} {mean:8.1f} {command:18.1f}")
        beyond[rule] = mean - command
    shards = [store.read(path)[0] for path in sorted(results.glob("simulation/*.h5"))]
    simulating = np.array([shard["provenance/seconds"].sum() for shard in shards])
    cost = np.array([seconds for seconds, _, _ in found["simulate"]]) - simulating.mean()
    print(
        f"\na job of simulate: {simulating.mean():.1f} s of simulations, and "
        f"{cost.mean():.1f} s beyond them (from {cost.min():.1f} to {cost.max():.1f})"
    )
    batches = -(-PAPER["realizations"] // PAPER["batch_size"])
    hours = PAPER["realizations"] * PAPER["seconds"] / 3600
    extra = batches * (cost.mean() + beyond["porosity"]) / 3600
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
            found = elapsed(cluster, dict(SUBMITTED.findall(output)))
        finally:
            cluster.stop()
        snakemake(folders[1], arguments.configfile, ["--cores", "all"], dict(os.environ))
        results = [folder / "results" / name for folder in folders]
        different = differences(*results)
        print("every number is the same" if not different else f"these differ: {different}")
        report(results[0], found)
        sys.exit(bool(different))


if __name__ == "__main__":
    main()
