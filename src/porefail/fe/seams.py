"""Planes of nodes that two ranks share: exchange with the neighbours."""

import numpy as np
from mpi4py import MPI

from porefail.fe.grid import Slab


def fill_seams(field: np.ndarray, share: Slab, comm: MPI.Comm) -> None:
    """Fill the seam planes of a local nodal field (layers+1, ...) from their owners; collective."""
    owned, rank, size = share.owned, comm.rank, comm.size
    if size == 1:
        return
    below = rank - 1 if rank > 0 else MPI.PROC_NULL
    above = rank + 1 if rank + 1 < size else MPI.PROC_NULL
    first, last = field[owned.start].copy(), field[owned.stop - 1].copy()
    seam = np.empty_like(first)
    comm.Sendrecv(last, above, recvbuf=seam, source=below)
    if below != MPI.PROC_NULL:
        field[0] = seam
    comm.Sendrecv(first, below, recvbuf=seam, source=above)
    if above != MPI.PROC_NULL:
        field[-1] = seam
