"""The command line: `python -m porefail <verb>`: a verb for each rule of the workflow, and tools.

Each verb imports only its own step, so a simulation node needs no TensorFlow.
"""

import importlib
import os
import sys
import time
import traceback
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, requires

from porefail.command_line.parser import described, parser
from porefail.errors import PorefailError

# Verbs that use one thread a process, whatever the environment says: they share work among ranks,
# and the last digits of a BLAS depend on its threads.
ONE_THREAD = ("porosity", "simulate", "presolve", "material-point", "export", "scan")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit status: 0, or 1 after a line that tells what is wrong."""
    options = vars(parser().parse_args(arguments))
    verb = options.pop("verb")
    if verb in ONE_THREAD:
        os.environ.update(dict.fromkeys(THREADS, "1"))  # read when the libraries are loaded, below
    try:
        from porefail.command_line.paths import require_apart

        kinds = {option.name.replace("-", "_"): option.kind for option in described(verb)[1]}
        require_apart(options, kinds)
        importlib.import_module(f"porefail.steps.{verb.replace('-', '_')}").run(**options)
    except (PorefailError, ModuleNotFoundError, MemoryError) as error:
        text = str(error).replace("\n", " ") or type(error).__name__
        if isinstance(error, ModuleNotFoundError):
            text += _extras(error.name or "")
        _tell(f"porefail {verb}: error: {text}", getattr(error, "on_all_ranks", False))
        return 1
    except Exception:
        _tell(f"{traceback.format_exc()}porefail {verb}: error: a bug, please report it", False)
        return 1
    return 0


def _extras(module: str) -> str:
    """Which extras of our package bring a module that is missing, in words; else nothing."""
    wanted = module.partition(".")[0].replace("_", "-")
    try:
        asked = [
            line.removesuffix('"').split('; extra == "') for line in requires("porefail") or []
        ]
    except PackageNotFoundError:
        asked = []
    extras = [extra[0] for name, *extra in asked if extra and name == wanted]
    if not extras:
        return ""
    return f": it comes with the extra {' or '.join(extras)}, as in `pip install '.[{extras[0]}]'`"


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
