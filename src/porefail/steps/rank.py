"""rank: likely failure sites of the held-out specimens, and how probable each is (section 6.2)."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from porefail import __version__, files, learning, store
from porefail.configuration import require_settings, section
from porefail.dataset.split import Part
from porefail.errors import PorefailError
from porefail.figures.cluster_distributions import cluster_distributions
from porefail.figures.damage_variance import damage_variance
from porefail.figures.weight_variation import weight_variation
from porefail.metrics import clusters, conformal, ranking, uncertainty
from porefail.nn import bayesian
from porefail.nn.flipout import Flipout
from porefail.nn.prediction import Moments, moments, predict
from porefail.steps import same_specimens, write_figures

if TYPE_CHECKING:
    import keras

SETTINGS = {
    "seed": "seed",
    "draws": "training.bayesian.draws",
    **section("ranking"),
    "near_voxels": "evaluation.near_voxels",
    "specimens": "report.specimens",
}
STABILITY = np.linspace(0.05, 1, 20)  # thresholds at which the order of the masses is compared
BINS = 25  # of the predicted label, in the figure
PROBABILITY_BINS = 5


class Sites(NamedTuple):
    """Clusters of a specimen's mean field, m of them, by falling peak.

    rank: (nx, ny, nz), 0 outside; table: sizes and places; average: (draws, m), each one's mean in
    each draw; failed: bool (m,), whether the first failure is at it.
    """

    rank: np.ndarray
    table: clusters.ClusterTable
    average: np.ndarray
    failed: np.ndarray

    @property
    def relative(self) -> np.ndarray:
        """The averages beside the largest value of the mean field, (draws, m)."""
        return self.average / max(self.table.peak[0], np.finfo(float).tiny)

    @property
    def features(self) -> np.ndarray:
        """What their probabilities are learnt from, (m, 3): of few specimens, so few."""
        peak = self.table.peak / max(self.table.peak[0], np.finfo(float).tiny)
        return np.column_stack([peak, self.relative.mean(axis=0), np.log(self.table.voxels)])


class Known(NamedTuple):
    """Held-out specimens, the moments of their predictions, their sites."""

    specimens: learning.Specimens
    moments: Moments
    sites: list[Sites]


def run(
    model: str | Path,
    dataset: str | Path,
    ensemble: str | Path,
    output: str | Path,
    settings: Mapping,
) -> None:
    """Write prediction.h5, sites.csv, summary.txt and figures for the test part to `output`.

    settings: the keys of SETTINGS. model: a Bayesian network. A site is a cluster of the mean field
    above site_threshold × its maximum; its mass is the share of draws in which its average is above
    mass_threshold × that maximum. The probability that the specimen fails there is that of a model
    of choice fitted to one half of the validation part; the other half says how far down the list
    a set must go to hold the true site with probability `coverage`. (The validation part also chose
    the best epochs of the networks.) Raises PorefailError where files do not belong together.
    """
    require_settings(settings, SETTINGS)
    source = same_specimens(dataset, ensemble)
    network = learning.load(model, dataset, bayesian=True)
    spacing = source["spacing"]
    known = {
        part: _known(network, dataset, ensemble, part, spacing, settings)
        for part in (Part.VALIDATION, Part.TEST)
    }
    validation = known[Part.VALIDATION].sites
    if len(validation) < 2:
        raise PorefailError(f"{dataset}: its validation part needs 2 specimens or more")
    fitted, calibration = validation[::2], validation[1::2]
    choice = ranking.fit_choice(
        [each.features for each in fitted], [each.failed for each in fitted], settings["penalty"]
    )
    level = conformal.level(
        [conformal.score(choice.probability(each.features), each.failed) for each in calibration],
        settings["coverage"],
    )
    test = known[Part.TEST]
    probability = [choice.probability(each.features) for each in test.sites]
    members = [conformal.members(each, level) for each in probability]
    order = [np.argsort(-each, kind="stable") for each in probability]
    table = _table(test, probability, members, order, spacing, settings["mass_threshold"])
    text = _summary(test, probability, order, members, level, len(calibration), settings)
    figures = _figures(network, test, order, settings)
    files.write_table(Path(output) / "sites.csv", table)
    files.write_text(Path(output) / "summary.txt", text)
    write_figures(output, figures)
    _write(Path(output) / "prediction.h5", test, order, source, settings)
    print(text, end="")


def _known(
    network: "keras.Model",
    dataset: str | Path,
    ensemble: str | Path,
    part: Part,
    spacing: float,
    settings: Mapping,
) -> Known:
    chosen = learning.part(dataset, part)
    specimens = learning.read(dataset, chosen, [each.name for each in network.inputs])
    simulated, _ = store.read_where(ensemble, ["failed"], chosen)

    def draws():
        return bayesian.draws(network, settings["draws"], settings["seed"])

    said = moments(draws(), specimens.channels)
    said.mean[specimens.porosity != 0] = np.nan
    found = []
    for field, voids in zip(said.mean, specimens.porosity, strict=True):
        threshold = clusters.site_threshold(field, voids == 0, settings["site_threshold"])
        found.append(clusters.cluster_table(field, voids == 0, threshold, spacing))
    averages: list[list[np.ndarray]] = [[] for _ in found]
    for drawn in draws():  # the same ones a second time: no field of a draw is kept
        fields = predict(drawn, specimens.channels)
        for mine, field, (rank, each) in zip(averages, fields, found, strict=True):
            mine.append(ranking.averages(field, rank, len(each.rank)))
    sites = []
    for (rank, each), average, failed in zip(
        found, averages, simulated["failed"] == 1, strict=True
    ):
        hit = np.isin(each.rank, rank[clusters.grown(failed, settings["near_voxels"])])
        sites.append(Sites(rank, each, np.array(average), hit))
    return Known(specimens, said, sites)


def _table(
    test: Known,
    probability: list[np.ndarray],
    members: list[np.ndarray],
    order: list[np.ndarray],
    spacing: float,
    threshold: float,
) -> dict[str, np.ndarray]:
    """A row for each site, by specimen and falling probability; threshold: of the masses."""
    parts: dict[str, list] = {}
    for k, (place, sites) in enumerate(zip(order, test.sites, strict=True)):
        count = len(place)
        x, y, z = sites.table.centroid[place].T
        row = {
            "realization": np.full(count, test.specimens.realization[k]),
            "rank": np.arange(1, count + 1),
            "probability": probability[k][place],
            "in_set": members[k][place].astype(int),
            "mass": ranking.mass(sites.relative, threshold)[place],
            "average": sites.average.mean(axis=0)[place],
            "deviation": sites.average.std(axis=0)[place],
            "peak": sites.table.peak[place],
            "voxels": sites.table.voxels[place],
            "x_mm": x,
            "y_mm": y,
            "z_mm": z,
            "pore_mm": _distances(sites.table.centroid, test.specimens.porosity[k], spacing)[place],
            "failed": sites.failed[place].astype(int),
        }
        for name, values in row.items():
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def _distances(points: np.ndarray, porosity: np.ndarray, spacing: float) -> np.ndarray:
    """From points (m, 3) in mm to the centre of the nearest void voxel, NaN without a void."""
    voids = spacing * (np.argwhere(porosity) + 0.5)
    if not len(voids):
        return np.full(len(points), np.nan)
    return np.linalg.norm(points[:, None] - voids, axis=-1).min(axis=1)


def _summary(
    test: Known,
    probability: list[np.ndarray],
    order: list[np.ndarray],
    members: list[np.ndarray],
    level: float,
    calibration: int,
    settings: Mapping,
) -> str:
    sites = test.sites
    count = len(sites)
    orders = {
        "probability": order,
        "mass, then average": [
            ranking.order(each.relative, settings["mass_threshold"]) for each in sites
        ],
        "peak of the mean field": [np.arange(len(each.failed)) for each in sites],
    }
    number = sum(len(each.failed) for each in sites) / count
    there = np.mean([each.failed.any() for each in sites])
    lines = [
        f"{count} held-out specimens, {number:.1f} sites each: clusters above"
        f" {settings['site_threshold']:g} of the mean field's maximum.",
        f"The first failure is at one of them in {there:.3f} of the specimens (within"
        f" {settings['near_voxels']} voxel).",
        "",
        f"{'sites in the order of their':30s}{'first':>8s}{'first 3':>9s}",
    ]
    for name, places in orders.items():
        hits = [
            np.mean([each.failed[o[:k]].any() for each, o in zip(sites, places, strict=True)])
            for k in (1, 3)
        ]
        lines.append(f"{name:30s}{hits[0]:8.3f}{hits[1]:9.3f}")
    held = np.mean([each.failed[m].any() for each, m in zip(sites, members, strict=True)])
    size = np.mean([m.sum() for m in members])
    lines += [
        "",
        f"Sets for a coverage of {settings['coverage']:g}, calibrated on {calibration} specimens:"
        + (
            f" they hold the failure in {held:.3f}, {size:.1f} sites each."
            if np.isfinite(level)
            else " not to be had, for the failure is too often at no site, or the specimens are too"
            f" few. All sites together hold it in {held:.3f}."
        ),
    ]
    stable = [
        ranking.stability(each.relative, settings["mass_threshold"], STABILITY).agreement
        for each in sites
        if len(each.failed) > 1
    ]
    if np.isfinite(stable).any():
        lines.append(
            "Order of the masses at other thresholds against that at the chosen one, Kendall's tau:"
            f" {np.nanmean(stable):.2f} (mean of {np.isfinite(stable).sum()} specimens)."
        )
    lines += ["", "Probabilities, and how often the specimen did fail there:"]
    said, true = np.concatenate(probability), np.concatenate([each.failed for each in sites])
    bins, mean, share = uncertainty.by_bin(said, PROBABILITY_BINS, said, true)
    for k in range(PROBABILITY_BINS):
        if bins[k]:
            low, high = k / PROBABILITY_BINS, (k + 1) / PROBABILITY_BINS
            lines.append(
                f"  {low:.1f} to {high:.1f}: said {mean[k]:.3f}, true {share[k]:.3f}"
                f" ({bins[k]} sites)"
            )
    return "\n".join(lines) + "\n"


def _figures(
    network: "keras.Model", test: Known, order: list[np.ndarray], settings: Mapping
) -> dict[str, object]:
    """Figs 14, 15 and 17; of the first specimens, and those with the most sites."""
    shown = range(min(settings["specimens"], len(test.sites)))
    many = np.argsort([-len(each.failed) for each in test.sites], kind="stable")
    many = np.sort(many[: min(settings["specimens"], 4)])
    edges = np.linspace(0, 1, BINS + 1)
    parts: dict[str, dict] = {"epistemic": {}, "noise": {}, "frequency": {}}
    for k in shown:
        solid = test.specimens.porosity[k] == 0
        fields = (each[k][solid] for each in test.moments)
        by, epistemic, noise = fields
        voxels, *means = uncertainty.by_bin(by, BINS, epistemic, noise)
        name = f"specimen {test.specimens.realization[k]}"
        for part, values in zip(parts.values(), (*means, voxels / voxels.sum()), strict=True):
            part[name] = values
    layers = [layer for layer in network.layers if isinstance(layer, Flipout)]
    # ASSUME: of the means' sizes. The paper divides by the mean of the means, which may be zero.
    variation = [
        [float(np.mean(np.exp(scale)) / np.mean(np.abs(mean))) for mean, scale in layer.distributed]
        for layer in layers
    ]
    return {
        "damage_variance": damage_variance(edges, *parts.values()),
        "cluster_distributions": cluster_distributions(
            [test.sites[k].relative[:, order[k]] for k in many],
            test.specimens.realization[many],
            settings["mass_threshold"],
        ),
        "weight_variation": weight_variation(
            [layer.name for layer in layers], *np.array(variation).T
        ),
    }


def _write(
    path: Path, test: Known, order: list[np.ndarray], source: Mapping, settings: Mapping
) -> None:
    rank = np.zeros(test.moments.mean.shape, np.uint16)
    for field, sites, place in zip(rank, test.sites, order, strict=True):
        number = np.zeros(len(place) + 1, np.uint16)
        number[place + 1] = np.arange(1, len(place) + 1)
        field[:] = number[sites.rank]
    store.write_atomically(
        path,
        {**test.moments._asdict(), "site": rank, "realization": test.specimens.realization},
        {
            "rank": dict(settings),
            **{name: source[name] for name in store.KINDS["data set"]},
            "porefail_version": __version__,
        },
    )
