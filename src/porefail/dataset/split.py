"""Split of an ensemble into training, validation and test part, by realization (section 3.3)."""

from collections.abc import Sequence

import numpy as np

from porefail.configuration.codes import Part
from porefail.errors import PorefailError

# Sets the split's random numbers apart from others that are drawn with the same root seed.
_STREAM = 0x5B117


def folds(ratio: Sequence[int]) -> int:
    """Number of folds of a cross-validation whose test parts are as large as the ratio's.

    Raises PorefailError where they would not cover all realizations exactly, each once.
    """
    _check_ratio(ratio)
    count, rest = divmod(sum(ratio), ratio[Part.TEST])
    if rest:
        raise PorefailError(
            f"no cross-validation with the split {':'.join(map(str, ratio))}: the test share must "
            "divide the sum of all"
        )
    return count


def split(
    realization: Sequence[int] | np.ndarray, ratio: Sequence[int], seed: int, fold: int = 0
) -> np.ndarray:
    """Part (uint8, see Part) of each realization number, in the ratio train:validation:test.

    Numbers are dealt in blocks: of any sum(ratio) consecutive numbers (0-9, 10-19, ... for 7:1:2)
    the seed picks which go where. So a realization's part depends on the seed and on its own
    number alone: it stays when the ensemble grows or loses a realization, and a network trained
    on the smaller ensemble has never seen the test part of the larger one. The ratio is exact
    where the ensemble is made of whole blocks. (A permutation of all numbers would be exact
    always but deal anew for every size; a hash of each number would be stable but miss the ratio
    by √n and leave small parts empty.)
    fold: of a cross-validation; the cards are passed on by the test share for each, so that every
    realization is in the test part of exactly one fold (section 4.2: 7:1:2 makes five).
    Raises PorefailError on bad ratios or folds, on repeated or negative numbers and on an empty
    part.
    """
    _check_ratio(ratio)
    if fold and not 0 < fold < folds(ratio):
        raise PorefailError(f"fold is {fold}, expected 0 to {folds(ratio) - 1}")
    number = np.asarray(realization, np.int64)
    if number.size and (number.min() < 0 or np.unique(number).size != number.size):
        raise PorefailError("realization numbers must be unique and not negative")
    counts = np.asarray(ratio, int) // np.gcd.reduce(np.asarray(ratio, int))
    cards = np.repeat(np.array(Part, np.uint8), counts)
    part = np.empty(number.shape, np.uint8)
    for block in np.unique(number // cards.size):
        sequence = np.random.SeedSequence(seed, spawn_key=(_STREAM, int(block)))
        order = np.random.default_rng(sequence).permutation(cards.size)
        dealt = cards[(order + fold * counts[Part.TEST]) % cards.size]
        mine = number // cards.size == block
        part[mine] = dealt[number[mine] % cards.size]
    for each in Part:
        if not np.any(part == each):
            raise PorefailError(
                f"the {each.name.lower()} part is empty: {number.size} realizations are too few "
                f"for the split {':'.join(map(str, ratio))}; simulate at least {cards.size}"
            )
    return part


def _check_ratio(ratio: Sequence[int]) -> None:
    if len(ratio) != len(Part) or any(share < 1 or share != int(share) for share in ratio):
        raise PorefailError(f"the split must be three positive whole numbers, not {list(ratio)}")
