"""Which grey values are metal: thresholds, from samples of a scan."""

from typing import NamedTuple

import numpy as np

from porefail.errors import PorefailError

SAMPLES = 2_000_000  # voxels looked at, spread evenly over the scan
BINS = 1024
PORES = 0.02  # of a scan, and less
LABELS = 8  # whole numbers: a scan of no more of them has been segmented


class Values(NamedTuple):
    """Two kinds of voxels in a scan: median grey values of metal and of voids, what is between.

    threshold: halfway between the two (ISO 50 %), or as given. noise: standard deviation of the
    metal's values over the contrast. brighter: whether metal is above the threshold.
    """

    metal: float
    void: float
    threshold: float
    noise: float

    @property
    def brighter(self) -> bool:
        return self.metal > self.void

    @property
    def contrast(self) -> float:
        return abs(self.metal - self.void)

    def moved(self, share: float) -> "Values":
        """The same with a threshold moved towards the metal by a share of the contrast."""
        return self._replace(threshold=self.threshold + share * (self.metal - self.void))


def sample(values: np.ndarray) -> np.ndarray:
    """Up to SAMPLES of the values of a scan (nx, ny, nz), float64, evenly spread."""
    step = max(1, round((values.size / SAMPLES) ** (1 / 3)))
    return np.asarray(values[::step, ::step, step // 2 :: step], float).ravel()


def otsu(values: np.ndarray) -> float:
    """The value that parts others into two classes of least variance (Otsu 1979)."""
    count, edges = np.histogram(values, BINS)
    middle = 0.5 * (edges[1:] + edges[:-1])
    below = np.cumsum(count)
    above = below[-1] - below
    total = np.cumsum(count * middle)
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = total / below - (total[-1] - total) / above
        between = np.nan_to_num(below * above * difference**2)
    return float(edges[np.argmax(between) + 1])


def grey_values(path: str, values: np.ndarray, given: float | None = None) -> Values:
    """Metal and voids of a grey scan (nx, ny, nz); given: a threshold, else Otsu's parts them.

    Metal is the brighter one, as in any CT scan. Raises PorefailError where all values are one, or
    no two kinds are to be seen.
    """
    some = sample(values)
    if not np.isfinite(some).all():
        raise PorefailError(f"{path}: holds values that are no numbers (NaN or infinite)")
    if some.min() == some.max():
        raise PorefailError(f"{path}: all voxels have the value {some.min():g}: no scan of a part")
    first = otsu(some) if given is None else given
    metal, void = some[some >= first], some[some < first]
    if not metal.size or not void.size:
        kind = "metal" if metal.size else "air"
        raise PorefailError(
            f"{path}: with the threshold {first:g} all is {kind}; values go from {some.min():g} to"
            f" {some.max():g}"
        )
    bright, dark = float(np.median(metal)), float(np.median(void))
    # Half of the metal is above its median, whatever lies at its surface is below.
    upper = metal[metal > bright]
    noise = 1.4826 * float(np.median(upper - bright)) if upper.size else 0.0
    found = Values(bright, dark, given if given is not None else 0.5 * (bright + dark), 0.0)
    return found._replace(noise=noise / found.contrast)


def mask_values(
    path: str, values: np.ndarray, metal: float | None, void: float | None
) -> tuple[float, str] | None:
    """Of a scan that is already segmented: the value of metal, or None where it is a grey scan.

    A mask has two values, or is said to be one by metal or void (values given). Returns the value
    of the metal, and words for how that is known. Raises PorefailError on values that are not
    there, and where there are several labels of which none is said to be metal.
    """
    some = sample(values)
    kinds, counts = np.unique(some, return_counts=True)
    if metal is None and void is None:
        if 2 < len(kinds) <= LABELS and (kinds % 1 == 0).all():
            shown = ", ".join(f"{each:g}" for each in kinds)
            raise PorefailError(
                f"{path}: holds the labels {shown}: --metal-value tells which one is metal"
            )
        if len(kinds) != 2:
            return None
        return _in_the_middle(path, values, kinds, counts), "most of the middle of the scan has it"
    for name, value in (("--metal-value", metal), ("--void-value", void)):
        if value is not None and value not in kinds and not (values == value).any():
            shown = ", ".join(f"{each:g}" for each in kinds[:6])
            raise PorefailError(f"{path}: {name} {value:g} is not in it, values are {shown} ...")
    if metal is not None:
        return float(metal), "as given"
    others = kinds[kinds != void]
    if len(others) != 1:
        raise PorefailError(
            f"{path}: {len(kinds)} values: --void-value alone does not tell which is metal:"
            " --metal-value does"
        )
    return float(others[0]), "what is not --void-value"


def _in_the_middle(path: str, values: np.ndarray, kinds: np.ndarray, counts: np.ndarray) -> float:
    """Which of two labels is metal: that of the middle of the scan, where the part is.

    Pores are few in a part, but air may be most of a scan. Where what is in the middle is around
    the part too, and the other one is too much for pores, nothing is guessed.
    """
    nx, ny, _ = values.shape
    middle = np.asarray(values[3 * nx // 8 : -(3 * nx // 8), 3 * ny // 8 : -(3 * ny // 8)])
    metal = int(np.mean(middle == kinds[1]) >= 0.5)
    faces = [values[[0, -1]], values[:, [0, -1]]]
    around = np.mean([np.mean(face == kinds[metal]) for face in faces])
    if around > 0.9 and counts[1 - metal] > PORES * counts.sum():
        raise PorefailError(
            f"{path}: holds {kinds[0]:g} and {kinds[1]:g}: --metal-value tells which one is metal"
        )
    return float(kinds[metal])
