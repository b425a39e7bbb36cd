"""A specimen and its memory; equilibrium itself is tested with the material point and tension."""

import gc
import weakref

import numpy as np
from mpi4py import MPI

from porefail.fe.equilibrium import Specimen


def test_a_specimen_leaves_nothing_behind(named):
    """Without the garbage collector's help: its large arrays must go at once."""
    specimen = Specimen(
        np.ones((4, 4, 4), bool), 0.05, named("staged"), MPI.COMM_SELF, "small", "b_bar"
    )
    specimen.elastic_fields()
    references = [weakref.ref(specimen), weakref.ref(specimen._tangent)]
    gc.disable()
    try:
        specimen.destroy()
        del specimen
        assert [reference() for reference in references] == [None, None]
    finally:
        gc.enable()
