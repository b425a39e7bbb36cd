"""Held-out specimens: what is predicted of each beside what was simulated."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from porefail import store
from porefail.baselines.sites import hot_spot
from porefail.dataset.split import Part
from porefail.errors import PorefailError
from porefail.evaluation.predictors import Specimen

ROWS = 256  # realizations of the ensemble in memory at a time
FIELDS = ["realization", "failed", "elastic/von_mises", "elastic/pressure"]


def held_out(
    prediction: str | Path, dataset: str | Path, ensemble: str | Path
) -> Iterator[Specimen]:
    """The test part of a data set, one specimen at a time.

    Raises PorefailError where prediction or ensemble hold other realizations.
    """
    predicted, _ = store.read(prediction, ["realization", "mean"])
    rows = {number: row for row, number in enumerate(predicted["realization"].tolist())}
    count = store.shapes(dataset)["realization"][0]
    for first in range(0, count, ROWS):
        block = slice(first, first + ROWS)
        learnt, _ = store.read(dataset, ["realization", "part", "porosity", "label"], block)
        simulated, _ = store.read(ensemble, FIELDS, block)
        if not np.array_equal(learnt["realization"], simulated["realization"]):
            raise PorefailError(f"{dataset} and {ensemble} hold different realizations")
        stresses = simulated["elastic/von_mises"], simulated["elastic/pressure"]
        elastic = hot_spot(*stresses, learnt["porosity"])
        for i in np.flatnonzero(learnt["part"] == Part.TEST):
            number = int(learnt["realization"][i])
            if number not in rows:
                raise PorefailError(f"{prediction}: no prediction of realization {number}")
            yield Specimen(
                number,
                learnt["porosity"][i] == 0,
                learnt["label"][i],
                predicted["mean"][rows[number]],
                simulated["failed"][i] == 1,
                elastic[i],
            )
