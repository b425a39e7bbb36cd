"""sensitivity: does failure move with the pores, and was it foretold? (sections 2.5, 4.3, 6.2)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from porefail import files, store
from porefail.configuration import require_settings
from porefail.configuration.sections import SIMULATION
from porefail.errors import PorefailError
from porefail.figures.failure_locus import failure_locus
from porefail.figures.predicted_sites import predicted_sites
from porefail.figures.ranked_sites import ranked_sites
from porefail.files import tables
from porefail.metrics import clusters, sensitivity, sites
from porefail.metrics.sensitivity import Agreement, Locus
from porefail.steps import require_origin, same_origin, write_figures
from porefail.store import Status

SETTINGS = {
    "simulation": SIMULATION,
    "model_version": "$defs.model_version",
    "site_threshold": "ranking.site_threshold",
    "true_threshold": "evaluation.site_threshold",
    "near_voxels": "evaluation.near_voxels",
}
RANKED = ("realization", "rank", "probability")  # columns of the sites of `rank`


class Specimen(NamedTuple):
    """A held-out specimen; fields (nx, ny, nz); what became of its k perturbed copies.

    porosity; failed: bool; label: NaN in voids; predicted: label by the trained network; site: rank
    in the ranking, 0 in none; probability: of the ranked sites, (m,); number, status: (k,);
    strain: (k,), at first failure; places: bool (f, nx, ny, nz), where those failed that did.
    """

    realization: int
    porosity: np.ndarray
    failed: np.ndarray
    label: np.ndarray
    predicted: np.ndarray
    site: np.ndarray
    probability: np.ndarray
    number: np.ndarray
    status: np.ndarray
    strain: np.ndarray
    places: np.ndarray


def run(
    shards: Sequence[str | Path],
    ensemble: str | Path,
    dataset: str | Path,
    prediction: str | Path,
    ranking: str | Path,
    sites: str | Path,
    output: str | Path,
    settings: Mapping,
) -> None:
    """Write table.csv, failures.csv, summary.txt and figures to the folder `output`.

    shards: simulated perturbations, of any specimens; prediction: of the trained network; ranking,
    sites: prediction.h5 and sites.csv of `rank`. settings: the keys of SETTINGS; what the shards
    are made with, and thresholds: a predicted site is above site_threshold × the field's maximum, a
    true one above true_threshold. Raises PorefailError where files do not belong together.
    """
    require_settings(settings, SETTINGS)
    source = same_origin(dataset, prediction, ensemble)
    require_origin(ranking, "ranking", source)
    copies = _copies(shards, source, settings)
    ranked = _ranked(sites)
    specimens = [
        _specimen(realization, made, ensemble, dataset, prediction, ranking, sites, ranked)
        for realization, made in copies.items()
    ]
    near, spacing = settings["near_voxels"], source["spacing"]
    whole = [each for each in specimens if not len(each.places)]
    specimens = [each for each in specimens if len(each.places)]
    if not specimens:
        raise PorefailError("no perturbed specimen has failed: nothing to compare")
    loci = [sensitivity.locus(each.places, each.failed, near, spacing) for each in specimens]
    cut = [_network_sites(each, settings["site_threshold"], spacing) for each in specimens]
    met = [
        tuple(
            sensitivity.agreement(each.places, locus, rank, each.porosity == 0, near)
            for rank in (each.site, network)
        )
        for each, locus, network in zip(specimens, loci, cut, strict=True)
    ]
    table = _table(specimens, loci, met, cut, near)
    failures = _failures(specimens, loci, met, spacing)
    text = _summary(specimens, whole, loci, table, near, spacing)
    figures = _figures(specimens, loci, cut, spacing, settings["true_threshold"])
    files.write_table(Path(output) / "table.csv", table)
    files.write_table(Path(output) / "failures.csv", failures)
    files.write_text(Path(output) / "summary.txt", text)
    write_figures(output, figures)
    print(text, end="")


def _copies(
    shards: Sequence[str | Path], source: Mapping, settings: Mapping
) -> dict[int, dict[str, np.ndarray]]:
    """What became of the perturbations of each realization, by its number."""
    made_with = {key: settings[key] for key in ("simulation", "model_version")}
    names = ["realization", "status", "first_failure_strain", "failed"]
    made_with["porosity"] = source["porosity"]
    found: dict[int, list[dict]] = {}
    distances = set()
    for shard in shards:
        rows, attributes = store.read(shard, names, kind="simulation shard")
        change = {key: attributes["porosity"].pop(key, None) for key in ("perturbed", "distance")}
        if change["perturbed"] is None:
            raise PorefailError(f"{shard}: not a shard of perturbed specimens")
        store.require_attributes(shard, attributes, made_with)
        distances.add(change["distance"])
        if len(distances) > 1:
            raise PorefailError(
                f"{shard}: perturbed within {change['distance']} mm of the failure, others not"
            )
        found.setdefault(int(change["perturbed"]), []).append(rows)
    joined = {
        realization: {name: np.concatenate([each[name] for each in parts]) for name in names}
        for realization, parts in sorted(found.items())
    }
    for realization, made in joined.items():
        number, count = np.unique(made["realization"], return_counts=True)
        if (count > 1).any():
            raise PorefailError(
                f"perturbation {number[count > 1][0]} of realization {realization} is in two shards"
            )
    return joined


def _ranked(path: str | Path) -> dict[int, np.ndarray]:
    """Probabilities (m,) of the ranked sites of each realization, by its number."""
    table = files.read_table(path, {key: tables.SITES[key] for key in RANKED})
    found = {}
    for number in np.unique(table["realization"]).tolist():
        mine = table["realization"] == number
        order = np.argsort(table["rank"][mine])
        if not np.array_equal(table["rank"][mine][order], np.arange(1, 1 + len(order))):
            raise store.StoreError(
                f"{path}, column rank: of realization {number}, expected 1 to {len(order)}, each"
                " once"
            )
        found[number] = table["probability"][mine][order]
    return found


def _specimen(
    realization: int,
    made: Mapping[str, np.ndarray],
    ensemble: str | Path,
    dataset: str | Path,
    prediction: str | Path,
    ranking: str | Path,
    sites: str | Path,
    ranked: Mapping[int, np.ndarray],
) -> Specimen:
    def field(path: str | Path, *names: str) -> list[np.ndarray]:
        numbers = store.read(path, ["realization"])[0]["realization"]
        if realization not in numbers:
            raise PorefailError(f"{path}: holds no realization {realization}, which was perturbed")
        found, _ = store.read_where(path, names, numbers == realization)
        return [found[name][0] for name in names]

    porosity, failed = field(ensemble, "porosity", "failed")
    probability = ranked.get(realization, np.empty(0))
    broken = made["status"] == Status.FIRST_FAILURE
    site = field(ranking, "site")[0].astype(int)
    if len(probability) != site.max():
        raise PorefailError(f"{sites}: does not belong to {ranking}: other sites of {realization}")
    return Specimen(
        realization,
        porosity,
        failed == 1,
        *field(dataset, "label"),
        *field(prediction, "mean"),
        site,
        probability,
        made["realization"],
        made["status"],
        made["first_failure_strain"],
        made["failed"][broken] == 1,
    )


def _network_sites(specimen: Specimen, fraction: float, spacing: float) -> np.ndarray:
    """Ranks by falling peak of the clusters that the trained network predicts, (nx, ny, nz)."""
    solid = specimen.porosity == 0
    threshold = clusters.site_threshold(specimen.predicted, solid, fraction)
    return clusters.cluster_table(specimen.predicted, solid, threshold, spacing)[0]


def _table(
    specimens: list[Specimen],
    loci: list[Locus],
    met: list[tuple[Agreement, Agreement]],
    cut: list[np.ndarray],
    near: int,
) -> dict[str, list]:
    """A row for each specimen."""
    table: dict[str, list] = {}
    for one, locus, (ranked, network), rank in zip(specimens, loci, met, cut, strict=True):
        around = clusters.grown(one.failed, near)
        # Clusters of the network that miss the true failure, and those where a copy failed.
        wrong = ~np.isin(np.arange(1, rank.max() + 1), rank[around])
        row = {
            "realization": one.realization,
            "copies": len(one.number),
            "failed": len(one.places),
            "moved": int(locus.moved.sum()),
            "places": ranked.places,
            "mean_height_mm": locus.height.mean(),
            "ranked_sites": len(ranked.sites),
            "in_first_site": int((ranked.rank == 1).sum()),
            "in_first_three": int(((ranked.rank > 0) & (ranked.rank <= 3)).sum()),
            "in_ranked_sites": int((ranked.rank > 0).sum()),
            "moved_in_ranked_sites": int((locus.moved & (ranked.rank > 0)).sum()),
            "places_in_ranked_sites": ranked.found,
            "sites_with_failures": int(ranked.sites.sum()),
            "ranked_volume": ranked.chance,
            "network_sites": len(network.sites),
            "in_network_sites": int((network.rank > 0).sum()),
            "false_positives": int(wrong.sum()),
            "false_positives_with_failures": int((wrong & network.moved).sum()),
        }
        for name, value in row.items():
            table.setdefault(name, []).append(value)
    return table


def _failures(
    specimens: list[Specimen],
    loci: list[Locus],
    met: list[tuple[Agreement, Agreement]],
    spacing: float,
) -> dict[str, np.ndarray]:
    """A row for each perturbed copy, those that did not fail too, without a place."""
    parts: dict[str, list] = {}
    for one, locus, (ranked, _) in zip(specimens, loci, met, strict=True):
        broken = one.status == Status.FIRST_FAILURE

        def placed(values: np.ndarray, broken=broken) -> np.ndarray:
            found = np.full((len(broken), *np.shape(values)[1:]), np.nan)
            found[broken] = values
            return found

        centres = np.array([sites.position(each, spacing) for each in one.places])
        columns = {
            "realization": np.full(len(broken), one.realization),
            "perturbation": one.number,
            "status": [Status(int(each)).name for each in one.status],
            "strain": one.strain,
            **{f"{axis}_mm": placed(centres[:, i]) for i, axis in enumerate("xyz")},
            "moved": placed(locus.moved),
            "height_mm": placed(locus.height),
            "site": placed(ranked.rank),
        }
        for name, values in columns.items():
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def _summary(
    specimens: list[Specimen],
    whole: list[Specimen],
    loci: list[Locus],
    table: Mapping[str, list],
    near: int,
    spacing: float,
) -> str:
    """whole: specimens of which no copy failed."""
    total = {name: int(np.sum(values)) for name, values in table.items()}
    every = [*specimens, *whole]
    became = Counter(Status(int(code)).name for one in every for code in one.status)
    lines = [
        f"{sum(len(one.number) for one in every)} perturbed copies of {len(every)} specimens: "
        + ", ".join(f"{count} {name}" for name, count in became.items()),
        *(f"No copy of specimen {one.realization} failed: it is left out." for one in whole),
        f"At one place: failures no more than {near} voxel ({near * spacing:g} mm) apart; a site"
        " meets a failure that is as near.",
        "",
        f"{'specimen':>9s}{'copies':>8s}{'moved':>7s}{'places':>8s}{'sites':>7s}{'in first':>10s}"
        f"{'in any':>8s}{'places met':>12s}{'by chance':>11s}",
    ]
    for k in range(len(specimens)):
        row = {name: values[k] for name, values in table.items()}
        lines.append(
            f"{row['realization']:9d}{row['failed']:8d}{row['moved']:7d}{row['places']:8d}"
            f"{row['ranked_sites']:7d}{row['in_first_site'] / row['failed']:10.2f}"
            f"{row['in_ranked_sites'] / row['failed']:8.2f}"
            f"{row['places_in_ranked_sites']:7d} of {row['places']:<2d}{row['ranked_volume']:9.3f}"
        )
    lines += [
        "",
        f"Failures of copies at a ranked site: {total['in_ranked_sites']} of {total['failed']}, at"
        f" the first {total['in_first_site']}, at the first three {total['in_first_three']};"
        f" of those that moved {total['moved_in_ranked_sites']} of {total['moved']}.",
        f"Places of failure that the ranking holds: {total['places_in_ranked_sites']} of"
        f" {total['places']}; a voxel at random would be at a ranked site with a probability of"
        f" {np.mean(table['ranked_volume']):.3f}.",
        f"Ranked sites where a copy failed: {total['sites_with_failures']} of"
        f" {total['ranked_sites']}.",
        f"Clusters of the trained network that miss the true failure: {total['false_positives']} of"
        f" {total['network_sites']}; at {total['false_positives_with_failures']} of these a copy"
        " failed that the change had moved.",
        f"|dz| from the failure of the specimen itself: mean"
        f" {np.mean(np.concatenate([each.height for each in loci])):.3f} mm.",
    ]
    return "\n".join(lines) + "\n"


def _figures(
    specimens: list[Specimen],
    loci: list[Locus],
    cut: list[np.ndarray],
    spacing: float,
    true_threshold: float,
) -> dict:
    """Figs 4, 12 and 16."""
    porosity = np.array([each.porosity for each in specimens])
    failed = np.array([each.failed for each in specimens])
    count = np.array([each.count for each in loci])
    realization = np.array([each.realization for each in specimens])
    true = np.array([np.nan_to_num(each.label) >= true_threshold for each in specimens])
    return {
        "failure_locus": failure_locus(porosity, failed, count, realization, spacing),
        "predicted_sites": predicted_sites(
            porosity, true, np.array(cut) > 0, count, realization, spacing
        ),
        "ranked_sites": ranked_sites(
            porosity,
            np.array([each.site for each in specimens]),
            [each.probability for each in specimens],
            count,
            failed,
            realization,
            spacing,
            "probability of failure",
        ),
    }
