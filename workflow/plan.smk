# What the simulations of a run cost, told below Snakemake's table of jobs, in a dry run too.
from snakemake.logging import logger


def with_plan(record):
    """Add the plan to the log record of Snakemake's table of jobs."""
    jobs = (getattr(record, "stats", None) or {}).get("simulate")
    if jobs and "simulate: " not in record.msg:
        record.msg = f"{record.msg}\n{configuration.plan(config, jobs)}\n"
    return True


logger.addFilter(with_plan)
