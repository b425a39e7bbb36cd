"""Remedies for the Slurm plugin: lost jobs, and the path of Python in its commands."""

import asyncio
import shlex
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

PLUGINS = ("snakemake_executor_plugin_slurm", "snakemake_executor_plugin_slurm_jobstep")
SOURCE = Path(__file__).parents[2] / "workflow" / "slurm.smk"
PYTHON = "/a user's ü folder/bin/python"
JOBS = [SimpleNamespace(external_jobid=number) for number in range(4)]


class Executor:
    """As the plugin's: a job is reported, yielded, or forgotten."""

    def __init__(self, finished=(), failed=(), still=()):
        self.finished, self.failed, self.still = finished, failed, still
        self.told = []

    def get_python_executable(self):
        return PYTHON

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

    read_as("snakemake_executor_plugin_slurm", Fresh, monkeypatch)
    return Fresh


def read_as(name, executor, monkeypatch):
    """Read workflow/slurm.smk where this plugin alone is loaded."""
    for each in PLUGINS:
        monkeypatch.delitem(sys.modules, each, raising=False)
    plugin = ModuleType(name)
    plugin.Executor = executor
    monkeypatch.setitem(sys.modules, name, plugin)
    exec(compile(SOURCE.read_text(), SOURCE.name, "exec"), {"sys": sys, "shlex": shlex})


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


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_path_of_python_is_quoted(plugin, monkeypatch):
    """In the commands of the driver, which submits a job, and of the job, which starts a step."""

    class Fresh(Executor):
        pass

    read_as(plugin, Fresh, monkeypatch)
    assert shlex.split(Fresh().get_python_executable()) == [PYTHON]


def test_the_plugins_still_have_what_the_remedies_rely_on():
    from snakemake_executor_plugin_slurm import Executor as Driver
    from snakemake_executor_plugin_slurm_jobstep import Executor as Job

    for name in ("check_active_jobs", "report_job_success", "report_job_error"):
        assert callable(getattr(Driver, name))
    for executor in (Driver, Job):
        assert callable(executor.get_python_executable)
