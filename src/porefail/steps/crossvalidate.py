"""crossvalidate: fit one variant on one fold, and score it (paper, section 4.2)."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats

from porefail import files, learning, store
from porefail.baselines import linear_heteroencoder, local_statistics, sites
from porefail.configuration import require_settings
from porefail.configuration.checks import training_problems
from porefail.configuration.sections import DATASET, EVALUATION
from porefail.dataset import symmetry
from porefail.dataset.split import Part, split
from porefail.errors import PorefailError
from porefail.learning import Specimens, uncertain
from porefail.metrics import (
    clusters,
    conformal,
    distributions,
    operating_point,
    overlap,
    peaks,
    uncertainty,
)
from porefail.microstructure.karhunen_loeve import expansion
from porefail.nn.checkpoint import Epoch

AVERAGE = {"average": "training.average"}  # of the predictions
SETTINGS = {
    "label": "$defs.name",
    "model": "$defs.name",
    "kind": "$defs.model_kind",
    "fold": "$defs.fold",
    "dataset": DATASET,
    # Of networks that say how sure they are, uncertain.SETTINGS.
    "training": learning.SETTINGS | AVERAGE,
    "baselines": "baselines",
    "evaluation": EVALUATION,
}
# Channels that the fit of a kind takes; a network's are those of its settings, others take none.
CHANNELS = {"elastic_hot_spot": ["von_mises", "pressure"]}
# Predictors that learn nothing, from what is known before a simulation.
UNTRAINED: dict[str, Callable[[Specimens], np.ndarray]] = {
    "elastic_hot_spot": lambda s: sites.hot_spot(
        s.channels["von_mises"], s.channels["pressure"], s.porosity
    ),
    "largest_pore": lambda s: sites.pore_size(s.porosity),
    "porous_section": lambda s: sites.section_porosity(s.porosity),
}
TOP = 0.9  # labels above it are of the voxels that fail
COVERAGE = 0.95  # of intervals of a label
RANKS = (1, 3)
BLOCK = 64  # specimens


class Prediction(NamedTuple):
    """Of the label, (n, nx, ny, nz): mean, NaN in voids; parts of the variance, where known."""

    mean: np.ndarray
    epistemic: np.ndarray | None = None
    noise: np.ndarray | None = None


class Fitted(NamedTuple):
    """How specimens are predicted; numbers learnt; seconds of learning.

    products: multiplications a specimen, of a network.
    """

    predict: Callable[[Specimens], Prediction]
    parameters: int
    products: int
    seconds: float


def run(
    ensemble: str | Path,
    transfer: Sequence[str | Path],
    scores: str | Path,
    curves: str | Path,
    distribution: str | Path,
    specimens: str | Path,
    history: str | Path,
    checkpoint: str | Path,
    settings: Mapping,
) -> None:
    """Write the scores of a variant on the test part of a fold, and on other ensembles.

    settings: the keys of SETTINGS. transfer: ensembles of other specimens, named after their
    folder, whose realizations are all predicted. The threshold that makes clusters of a prediction
    is chosen on the validation part. A training that was killed goes on from `checkpoint`.
    """
    wanted = SETTINGS
    if settings.get("kind") in uncertain.KINDS:
        wanted = SETTINGS | {"training": uncertain.SETTINGS | AVERAGE}
    require_settings(settings, wanted, _problems)
    _, source = store.read(ensemble, [], kind="ensemble")
    channels = CHANNELS.get(settings["kind"], [])
    if settings["kind"] in ("heteroencoder", *uncertain.KINDS):
        channels = settings["training"]["channels"]
    known, failed = learning.specimens(ensemble, settings["dataset"], channels)
    part = split(
        known.realization,
        settings["dataset"]["split"],
        settings["dataset"]["seed"],
        settings["fold"],
    )
    training, validation = known.where(part == Part.TRAIN), known.where(part == Part.VALIDATION)
    sets = {
        "validation": (validation, failed[part == Part.VALIDATION]),
        "test": (known.where(part == Part.TEST), failed[part == Part.TEST]),
    }
    others = _others(transfer, sets, source, settings["dataset"], channels)
    fitted, learnt = _fit(training, validation, source, checkpoint, settings)
    for name, path in others.items():
        sets[name] = learning.specimens(path, settings["dataset"], channels)
    tables = _score(sets, fitted, settings) | {"history": learnt}
    paths = {"history": history, "curves": curves, "distribution": distribution}
    for name, path in (paths | {"specimens": specimens, "scores": scores}).items():
        files.write_table(path, tables[name])


def _problems(settings: Mapping) -> Iterator[str]:
    """Contradictions in settings."""
    yield from training_problems(settings["training"], "training.")
    loss, transform = settings["training"]["loss"], settings["dataset"]["transform"]
    if loss == "site_likelihood" and transform != "site":
        yield f"training.loss is {loss}, which needs dataset.transform site, not {transform}"


def _others(
    transfer: Sequence[str | Path],
    sets: Mapping,
    source: Mapping,
    dataset: Mapping,
    channels: Sequence[str],
) -> dict[str, str | Path]:
    """Other ensembles by name; refused before anything is learnt, not after."""
    others: dict[str, str | Path] = {}
    for path in transfer:
        name = Path(path).parent.name
        if name in sets or name in others:
            raise PorefailError(f"{path}: two sets of specimens are called {name}")
        _require_others(path, source)
        learning.specimens(path, dataset, channels, slice(0, 1))
        others[name] = path
    return others


def _require_others(path: str | Path, source: Mapping) -> None:
    """Refuse specimens that are cut from the same random fields as those learnt from."""
    _, other = store.read(path, [], kind="ensemble")
    names = ("seed", "shape", "spacing", "correlation_length", "exponent", "energy")
    ours, theirs = ([each["porosity"].get(name) for name in names] for each in (source, other))
    if ours == theirs:
        raise PorefailError(
            f"{path}: its pores are at the places of those learnt from, whatever their number: "
            "give its configuration a seed of its own"
        )


def _fit(
    training: Specimens,
    validation: Specimens,
    source: Mapping,
    checkpoint: str | Path,
    settings: Mapping,
) -> tuple[Fitted, dict]:
    """What predicts, and its learning curves, which have no rows where there are no epochs."""
    kind, baselines = settings["kind"], settings["baselines"]
    start = time.perf_counter()
    curves: dict = {name: [] for name in Epoch._fields}
    if kind == "heteroencoder":
        fitted, curves = _network(training, validation, checkpoint, settings)
    elif kind in UNTRAINED:
        fitted = Fitted(lambda s: Prediction(UNTRAINED[kind](s)), 0, 0, 0.0)
    elif kind in uncertain.KINDS:
        fitted, curves = _posterior(training, validation, checkpoint, settings)
    elif kind == "linear_heteroencoder":
        pores = source["porosity"]
        names = ("shape", "spacing", "correlation_length", "exponent", "energy")
        missing = [name for name in names if name not in pores]
        if missing:
            raise PorefailError(
                f"the ensemble's attribute porosity lacks {', '.join(missing)}, which the linear"
                " heteroencoder needs"
            )
        modes = expansion(*(pores[name] for name in names))
        model = linear_heteroencoder.fit(
            partial(_blocks, training),
            validation.porosity,
            validation.label,
            modes.axes,
            modes.amplitude > 0,
            baselines["penalties"],
            baselines["ranks"],
        )
        fitted = _baseline(linear_heteroencoder, model, start)
    elif kind == "local_statistics":
        model = local_statistics.fit(
            [(training.porosity, training.label)],  # it knows the symmetries by itself
            validation.porosity,
            validation.label,
            baselines["penalties"],
            baselines["widths"],
        )
        fitted = _baseline(local_statistics, model, start)
    else:
        raise PorefailError(f"settings: kind {kind!r} is unknown")
    return fitted, curves


def _baseline(room, model, start: float) -> Fitted:
    print(f"{room.KIND}: penalty {model.penalty:g}, mean squared error {model.validation_mse:.3e}")
    return Fitted(
        lambda s: Prediction(room.predict(model, s.porosity)),
        model.parameters,
        0,
        time.perf_counter() - start,
    )


def _network(
    training: Specimens, validation: Specimens, checkpoint: str | Path, settings: Mapping
) -> tuple[Fitted, dict]:
    from porefail.nn.heteroencoder import products

    model = learning.network(settings["training"])
    epochs = learning.train(
        model, training, validation, settings["training"], checkpoint, partial(print, flush=True)
    )
    curves = learning.curves(epochs)
    average = settings["training"]["average"]
    shape = training.porosity.shape[1:]
    passes = len(learning.symmetries(shape)) if average else 1
    return (
        Fitted(
            lambda s: Prediction(learning.predict(model, s.channels, s.porosity, average)),
            model.count_params(),
            passes * products(model, shape),
            sum(curves["seconds"]),
        ),
        curves,
    )


def _posterior(
    training: Specimens, validation: Specimens, checkpoint: str | Path, settings: Mapping
) -> tuple[Fitted, dict]:
    from porefail.nn.heteroencoder import products
    from porefail.nn.prediction import moments

    found = uncertain.fit(
        settings["kind"],
        training,
        validation,
        settings["training"],
        checkpoint,
        partial(print, flush=True),
    )

    def predict(specimens: Specimens) -> Prediction:
        said = moments(found.draws(), specimens.channels)
        said.mean[specimens.porosity != 0] = np.nan
        return Prediction(*said)

    once = products(next(iter(found.draws())), training.porosity.shape[1:])
    fitted = Fitted(predict, found.parameters, found.passes * once, found.seconds)
    return fitted, learning.curves(found.epochs)


def _blocks(part: Specimens):
    """The training part, block by block, in every symmetry of its grid."""
    shape = part.porosity.shape
    names = learning.symmetries(shape[1:])
    for first in range(0, shape[0], BLOCK):
        rows = slice(first, first + BLOCK)
        for name in names:
            yield symmetry.apply(name, part.porosity[rows]), symmetry.apply(name, part.label[rows])


class Counts(NamedTuple):
    """How a prediction meets the truth, over thresholds; see _curves."""

    threshold: np.ndarray
    volume: np.ndarray  # share of the voxels that the prediction has above it
    voxel: overlap.Overlap
    cluster: clusters.ClusterOverlap
    site: clusters.ClusterOverlap


def _score(
    sets: Mapping[str, tuple[Specimens, np.ndarray]], fitted: Fitted, settings: Mapping
) -> dict[str, dict]:
    """Tables of how each set of specimens is predicted: scores, curves, distribution, specimens."""
    wanted = settings["evaluation"]
    parts: dict[str, list[dict]] = {}
    chosen = bounds = None
    for name, (specimens, failed) in sets.items():
        start = time.perf_counter()
        said = fitted.predict(specimens)
        prediction = said.mean
        seconds = (time.perf_counter() - start) / len(prediction)
        solid = specimens.porosity == 0
        counts = _curves(specimens.label, prediction, solid, wanted)
        if chosen is None:  # on the validation part, which comes first
            chosen = _choose(counts, wanted)
        spread = distributions.damage_distribution(
            specimens.label, prediction, solid, wanted["thresholds"] + 1
        )
        hits = _hits(prediction, solid, failed, wanted["near_voxels"])
        known: dict = {}
        reliable: dict = {}
        own: dict = {}
        if said.noise is not None:
            if bounds is None:  # on the validation part too
                bounds = conformal.bounds(prediction, specimens.label, COVERAGE)
            known, reliable = _uncertainty(specimens.label, said, bounds, wanted["thresholds"] + 1)
            epistemic = np.where(solid, said.epistemic, np.nan)
            own = {"epistemic": np.nanmean(epistemic, axis=(1, 2, 3))}
        at = int(np.searchsorted(counts.threshold, chosen))
        row = {
            "specimens": len(prediction),
            "mean_squared_error": spread.component.sum(),
            "threshold": chosen,
            "site_recall": counts.site.recall[at],
            "site_precision": counts.site.precision[at],
            "site_volume": counts.volume[at],
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
            "curves": _columns(counts),
            "distribution": {
                "low": spread.edges[:-1],
                "true": spread.true,
                "predicted": spread.predicted,
                "squared_error": spread.squared_error,
                **reliable,
            },
            "specimens": {"realization": specimens.realization, **hits, **own},
        }
        for table, columns in tables.items():
            rows = len(next(iter(columns.values())))
            parts.setdefault(table, []).append({"set": [name] * rows, **columns})
    return {
        table: {key: np.concatenate([part[key] for part in each]) for key in each[0]}
        for table, each in parts.items()
    }


def _uncertainty(
    label: np.ndarray, said: Prediction, bounds: conformal.Bounds, bins: int
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Scores of the predictive distribution, and its columns by true and by predicted label.

    `interval`: conformal bounds in place of the normal distribution.
    """
    mean, variance = said.mean, said.epistemic + said.noise
    top = np.where(label >= TOP, label, np.nan)
    found = uncertainty.scores(label, mean, variance)
    low, high = bounds.of(mean)
    half = stats.norm.ppf(0.5 + COVERAGE / 2) * np.sqrt(variance)
    known = ~np.isnan(label)
    inside = ((low <= label) & (label <= high))[known]
    fields = label, mean, said.epistemic, said.noise
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
            "epistemic": said.epistemic[known].mean(),
            "noise": said.noise[known].mean(),
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
    truth: np.ndarray, prediction: np.ndarray, solid: np.ndarray, wanted: Mapping
) -> Counts:
    """Voxels and clusters with both cut at a threshold, and sites: the truth cut at one value."""
    threshold = overlap.thresholds(wanted["thresholds"])
    fields = truth, prediction, solid, threshold
    return Counts(
        threshold,
        np.array([np.mean(prediction[solid] >= value) for value in threshold]),
        overlap.overlap(*fields),
        clusters.cluster_overlap(*fields),
        clusters.cluster_overlap(*fields, wanted["site_threshold"]),
    )


def _columns(counts: Counts) -> dict[str, np.ndarray]:
    columns = {"threshold": counts.threshold, "predicted_volume": counts.volume}
    for kind in ("voxel", "cluster", "site"):
        _, *names = getattr(counts, kind)._fields
        columns |= {f"{kind}_{name}": getattr(getattr(counts, kind), name) for name in names}
    return columns


def _choose(counts: Counts, wanted: Mapping) -> float:
    """Threshold of the most precise sites of the wanted recall.

    Of those that leave distinct clusters: one that fills the specimen would find every true one.
    """
    distinct = counts.volume <= max(wanted["site_volume"], counts.volume.min())
    return operating_point.best_threshold(
        counts.threshold,
        np.where(distinct, counts.site.recall, np.nan),
        np.where(distinct, counts.site.precision, np.nan),
        wanted["site_recall"],
    ).threshold


def _hits(
    prediction: np.ndarray, solid: np.ndarray, failed: np.ndarray, radius: int
) -> dict[str, np.ndarray]:
    """Probability (n,) that the first failure is at one of the k highest maxima."""
    specimens = zip(prediction, solid, failed, strict=True)
    hits = np.array([peaks.top_hits(*fields, RANKS, radius) for fields in specimens])
    return {f"top_{rank}": hits[:, i] for i, rank in enumerate(RANKS)}
