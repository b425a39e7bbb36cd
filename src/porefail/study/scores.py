"""How a prediction meets the truth, as the tables of a fold."""

import time
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from porefail.learning import Specimens
from porefail.learning.predictors import Fitted, Prediction
from porefail.metrics import (
    clusters,
    conformal,
    distributions,
    operating_point,
    overlap,
    peaks,
    uncertainty,
)
from porefail.study import folds
from porefail.voxels.neighbours import grown

TOP = 0.9  # labels above it are of the voxels that fail
COVERAGE = 0.95  # of intervals of a label
RANKS = (1, 3, 5)


def fold_tables(
    sets: Mapping[str, tuple[Specimens, np.ndarray]], fitted: Fitted, settings: Mapping
) -> dict[str, pd.DataFrame]:
    """Tables of how each set of specimens is predicted: scores, curves, distribution, specimens."""
    wanted = settings["evaluation"]
    parts: dict[str, list[pd.DataFrame]] = {}
    chosen = bounds = None
    for name, (specimens, failed) in sets.items():
        start = time.perf_counter()
        predicted = fitted.predict(specimens)
        prediction = predicted.mean
        seconds = (time.perf_counter() - start) / len(prediction)
        solid = specimens.porosity == 0
        curves = _curves(specimens.label, prediction, solid, failed, wanted)
        if chosen is None:  # on the validation part, which comes first
            chosen = _choose(curves, wanted)
        bins = wanted["thresholds"] + 1
        spread = distributions.damage_distribution(specimens.label, prediction, solid, bins)
        hits = _hits(prediction, solid, failed, wanted["near_voxels"])
        ceiling = _hits(specimens.label, solid, failed, wanted["near_voxels"])
        ceiling = {rank.replace("top", "ceiling"): values for rank, values in ceiling.items()}
        known, reliable, own = {}, {}, {}
        if predicted.noise is not None:
            if bounds is None:  # on the validation part too
                bounds = conformal.bounds(prediction, specimens.label, COVERAGE)
            known, reliable = _uncertainty(specimens.label, predicted, bounds, bins)
            epistemic = np.where(solid, predicted.epistemic, np.nan)
            own = {"epistemic": np.nanmean(epistemic, axis=(1, 2, 3))}
        at, site = np.searchsorted(curves["threshold"], chosen), folds.clusters(curves, "site")
        row = {
            "specimens": len(prediction),
            "mean_squared_error": spread.component.sum(),
            "threshold": chosen,
            "site_recall": site.recall[at],
            "site_precision": site.precision[at],
            "site_volume": curves["predicted_volume"][at],
            **{rank: values.mean() for rank, values in hits.items()},
            **known,
            "parameters": fitted.parameters,
            "products": fitted.products,
            "fit_seconds": fitted.seconds,
            "predict_seconds": seconds,
        }
        print(
            f"{name}: {len(prediction)} specimens, sites above {chosen:.2f}: recall"
            f" {row['site_recall']:.3f}, precision {row['site_precision']:.3f}; "
            + ", ".join(f"{rank} {values.mean():.3f}" for rank, values in hits.items()),
            flush=True,
        )
        tables = {
            "scores": {key: [value] for key, value in row.items()},
            "curves": curves,
            "distribution": {
                "low": spread.edges[:-1],
                "true": spread.true,
                "predicted": spread.predicted,
                "squared_error": spread.squared_error,
                **reliable,
            },
            "specimens": {"realization": specimens.realization, **hits, **ceiling, **own},
        }
        for table, columns in tables.items():
            parts.setdefault(table, []).append(pd.DataFrame({"set": name, **columns}))
    return {table: pd.concat(each, ignore_index=True) for table, each in parts.items()}


def _uncertainty(
    label: np.ndarray, predicted: Prediction, bounds: conformal.Bounds, bins: int
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Scores of the predictive distribution, and its columns by true and by predicted label.

    `interval`: conformal bounds in place of the normal distribution.
    """
    mean, variance = predicted.mean, predicted.epistemic + predicted.noise
    top = np.where(label >= TOP, label, np.nan)
    found = uncertainty.scores(label, mean, variance)
    low, high = bounds.interval(mean)
    half = stats.norm.ppf(0.5 + COVERAGE / 2) * np.sqrt(variance)
    known = ~np.isnan(label)
    inside = ((low <= label) & (label <= high))[known]
    fields = label, mean, predicted.epistemic, predicted.noise
    by_label = uncertainty.reliability(label, *fields, bins)
    by_prediction = uncertainty.reliability(mean, *fields, bins)
    return (
        found._asdict()
        | {
            # As far as a label can be, as of the bounds.
            "sharpness": (np.clip(mean + half, 0, 1) - np.clip(mean - half, 0, 1))[known].mean(),
            "top_coverage": uncertainty.scores(top, mean, variance).coverage,
            "interval_coverage": inside.mean(),
            "interval_sharpness": (np.clip(high, 0, 1) - np.clip(low, 0, 1))[known].mean(),
            "interval_top_coverage": inside[label[known] >= TOP].mean(),
            "epistemic": predicted.epistemic[known].mean(),
            "noise": predicted.noise[known].mean(),
        },
        {
            "coverage": by_label.coverage,
            "interval_coverage": uncertainty.by_bin(label[known], bins, inside)[1],
            "predicted_coverage": by_prediction.coverage,
            "predicted_interval_coverage": uncertainty.by_bin(mean[known], bins, inside)[1],
            "epistemic": by_prediction.epistemic,
            "noise": by_prediction.noise,
        },
    )


def _curves(
    truth: np.ndarray,
    prediction: np.ndarray,
    solid: np.ndarray,
    failed: np.ndarray,
    wanted: Mapping,
) -> pd.DataFrame:
    """Voxels and clusters with both cut at a threshold; sites: the truth cut at one value; failure:
    voxels within near_voxels of those that failed, the same truth whatever the label.

    predicted_volume: share of the voxels that the prediction has above the threshold.
    """
    near = np.array([grown(each, wanted["near_voxels"]) for each in failed])
    threshold = overlap.thresholds(wanted["thresholds"])
    volume = [np.mean(prediction[solid] >= value) for value in threshold]
    fields = truth, prediction, solid, threshold
    counts = {
        "voxel": overlap.overlap(*fields),
        "failure": overlap.overlap(near.astype(float), *fields[1:], 0.5),
        "cluster": clusters.cluster_overlap(*fields),
        "site": clusters.cluster_overlap(*fields, wanted["site_threshold"]),
    }
    columns = {"threshold": threshold, "predicted_volume": volume}
    for kind, each in counts.items():
        columns |= {f"{kind}_{name}": getattr(each, name) for name in each._fields[1:]}
    return pd.DataFrame(columns)


def _choose(curves: pd.DataFrame, wanted: Mapping) -> float:
    """Threshold of the most precise sites of the wanted recall.

    Of those that leave distinct clusters: one that fills the specimen would find every true one.
    """
    volume, site = curves["predicted_volume"], folds.clusters(curves, "site")
    distinct = volume <= max(wanted["site_volume"], volume.min())
    return operating_point.best_threshold(
        site.threshold,
        np.where(distinct, site.recall, np.nan),
        np.where(distinct, site.precision, np.nan),
        wanted["site_recall"],
    )


def _hits(
    prediction: np.ndarray, solid: np.ndarray, failed: np.ndarray, radius: int
) -> dict[str, np.ndarray]:
    """Probability (n,) that the first failure is at one of the k highest maxima."""
    specimens = zip(prediction, solid, failed, strict=True)
    hits = np.array([peaks.top_hits(*fields, RANKS, radius) for fields in specimens])
    return {f"top_{rank}": hits[:, i] for i, rank in enumerate(RANKS)}
