"""What is written of a verdict, all of it in the coordinates of the scan."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from porefail import files
from porefail.figures.grey_values import grey_values
from porefail.figures.scan_sections import scan_sections
from porefail.figures.scan_sites import scan_sites
from porefail.scans.threshold import sample
from porefail.scans.volume import Scan
from porefail.verdict.files import report, write_fields
from porefail.verdict.judgement import Verdict, facts, sentences
from porefail.verdict.locator import Locator
from porefail.verdict.part import AXES
from porefail.verdict.tables import pore_columns


def write_verdict(
    output: str | Path,
    scan: Scan,
    spacing: Sequence[float],
    verdict: Verdict,
    used: Locator,
) -> None:
    """Write report.html, sites.csv, pores.csv, part.vtkhdf, summary.txt and figures; print the sum.

    spacing: (3,) mm along the axes of the scan; used: what the verdict was made with.
    """
    output = Path(output)
    found, assessed = verdict.part, verdict.assessment
    names = [AXES[each] for each in found.view.order]
    order = assessed.ranking.order
    figures = {
        "sites": scan_sites(
            found.coarse.pores,
            found.coarse.outside,
            used.voxel,
            found.corner + found.view.first,
            names,
            assessed.sites.place[order],
            assessed.ranking.probability[order],
            assessed.ranking.member[order],
            None if verdict.simulated is None else verdict.simulated.failed,
        ),
        "sections": scan_sections(
            found.view.values,
            found.view.spacing,
            names,
            found.view.first,
            _first_site(verdict, used.voxel),
            (found.segmented.part, found.labels > 0),
            found.segmented.first,
        ),
        "grey_values": grey_values(
            sample(found.view.values),
            *(
                (None, None, None)
                if found.values is None
                else (found.values.metal, found.values.void, found.values.threshold)
            ),
        ),
    }
    images = {name: files.png(figure) for name, figure in figures.items()}
    captions = (
        "The part seen from two sides: pores (grey), likely sites in the order of probability.",
        "Sections through the first site: what was taken for the part (blue) and for pores (red).",
        "Grey values of the scan.",
    )
    pores = pore_columns(found)
    text = sentences(verdict, used)
    page = report(
        f"Where will it fail? {Path(scan.path).name}",
        text,
        verdict.warnings + [f"unlike those known: {each}" for each in verdict.doubts],
        facts(scan, spacing, verdict, used),
        verdict.sites,
        pores,
        dict(zip(captions, images.values(), strict=True)),
    )
    files.write_table(output / "sites.csv", verdict.sites)
    files.write_table(output / "pores.csv", pores)
    write_fields(
        output / "part.vtkhdf",
        found,
        assessed,
        used.voxel,
        None if verdict.simulated is None else verdict.simulated.damage,
    )
    for name, image in images.items():
        files.write_bytes(output / f"{name}.png", image)
    lines = [*text, *(f"warning: {each}" for each in verdict.warnings)]
    files.write_text(output / "summary.txt", "\n".join(lines) + "\n")
    files.write_text(output / "report.html", page)
    print("\n".join(lines))
    print(f"the report: {output / 'report.html'}")


def _first_site(verdict: Verdict, voxel: float) -> np.ndarray:
    """The scan voxel of the first site in the view."""
    found, assessed = verdict.part, verdict.assessment
    place = assessed.sites.place[assessed.ranking.order[0]]
    inside = (place + 0.5) * voxel + found.coarse.corner
    at = np.floor(inside / found.view.spacing).astype(int) + found.segmented.first
    return np.clip(at, 0, np.array(found.view.values.shape) - 1)
