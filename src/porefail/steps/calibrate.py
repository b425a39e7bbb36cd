"""calibrate: learn a locator of failure sites in scans from an ensemble with presolved fields.

No rule of the workflow calls it: a locator ships with porefail.
"""

from typing import Annotated

from porefail import files
from porefail.command_line.kinds import File, Name, NewFile, Number, Real, Settings
from porefail.configuration import require_settings
from porefail.configuration.variants import TAKEN
from porefail.errors import PorefailError
from porefail.figures.reliability import reliability
from porefail.learning.candidates import MOST
from porefail.metrics.uncertainty import probability_bins
from porefail.scans import lengths
from porefail.scans.phantom import Scanner
from porefail.verdict.calibration import calibrate
from porefail.verdict.locator import SKILL, write_locator
from porefail.verdict.skill import BINS, skill_summary

SETTINGS = {
    "seed": "seed",
    "split": "dataset.split",
    "channels": "training.channels",
    "penalties": "baselines.penalties",
    "penalty": "ranking.penalty",
    "coverage": "ranking.coverage",
    # Of the networks that rank the regression's sites anew; without them there are none.
    "network?": {name: f"training.{name}" for name in TAKEN["site_network"] if name != "channels"},
}


FIRST = ("probability", "top_1")  # of first sites: what is said, whether it was right


def run(
    ensemble: Annotated[File, "ensemble, made with presolve.strain above 0"],
    output: Annotated[NewFile, "locator to write (JSON)"],
    settings: Settings,
    scanned: Annotated[Name, "probabilities from phantom scans of this voxel size, 12um"]
    | None = None,
    noise: Annotated[Real, "of these scans, over the contrast"] = 0.05,
    scores: Annotated[NewFile, "scores of the test specimens to write (CSV)"] | None = None,
    sites: Annotated[NewFile, "their sites and probabilities to write (CSV)"] | None = None,
    sets: Annotated[NewFile, "sets of several coverages, to write (CSV)"] | None = None,
    figure: Annotated[NewFile, "whether probabilities hold, to draw (PNG)"] | None = None,
    checkpoint: Annotated[NewFile, "state of the networks, to write and to resume from"]
    | None = None,
    submodels: Annotated[Number, "also ranked anew by so many blocks around likely sites"] = 0,
    calibrate_from: Annotated[Number, "realizations from it on calibrate, not the validation part"]
    | None = None,
) -> None:
    """Write a locator, and print how it did on specimens that chose nothing.

    settings: the keys of SETTINGS. Raises PorefailError where the ensemble lacks fields or has too
    few specimens for its parts.
    """
    require_settings(settings, SETTINGS)
    if checkpoint is not None and "network" not in settings:
        raise PorefailError("--checkpoint is of networks, which the settings have not")
    scanner = None
    if scanned is not None:
        scanner = Scanner(voxel=lengths.length(scanned, "--scanned"), noise=noise)
    if not 0 <= submodels <= MOST:
        raise PorefailError(f"--submodels {submodels}: expected a whole number from 0 to {MOST}")
    if calibrate_from is not None and calibrate_from < 1:
        raise PorefailError(f"--calibrate-from {calibrate_from}: expected a whole number above 0")
    made = calibrate(
        ensemble,
        settings,
        scanner,
        submodels,
        checkpoint,
        lambda text: print(f"calibrate: {text}", flush=True),
        calibrate_from,
    )
    locator, ranked = made.locator, made.sites
    found = probability_bins(ranked["probability"].to_numpy(), ranked["failed"], BINS)
    # Of what is said in the end: with blocks, where there are some.
    said, right = (made.scores[("pulled_" if submodels else "") + name] for name in FIRST)
    firsts = probability_bins(said.to_numpy(), right.to_numpy(), BINS)
    write_locator(output, locator)
    for path, each in ((scores, made.scores), (sites, ranked), (sets, made.sets)):
        if path is not None:
            files.write_table(path, each)
    if figure is not None:
        drawn = reliability(*firsts, "first sites")
        files.write_bytes(figure, files.png(drawn))
    print("calibrate: " + ", ".join(f"{name} {locator.skill[name]:.4g}" for name in SKILL))
    if locator.blocks is not None:
        told = ", ".join(f"{name} {locator.blocks.skill[name]:.4g}" for name in SKILL)
        print(f"calibrate: ranked anew by blocks: {told}")
    print(
        f"calibrate: probabilities differ from shares by {firsts.error:.3f} (first sites"
        f"{', ranked anew by blocks' if submodels else ''}), {found.error:.3f} (all"
        f"{', without blocks' if submodels else ''}, most of them never in question)"
    )
    print(skill_summary(made.scores))
    for row in made.sets.itertuples():
        size = f"{row.set_size:.2f} sites" if row.least else "all sites: no set is large enough"
        means = " by blocks" if row.blocks else ""
        print(
            f"sets{means} asked for {row.coverage:g} hold the true site in {row.in_set:.3f}"
            f" ({row.in_set_low:.3f}, {row.in_set_high:.3f}), with {size}"
        )
