# Two remedies for Snakemake's Slurm plugin (2.8.0). It forgets its jobs when it cannot learn their
# states, as while the controller restarts, and then waits for ever: those that it lost are asked for
# again. And it writes the path of Python into shell commands as it is, spaces and all.


def keep_jobs(executor):
    """Make an executor class of the plugin yield the jobs that a failed query lost."""
    check = executor.check_active_jobs

    async def check_active_jobs(self, active_jobs):
        lost = {job.external_jobid: job for job in active_jobs}

        def noted(tell):
            def reported(job, *arguments, **options):
                lost.pop(job.external_jobid, None)
                tell(job, *arguments, **options)

            return reported

        ways = ("report_job_success", "report_job_error")
        for way in ways:
            setattr(self, way, noted(getattr(self, way)))
        try:
            async for job in check(self, active_jobs):
                lost.pop(job.external_jobid, None)
                yield job
        finally:
            for way in ways:
                delattr(self, way)
        for job in lost.values():
            yield job

    executor.check_active_jobs = check_active_jobs


def quote_python(executor):
    """Make an executor class of the plugin quote the path of Python in its commands."""
    python = executor.get_python_executable
    executor.get_python_executable = lambda self: shlex.quote(python(self))


if "snakemake_executor_plugin_slurm" in sys.modules:  # loaded by the driver, not by its jobs
    keep_jobs(sys.modules["snakemake_executor_plugin_slurm"].Executor)
    quote_python(sys.modules["snakemake_executor_plugin_slurm"].Executor)
if "snakemake_executor_plugin_slurm_jobstep" in sys.modules:  # loaded by its jobs
    quote_python(sys.modules["snakemake_executor_plugin_slurm_jobstep"].Executor)
