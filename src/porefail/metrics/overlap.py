"""Voxel-wise overlap of true and predicted damage over thresholds (paper, section 4.1)."""

from typing import NamedTuple

import numpy as np

from porefail.errors import PorefailError


class Overlap(NamedTuple):
    """Counts of voxels, one entry a threshold, pooled over all specimens; scores from them.

    A score is NaN where its denominator is zero: where nothing is predicted, precision is not
    defined (neither perfect nor zero); the same goes for recall where nothing is true.
    """

    threshold: np.ndarray
    true_positive: np.ndarray
    false_positive: np.ndarray
    false_negative: np.ndarray

    @property
    def precision(self) -> np.ndarray:
        """Eq. 13, TP / (TP + FP)."""
        return ratio(self.true_positive, self.true_positive + self.false_positive)

    @property
    def recall(self) -> np.ndarray:
        """Eq. 14, TP / (TP + FN)."""
        return ratio(self.true_positive, self.true_positive + self.false_negative)

    @property
    def jaccard(self) -> np.ndarray:
        """Eq. 15, overlap, TP / (TP + FP + FN)."""
        return ratio(
            self.true_positive, self.true_positive + self.false_positive + self.false_negative
        )

    @property
    def dice(self) -> np.ndarray:
        """Sørensen-Dice coefficient, 2 TP / (2 TP + FP + FN)."""
        missed = self.false_positive + self.false_negative
        return ratio(2 * self.true_positive, 2 * self.true_positive + missed)

    @property
    def f(self) -> np.ndarray:
        """F-score, the harmonic mean of precision and recall: for voxels the same as dice.

        Written with counts it is also defined, and 0, where precision or recall alone is not.
        """
        return self.dice


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where whole is zero."""
    part, whole = np.asarray(part, float), np.asarray(whole, float)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole != 0)


def harmonic_mean(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """F-score 2 P R / (P + R), 0 where both are 0, NaN where one is NaN."""
    total = precision + recall
    return np.where(total == 0, 0.0, ratio(2 * precision * recall, total))


def thresholds(count: int) -> np.ndarray:
    """`count` equally spaced thresholds inside (0, 1)."""
    return np.arange(1, count + 1) / (count + 1)


def overlap(
    truth: np.ndarray,
    prediction: np.ndarray,
    solid: np.ndarray,
    threshold: np.ndarray,
    true_threshold: float | None = None,
) -> Overlap:
    """Counts of solid voxels whose true and predicted damage reach each threshold (value >= it).

    truth, prediction, solid (bool): same shape, (n, nx, ny, nz) or any other; threshold: (m,),
    ascending. true_threshold: where truth is cut, whatever the threshold of the prediction (an
    operating curve of the predictor); None cuts both at the same threshold, as the paper does.
    Raises PorefailError on other shapes and on a value in a solid voxel that is NaN.
    """
    threshold = np.asarray(threshold, float)
    check_fields(truth, prediction, solid)
    if np.any(np.diff(threshold) <= 0):
        raise PorefailError("thresholds must ascend")
    # A voxel of level k reaches the first k thresholds; both fields reach min(k_true, k_predicted).
    if true_threshold is None:
        true_level = np.searchsorted(threshold, truth[solid], side="right")
    else:  # all thresholds or none
        true_level = np.where(truth[solid] >= true_threshold, threshold.size, 0)
    predicted_level = np.searchsorted(threshold, prediction[solid], side="right")

    def reach(level: np.ndarray) -> np.ndarray:
        count = np.bincount(level, minlength=threshold.size + 1)
        return count[::-1].cumsum()[::-1][1:]

    both = reach(np.minimum(true_level, predicted_level))
    return Overlap(threshold, both, reach(predicted_level) - both, reach(true_level) - both)


def check_fields(truth: np.ndarray, prediction: np.ndarray, solid: np.ndarray) -> None:
    """Raise PorefailError unless the three agree in shape and hold numbers in solid voxels."""
    if not truth.shape == prediction.shape == solid.shape:
        raise PorefailError(
            f"shapes differ: truth {truth.shape}, prediction {prediction.shape}, "
            f"solid {solid.shape}"
        )
    if solid.dtype != bool:
        raise PorefailError("solid must be a boolean field")
    if np.isnan(truth[solid]).any() or np.isnan(prediction[solid]).any():
        raise PorefailError("truth or prediction is NaN in a solid voxel")
