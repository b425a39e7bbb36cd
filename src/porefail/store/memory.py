"""Whether there is the memory that something needs, before it is begun."""

import os
import resource
from contextlib import suppress
from pathlib import Path

from porefail.errors import PorefailError


def available() -> float:
    """Bytes that a process may have: the machine's memory, or what it or its job is limited to."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    own, _ = resource.getrlimit(resource.RLIMIT_AS)
    if own != resource.RLIM_INFINITY:
        limits.append(own)
    return min(*limits, _of_group(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")))


def _of_group(groups: Path, mounted: Path) -> float:
    """Limit of the control group, version 2, that a job runs in: the smallest of it and above."""
    try:
        own = next(line for line in groups.read_text().splitlines() if line.startswith("0::/"))
    except (OSError, StopIteration):
        return float("inf")
    folder, limit = mounted / own.removeprefix("0::/"), float("inf")
    while folder.is_relative_to(mounted):
        with suppress(OSError, ValueError):  # none here, or "max"
            limit = min(limit, float((folder / "memory.max").read_text()))
        folder = folder.parent
    return limit


def require(needed: float, what: str) -> None:
    """Raise PorefailError where so many bytes are not to be had; what: the keys that ask."""
    there = available()
    if needed > there:
        raise PorefailError(
            f"{what}: needs about {needed / 1e9:.3g} GB of memory, there are {there / 1e9:.3g} GB"
        )
