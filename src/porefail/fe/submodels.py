"""Sub-models: blocks cut out around some hot spots, each pulled alone to its first failure.

Pores are few: from some voxels away a hot spot feels nearly uniaxial stress, which asks nothing of
the sides of a block and leaves its ends plane. So a block is a specimen of its own, at a cost that
does not grow with the part that it is cut from. Its sides are far: of a slender part it has the
whole cross-section, without which a race of two sites is often won by the wrong one. Its ends are
near: where the race is close it is run again in blocks twice as long.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from porefail.configuration.codes import Status
from porefail.fe import tension
from porefail.fe.material import Material

HALF = (20, 20, 8)  # voxels from the hot spot to the sides of its block, where there are more
LONG = (20, 20, 16)  # the same of a block that runs a close race again
CLOSE = 1.05  # of the strain of the first: a close race

Box = tuple[slice, slice, slice]


class Submodels(NamedTuple):
    """strain: (nx, ny, nz) float32, nominal strain at first failure of a block, in the voxels that
    failed first in it, NaN elsewhere: of the longer blocks, where the race was close; pulled:
    number of blocks; lost: without a solution, of those that tell; again: those that were longer.
    """

    strain: np.ndarray
    pulled: int
    lost: int
    again: int = 0


def submodels(
    porosity: np.ndarray,
    spots: Sequence[Sequence[int]],
    spacing: float,
    material: Material,
    settings: tension.LoadSettings,
    beyond: float = 1.0,
    most: int | None = None,
) -> Submodels:
    """Pull a block of a specimen (nx, ny, nz), even sides, around each of the spots (m, 3).

    A block is pulled no more than a load step further than `beyond` times the strain at which one
    failed first so far, so the likeliest spot should come first. No block is pulled for a spot that
    is in the middle half of one before; most: at most so many are. If they fail at two places or
    more within CLOSE of the first, all have a solution, and `beyond` is no less, these are pulled
    again, longer: if all of these have a solution too they tell, and what is later is left out, for
    strains of blocks of two lengths are no race.
    Raises PorefailError as tension.simulate().
    """
    shape = porosity.shape
    tension.check_grid(shape)
    own = settings._replace(until="first_failure", snapshot_strains=())

    def race(starts: Sequence[Sequence[int]], half: tuple[int, int, int]) -> list[_Block]:
        limit, run = settings.max_strain, []
        for start in starts:
            box = _box(start, half, shape)
            voxels = np.ascontiguousarray(porosity[box])
            pulled = tension.simulate(voxels, spacing, material, own._replace(max_strain=limit))
            run.append(_Block(start, box, pulled))
            if run[-1].failed:
                # One step more, in which failure is interpolated.
                limit = min(limit, beyond * run[-1].strain + settings.max_strain_step)
        return run

    run = race(_apart(spots, HALF, shape)[:most], HALF)
    first = min((block.strain for block in run if block.failed), default=np.inf)
    close = [block for block in run if block.strain <= CLOSE * first]
    close.sort(key=lambda block: block.strain)
    places = np.array([block.place for block in close])
    again: list[_Block] = []
    fair = not any(block.lost for block in run)
    longer = fair and beyond >= CLOSE and shape[2] > 2 * HALF[2]
    if longer and close and (np.abs(places - places[0]) > 1).any():
        again = race(_apart([block.spot for block in close], LONG, shape), LONG)
    whole = any(block.failed for block in again) and not any(block.lost for block in again)
    told = again if whole else run
    found = np.full(shape, np.nan, np.float32)
    for block in told:
        if block.failed:
            inside = found[block.box]
            inside[(block.result.failed == 1) & ~(inside <= block.strain)] = block.strain
    lost = sum(block.lost for block in told)
    return Submodels(found, len(run) + len(again), lost, len(again))


class _Block(NamedTuple):
    """A block around a spot, and how it failed."""

    spot: Sequence[int]
    box: Box
    result: tension.Tension

    @property
    def failed(self) -> bool:
        return self.result.status == Status.FIRST_FAILURE

    @property
    def lost(self) -> bool:
        return self.result.status not in (Status.FIRST_FAILURE, Status.NO_FAILURE)

    @property
    def strain(self) -> float:
        return self.result.first_failure_strain

    @property
    def place(self) -> np.ndarray:
        """Of its first voxel that failed, (3,)."""
        return np.argwhere(self.result.failed)[0] + [side.start for side in self.box]


def _apart(
    spots: Sequence[Sequence[int]], half: tuple[int, int, int], shape: tuple[int, ...]
) -> list[Sequence[int]]:
    """Spots that are not well inside the block of one before."""
    kept: list[Sequence[int]] = []
    for spot in spots:
        if not any(_well_inside(spot, _box(each, half, shape), half, shape) for each in kept):
            kept.append(spot)
    return kept


def _well_inside(
    spot: Sequence[int], box: Box, half: tuple[int, int, int], shape: tuple[int, ...]
) -> bool:
    """Whether a spot is in the middle half of a block, which reaches to where the part ends."""
    return all(
        (side.start == 0 or place - side.start >= reach // 2)
        and (side.stop == length or side.stop - place >= reach // 2)
        for place, side, reach, length in zip(spot, box, half, shape, strict=True)
    )


def _box(spot: Sequence[int], half: tuple[int, int, int], shape: tuple[int, ...]) -> Box:
    return tuple(_side(*each) for each in zip(spot, half, shape, strict=True))


def _side(place: int, half: int, side: int) -> slice:
    """2 half voxels about a place, those nearest to it at an end, so that blocks that meet are
    alike; all of a shorter side."""
    length = min(2 * half, side)
    first = min(max(place - half, 0), side - length)
    return slice(first, first + length)
