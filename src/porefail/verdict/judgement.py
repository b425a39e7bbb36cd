"""A scan in, a verdict out: all that is told of one part."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from porefail.configuration.codes import Status
from porefail.errors import PorefailError
from porefail.fe import tension
from porefail.fe.material import named_material
from porefail.fe.submodels import Submodels
from porefail.scans import lengths
from porefail.scans.coarsening import Coarse
from porefail.scans.volume import Scan
from porefail.store import memory
from porefail.verdict import assessment, words
from porefail.verdict.fine import fine_stress
from porefail.verdict.locator import BlockChoice, Locator
from porefail.verdict.part import AXES, MOVED, Choices, Part, moved, part, view
from porefail.verdict.physics import solve
from porefail.verdict.pulled import even_section, pull, ranked_anew, with_found
from porefail.verdict.tables import site_table

BYTES = 25  # of memory, a scan voxel that is looked at: 22 measured
# Of memory, a voxel of the simulation, with the assessments at three thresholds, by what is solved.
SOLVING = {assessment.ELASTIC: 300, assessment.COARSE: 2600}
PORES = 320  # the same of stresses that are superposed: 243 measured


# What a locator was told, by what was solved for it.
PHYSICS = {
    (): "nothing solved: stresses as if each void voxel were alone",
    (assessment.ELASTIC,): "a linear elastic solve",
    (assessment.COARSE,): "a coarse load step",
    (assessment.ELASTIC, assessment.COARSE): "a linear elastic solve and a coarse load step",
}


class Simulated(NamedTuple):
    """The whole simulation of a part: damage (nx, ny, nz) at first failure, failed bool, strain."""

    damage: np.ndarray
    failed: np.ndarray
    strain: float


class Verdict(NamedTuple):
    """submodels: of blocks around the likeliest sites; by_blocks: what ranked the sites anew by
    them, None where nothing did; warnings: of the scan and of the threshold; doubts: why
    probabilities are not calibrated."""

    part: Part
    assessment: assessment.Assessment
    submodels: Submodels | None
    by_blocks: BlockChoice | None
    simulated: Simulated | None
    sites: pd.DataFrame
    warnings: list[str]
    doubts: list[str]


def judge(
    scan: Scan,
    spacing: Sequence[float],
    choices: Choices,
    locator: Locator,
    simulate: bool = False,
    blocks: int = 0,
    progress: Callable[[str], None] = print,
) -> Verdict:
    """The likely sites of the part in a scan, with warnings; spacing: (3,) mm by the scan's axes.

    simulate: also by the whole simulation; blocks: also by so many sub-models, of the likeliest
    sites; where the locator was calibrated with so many or fewer, by those, and sites are ranked
    anew by them.
    Raises PorefailError where there is no part, no pore, or no memory.
    """
    voxel = locator.voxel
    looked_at = fitting_bin(scan, choices)
    seen = view(scan, spacing, choices._replace(bin=looked_at))
    solves = assessment.solves_of(locator.channels)
    asked = {*solves, assessment.COARSE} if simulate else solves
    needed = max([PORES, *(SOLVING[each] for each in asked)])
    found = part(scan.path, seen, choices, voxel, progress, needed)
    warnings = words.scan_warnings(
        found, voxel, 0.5 * np.array(scan.values.shape) * np.asarray(spacing)
    )
    if looked_at != choices.bin:
        warnings.append(
            f"memory: too little for the whole scan, so means of {looked_at} x {looked_at} x"
            f" {looked_at} voxels were looked at"
        )
    assessed = _assessed(found.coarse, locator, progress)
    others = []
    for share in (-MOVED, MOVED):
        coarse = moved(found, share, voxel)
        if coarse is not None:
            progress(f"the same with a threshold moved by {share:+.0%} of the contrast")
            others.append((share, _again(coarse, found.coarse, assessed, locator)))
    pulled = by_blocks = None
    firsts = assessed.sites.place[assessed.ranking.order[:1]]
    if blocks:
        progress("blocks around the likeliest sites, pulled to first failure")
        calibrated = locator.blocks is not None and blocks >= locator.blocks.most
        if calibrated and even_section(found.coarse.outside):
            by_blocks, blocks = locator.blocks, locator.blocks.most
        given = locator.channels, blocks, voxel, locator.simulation
        pulled = pull(found.coarse.porosity, assessed.sites, *given)
        if by_blocks is not None:
            among = with_found(assessed.sites, pulled, assessed.physics)
            anew = ranked_anew(by_blocks, among, pulled)
            assessed = assessed._replace(sites=among, ranking=anew)
            firsts = np.concatenate([firsts, among.place[anew.member]])
    # Other thresholds are judged without blocks, which decide between the sites of the set.
    warnings += words.moved_first(firsts, others)
    simulated = _simulated(found.coarse, locator, progress) if simulate else None
    failed = None if simulated is None else simulated.failed
    fine = None
    if solves:  # who asked for no solve of the part wants none of its scan, which is larger
        fine = fine_stress(found, assessed.sites.place, voxel, locator.simulation, progress)
    sites = site_table(found, assessed, voxel, failed, fine, pulled)
    doubts = words.confidence(found, assessed, locator)
    return Verdict(found, assessed, pulled, by_blocks, simulated, sites, warnings, doubts)


def fitting_bin(scan: Scan, choices: Choices) -> int:
    """Scan voxels that are one, along each axis: those asked for, or more where memory is short."""
    sides = [
        len(range(*each.indices(n)))
        for n, each in zip(scan.values.shape, choices.crop or (slice(None),) * 3, strict=True)
    ]
    size, there = choices.bin, memory.available()
    while BYTES * np.prod([side / size for side in sides]) > there:
        size += 1
    return size


def facts(scan: Scan, spacing: Sequence[float], verdict: Verdict, locator: Locator) -> dict:
    """What was done, in words, by name."""
    found, coarse = verdict.part, verdict.part.coarse
    sides = [n * h for n, h in zip(found.segmented.part.shape, found.view.spacing, strict=True)]
    skill = (verdict.by_blocks or locator).skill
    means = "ranked anew by blocks, " if verdict.by_blocks else ""
    return {
        "scan": f"{scan.path}: {scan.format}, {' x '.join(map(str, scan.values.shape))} voxels of"
        f" {scan.values.dtype}",
        "voxel": " x ".join(lengths.shown(each) for each in spacing),
        "tensile axis": AXES[found.view.order[2]],
        "segmentation": found.metal,
        "part": " x ".join(lengths.shown(each) for each in sides) + " (tensile axis last)",
        "pores": f"{len(found.pores)}, porosity"
        f" {np.count_nonzero(found.labels) / np.count_nonzero(found.segmented.part):.3%}",
        "simulation's voxels": f"{' x '.join(map(str, coarse.porosity.shape))} of"
        f" {lengths.shown(locator.voxel)}, {np.count_nonzero(coarse.pores)} void,"
        f" {coarse.lost} pores lost",
        "physics": PHYSICS[assessment.solves_of(locator.channels)] + _blocks(verdict),
        "locator": f"{locator.source}; {_scanned(locator)}; {means}on"
        f" {skill['specimens']:.0f} that chose nothing its first site was right"
        f" in {skill['top_1']:.0%}, one of three in {skill['top_3']:.0%}; the set held the true"
        f" site in {skill['in_set']:.0%} (asked for {locator.coverage:.0%})",
    }


def sentences(verdict: Verdict, locator: Locator) -> list[str]:
    """The verdict itself."""
    sites = verdict.sites
    first = sites.iloc[0]
    count = int(sites["in_set"].sum())
    lines = [
        f"The likeliest failure site is at x = {first.x_mm:.3f}, y = {first.y_mm:.3f}, z ="
        f" {first.z_mm:.3f} mm (pore {first.pore:.0f} of pores.csv),"
        f" with a probability of {first.probability:.0%}.",
    ]
    if verdict.doubts:
        lines.append(f"But {words.NOT_CALIBRATED}: " + "; ".join(verdict.doubts) + ".")
    elif np.isinf((verdict.by_blocks or locator).level):
        lines.append(
            f"No set of sites can be promised to hold the true one {locator.coverage:.0%}."
        )
    else:
        lines.append(
            f"The part fails at {'it' if count == 1 else f'one of the first {count} sites'} in"
            f" {locator.coverage:.0%} of parts like those that the probabilities are of."
        )
    if verdict.submodels is not None:
        lines.append(_first_block(verdict.submodels, sites))
        if verdict.by_blocks is None:
            lines.append(f"These blocks change no probability: {_unused(verdict, locator)}.")
    if verdict.simulated is not None:
        at = sites.index[sites["simulated_failure"] == 1]
        where = f"at site {sites['rank'][at[0]]}" if len(at) else "at none of these sites"
        lines.append(
            f"The whole simulation fails first {where}, at a nominal strain of"
            f" {verdict.simulated.strain:.2%}."
        )
    return lines


def _blocks(verdict: Verdict) -> str:
    """What blocks were pulled, after the other physics."""
    if verdict.submodels is None:
        return ""
    blocks = verdict.submodels
    longer = f", {blocks.again} of them longer" if blocks.again else ""
    return f"; blocks around likely sites, pulled to first failure: {blocks.pulled}{longer}"


def _unused(verdict: Verdict, locator: Locator) -> str:
    """Why blocks that were pulled rank no site anew."""
    if locator.blocks is None:
        return "the locator was calibrated without"
    if not even_section(verdict.part.coarse.outside):
        return "the cross-section varies along the part, so they bear different stresses"
    return f"the locator was calibrated with {locator.blocks.most}"


def _first_block(pulled: Submodels, sites: pd.DataFrame) -> str:
    """Which of the sub-models failed first."""
    strain = np.nanmin(pulled.strain, initial=np.inf)
    lost = f" For {pulled.lost} of them no solution was found." if pulled.lost else ""
    some = f"{pulled.pulled} blocks around the likeliest sites"
    if pulled.pulled == 1:
        some = "one block"
    elif pulled.again:
        some += f" ({pulled.again} of them longer, for a close race)"
    if not np.isfinite(strain):
        return f"Of {some}, pulled alone, none fails.{lost}"
    at = sites.index[sites["submodel_strain"] <= strain]
    where = f"site {sites['rank'][at[0]]}" if len(at) else "a place that is none of these sites"
    return (
        f"Of {some}, pulled alone, the first to fail does so at {where}, at a nominal strain of"
        f" {strain:.2%}.{lost}"
    )


def _scanned(locator: Locator) -> str:
    voxel, noise = locator.scanned
    if not voxel:
        return "probabilities from exact voxels"
    return (
        f"probabilities from phantom scans of {lengths.shown(voxel)} voxels with {noise:.0%} noise"
    )


def _assessed(coarse: Coarse, locator: Locator, progress) -> assessment.Assessment:
    physics = solve(
        coarse.pores,
        coarse.outside,
        locator.voxel,
        locator.simulation,
        locator.presolve,
        progress,
        assessment.solves_of(locator.channels),
    )
    return assessment.assess(physics, locator)


def _again(
    coarse: Coarse, known: Coarse, assessed: assessment.Assessment, locator: Locator
) -> assessment.Assessment | None:
    """The assessment of other voxels, not made twice for the same ones; None where none is."""
    if np.array_equal(coarse.pores, known.pores):
        return assessed
    try:
        return _assessed(coarse, locator, lambda text: None)
    except PorefailError:
        return None


def _simulated(coarse: Coarse, locator: Locator, progress) -> Simulated:
    progress("the whole simulation to first failure")
    simulation = locator.simulation
    result = tension.simulate(
        coarse.porosity,
        locator.voxel,
        named_material(simulation["material"]),
        tension.load_settings(simulation)._replace(until="first_failure"),
    )
    if result.status != Status.FIRST_FAILURE:
        raise PorefailError(
            f"the whole simulation ended without failure: {Status(result.status).name.lower()}"
        )
    return Simulated(result.damage, result.failed == 1, float(result.first_failure_strain))
