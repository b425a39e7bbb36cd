"""What a scan is, told without any computation on it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from porefail import files
from porefail.figures.grey_values import grey_values
from porefail.figures.scan_sections import scan_sections
from porefail.scans import lengths
from porefail.scans.threshold import LABELS, otsu, sample
from porefail.scans.volume import Scan
from porefail.verdict.judgement import BYTES
from porefail.verdict.part import AXES


def inspection(
    scan: Scan, spacing: Sequence[float] | None, output: str | Path | None = None
) -> str:
    """Format, voxels, sizes, grey values of a scan and the memory of a verdict, in words.

    spacing: (3,) mm, None where it is not known. With an output, pictures are written there.
    """
    lines: list[str] = []
    tell = lines.append
    values = scan.values
    some = sample(values)
    tell(f"file:    {scan.path}")
    tell(f"format:  {scan.format}")
    tell(f"voxels:  {' x '.join(map(str, values.shape))} ({values.size:,}) of {values.dtype}")
    if spacing is None:
        tell(f"voxel:   not known: {scan.source}; give --voxel-size, as 9.8um")
    else:
        edges = " x ".join(lengths.shown(each) for each in spacing)
        source = scan.source if scan.spacing == tuple(spacing) else "given"
        sides = [lengths.shown(n * h) for n, h in zip(values.shape, spacing, strict=True)]
        tell(f"voxel:   {edges} ({source})")
        tell(f"size:    {' x '.join(sides)}")
    wrong = np.count_nonzero(~np.isfinite(some))
    some = some[np.isfinite(some)]
    if wrong:
        tell(f"values:  {wrong} of {some.size + wrong} looked at are no numbers (NaN, infinite)")
    if not some.size:
        return "\n".join(lines)
    tell(f"values:  {some.min():g} to {some.max():g}, mean {some.mean():.5g}")
    kinds, counts = np.unique(some, return_counts=True)
    if len(kinds) <= LABELS:
        for kind, count in zip(kinds, counts, strict=True):
            tell(f"         {kind:g}: {count / some.size:.2%} of the voxels")
    else:
        counts, edges = np.histogram(some, 12)
        for count, low, high in zip(counts, edges, edges[1:], strict=False):
            bar = "#" * round(40 * count / counts.max())
            tell(f"         {low:10.5g} to {high:10.5g}  {count / some.size:7.2%} {bar}")
        tell(f"Otsu:    {otsu(some):.5g} parts two kinds of voxels")
    tell(f"memory:  about {BYTES * values.size / 1e9:.2g} GB for a verdict")
    if output is not None:
        known = spacing or (1.0, 1.0, 1.0)
        files.write_figures(
            output,
            {
                "sections": scan_sections(values, known, AXES),
                "grey_values": grey_values(some, None, None, None),
            },
        )
    return "\n".join(lines)
