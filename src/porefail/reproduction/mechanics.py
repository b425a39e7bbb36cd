"""Section 2 of the paper: pores, stages of failure, collapse, moved pores."""

import numpy as np
import pandas as pd

from porefail.phenomenology.comparison import FAR, PLATEAU
from porefail.reproduction.claims import Claim, claim

COLLAPSE = "they need specimens pulled to structural failure: config/collapse.yaml"
# Of phenomenology's table: row, where the paper has it, what counts as agreement with the median
# (or with the one number that there is), why.
STAGES = (
    (
        f"stage II begins ({PLATEAU[0]} phi_max reached)",
        "2.4, Figs 1, 3",
        (1.5, 2.5),
        "our specimens reach the plateau later: pores of their reading are small, see mechanics",
    ),
    (
        "largest damage at 2 % strain",
        "2.4, Figs 1, 3",
        (0.5, 0.7),
        "stage I is slower than the paper's; the same specimens reach it by 3 %",
    ),
    (
        "largest damage at 4 % strain",
        "2.4, Figs 1, 3",
        (0.5, 0.7),
        "two of eight Gauss points have lost their stiffness, six wait: 0.67",
    ),
    (
        "level of the plateau",
        "2.4, Figs 1-3",
        (0.5, 0.7),
        "locking of fully integrated elements: (2 + 6 x 0.11) / (8 x 0.5)",
    ),
    (
        "plateau: strain at {} to {} phi_max".format(*PLATEAU),
        "2.4, Figs 1, 3",
        (1.0, 3.0),
        "the same cause: points saturate one after the other",
    ),
    (
        "strain at first failure",
        "2.4, Figs 1, 3",
        (4.0, 5.0),
        "about 1 % late, as all stages; load steps add 6 % of it",
    ),
    (
        "voxels failed at first failure",
        "2.4",
        (1.0, 2.0),
        "a step that would break several voxels is cut",
    ),
    (
        "failed share at first failure",
        "3",
        (2e-5, 2e-4),
        "one voxel of 32,000",
    ),
)
COLLAPSES = (
    ("strain at structural failure", "2.4, Figs 1, 3", (4.0, 6.0), "voxels fail one by one"),
    (
        "strain from first to structural failure",
        "2.4",
        (0.0, 1.0),
        "stress falls quickly, but not at once: few voxels fail in a step",
    ),
    (
        "|dz| of first and final failure",
        "2.4",
        (0.0, 0.08),
        "median; the crack runs on from the first voxel",
    ),
    (f"specimens with |dz| above {FAR:g} mm", "2.4", None, "those that crack elsewhere"),
    (
        "z deviation of final failure",
        "2.4",
        (0.0, 0.15),
        "mm; a layer one voxel thick has 0, a cut at 45 degrees 0.29",
    ),
)


def pores(
    shape: tuple[int, ...], modes: int, mean: float, specimens: int, wanted: float
) -> list[Claim]:
    """Of the porosity process: modes kept, mean porosity of the specimens, wanted of all."""
    return [
        claim(
            "2.2",
            "modes of 99.9 % of the energy",
            "about 12,000",
            f"{modes:,}",
            11_000 <= modes <= 13_000,
            "chosen so: the correlation length is not printed",
        ),
        claim(
            "2.2",
            "mean porosity",
            "0.0008",
            f"{mean:.5f} ({specimens} that failed)",
            abs(mean / wanted - 1) < 0.1,
            "the threshold is the normal quantile; empty specimens do not fail",
        ),
        claim(
            "2.2",
            "grid",
            "20 x 20 x 80",
            " x ".join(map(str, shape)),
            shape == (20, 20, 80),
            "the same",
        ),
    ]


def stages(table: pd.DataFrame, collapse: pd.DataFrame | None) -> list[Claim]:
    """Claims of section 2.4; tables of `phenomenology`, the second of specimens that collapsed."""
    found = [_of_table(table, *each) for each in STAGES]
    ended = table if collapse is None else collapse
    for name, where, window, why in COLLAPSES:
        one = _of_table(ended, name, where, window, why)
        found.append(one if one.ours[:1].isdigit() else one._replace(why=COLLAPSE))
    return found


def _of_table(
    table: pd.DataFrame, name: str, where: str, window: tuple[float, float] | None, why: str
) -> Claim:
    rows = table[table["quantity"] == name]
    if rows.empty or not rows["n"].iloc[0]:
        return claim(where, name.replace("|", ""), "", None, None, why)
    row = rows.iloc[0]
    unit = "" if row["unit"] == "1" else f" {row['unit']}"
    middle = row["mean"] if np.isnan(row["median"]) else row["median"]
    text = f"{middle:.3g}{unit}"
    if not np.isnan(row["lower"]):
        text += f", {row['lower']:.3g}-{row['upper']:.3g}"
    holds = None if window is None else window[0] <= middle <= window[1]
    paper = str(row["paper"]).replace("nan", "")
    words = name.replace("|", "")
    return claim(
        where, words, f"{paper}{unit if paper else ''}", f"{text} (n {row['n']:.0f})", holds, why
    )


def moved_pores(table: pd.DataFrame) -> list[Claim]:
    """Section 2.5, from the table of `sensitivity`."""
    share = table["moved"] / table["failed"]
    still, some = int((share <= 0.1).sum()), int((table["places"].between(2, 3)).sum())
    many = int((table["places"] > 3).sum())
    copies = int(table["copies"].sum())
    return [
        claim(
            "2.5, Fig. 4",
            "specimens, perturbed copies of each",
            "12; 100, of three 500",
            f"{len(table)}; {table['copies'].median():.0f}",
            None,
            f"{copies} more simulations",
        ),
        claim(
            "2.5, Fig. 4",
            "specimens that hardly react (at most 1 copy of 10 fails elsewhere)",
            "a, c, f and others of 12",
            f"{still} of {len(table)}",
            still >= 1,
            "one site is far ahead of the others",
        ),
        claim(
            "2.5, Fig. 4",
            "specimens that fail at two or three places",
            "b, i, k of 12",
            f"{some} of {len(table)}",
            some >= 1,
            "sites race; one voxel decides",
        ),
        claim(
            "2.5, Fig. 4",
            "specimens that fail at several places",
            "g of 12",
            f"{many} of {len(table)}",
            many >= 1,
            "their sites are nearly equal",
        ),
    ]
