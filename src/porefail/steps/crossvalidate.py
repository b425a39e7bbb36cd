"""crossvalidate: fit a variant of label and model on one fold and score it on the rest.

Paper, section 4.2.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated

import pandas as pd

from porefail import files, learning, store
from porefail.command_line.kinds import File, Files, NewFile, Settings
from porefail.configuration import require_settings
from porefail.configuration.checks import training_problems
from porefail.configuration.sections import DATASET, EVALUATION
from porefail.configuration.variants import SITE_KINDS, channels_of
from porefail.dataset.split import Part, split
from porefail.learning import uncertain
from porefail.learning.predictors import fit_predictor
from porefail.nn.checkpoint import Epoch
from porefail.study.scores import fold_tables
from porefail.study.transfer import transfer_ensembles

AVERAGE = {"average": "training.average"}  # of the predictions
SETTINGS = {
    "label": "$defs.name",
    "model": "$defs.name",
    "kind": "$defs.model_kind",
    "fold": "$defs.fold",
    "dataset": DATASET,
    # Of networks that say how sure they are, uncertain.SETTINGS.
    "training": learning.SETTINGS | AVERAGE,
    "baselines": "baselines",
    "evaluation": EVALUATION,
}


def run(
    ensemble: Annotated[File, "ensemble"],
    scores: Annotated[NewFile, "scores to write, a row a set of specimens (CSV)"],
    curves: Annotated[NewFile, "counts over thresholds to write (CSV)"],
    distribution: Annotated[NewFile, "distribution of damage and error to write (CSV)"],
    specimens: Annotated[NewFile, "hits of each specimen to write (CSV)"],
    history: Annotated[NewFile, "learning curves to write (CSV)"],
    checkpoint: Annotated[NewFile, "state to write after each epoch and to resume from"],
    settings: Settings,
    transfer: Annotated[Files, "other ensembles to score it on"] = (),
) -> None:
    """Write the scores of a variant on the test part of a fold, and on other ensembles.

    settings: the keys of SETTINGS. transfer: ensembles of other specimens, named after their
    folder, whose realizations are all predicted. The threshold that makes clusters of a prediction
    is chosen on the validation part. A training that was killed goes on from `checkpoint`.
    """
    wanted = SETTINGS
    if settings.get("kind") in uncertain.KINDS:
        wanted = SETTINGS | {"training": uncertain.SETTINGS | AVERAGE}
    require_settings(settings, wanted, _problems)
    _, source = store.read(ensemble, [], kind="ensemble")
    channels = channels_of(settings["kind"], settings["training"])
    known, failed = learning.specimens(ensemble, settings["dataset"], channels)
    part = split(
        known.realization,
        settings["dataset"]["split"],
        settings["dataset"]["seed"],
        settings["fold"],
    )
    training, validation = known.where(part == Part.TRAIN), known.where(part == Part.VALIDATION)
    sets = {
        "validation": (validation, failed[part == Part.VALIDATION]),
        "test": (known.where(part == Part.TEST), failed[part == Part.TEST]),
    }
    others = transfer_ensembles(transfer, sets, source, settings["dataset"], channels)
    fitted, epochs = fit_predictor(training, validation, source, checkpoint, settings)
    for name, path in others.items():
        sets[name] = learning.specimens(path, settings["dataset"], channels)
    tables = fold_tables(sets, fitted, settings)
    tables["history"] = pd.DataFrame(epochs, columns=Epoch._fields)
    paths = {"history": history, "curves": curves, "distribution": distribution}
    for name, path in (paths | {"specimens": specimens, "scores": scores}).items():
        files.write_table(path, tables[name])


def _problems(settings: Mapping) -> Iterator[str]:
    """Contradictions in settings."""
    yield from training_problems(settings["training"], "training.")
    loss, transform = settings["training"]["loss"], settings["dataset"]["transform"]
    if loss == "site_likelihood" and transform != "site":
        yield f"training.loss is {loss}, which needs dataset.transform site, not {transform}"
    if settings["kind"] in SITE_KINDS and transform != "site":
        yield f"kind is {settings['kind']}, which needs dataset.transform site, not {transform}"
