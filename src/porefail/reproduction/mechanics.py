"""Section 2 of the paper: pores, stages of failure, collapse, moved pores."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from porefail.phenomenology.comparison import PLATEAU
from porefail.reproduction.claims import Claim, claim

POROSITY = 0.0008  # of the paper
STILL = 0.1  # share of the copies that fail elsewhere, of a specimen that hardly reacts


class Row(NamedTuple):
    """A row of the table of phenomenology: what the paper says of it, and what agrees with that.

    window: of the statistic (`median`, or `mean` where the paper tells that), None where the paper
    has no number; why_not: where it does not agree.
    """

    quantity: str
    where: str
    paper: str
    window: tuple[float, float] | None
    statistic: str = "median"
    why: str = ""
    why_not: str = ""


STAGES = (
    Row(
        f"stage II begins ({PLATEAU[0]} phi_max reached)",
        "2.4, Figs 1, 3",
        "2 %",
        (1.5, 2.5),
        why_not="all stages come later: pores of our process are small and round",
    ),
    Row(
        "largest damage at 2 % strain",
        "2.4, Figs 1, 3",
        "0.6",
        (0.5, 0.7),
        why_not="stage I is slower",
    ),
    Row(
        "largest damage at 4 % strain",
        "2.4, Figs 1, 3",
        "0.6",
        (0.5, 0.7),
        why="two of eight Gauss points have lost their stiffness, six wait",
    ),
    Row(
        "level of the plateau",
        "2.4, Figs 1-3",
        "0.6",
        (0.5, 0.7),
        why="locking of fully integrated elements: (2 + 6 x 0.11) / (8 x 0.5) = 0.67",
    ),
    Row(
        f"plateau: strain at {PLATEAU[0]} to {PLATEAU[1]} phi_max",
        "2.4, Figs 1, 3",
        "about 2 %",
        (1.0, 3.0),
        why="points saturate one after the other",
    ),
    Row(
        "strain at first failure",
        "2.4, Figs 1, 3",
        "4 to 5 %",
        (4.0, 5.0),
        why_not="stages begin later and are as long; the default load steps overshoot a little",
    ),
    Row(
        "voxels failed at first failure",
        "2.4, 3",
        "one, rarely a few",
        (1.0, 2.0),
    ),
    Row(
        "failed share at first failure",
        "3",
        "order of 1e-4",
        (2e-5, 3e-4),
        why="one voxel of 32,000 is 3e-5",
    ),
)
COLLAPSES = (
    Row("strain at structural failure", "2.4, Figs 1, 3", "no number", None),
    Row(
        "strain from first to structural failure",
        "2.4",
        "the specimen quickly fails",
        None,
        why="stress falls quickly, voxel by voxel",
    ),
    Row(
        "|dz| of first and final failure",
        "2.4",
        "mean 0.04 mm",
        (0.0, 0.08),
        "mean",
        why_not="a few specimens crack elsewhere than they fail first, and they make the mean",
    ),
    Row(
        "z deviation of final failure",
        "2.4",
        "horizontal",
        (0.0, 0.15),
        why="a layer one voxel thick has 0, a cut at 45 degrees 0.29 mm",
    ),
)


def pores(shape: tuple[int, ...], modes: int, mean: float, specimens: int) -> list[Claim]:
    """Of the porosity process: modes kept, mean porosity of the specimens that failed."""
    return [
        claim(
            "2.2",
            "grid",
            "20 x 20 x 80",
            " x ".join(map(str, shape)),
            tuple(shape) == (20, 20, 80),
        ),
        claim(
            "2.2",
            "modes of 99.9 % of the energy",
            "about 12,000",
            f"{modes:,}",
            11_000 <= modes <= 13_000,
            "chosen so: the correlation length is not printed",
            "the grid, the length or the exponent is another",
        ),
        claim(
            "2.2",
            "mean porosity",
            f"{POROSITY}",
            f"{mean:.5f}",
            abs(mean / POROSITY - 1) < 0.1,
            "one threshold, the normal quantile",
            "asked for in the configuration",
        ),
        claim("3", "realizations", "18,452", f"{specimens:,} that failed", None),
    ]


def stages(table: pd.DataFrame, collapse: pd.DataFrame | None) -> list[Claim]:
    """Claims of section 2.4; tables of `phenomenology`, the second of specimens that collapsed."""
    ended = table if collapse is None else collapse
    return [_of_table(table, row) for row in STAGES] + [_of_table(ended, row) for row in COLLAPSES]


def _of_table(table: pd.DataFrame, row: Row) -> Claim:
    found = table[table["quantity"] == row.quantity]
    words = row.quantity.replace("|", "")
    if found.empty or not found["n"].iloc[0]:
        return claim(row.where, words, row.paper, None)
    given = found.iloc[0]
    unit = "" if given["unit"] == "1" else f" {given['unit']}"
    text = f"median {given['median']:.3g}{unit}, {given['lower']:.3g}-{given['upper']:.3g}"
    if row.statistic == "mean":
        text = f"mean {given['mean']:.3g}{unit}; {text}"
    holds = None
    if row.window is not None:
        holds = bool(row.window[0] <= given[row.statistic] <= row.window[1])
    ours = f"{text} (n {given['n']:.0f})"
    return claim(row.where, words, row.paper, ours, holds, row.why, row.why_not)


def moved_pores(table: pd.DataFrame) -> list[Claim]:
    """Section 2.5, from the table of `sensitivity`: each specimen is of one kind."""
    still = (table["moved"] / table["failed"] <= STILL) | (table["places"] == 1)
    few = ~still & (table["places"] <= 3)
    kinds = (
        (f"that hardly react (one place, or at most {STILL:.0%} elsewhere)", "a, c, f", still),
        ("that fail at two or three places", "b, i, k", few),
        ("that fail at several places", "g", ~still & ~few),
    )
    copies = table["copies"]
    return [
        claim(
            "2.5, Fig. 4",
            "specimens; perturbed copies of each",
            "12; 100, of three 500",
            f"{len(table)}; {copies.min():.0f} to {copies.max():.0f}",
            why="with fewer copies rare places are not seen",
        ),
        *(
            claim(
                "2.5, Fig. 4",
                f"specimens {words}",
                f"{paper} of 12",
                f"{np.count_nonzero(kind)} of {len(table)}",
            )
            for words, paper, kind in kinds
        ),
    ]
