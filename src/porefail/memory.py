"""Whether there is the memory that something needs, before it is begun."""

import os
import resource

from porefail.errors import PorefailError


def available() -> float:
    """Bytes that a process may have: the machine's memory, or what it is limited to."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return machine if limit == resource.RLIM_INFINITY else min(machine, limit)


def require(needed: float, what: str) -> None:
    """Raise PorefailError where so many bytes are not to be had; what: the keys that ask."""
    if needed > available():
        raise PorefailError(
            f"{what}: needs about {needed / 1e9:.3g} GB of memory, there are"
            f" {available() / 1e9:.3g} GB"
        )
