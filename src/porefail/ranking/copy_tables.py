"""Where perturbed copies fail, beside the ranking: tables and summary."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd

from porefail.metrics import sites
from porefail.ranking.copies import Specimen
from porefail.ranking.equal_volume import columns, moved_words
from porefail.ranking.locus import Agreement, Locus
from porefail.store import Status
from porefail.voxels.neighbours import grown


def specimen_table(
    specimens: list[Specimen],
    loci: list[Locus],
    met: list[tuple[Agreement, Agreement]],
    cut: list[np.ndarray],
    equal: Mapping[str, pd.DataFrame],
    near: int,
) -> pd.DataFrame:
    """A row for each specimen; equal: see moved_failures, of the ranking's and network's sites."""
    rows = []
    for one, locus, (ranked, network), rank in zip(specimens, loci, met, cut, strict=True):
        around = grown(one.failed, near)
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
        rows.append(row)
    table = pd.DataFrame(rows)
    return table.join([each.rename(columns=columns(kind)) for kind, each in equal.items()])


def failure_table(
    specimens: list[Specimen],
    loci: list[Locus],
    met: list[tuple[Agreement, Agreement]],
    spacing: float,
) -> pd.DataFrame:
    """A row for each perturbed copy, those that did not fail too, without a place."""
    parts = []
    for one, locus, (ranked, _) in zip(specimens, loci, met, strict=True):
        centres = np.array([sites.position(each, spacing) for each in one.places])
        copies = {
            "realization": one.realization,
            "perturbation": one.number,
            "status": [Status(int(each)).name for each in one.status],
            "strain": one.strain,
        }
        placed = {
            **{f"{axis}_mm": centres[:, i] for i, axis in enumerate("xyz")},
            "moved": locus.moved,
            "height_mm": locus.height,
            "site": ranked.rank,
        }
        broken = np.flatnonzero(one.status == Status.FIRST_FAILURE)
        parts.append(pd.DataFrame(copies).join(pd.DataFrame(placed, broken, dtype=float)))
    return pd.concat(parts, ignore_index=True)


def copies_summary(
    specimens: list[Specimen],
    whole: list[Specimen],
    loci: list[Locus],
    table: pd.DataFrame,
    near: int,
    spacing: float,
) -> str:
    """whole: specimens of which no copy failed."""
    total = table.select_dtypes(int).sum()
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
    for row in table.to_dict("records"):
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
        f" {table['ranked_volume'].mean():.3f}.",
        f"Ranked sites where a copy failed: {total['sites_with_failures']} of"
        f" {total['ranked_sites']}.",
        f"Clusters of the trained network that miss the true failure: {total['false_positives']} of"
        f" {total['network_sites']}; at {total['false_positives_with_failures']} of these a copy"
        " failed that the change had moved.",
        f"Share of the moved failures of a specimen within {near} voxel of its sites, mean of"
        " specimens (95 % by bootstrap over them):",
        f"  ranked sites: {moved_words(table, 'ranking')}.",
        f"  clusters of the trained network: {moved_words(table, 'network')}.",
        f"|dz| from the failure of the specimen itself: mean"
        f" {np.mean(np.concatenate([each.height for each in loci])):.3f} mm.",
    ]
    return "\n".join(lines) + "\n"
