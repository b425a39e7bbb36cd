"""The one exception for everything that a user can put right."""


class PorefailError(Exception):
    """One clear line for the user; the command line prints it and exits with 1."""
