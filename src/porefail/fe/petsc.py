"""PETSc, without its handlers of signals.

They end the process at a broken pipe, which Python ignores and reports as an error, and print pages
where a job is cancelled.
"""

import petsc4py

petsc4py.init(["porefail", "-no_signal_handler"])

from petsc4py import PETSc  # noqa: E402

__all__ = ["PETSc"]
