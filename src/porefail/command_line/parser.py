"""Verbs, and their options from the signatures of the steps.

The sources are read, not imported: an FE node tells how `train` is called without TensorFlow.
"""

import argparse
import ast
from pathlib import Path
from typing import NamedTuple, NoReturn

from porefail import __version__
from porefail.command_line import kinds

STEPS = Path(__file__).parents[1] / "steps"
# In the order of --help; no rule of the workflow calls those of the last line.
VERBS = (
    *(
        "porosity",
        "simulate",
        "presolve",
        "gather",
        "phenomenology",
        "dataset",
        "train",
        "train-bayesian",
    ),
    *("predict", "rank", "evaluate", "perturb", "sensitivity", "crossvalidate", "study", "report"),
    *("campaign", "reproduction", "scan"),
    *("status", "material-point", "export", "phantom", "failures", "calibrate"),
)
LARGEST = 2**31 - 1  # of whole numbers


class Option(NamedTuple):
    """A parameter of the step of a verb."""

    name: str  # as it is typed, without the dashes
    kind: str  # see kinds.py
    text: str
    required: bool
    default: object


def described(verb: str) -> tuple[str, list[Option]]:
    """What a verb does (first line of its step), and its options (parameters before the `*`)."""
    tree = ast.parse((STEPS / f"{verb.replace('-', '_')}.py").read_bytes())
    summary = (ast.get_docstring(tree) or "").partition("\n")[0]
    (run,) = (
        each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == "run"
    )
    parameters, defaults = run.args.args, run.args.defaults
    required = len(parameters) - len(defaults)
    options = []
    for i, parameter in enumerate(parameters):
        hint = parameter.annotation
        if isinstance(hint, ast.BinOp):  # ... | None
            hint = hint.left
        kind, *_, text = eval(ast.unparse(hint), vars(kinds)).__metadata__
        default = None if i < required else ast.literal_eval(defaults[i - required])
        name = parameter.arg.replace("_", "-")
        options.append(Option(name, kind, text, i < required, default))
    return summary.removeprefix(f"{verb}: ").removesuffix("."), options


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line and exit status 2."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """Parser of a verb (`verb`) and its options, named as the parameters of its step."""
    whole = _Parser(
        prog="porefail",
        description="Where does a porous metal specimen fail?",
        epilog="The workflow is run by snakemake in a checkout, which alone has its Snakefile.",
    )
    whole.add_argument("--version", action="version", version=f"porefail {__version__}")
    verbs = whole.add_subparsers(dest="verb", required=True)
    for verb in VERBS:
        summary, options = described(verb)
        command = verbs.add_parser(verb, help=summary, description=f"{verb}: {summary}.")
        for option in options:
            shown = f" (default: {option.default})" if option.default else ""
            if option.kind == kinds.PLACED:
                command.add_argument(option.name, metavar="FILE", nargs="+", help=option.text)
                continue
            if option.kind == kinds.FLAG:
                command.add_argument(f"--{option.name}", action="store_true", help=option.text)
                continue
            command.add_argument(
                f"--{option.name}",
                required=option.required,
                default=option.default,
                metavar=option.kind.split()[0],
                help=option.text + shown,
                nargs="+" if option.kind in (kinds.FILES, kinds.NUMBERS, kinds.REALS) else None,
                type=TYPES.get(option.kind, str),
            )
    return whole


def _settings(text: str) -> dict:
    from porefail.configuration import parse_json  # loads more than --help needs

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


TYPES = {
    kinds.NUMBER: _whole,
    kinds.NUMBERS: _whole,
    kinds.REAL: float,
    kinds.REALS: float,
    kinds.JSON: _settings,
}
