"""A locator from an ensemble: learnt on one part of it, calibrated and tested on others."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from porefail import __version__, store
from porefail.baselines import site_regression
from porefail.configuration import require_settings
from porefail.configuration.sections import PRESOLVE
from porefail.dataset.split import Part, split
from porefail.errors import PorefailError
from porefail.fe.submodels import Submodels
from porefail.learning import site_network
from porefail.learning.site_network import Committee
from porefail.learning.specimens import channels
from porefail.metrics import conformal
from porefail.ranking.choice import Choice, Ranking, calibrate_choice, ranking
from porefail.scans.phantom import Scanner
from porefail.verdict.cases import (
    Case,
    blocks_of,
    case,
    first_block,
    raced,
    read_known,
    scanned_physics,
    scored,
    stored_measures,
    stored_physics,
)
from porefail.verdict.locator import SCANNED, SKILL, BlockChoice, Locator
from porefail.verdict.measures import ranges
from porefail.verdict.pulled import features_with
from porefail.verdict.skill import set_rows, site_rows

COVERAGES = (0.8, 0.9, 0.95, 0.97, 0.99)  # whose sets are told on the test part


class Judged(NamedTuple):
    """A choice of sites with the level of its sets; rankings of the test specimens by it, their
    scores, sets of COVERAGES."""

    choice: Choice
    level: float
    rankings: list[Ranking]
    scores: pd.DataFrame
    sets: pd.DataFrame


class Calibrated(NamedTuple):
    """A locator; of its test specimens the scores, the sites, and sets of several coverages."""

    locator: Locator
    scores: pd.DataFrame
    sites: pd.DataFrame
    sets: pd.DataFrame


def calibrate(
    ensemble: str | Path,
    settings: Mapping,
    scanner: Scanner | None = None,
    blocks: int = 0,
    checkpoint: str | Path | None = None,
    progress: Callable[[str], None] = print,
    calibrate_from: int | None = None,
) -> Calibrated:
    """A locator of an ensemble with presolved fields, and how it does on the test specimens.

    settings: seed, split, channels, penalties, penalty, coverage; network: of its training, see
    _committee(), where there is one. The regression is learnt on the training part; the choice of
    sites and the conformal level on the validation part (see ranking.choice.calibrate_choice), or
    on the realizations from `calibrate_from` on, which are in no part then, lest what was chosen on
    the validation part makes it too sure; the skill is of the test part, which chose nothing. With
    a scanner, specimens that calibrate and test are scanned by it and read back, so that
    probabilities are of what is seen in scans. blocks: at most so many around the likeliest sites
    of each of these, pulled alone, by which sites are ranked anew, see _with_blocks(). checkpoint:
    of the network, see _committee().
    Raises PorefailError where the ensemble lacks fields, or a part has no specimen.
    """
    rows, source = store.read(ensemble, ["realization"], kind="ensemble")
    missing = sorted(set(settings["channels"]) - set(SCANNED))
    if missing:
        raise PorefailError(f"settings: channels names {missing[0]}, which a scan does not have")
    if "presolve" in source:
        try:
            require_settings({name: source[name] for name in PRESOLVE}, PRESOLVE)
        except PorefailError as error:
            raise PorefailError(f"{ensemble}: made by an older porefail? {error}") from None
    number = rows["realization"]
    later = np.zeros(number.shape, bool) if calibrate_from is None else number >= calibrate_from
    part = np.full(number.shape, -1)
    part[~later] = split(number[~later], settings["split"], settings["seed"])
    good = {each: read_known(ensemble, part == each, settings["channels"]) for each in Part}
    everything, calibrating = [*good.values()], good[Part.VALIDATION]
    if calibrate_from is not None:
        calibrating = read_known(ensemble, later, settings["channels"])
        everything.append(calibrating)
        if len(calibrating["realization"]) < 2:
            raise PorefailError(
                f"{ensemble}: has fewer than two realizations from {calibrate_from} on to calibrate"
                " with"
            )
    regression, committee = learn(
        good[Part.TRAIN], good[Part.VALIDATION], settings, checkpoint, progress
    )
    spacing, simulation, presolve = (source[name] for name in ("spacing", "simulation", "presolve"))

    def cases(fields: Mapping[str, np.ndarray], words: str) -> list[Case]:
        found = []
        for row in range(len(fields["realization"])):
            known = {name: each[row] for name, each in fields.items()}
            seen = stored_physics(known)
            if scanner is not None:
                seen = scanned_physics(known, spacing, scanner, simulation, presolve)
            found.append(case(known, seen, regression, committee))
            if row % 20 == 19:
                progress(f"{words}: {row + 1} of {len(fields['realization'])} specimens")
        return found

    held = cases(calibrating, "calibration")
    tested = cases(good[Part.TEST], "test")
    given = [each.sites.features for each in (*held, *tested)]
    choice, level, rankings, scores, sets = _judged(held, tested, given, settings)
    by_blocks = None
    if blocks:
        by_blocks, more, with_blocks = _with_blocks(
            held, tested, blocks, settings, source, progress
        )
        scores, sets = scores.join(more), pd.concat([sets, with_blocks], ignore_index=True)
    sites = pd.concat(
        [
            site_rows(int(each.known["realization"]), ranked, each.failed)
            for each, ranked in zip(tested, rankings, strict=True)
        ]
    )
    locator = Locator(
        source["model_version"],
        spacing,
        simulation,
        presolve,
        regression,
        committee,
        choice,
        level,
        settings["coverage"],
        ranges(
            [
                stored_measures({name: field[row] for name, field in fields.items()}, spacing)
                for fields in everything
                for row in range(len(fields["realization"]))
            ]
        ),
        _skill(scores),
        f"{len(number)} simulated specimens, of which {len(held)} calibrate, model version"
        f" {source['model_version']}, porefail {__version__}",
        (0.0, 0.0) if scanner is None else (scanner.voxel, scanner.noise),
        by_blocks,
    )
    return Calibrated(locator, scores, sites, sets)


def learn(
    train: Mapping[str, np.ndarray],
    validation: Mapping[str, np.ndarray],
    settings: Mapping,
    checkpoint: str | Path | None,
    progress: Callable[[str], None],
) -> tuple[site_regression.SiteRegression, Committee]:
    """What ranks the voxels, learnt from training specimens, its penalty chosen by others; and what
    ranks its sites anew, empty where settings have no network.

    train, validation: rows of an ensemble, see read_known(); else as of calibrate().
    """
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
    if not settings.get("network"):
        return regression, ()
    return regression, _committee(train, regression, settings, checkpoint, progress)


def _committee(
    train: Mapping[str, np.ndarray],
    regression: site_regression.SiteRegression,
    settings: Mapping,
    checkpoint: str | Path | None,
    progress: Callable[[str], None],
) -> Committee:
    """What ranks the sites anew, learnt from training specimens.

    checkpoint: file to go on from; none is kept if None.
    """
    given = channels(train, regression.names)
    likely = site_regression.predict(regression, given, train["porosity"])
    around = [
        site_network.surroundings(
            each, {name: field[n] for name, field in given.items()}, regression.names
        )
        for n, each in enumerate(likely)
    ]
    wanted = {"seed": settings["seed"], **settings["network"]}
    with tempfile.TemporaryDirectory() as folder:
        state = checkpoint or Path(folder) / "checkpoint.npz"
        return site_network.fit(around, train["failed"] == 1, wanted, state, progress)[0]


def _sites(fields: Mapping[str, np.ndarray]) -> np.ndarray:
    """Solid voxels that count as the site, bool (n, nx, ny, nz)."""
    return (fields["failed"] == 1) & (fields["porosity"] == 0)


def _with_blocks(
    held: Sequence[Case],
    tested: Sequence[Case],
    blocks: int,
    settings: Mapping,
    source: Mapping,
    progress: Callable[[str], None],
) -> tuple[BlockChoice, pd.DataFrame, pd.DataFrame]:
    """A choice of sites that blocks around them rank anew; of the test specimens scores and sets.

    held, tested: specimens that calibrate, and those of the test part.
    """
    found: list[Submodels | None] = []
    both = [*held, *tested]
    given = settings["channels"], blocks, source["spacing"], source["simulation"]
    for each in both:
        found.append(blocks_of(each, *given))
        if len(found) % 20 == 0:
            progress(f"blocks: {len(found)} of {len(both)} specimens")
    both = [raced(*pair) for pair in zip(both, found, strict=True)]
    held, tested = both[: len(held)], both[len(held) :]
    features = [features_with(each.sites, pulled) for each, pulled in zip(both, found, strict=True)]
    anew = _judged(held, tested, features, settings, blocks)
    first = [first_block(*pair) for pair in zip(tested, found[len(held) :], strict=True)]
    own = anew.scores[[*SKILL[1:], "probability"]].add_prefix("pulled_")
    return (
        BlockChoice(blocks, anew.choice, anew.level, _skill(anew.scores)),
        pd.DataFrame(first).join(own),
        anew.sets,
    )


def _judged(
    held: Sequence[Case],
    tested: Sequence[Case],
    features: Sequence[np.ndarray],
    settings: Mapping,
    blocks: int = 0,
) -> Judged:
    """A choice that held-out specimens calibrate, and how it does on those that are tested.

    features: of the sites of all of them, in this order; blocks: that these know of.
    """
    count = len(held)
    choice, calibration_scores = calibrate_choice(
        features[:count], [each.failed for each in held], settings["penalty"]
    )
    level = conformal.level(calibration_scores, settings["coverage"])
    said = [choice.probability(each) for each in features[count:]]
    rankings = [ranking(each, level) for each in said]
    scores = pd.DataFrame([scored(*pair) for pair in zip(tested, rankings, strict=True)])
    levels = {each: conformal.level(calibration_scores, each) for each in COVERAGES}
    sets = set_rows(levels, said, [each.failed for each in tested]).assign(blocks=blocks)
    return Judged(choice, level, rankings, scores, sets)


def _skill(scores: pd.DataFrame) -> dict[str, float]:
    """SKILL of test specimens."""
    means = {name: float(scores[name].mean()) for name in SKILL[1:]}
    return {"specimens": len(scores)} | means
