"""evaluate: compare predictions and simple predictors with the simulations (paper, section 4.1)."""

from typing import Annotated

from porefail import files
from porefail.command_line.kinds import File, NewFile, Settings
from porefail.configuration import require_settings, section
from porefail.errors import PorefailError
from porefail.evaluation.specimens import held_out
from porefail.evaluation.tables import curve_table, site_tables
from porefail.steps import same_origin

SETTINGS = section("evaluation")


def run(
    prediction: Annotated[File, "prediction"],
    dataset: Annotated[File, "data set"],
    ensemble: Annotated[File, "ensemble"],
    curves: Annotated[NewFile, "metrics over thresholds to write (CSV)"],
    sites: Annotated[NewFile, "hit rates of all predictors to write (CSV)"],
    specimens: Annotated[NewFile, "failure site of each specimen to write (CSV)"],
    settings: Settings,
) -> None:
    """Write metrics over thresholds, hit rates of all predictors, and the site of each specimen.

    settings: the keys of SETTINGS. Truth: labels of the test part (curves), the voxels that failed
    first (sites, specimens). Positions in mm from the specimen's corner.
    """
    require_settings(settings, SETTINGS)
    source = same_origin(dataset, prediction, ensemble)
    compared = list(held_out(prediction, dataset, ensemble))
    if not compared:
        raise PorefailError(f"{dataset}: its test part is empty: simulate more realizations")
    try:
        over = curve_table(compared, settings["thresholds"])
        table, each = site_tables(compared, settings, source["spacing"])
    except PorefailError as error:
        raise PorefailError(f"{prediction}, {dataset}, {ensemble}: {error}") from None
    for path, columns in ((curves, over), (sites, table), (specimens, each)):
        files.write_table(path, columns)
    print(f"evaluate: {len(compared)} specimens, {settings['thresholds']} thresholds")
