"""What jobs cost: memory and time to ask a cluster for, core hours and disk to tell a person."""

import math
from collections.abc import Mapping
from typing import NamedTuple


class Cost(NamedTuple):
    """What a job gets at its first attempt."""

    memory: int  # MB
    minutes: int


def costs_of(config: Mapping) -> dict[str, Cost]:
    """What a job of each rule gets, by the name of the rule."""
    voxels = math.prod(config["porosity"]["shape"])
    total = voxels * config["porosity"]["realizations"]
    ranks = config["execution"]["ranks"]
    teams = ranks // config["execution"]["ranks_per_realization"]
    batch = max(config["porosity"]["batch_size"], config["sensitivity"]["batch_size"])
    # Seven times as long as it takes.
    minutes = 10 + math.ceil(7 * _core_seconds(config) * math.ceil(batch / teams) / 60)
    return {
        "porosity": Cost(1000, 30),
        # A rank takes 0.3 GB (0.6 GB while it compiles) and 2.4 kB a voxel; as much is to spare.
        "simulate": Cost(ranks * (600 + math.ceil(5e-3 * voxels)), minutes),
        "presolve": Cost(ranks * (600 + math.ceil(5e-3 * voxels)), minutes),
        "gather": Cost(2000, 60),
        "phenomenology": Cost(4000, 60),
        "dataset": Cost(8000, 120),
        "train": Cost(16000, 1440),
        "train_bayesian": Cost(16000, 1440),
        "predict": Cost(8000, 120),
        "rank": Cost(8000, 120),
        "evaluate": Cost(8000, 120),
        "perturb": Cost(2000, 30),
        "sensitivity": Cost(8000, 120),
        # Channels, porosity, damage, labels: 60 bytes a voxel; a regression's features: as much.
        "crossvalidate": Cost(2000 + math.ceil(130e-6 * total), 1440),
        "study": Cost(2000 + math.ceil(20e-6 * total), 60),
        # Channels and features of a regression.
        "campaign": Cost(2000 + math.ceil(130e-6 * total), 240),
        "report": Cost(8000, 60),
        "reproduction": Cost(2000, 30),
        "scan": Cost(8000, 600 if config["scan"]["simulate"] else 60),
    }


def plan(config: Mapping, jobs: int) -> str:
    """One line for so many jobs of `simulate`: time of each, core hours, disk of all results."""
    realizations, batch = config["porosity"]["realizations"], config["porosity"]["batch_size"]
    ranks = config["execution"]["ranks"]
    hours = _core_seconds(config) * min(batch, realizations) / 3600
    # Bytes a voxel of a realization, compressed: its shard and its row of the ensemble, each with
    # so much for each snapshot; data set and prediction; presolve shard and what it adds to a row.
    each = 2 * (7 + 1.3 * len(config["simulation"]["snapshot_strains"])) + 3.5
    each += 18 if config["presolve"]["strain"] > 0 else 0
    disk = realizations * (math.prod(config["porosity"]["shape"]) * each + 2e4) / 1e9
    cores = f"{ranks} cores" if ranks > 1 else "a core"
    return (
        f"simulate: {jobs} jobs, each about {60 * hours / ranks:.2g} min on {cores}, in all"
        f" {jobs * hours:.2g} core hours; all results take about {disk:.2g} GB of disk"
    )


def _core_seconds(config: Mapping) -> float:
    """What a realization takes on one core, on average (docs/results/mechanics.md).

    0.15 ms a voxel to first failure, 4 ms to structural failure.
    """
    until = config["simulation"]["until"]
    each = 1.5e-4 if until == "first_failure" else 4e-3
    seconds = math.prod(config["porosity"]["shape"]) * each
    return seconds * (3 if config["simulation"]["kinematics"] == "finite" else 1)
