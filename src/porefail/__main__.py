"""The command line: `python -m porefail <verb>`: a verb for each rule of the workflow, and tools.

Each verb imports only its own step, so a simulation node needs no TensorFlow.
"""

import argparse
import importlib
import os
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from porefail import __version__
from porefail.errors import PorefailError

# For each verb: what it does, and its options (name, kind, help, and the default of one that may be
# left out).
Verbs = dict[str, tuple[str, list[tuple]]]
FILE, NUMBER, REAL, TEXT, JSON = "FILE", "NUMBER", "REAL", "NAME", "JSON"
FILES, NUMBERS, REALS = "FILES", "NUMBERS", "REALS"  # one or more
FOLDER = "FOLDER"
NEW, INTO, EITHER = "FILE to write", "FOLDER to write into", "FILE|FOLDER"
SETTINGS = ("settings", JSON, "settings of this step, as in config/schema.yaml")
RULES: Verbs = {
    "porosity": (
        "draw the explicit pores of a batch of realizations",
        [
            ("output", NEW, "porosity shard to write (HDF5)"),
            ("first", NUMBER, "number of the first realization"),
            ("last", NUMBER, "number of the last realization, inclusive"),
            SETTINGS,
        ],
    ),
    "simulate": (
        "pull every realization of a batch to its first failure; run it with mpiexec",
        [
            ("porosity", FILE, "porosity shard"),
            ("output", NEW, "simulation shard to write (HDF5)"),
            ("model-version", NUMBER, "version of the physics that is asked for"),
            ("ranks-per-realization", NUMBER, "ranks that share one realization"),
            SETTINGS,
        ],
    ),
    "gather": (
        "join the shards to one ensemble, with every realization accounted for",
        [
            ("shards", FILES, "simulation shards"),
            ("output", NEW, "ensemble to write (HDF5)"),
            ("account", NEW, "what became of each realization, to write (CSV)"),
            ("settings", JSON, "what all shards must be made with; number of realizations"),
        ],
    ),
    "phenomenology": (
        "compare how the ensemble is damaged and fails with section 2.4 of the paper",
        [
            ("ensemble", FILE, "ensemble"),
            ("account", FILE, "what became of each realization (CSV, from gather)"),
            ("output", INTO, "folder of the figures, table.csv and summary.txt, to write"),
            SETTINGS,
        ],
    ),
    "dataset": (
        "turn damage into labels and split the realizations",
        [
            ("ensemble", FILE, "ensemble"),
            ("output", NEW, "data set to write (HDF5)"),
            SETTINGS,
        ],
    ),
    "train": (
        "train the network; goes on from its checkpoint if there is one",
        [
            ("dataset", FILE, "data set"),
            ("model", NEW, "best network to write (.keras)"),
            ("history", NEW, "learning curves to write (CSV)"),
            ("checkpoint", NEW, "state to write after each epoch and to resume from"),
            SETTINGS,
        ],
    ),
    "train-bayesian": (
        "train the Bayesian twin of the trained network; goes on from its checkpoint",
        [
            ("dataset", FILE, "data set"),
            ("trained", FILE, "trained network that it starts from (.keras)"),
            ("model", NEW, "Bayesian network to write (.keras)"),
            ("history", NEW, "learning curves to write (CSV)"),
            ("checkpoint", NEW, "state to write after each epoch and to resume from"),
            SETTINGS,
        ],
    ),
    "predict": (
        "predict the held-out specimens and rank their likely failure sites",
        [
            ("model", FILE, "trained network"),
            ("dataset", FILE, "data set"),
            ("output", NEW, "prediction to write (HDF5)"),
            SETTINGS,
        ],
    ),
    "rank": (
        "rank the likely failure sites of the held-out specimens, with their probabilities",
        [
            ("model", FILE, "Bayesian network"),
            ("dataset", FILE, "data set"),
            ("ensemble", FILE, "ensemble"),
            ("output", INTO, "folder of prediction.h5, sites.csv, summary.txt and figures"),
            SETTINGS,
        ],
    ),
    "evaluate": (
        "compare predictions and simple predictors with the simulations",
        [
            ("prediction", FILE, "prediction"),
            ("dataset", FILE, "data set"),
            ("ensemble", FILE, "ensemble"),
            ("curves", NEW, "metrics over thresholds to write (CSV)"),
            ("sites", NEW, "hit rates of all predictors to write (CSV)"),
            ("specimens", NEW, "failure site of each specimen to write (CSV)"),
            SETTINGS,
        ],
    ),
    "perturb": (
        "move one void voxel near the failure of a held-out specimen, in many ways",
        [
            ("ensemble", FILE, "ensemble"),
            ("dataset", FILE, "data set"),
            ("output", NEW, "porosity shard to write (HDF5)"),
            ("specimen", NUMBER, "which specimen of the test part with a pore there, from 0"),
            ("first", NUMBER, "number of the first perturbation"),
            ("last", NUMBER, "number of the last perturbation, inclusive"),
            SETTINGS,
        ],
    ),
    "sensitivity": (
        "compare where perturbed specimens fail with the predicted sites",
        [
            ("shards", FILES, "simulation shards of perturbed specimens"),
            ("ensemble", FILE, "ensemble"),
            ("dataset", FILE, "data set"),
            ("prediction", FILE, "prediction of the trained network"),
            ("ranking", FILE, "prediction.h5 of rank"),
            ("sites", FILE, "sites.csv of rank"),
            ("output", INTO, "folder of the figures and tables, to write"),
            SETTINGS,
        ],
    ),
    "crossvalidate": (
        "fit a variant of label and model on one fold and score it on the rest",
        [
            ("ensemble", FILE, "ensemble"),
            ("transfer", FILES, "other ensembles to score it on", ()),
            ("scores", NEW, "scores to write, a row a set of specimens (CSV)"),
            ("curves", NEW, "counts over thresholds to write (CSV)"),
            ("distribution", NEW, "distribution of damage and error to write (CSV)"),
            ("specimens", NEW, "hits of each specimen to write (CSV)"),
            ("history", NEW, "learning curves to write (CSV)"),
            ("checkpoint", NEW, "state to write after each epoch and to resume from"),
            SETTINGS,
        ],
    ),
    "study": (
        "compare the cross-validated variants in a table and figures",
        [
            ("ensemble", FILE, "ensemble"),
            ("variants", FOLDER, "folder of what crossvalidate wrote"),
            ("output", INTO, "folder of the figures, table.csv and summary.txt, to write"),
            SETTINGS,
        ],
    ),
    "report": (
        "draw the figures and sum up the result",
        [
            ("ensemble", FILE, "ensemble"),
            ("dataset", FILE, "data set"),
            ("prediction", FILE, "prediction"),
            ("history", FILE, "learning curves"),
            ("curves", FILE, "metrics over thresholds"),
            ("sites", FILE, "hit rates of all predictors"),
            ("specimens", FILE, "failure site of each specimen"),
            ("output", INTO, "folder of the figures and of summary.txt, to write"),
            SETTINGS,
        ],
    ),
}
# Verbs that no rule calls.
TOOLS: Verbs = {
    "status": (
        "tell what became of every realization, while the workflow runs and after it",
        [
            ("configfile", FILES, "the configurations that Snakemake was given (YAML)", ()),
            ("account", NEW, "table with a row for each realization, to write (CSV)", None),
        ],
    ),
    "material-point": (
        "follow one point of the material along a path of strains, stresses or both",
        [
            ("path", FILE, "path to follow (CSV): time, and exx or sxx, ... for each component"),
            ("out", NEW, "response at each row of the path, to write (CSV)"),
            ("material", TEXT, "name of a material, simulation.material if not given", None),
            ("configfile", FILES, "configurations whose materials come on top (YAML)", ()),
            ("max-strain-step", REAL, "largest change of a strain in one substep", 1e-4),
        ],
    ),
    "export": (
        "simulate realizations again and write their fields at each load step for ParaView",
        [
            ("porosity", FILE, "porosity shard"),
            ("realization", NUMBERS, "numbers of the realizations"),
            ("output", EITHER, "file to write (.vtkhdf), or a folder for a file of each"),
            ("configfile", FILES, "configurations on top of config/default.yaml (YAML)", ()),
            ("strains", REALS, "write only the load steps nearest to these nominal strains", None),
        ],
    ),
}
VERBS = RULES | TOOLS

# Verbs that use one thread a process, whatever the environment says: they share work among ranks,
# and the last digits of a BLAS depend on its threads.
ONE_THREAD = ("porosity", "simulate", "material-point", "export")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LARGEST = 2**31 - 1  # of whole numbers


def _settings(text: str) -> dict:
    from porefail.configuration import parse_json

    try:
        return parse_json(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _whole(text: str) -> int:
    """A whole number that fits every use of it."""
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r:.30} is not a whole number") from None
    if abs(value) > LARGEST:
        raise argparse.ArgumentTypeError(f"expected {-LARGEST} to {LARGEST}, not {text:.20}...")
    return value


TYPES = {NUMBER: _whole, NUMBERS: _whole, REAL: float, REALS: float, JSON: _settings}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line and exit status 2."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="porefail", description="Where does a porous metal specimen fail?")
    parser.add_argument("--version", action="version", version=f"porefail {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, (summary, options) in VERBS.items():
        command = verbs.add_parser(verb, help=summary, description=f"{verb}: {summary}.")
        for name, kind, text, *default in options:
            command.add_argument(
                f"--{name}",
                required=not default,
                default=default[0] if default else None,
                metavar=kind.split()[0],
                help=f"{text} (default: {default[0]})" if any(default) else text,
                nargs="+" if kind in (FILES, NUMBERS, REALS) else None,
                type=TYPES.get(kind, str),
            )
    return parser


def _require_apart(options: Mapping[str, object], kinds: Mapping[str, str]) -> None:
    """Refuse a file that is to be written and cannot be, is also read, or is named twice.

    Also through links. What is read is never written, in a folder either.
    """
    from porefail import files

    def named(*wanted: str) -> list[tuple[str, str]]:
        return [
            (name, path)
            for name, value in options.items()
            if kinds[name] in wanted and value is not None
            for path in ([value] if isinstance(value, str) else value)
        ]

    read, written = named(FILE, FILES), named(NEW)
    written += [pair for pair in named(EITHER) if not os.path.isdir(pair[1])]
    for name, path in (*written, *named(INTO)):
        if not path:
            raise PorefailError(f"--{name} is empty, expected a path")
    for _, path in written:
        files.require_writable(path)
    for _, path in named(INTO):
        files.require_writable(os.path.join(path, "summary.txt"))
    for i, (name, path) in enumerate(written):
        for other, rival in (*read, *written[:i]):
            if files.same(path, rival):
                raise PorefailError(f"{path}: is both --{other} and --{name}: nothing is written")
    # Of a folder that is read, what lies in its folders: `study` writes beside them.
    within = [each for _, path in named(FOLDER) for each in Path(path).glob("*/**/*.csv")]
    files.never_write([*(path for _, path in read), *within])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit status: 0, or 1 after a line that tells what is wrong."""
    options = vars(_parser().parse_args(arguments))
    verb = options.pop("verb")
    if verb in ONE_THREAD:
        os.environ.update(dict.fromkeys(THREADS, "1"))  # read when the libraries are loaded, below
    kinds = {name.replace("-", "_"): kind for name, kind, *_ in VERBS[verb][1]}
    try:
        _require_apart(options, kinds)
        importlib.import_module(f"porefail.steps.{verb.replace('-', '_')}").run(**options)
    except (PorefailError, ModuleNotFoundError, MemoryError) as error:
        text = str(error).replace("\n", " ") or type(error).__name__
        _tell(f"porefail {verb}: error: {text}", getattr(error, "on_all_ranks", False))
        return 1
    except Exception:
        _tell(f"{traceback.format_exc()}porefail {verb}: error: a bug, please report it", False)
        return 1
    return 0


def _tell(text: str, on_all_ranks: bool) -> None:
    """Print an error; end the MPI world, if any, unless all its ranks end by themselves."""
    mpi = sys.modules.get("mpi4py.MPI")
    world = mpi.COMM_WORLD if mpi else None
    sys.stdout.flush()
    if not (on_all_ranks and world and world.rank):
        print(text, file=sys.stderr, flush=True)
    if world and world.size > 1 and not on_all_ranks:
        # Abort ends the launcher too, which must first pass on what was printed.
        time.sleep(1.0)
        world.Abort(1)  # the other ranks may wait for this one for ever


if __name__ == "__main__":
    sys.exit(main())
