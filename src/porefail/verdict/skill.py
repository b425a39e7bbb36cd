"""What a locator is worth on its test specimens, in words."""

import pandas as pd

from porefail.metrics.intervals import bootstrap, wilson

RATES = {
    "top_1": "the first site",
    "top_3": "one of three",
    "in_set": "one of the set",
    "elastic_top_1": "highest elastic stress",
    "coarse_top_1": "highest damage of one coarse load step",
    "block_top_1": "the first block to fail",
}
# Differences of these from another, on the same specimens.
GAINS = (("top_1", "elastic_top_1"), ("top_1", "coarse_top_1"), ("block_top_1", "top_1"))
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


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
    if "block_strain" in scores:
        strains = ", ".join(f"{each:.3f}" for each in scores["block_strain"].quantile(QUANTILES))
        shares = ", ".join(f"{100 * each:.0f}" for each in QUANTILES)
        lines.append(f"strain of the first block over the specimen's, {shares} %: {strains}")
    return "\n".join(lines)


def _shown(value: float, low: float, high: float, sign: str = "") -> str:
    return f"{value:{sign}.3f} ({low:{sign}.3f}, {high:{sign}.3f})"
