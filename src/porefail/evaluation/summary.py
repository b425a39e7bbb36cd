"""What came out of an evaluation, in words."""

from collections.abc import Mapping

import numpy as np


def summary(specimens: Mapping, hits: Mapping, criteria: Mapping[str, str]) -> str:
    """What came out, in a few lines, from the tables of evaluate.

    specimens, hits: columns as in tables.SPECIMENS, .PREDICTORS. criteria: of a hit, in words.
    """
    predicted, failed = (
        np.array([specimens[f"{name}_{axis}"][0] for axis in "xyz"])
        for name in ("predicted", "failed")
    )
    places = [
        "x = {:.3f}, y = {:.3f}, z = {:.3f} mm".format(*place) for place in (predicted, failed)
    ]
    count = len(specimens["realization"])
    lines = [
        f"Specimen {specimens['realization'][0]:.0f}, the first of {count} held out of training,",
        f"  is predicted to fail at {places[0]},",
        f"  failed first at         {places[1]}:",
        f"  {np.linalg.norm(predicted - failed):.3f} mm away, "
        f"{abs(predicted[2] - failed[2]):.3f} mm along the tensile axis z.",
        "",
        f"In how many of the {count} held-out specimens the predicted site (a tie counts in part)",
        *(f"  ({letter}) {text}" for letter, text in zip("abc", criteria.values(), strict=True)),
        "",
        f"{'predictor':28s} {'(a)':>7s} {'(b)':>7s} {'(c)':>7s}   size of the site",
    ]
    for row, predictor in enumerate(hits["predictor"]):
        counts = " ".join(f"{round(hits[name][row], 1):7g}" for name in criteria)
        lines.append(f"{predictor:28s} {counts}   {hits['mean_voxels'][row]:.1f} voxels")
    return "\n".join(lines) + "\n"
