"""calibrate: learn a locator of failure sites in scans from an ensemble with presolved fields.

No rule of the workflow calls it: a locator ships with porefail.
"""

from typing import Annotated

from porefail import files
from porefail.command_line.kinds import File, Name, NewFile, Real, Settings
from porefail.configuration import require_settings
from porefail.scans import lengths
from porefail.scans.phantom import Scanner
from porefail.verdict.calibration import calibrate
from porefail.verdict.locator import SKILL, write_locator

SETTINGS = {
    "seed": "seed",
    "split": "dataset.split",
    "channels": "training.channels",
    "penalties": "baselines.penalties",
    "penalty": "ranking.penalty",
    "coverage": "ranking.coverage",
}


def run(
    ensemble: Annotated[File, "ensemble, made with presolve.strain above 0"],
    output: Annotated[NewFile, "locator to write (JSON)"],
    settings: Settings,
    scanned: Annotated[Name, "probabilities from phantom scans of this voxel size, 12um"]
    | None = None,
    noise: Annotated[Real, "of these scans, over the contrast"] = 0.05,
    scores: Annotated[NewFile, "scores of the test specimens to write (CSV)"] | None = None,
) -> None:
    """Write a locator, and print how it did on specimens that chose nothing.

    settings: the keys of SETTINGS. Raises PorefailError where the ensemble lacks fields or has too
    few specimens for its three parts.
    """
    require_settings(settings, SETTINGS)
    scanner = None
    if scanned is not None:
        scanner = Scanner(voxel=lengths.length(scanned, "--scanned"), noise=noise)
    locator, table = calibrate(
        ensemble, settings, scanner, lambda text: print(f"calibrate: {text}", flush=True)
    )
    write_locator(output, locator)
    if scores is not None:
        files.write_table(scores, table)
    print("calibrate: " + ", ".join(f"{name} {locator.skill[name]:.4g}" for name in SKILL))
