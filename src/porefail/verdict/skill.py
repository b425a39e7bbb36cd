"""What a locator is worth on its test specimens: tables of sites, scores, and these in words."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from porefail.metrics.intervals import bootstrap, wilson
from porefail.ranking.choice import Ranking, ranking
from porefail.study.hits import rate

BINS = 10  # of the probability
RATES = {
    "top_1": "the first site",
    "top_3": "one of three",
    "in_set": "one of the set",
    "elastic_top_1": "highest elastic stress",
    "coarse_top_1": "highest damage of one coarse load step",
    "block_top_1": "the first block to fail",
    "pulled_top_1": "the first site, ranked anew by blocks",
    "pulled_in_set": "one of the set, ranked anew by blocks",
}
# Differences of these from another, on the same specimens.
GAINS = (
    ("top_1", "elastic_top_1"),
    ("top_1", "coarse_top_1"),
    ("block_top_1", "top_1"),
    ("pulled_top_1", "top_1"),
)
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def site_rows(realization: int, ranked: Ranking, failed: np.ndarray) -> pd.DataFrame:
    """The sites of a specimen by falling probability, and which of them failed, bool (m,)."""
    probability, order, member = ranked
    return pd.DataFrame(
        {
            "realization": realization,
            "rank": np.arange(1, 1 + len(order)),
            "probability": probability[order],
            "in_set": member[order].astype(int),
            "failed": failed[order].astype(int),
        }
    )


def hits(ranked: Ranking, failed: np.ndarray) -> dict[str, int]:
    """Whether the first, one of three, one of the set is where a specimen failed; its size."""
    hit = failed[ranked.order]
    return {
        "top_1": int(hit[:1].any()),
        "top_3": int(hit[:3].any()),
        "in_set": int(failed[ranked.member].any()),
        "set_size": int(ranked.member.sum()),
    }


def set_rows(
    levels: Mapping[float, float | np.ndarray],
    probabilities: Sequence[np.ndarray],
    failed: Sequence[np.ndarray],
) -> pd.DataFrame:
    """How often sets of several coverages hold the true site, their mean size, and how probable a
    site must be to be in one (`least`; the first one always is): 0 where no set is large enough,
    which has all sites then.

    levels: conformal level by coverage, of all specimens or of each, (n,), whose mean is told then;
    probabilities, failed (bool): of each specimen's m sites.
    """
    rows = []
    for coverage, level in levels.items():
        each = np.broadcast_to(level, len(probabilities))
        found = [
            hits(ranking(chance, own), true)
            for chance, true, own in zip(probabilities, failed, each, strict=True)
        ]
        table = pd.DataFrame(found)
        rows.append(
            {"coverage": coverage, "least": max(-float(each.mean()), 0.0), "specimens": len(found)}
            | rate(table["in_set"], "in_set")
            | {"set_size": float(table["set_size"].mean())}
        )
    return pd.DataFrame(rows)


def skill_summary(scores: pd.DataFrame) -> str:
    """Rates with their 95 % Wilson intervals, paired gains with bootstrap ones, strains of blocks.

    scores: of calibration.calibrate, a row a test specimen.
    """
    count, lines = len(scores), []
    for name, words in RATES.items():
        if name in scores:
            low, high = wilson(scores[name].sum(), count)
            lines.append(f"{words}: right in {_shown(scores[name].mean(), low, high)} of {count}")
    for better, other in GAINS:
        if better in scores:
            difference = (scores[better] - scores[other]).to_numpy()
            shown = _shown(difference.mean(), *bootstrap(difference), sign="+")
            lines.append(f"{RATES[better]} over {RATES[other]}: {shown}")
    lines.append(f"sites in the set: {scores['set_size'].mean():.2f}")
    if "pulled_set_size" in scores:
        mean = scores["pulled_set_size"].mean()
        lines.append(f"sites in the set, ranked anew by blocks: {mean:.2f}")
    if "block_strain" in scores:
        strains = ", ".join(f"{each:.3f}" for each in scores["block_strain"].quantile(QUANTILES))
        shares = ", ".join(f"{100 * each:.0f}" for each in QUANTILES)
        lines.append(f"strain of the first block over the specimen's, {shares} %: {strains}")
    return "\n".join(lines)


def _shown(value: float, low: float, high: float, sign: str = "") -> str:
    return f"{value:{sign}.3f} ({low:{sign}.3f}, {high:{sign}.3f})"
