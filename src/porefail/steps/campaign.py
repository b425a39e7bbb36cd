"""campaign: does it pay to choose which specimens to simulate next? Skill against their number.

The ensemble's own specimens are chosen from, so nothing is simulated for it.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

from porefail import files, learning, store
from porefail.command_line.kinds import File, NewFolder, Settings
from porefail.configuration import require_settings
from porefail.configuration.checks import campaign_problems
from porefail.configuration.sections import DATASET
from porefail.dataset.split import Part, split
from porefail.figures.skill_curves import skill_curves as drawn
from porefail.learning import active

SETTINGS = {
    "dataset": DATASET,
    "campaign": "campaign",
    "near_voxels": "evaluation.near_voxels",
}


def run(
    ensemble: Annotated[File, "ensemble"],
    output: Annotated[NewFolder, "folder of table.csv and skill.png, to write"],
    settings: Settings,
) -> None:
    """Write the skill of a regression of the site against how many specimens it learnt from.

    settings: the keys of SETTINGS. The test part of the ensemble judges; all others are a pool,
    chosen from at random or where the regression is least sure.
    """
    require_settings(settings, SETTINGS, _problems)
    wanted = settings["campaign"]
    made = settings["dataset"] | {"transform": "site"}
    specimens, failed = learning.specimens(ensemble, made, wanted["channels"])
    part = split(specimens.realization, made["split"], made["seed"])
    for each in (Part.TRAIN, Part.TEST):
        if not (part == each).any():
            raise store.StoreError(
                f"{ensemble}: its {each.name.lower()} part is empty: simulate more realizations"
            )
    solid = failed & (specimens.porosity == 0)
    pool, test = (
        active.known(
            {name: field[mask] for name, field in specimens.channels.items()},
            specimens.porosity[mask],
            solid[mask],
        )
        for mask in (part != Part.TEST, part == Part.TEST)
    )
    table, gain = active.skill_curves(
        pool,
        test,
        wanted["sizes"],
        wanted["repeats"],
        wanted["penalty"],
        settings["near_voxels"],
        made["seed"],
        partial(print, "campaign:", flush=True),
    )
    figure = drawn(table, len(test.rows))
    files.write_table(Path(output) / "table.csv", table)
    files.write_figures(output, {"skill": figure})
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}"))
    print(
        f"campaign: choosing the least sure in place of random ones, over all sizes, finds"
        f" {gain['top_1_gain']:+.3f} ({gain['top_1_gain_low']:+.3f},"
        f" {gain['top_1_gain_high']:+.3f}) more of {len(test.rows)} first, and adds"
        f" {gain['log_likelihood_gain']:+.3f} ({gain['log_likelihood_gain_low']:+.3f},"
        f" {gain['log_likelihood_gain_high']:+.3f}) to the log likelihood of the true site"
    )


def _problems(settings: Mapping) -> Iterator[str]:
    yield from campaign_problems(settings["campaign"], "campaign.")
