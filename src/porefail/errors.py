"""The one exception for everything that a user can put right."""


class PorefailError(Exception):
    """One clear line for the user; the command line prints it and exits with 1.

    on_all_ranks: every MPI rank raises it, so none is left waiting and rank 0 may speak for all.
    """

    on_all_ranks = False
