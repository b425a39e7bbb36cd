"""A locator from an ensemble: learnt on one part of it, calibrated and tested on others."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from porefail import __version__, store
from porefail.baselines import site_regression
from porefail.dataset.split import Part, split
from porefail.errors import PorefailError
from porefail.learning.specimens import channels, datasets
from porefail.metrics import conformal
from porefail.ranking.choice import fit_choice, ranking
from porefail.scans.phantom import Scanner
from porefail.verdict import assessment
from porefail.verdict.assessment import Physics
from porefail.verdict.locator import Locator
from porefail.verdict.measures import measured, ranges
from porefail.verdict.part import of_phantom

FAILED = ("realization", "porosity", "failed")


class Case(NamedTuple):
    """A specimen with its sites: which of them failed (m,), and what it measures."""

    realization: int
    sites: assessment.Sites
    failed: np.ndarray
    measures: Mapping[str, float]


def calibrate(
    ensemble: str | Path,
    settings: Mapping,
    scanner: Scanner | None = None,
    progress: Callable[[str], None] = print,
) -> tuple[Locator, pd.DataFrame]:
    """A locator of an ensemble with presolved fields, and the test specimens' scores.

    settings: seed, split, channels, penalties, penalty, coverage. The regression is learnt on the
    training part; the choice of sites and the conformal level on halves of the validation part; the
    skill is of the test part, which chose nothing. With a scanner, specimens of the last two are
    scanned by it and read back, so that probabilities are of what is seen in scans.
    """
    rows, source = store.read(ensemble, ["realization"], kind="ensemble")
    part = split(rows["realization"], settings["split"], settings["seed"])
    names = [*FAILED, *datasets(settings["channels"])]
    names += [f"elastic/{name}" for name in ("von_mises", "pressure", "largest_von_mises")]
    names += ["presolve/damage"]
    names = list(dict.fromkeys(names))
    missing = set(names) - set(store.shapes(ensemble))
    if missing:
        raise PorefailError(
            f"{ensemble}: lacks /{sorted(missing)[0]}: presolve.strain must be above 0 where it is"
            " made"
        )
    read = {each: store.read_where(ensemble, names, part == each)[0] for each in Part}
    # A specimen whose coarse step found no solution is no example.
    good = {
        each: {
            name: field[np.isfinite(f["presolve/damage"]).any(axis=(1, 2, 3))]
            for name, field in f.items()
        }
        for each, f in read.items()
    }
    train, validation = good[Part.TRAIN], good[Part.VALIDATION]
    progress(f"regression on {len(train['realization'])} specimens")
    regression = site_regression.fit(
        channels(train, settings["channels"]),
        train["porosity"],
        _sites(train),
        channels(validation, settings["channels"]),
        validation["porosity"],
        _sites(validation),
        settings["penalties"],
    )
    spacing, simulation = source["spacing"], source["simulation"]
    presolve = source["presolve"]

    def cases(part: Part, words: str) -> list[Case]:
        fields = good[part]
        found = []
        for row, number in enumerate(fields["realization"].tolist()):
            known = {name: each[row] for name, each in fields.items()}
            if scanner is None:
                physics = stored_physics(known)
            else:
                voxels = of_phantom(known["porosity"], spacing, scanner, number)
                if voxels is None:
                    continue
                physics = assessment.physics(
                    *voxels, spacing, simulation, presolve, progress=lambda text: None
                )
            found.append(case(number, physics, known["failed"] == 1, regression, spacing))
            if row % 20 == 19:
                progress(f"{words}: {row + 1} of {len(fields['realization'])} specimens")
        return found

    held = cases(Part.VALIDATION, "calibration")
    fitted, calibration = held[::2], held[1::2]
    choice = fit_choice(
        [each.sites.features for each in fitted],
        [each.failed for each in fitted],
        settings["penalty"],
    )
    level = conformal.level(
        [
            conformal.score(choice.probability(each.sites.features), each.failed)
            for each in calibration
        ],
        settings["coverage"],
    )
    scores = pd.DataFrame(
        [
            scored(each, choice.probability(each.sites.features), level)
            for each in cases(Part.TEST, "test")
        ]
    )
    locator = Locator(
        spacing,
        simulation,
        presolve,
        regression,
        choice,
        level,
        settings["coverage"],
        ranges(
            [
                stored_measures({name: field[row] for name, field in fields.items()}, spacing)
                for fields in good.values()
                for row in range(len(fields["realization"]))
            ]
        ),
        {"specimens": len(scores)}
        | {name: float(scores[name].mean()) for name in ("top_1", "top_3", "in_set", "set_size")},
        f"{len(rows['realization'])} simulated specimens, model version"
        f" {source['model_version']}, porefail {__version__}"
        + (
            ""
            if scanner is None
            else f"; probabilities from phantom scans of {scanner.voxel:g} mm"
            f" voxels with {scanner.noise:.0%} noise"
        ),
    )
    return locator, scores


def _sites(fields: Mapping[str, np.ndarray]) -> np.ndarray:
    """Solid voxels that count as the site, bool (n, nx, ny, nz)."""
    return (fields["failed"] == 1) & (fields["porosity"] == 0)


def stored_physics(row: Mapping[str, np.ndarray]) -> Physics:
    """Physics of a row of an ensemble."""
    pores = row["porosity"] == 1
    return Physics(pores, np.zeros_like(pores), row)


def stored_measures(row: Mapping[str, np.ndarray], spacing: float) -> dict[str, float]:
    pores = row["porosity"] == 1
    return measured(pores, np.zeros_like(pores), row["elastic/largest_von_mises"], spacing)


def case(
    number: int,
    physics: Physics,
    failed: np.ndarray,
    regression: site_regression.SiteRegression,
    spacing: float,
) -> Case:
    """A specimen whose failure is known; failed: bool (nx, ny, nz)."""
    likely = assessment.likelihood(physics, regression)
    sites = assessment.sites_of(physics, likely)
    measures = measured(
        physics.pores, physics.outside, physics.fields["elastic/largest_von_mises"], spacing
    )
    return Case(number, sites, assessment.failed_at(sites.place, failed), measures)


def scored(each: Case, probability: np.ndarray, level: float) -> dict:
    """Whether the first, one of three, one of the set is where a specimen failed."""
    ranked = ranking(probability, level)
    hit = each.failed[ranked.order]
    return {
        "realization": each.realization,
        "top_1": int(hit[:1].any()),
        "top_3": int(hit[:3].any()),
        "in_set": int(each.failed[ranked.member].any()),
        "set_size": int(ranked.member.sum()),
        "probability": float(probability[ranked.order[0]]),
        "elastic_top_1": int(_first(each, each.sites.elastic_rank)),
        "coarse_top_1": int(_first(each, each.sites.coarse_rank)),
    }


def _first(each: Case, rank: np.ndarray) -> bool:
    return bool(each.failed[rank == 1].any())
