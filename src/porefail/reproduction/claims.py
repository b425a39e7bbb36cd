"""A statement of the paper beside our value, and all of them as a page."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

NOT_RUN = "not run"


class Claim(NamedTuple):
    """A statement: where the paper has it, of what, its value, ours, whether they agree, why.

    agrees: "yes", "no", or "" where the paper has no number, or nothing was run.
    """

    where: str
    quantity: str
    paper: str
    ours: str
    agrees: str
    why: str


def claim(
    where: str,
    quantity: str,
    paper: str,
    ours: str | None,
    holds: bool | None = None,
    why: str = "",
    why_not: str = "",
) -> Claim:
    """ours: None where the run has nothing of it; holds: None where there is nothing to agree with.

    why: also where there is nothing to agree with; why_not: where they do not agree.
    """
    if ours is None:
        return Claim(where, quantity, paper, NOT_RUN, "", "")
    if holds is None:
        return Claim(where, quantity, paper, ours, "", why)
    return Claim(where, quantity, paper, ours, *(("yes", why) if holds else ("no", why_not)))


def shown(value: float, digits: int = 3) -> str | None:
    """A number of so many digits; None for NaN."""
    return None if np.isnan(value) else f"{value:.{digits}g}"


def page(claims: Sequence[Claim], head: str) -> str:
    """All claims as Markdown, under a head."""
    table = pd.DataFrame(claims)
    names = ["where", "of", "paper", "ours", "agrees", "why, or why not"]
    lines = [head.rstrip(), "", _row(names), _row(["---"] * len(names))]
    lines += [_row(each) for each in table.to_numpy()]
    told = table[table["agrees"] != ""]
    agree = int((told["agrees"] == "yes").sum())
    lines += ["", f"{agree} of {len(told)} agree."]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
