"""Codes that rooms compute and files hold: how a simulation ended, which part a specimen is in."""

from enum import IntEnum


class Status(IntEnum):
    """What became of a realization; only FIRST_FAILURE has a damage field to learn from."""

    FIRST_FAILURE = 1  # a voxel reached the maximum damage
    NO_FAILURE = 2  # the largest strain came first
    NOT_CONVERGED = 3  # the smallest load step did not converge
    EMPTY = 4  # no pore: not simulated
    SEVERED = 5  # no load path of voxels joined by faces between the grips
    SOLVED = 6  # its elastic fields, and a coarse load step if asked for, are known: no simulation


class Collapse(IntEnum):
    """How the run from first to structural failure ended."""

    NOT_RUN = 0  # not asked for, or no first failure
    REACHED = 1  # the nominal stress fell below the configured fraction of its peak
    MAX_STRAIN = 2  # the largest strain came first
    NOT_CONVERGED = 3  # the specimen could not be finished


class Part(IntEnum):
    """The part of a data set that a realization is in."""

    TRAIN = 0
    VALIDATION = 1
    TEST = 2
