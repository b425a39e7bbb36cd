# Snakemake's Slurm plugin (2.8.0) forgets its jobs when it cannot learn their states, as while the
# controller restarts, and then waits for ever. Here those that it lost are asked for again.


def keep_jobs(executor):
    """Make an executor class of the plugin yield the jobs that a failed query lost."""
    check = executor.check_active_jobs

    async def check_active_jobs(self, active_jobs):
        lost = {job.external_jobid: job for job in active_jobs}

        def noted(tell):
            def told(job, *arguments, **options):
                lost.pop(job.external_jobid, None)
                tell(job, *arguments, **options)

            return told

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


if "snakemake_executor_plugin_slurm" in sys.modules:  # loaded by the driver, not by its jobs
    keep_jobs(sys.modules["snakemake_executor_plugin_slurm"].Executor)
