"""A failed query of Slurm's states must not make the driver forget its jobs."""

import asyncio
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

SOURCE = Path(__file__).parents[2] / "workflow" / "slurm.smk"
JOBS = [SimpleNamespace(external_jobid=number) for number in range(4)]


class Executor:
    """As the plugin's: a job is reported, yielded, or forgotten."""

    def __init__(self, finished=(), failed=(), still=()):
        self.finished, self.failed, self.still = finished, failed, still
        self.told = []

    def report_job_success(self, job):
        self.told.append(job.external_jobid)

    def report_job_error(self, job, msg=""):
        self.told.append((job.external_jobid, msg))

    async def check_active_jobs(self, active_jobs):
        for job in active_jobs:
            if job.external_jobid in self.finished:
                self.report_job_success(job)
            elif job.external_jobid in self.failed:
                self.report_job_error(job, msg="bad")
            elif job.external_jobid in self.still:
                yield job


@pytest.fixture
def executor(monkeypatch):
    """The class after workflow/slurm.smk has seen it as the plugin's."""

    class Fresh(Executor):
        pass

    plugin = ModuleType("snakemake_executor_plugin_slurm")
    plugin.Executor = Fresh
    monkeypatch.setitem(sys.modules, plugin.__name__, plugin)
    exec(compile(SOURCE.read_text(), SOURCE.name, "exec"), {"sys": sys})
    return Fresh


def checked(executor) -> list[int]:
    async def collect():
        return [job.external_jobid async for job in executor.check_active_jobs(JOBS)]

    return asyncio.run(collect())


def test_a_failed_query_keeps_all_jobs(executor):
    assert checked(executor()) == [0, 1, 2, 3]


def test_finished_and_failed_jobs_are_not_asked_for_again(executor):
    one = executor(finished=[0], failed=[2], still=[1, 3])
    assert checked(one) == [1, 3]
    assert one.told == [0, (2, "bad")]
    assert not {"report_job_success", "report_job_error"} & vars(one).keys()


def test_without_the_remedy_they_are_lost():
    assert checked(Executor()) == []


def test_the_plugin_still_has_what_the_remedy_relies_on():
    from snakemake_executor_plugin_slurm import Executor as Real

    for name in ("check_active_jobs", "report_job_success", "report_job_error"):
        assert callable(getattr(Real, name))
