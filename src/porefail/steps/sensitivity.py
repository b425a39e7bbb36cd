"""sensitivity: compare where perturbed specimens fail with the predicted sites.

Paper, sections 2.5, 4.3, 6.2.
"""

from pathlib import Path
from typing import Annotated

from porefail import files
from porefail.command_line.kinds import File, Files, NewFolder, Settings
from porefail.configuration import require_settings
from porefail.configuration.sections import SIMULATION
from porefail.errors import PorefailError
from porefail.metrics import clusters
from porefail.ranking.copies import ranked_probabilities, read_copies, specimen
from porefail.ranking.copy_figures import copies_figures
from porefail.ranking.copy_tables import copies_summary, failure_table, specimen_table
from porefail.ranking.equal_volume import moved_failures
from porefail.ranking.locus import agreement, locus
from porefail.steps import require_origin, same_origin

SETTINGS = {
    "simulation": SIMULATION,
    "model_version": "$defs.model_version",
    "site_threshold": "ranking.site_threshold",
    "true_threshold": "evaluation.site_threshold",
    "near_voxels": "evaluation.near_voxels",
}


def run(
    shards: Annotated[Files, "simulation shards of perturbed specimens"],
    ensemble: Annotated[File, "ensemble"],
    dataset: Annotated[File, "data set"],
    prediction: Annotated[File, "prediction of the trained network"],
    ranking: Annotated[File, "prediction.h5 of rank"],
    sites: Annotated[File, "sites.csv of rank"],
    output: Annotated[NewFolder, "folder of the figures and tables, to write"],
    settings: Settings,
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
    copies = read_copies(shards, source, settings)
    ranked = ranked_probabilities(sites)
    specimens = [
        specimen(realization, made, ensemble, dataset, prediction, ranking, sites, ranked)
        for realization, made in copies.items()
    ]
    near, spacing = settings["near_voxels"], source["spacing"]
    whole = [each for each in specimens if not len(each.places)]
    specimens = [each for each in specimens if len(each.places)]
    if not specimens:
        raise PorefailError("no perturbed specimen has failed: nothing to compare")
    loci = [locus(each.places, each.failed, near, spacing) for each in specimens]
    # Ranks of the clusters that the trained network predicts.
    cut = [
        clusters.cluster_table(
            each.predicted, each.porosity == 0, settings["site_threshold"], spacing
        )[0]
        for each in specimens
    ]
    met = [
        tuple(
            agreement(each.places, place, rank, each.porosity == 0, near)
            for rank in (each.site, network)
        )
        for each, place, network in zip(specimens, loci, cut, strict=True)
    ]
    equal = {
        "ranking": moved_failures(specimens, loci, [each.site for each in specimens], near),
        "network": moved_failures(specimens, loci, cut, near),
    }
    table = specimen_table(specimens, loci, met, cut, equal, near)
    failures = failure_table(specimens, loci, met, spacing)
    text = copies_summary(specimens, whole, loci, table, near, spacing)
    figures = copies_figures(specimens, loci, cut, spacing, settings["true_threshold"])
    files.write_table(Path(output) / "table.csv", table)
    files.write_table(Path(output) / "failures.csv", failures)
    files.write_text(Path(output) / "summary.txt", text)
    files.write_figures(output, figures)
    print(text, end="")
