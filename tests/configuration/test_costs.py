"""Memory, time and disk of jobs."""

import pytest

from porefail import configuration
from porefail.configuration.variants import laid_over

WHOLE = configuration.resolve()


def changed(**sections) -> dict:
    return laid_over(WHOLE, sections)


def test_a_job_of_each_rule_has_its_cost():
    costs = configuration.costs_of(WHOLE)
    assert costs.keys() == configuration.step_settings(WHOLE).keys() | {"crossvalidate", "scan"}
    assert all(type(number) is int and number > 0 for cost in costs.values() for number in cost)


def test_a_simulation_gets_seven_times_as_long_as_it_takes():
    """10,000 voxels at 0.15 ms each: 1.5 s; 36 of them by two teams, 27 s; and 10 minutes."""
    config = changed(
        porosity={"shape": [10, 10, 100], "batch_size": 36},
        execution={"ranks": 4, "ranks_per_realization": 2},
    )
    assert configuration.costs_of(config)["simulate"] == (4 * (600 + 50), 10 + 4)
    config = laid_over(config, {"sensitivity": {"batch_size": 72}})
    assert configuration.costs_of(config)["simulate"].minutes == 10 + 7
    config = laid_over(config, {"simulation": {"kinematics": "finite"}})
    assert configuration.costs_of(config)["simulate"].minutes == 10 + 19


@pytest.mark.parametrize(
    "changes, words",
    [
        (
            {},
            "each about 1 min on a core, in all 0.05 core hours; all results take about 0.0078 GB",
        ),
        ({"execution": {"ranks": 2}}, "each about 0.5 min on 2 cores, in all 0.05 core hours"),
        ({"simulation": {"snapshot_strains": [0.1]}}, "all results take about 0.0088 GB of disk"),
        ({"presolve": {"strain": 0.01}}, "all results take about 0.015 GB of disk"),
    ],
)
def test_the_plan_of_three_jobs(changes, words):
    """40 times 10,000 voxels: 1.5 s, 20 kB, 17.5 bytes a voxel each.

    2.6 for a snapshot, 18 for a coarse step.
    """
    porosity = {"shape": [10, 10, 100], "batch_size": 40, "realizations": 40}
    line = configuration.plan(laid_over(changed(porosity=porosity), changes), 3)
    assert line.startswith("simulate: 3 jobs, ") and words in line and "\n" not in line
