"""Where to cut a predicted field: the threshold that suits best, chosen on validation data."""

import numpy as np

from porefail.errors import PorefailError
from porefail.metrics.overlap import harmonic_mean


def best_threshold(
    threshold: np.ndarray,
    recall: np.ndarray,
    precision: np.ndarray,
    wanted_recall: float | None = None,
) -> float:
    """The best of the thresholds (m,), by recall and precision (m,) with truth cut at one value.

    With a wanted recall: of the thresholds that reach it (recall >= wanted) the one of the highest
    precision. Without: the one of the highest F. Where there is none (NaN is neither): the one of
    the highest recall. Ties: the higher recall, then the higher precision, then the lower
    threshold. A threshold without a recall (NaN) is never chosen.
    Raises PorefailError on other shapes, on a wanted recall outside 0 to 1, and on no known recall.
    """
    threshold, recall, precision = (np.asarray(a, float) for a in (threshold, recall, precision))
    if threshold.ndim != 1 or not threshold.shape == recall.shape == precision.shape:
        raise PorefailError(
            f"thresholds {threshold.shape}, recall {recall.shape} and precision {precision.shape} "
            "must be one row each, equally long"
        )
    if wanted_recall is not None and not 0 <= wanted_recall <= 1:
        raise PorefailError(f"the wanted recall must be from 0 to 1, not {wanted_recall}")
    if not np.isfinite(recall).any():
        raise PorefailError("no threshold has a recall: no best one")
    if wanted_recall is None:
        merit = harmonic_mean(precision, recall)
    else:
        merit = np.where(recall >= wanted_recall, precision, np.nan)
    falling = (-np.nan_to_num(key, nan=-1.0) for key in (precision, recall, merit))
    return float(threshold[np.lexsort((threshold, *falling))[0]])
