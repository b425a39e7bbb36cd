"""Blocks of specimens: data too large for memory at once, gone through block by block."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from porefail.errors import PorefailError

# porosity (n, nx, ny, nz), 1 = void, and label, same shape; what a label holds in voids is ignored.
Block = tuple[np.ndarray, np.ndarray]
# A list of blocks, or a function that gives a fresh iterator: fits go through them twice.
Blocks = Callable[[], Iterable[Block]] | Iterable[Block]


def go_through(blocks: Blocks) -> Iterator[Block]:
    """One pass over the blocks, each checked.

    Raises PorefailError where another pass would be empty (a generator, not the function that
    makes it), on a bad block, where blocks differ in grid and where there is no specimen.
    """
    every = blocks() if callable(blocks) else blocks
    if not callable(blocks) and iter(every) is every:
        raise PorefailError("the blocks last for one pass: give a list, or a function that begins")
    grid, count = None, 0
    for porosity, label in every:
        check(porosity, label)
        grid = porosity.shape[1:] if grid is None else grid
        if porosity.shape[1:] != grid:
            raise PorefailError(f"blocks differ in grid: {grid} and {porosity.shape[1:]}")
        count += len(porosity)
        yield porosity, label
    if not count:
        raise PorefailError("there is no specimen to learn from")


def check(porosity: np.ndarray, label: np.ndarray) -> None:
    """Raise PorefailError unless both are (n, nx, ny, nz), porosity 0 or 1, solid labels finite."""
    check_porosity(porosity)
    if label.shape != porosity.shape:
        raise PorefailError(f"porosity {porosity.shape} and label {label.shape} differ in shape")
    if not np.isfinite(label[porosity == 0]).all():
        raise PorefailError("a label is not finite in a solid voxel")


def check_porosity(porosity: np.ndarray) -> None:
    """Raise PorefailError unless it is (n, nx, ny, nz) of 0 and 1."""
    if porosity.ndim != 4:
        raise PorefailError(f"porosity must be (n, nx, ny, nz), not {porosity.shape}")
    if not np.isin(porosity, (0, 1)).all():
        raise PorefailError("porosity must be 0 (solid) or 1 (void) in every voxel")
