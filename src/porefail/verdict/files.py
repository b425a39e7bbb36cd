"""The files of a verdict: fields for ParaView, and a report that opens without a network."""

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from porefail.store.vtkhdf import write_image
from porefail.verdict.assessment import Assessment
from porefail.verdict.part import Part

UNITS = {
    "part": "1",
    "pores": "1",
    "void_fraction": "1",
    "likelihood": "1",
    "site": "rank",
    "von_mises": "of the nominal stress",
    "mean_stress": "of the nominal stress",
    "coarse_damage": "1",
    "simulated_damage": "1",
}
# Fields that are written where they were solved.
SOLVED = {
    "von_mises": "elastic/von_mises",
    "mean_stress": "elastic/pressure",
    "coarse_damage": "presolve/damage",
}
STYLE = """body{font:16px/1.45 sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .7rem;text-align:right;
border-bottom:1px solid #ccc}th{background:#f2f2f2}img{max-width:100%;max-height:46rem}
.warning{border-left:6px solid #D55E00;background:#fdf1ea;padding:.6rem 1rem}
.good{border-left:6px solid #009E73;background:#eaf6f2;padding:.6rem 1rem}.wide{overflow-x:auto}"""


def write_fields(
    path: str | Path, part: Part, found: Assessment, voxel: float, damage: np.ndarray | None = None
) -> None:
    """Fields of the part as cells of a VTKHDF image, in mm from the corner of the scan.

    damage: (nx, ny, nz) at first failure, where it was simulated.
    """
    fields = found.physics.fields
    rank = np.zeros(found.likelihood.shape, np.uint16)
    order = found.ranking.order
    rank[tuple(found.sites.place[order].T)] = np.arange(1, len(order) + 1)
    cells = {
        "part": (~part.coarse.outside).astype(np.uint8),
        "pores": part.coarse.pores.astype(np.uint8),
        "void_fraction": part.coarse.fraction,
        "likelihood": found.likelihood,
        "site": rank,
        **{name: fields[each] for name, each in SOLVED.items() if each in fields},
    }
    if damage is not None:
        cells["simulated_damage"] = damage
    place = np.argsort(part.view.order)  # axes of the scan among those of the part
    origin = part.view.places(part.corner[None])[0]
    turned = {name: np.transpose(each, place).transpose(2, 1, 0) for name, each in cells.items()}
    write_image(path, turned, voxel, origin, UNITS)


def report(
    title: str,
    verdict: Sequence[str],
    warnings: Sequence[str],
    facts: Mapping[str, str],
    sites: pd.DataFrame,
    pores: pd.DataFrame,
    pictures: Mapping[str, bytes],
) -> str:
    """One HTML file with its pictures (PNG, by caption) inside."""
    safe = html.escape
    lines = [
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>",
        f"<title>{safe(title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{safe(title)}</h1>",
        "<div class='good'>" + "".join(f"<p>{safe(each)}</p>" for each in verdict) + "</div>",
    ]
    if warnings:
        items = "".join(f"<li>{safe(each)}</li>" for each in warnings)
        lines.append(f"<h2>Warnings</h2><div class='warning'><ul>{items}</ul></div>")
    lines += ["<h2>Likely failure sites</h2>", _table(sites)]
    for caption, picture in pictures.items():
        lines.append(
            f"<figure><img alt='{safe(caption, quote=True)}' src='data:image/png;base64,"
            f"{base64.b64encode(picture).decode()}'><figcaption>{safe(caption)}</figcaption></figure>"
        )
    lines += [f"<h2>The largest pores ({len(pores)} in all, see pores.csv)</h2>"]
    lines += [_table(pores.head(10)), "<h2>What was done</h2><table>"]
    for name, value in facts.items():
        lines.append(
            f"<tr><th>{safe(name)}</th><td style='text-align:left'>{safe(value)}</td></tr>"
        )
    lines += ["</table></body></html>\n"]
    return "\n".join(lines)


def _table(table: pd.DataFrame) -> str:
    """A table as HTML, without the places in scan voxels: they are in the CSV file."""
    there = table.drop(columns=[f"{axis}_voxel" for axis in "xyz"])
    there = there.rename(columns=lambda name: name.replace("_", " "))
    shown = there.to_html(index=False, border=0, float_format=lambda value: f"{value:.3g}")
    return f"<div class='wide'>{shown}</div>"
