"""Odd inputs for every verb: each must be refused in one line, or work, and leave its inputs alone.

    python tests/fuzz/fuzz.py [--share 1.0] [--seed 0] [--kind files] [--folder F]

It runs the smoke configuration with what is asked for by name (in F, or a temporary folder), takes
the command lines of that run, and changes one thing at a time:

bits      a bit of each byte of each kind of HDF5 file: reading gives the same, or refuses
files     each input of each verb: each other kind of file, a folder, nothing, noise, half of it
outputs   each output: a folder in the place of a file, a file in that of a folder, an input
settings  each value of the settings of each verb: NaN, -1, 0, 1e308, text, null, a list
options   the same of each number of a command line

Held: a verb ends with 0, or with one line that begins with its name and leaves no new file; its
inputs are as they were. What did not hold is printed, and counted. share: of all cases.
"""

import argparse
import contextlib
import copy
import hashlib
import io
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from porefail import __main__, store
from porefail.command_line.kinds import (
    EITHER,
    FILE,
    FILES,
    INTO,
    NEW,
    NUMBER,
    NUMBERS,
    PLACED,
    REAL,
    REALS,
)
from porefail.command_line.parser import VERBS, described
from porefail.errors import PorefailError

ROOT = Path(__file__).parents[2]
TARGETS = ("all", "campaign", "reproduction")  # which wants study, sensitivity and phenomenology
CHANGES = {
    "porosity": {"realizations": 20, "batch_size": 10},
    "presolve": {"strain": 0.004},
    "sensitivity": {"perturbations": [2], "batch_size": 2},
    "campaign": {"sizes": [3, 8], "repeats": 1},
    "study": {
        "comparisons": {
            name: {"models": []}
            for name in ("weightings", "parameters", "ablation", "sites", "uncertainty", "frontier")
        }
        | {
            "paper": {"labels": ["t"], "models": ["uniform"]},
            "baselines": {"models": ["linear", "elastic"], "folds": 1},
        },
        "folds": 1,
    },
}
TIMES = {"max-strain-step": "1e-4"}
SCANNER = {"voxel-size": "20um", "seed": "1"}
SCANNER |= {"blur": "0.7", "noise": "0.05", "rings": "0.02", "cupping": "0.05", "tilt": "1"}
ODD = (float("nan"), -1, 0, 1e308, "text", None, [])
CALIBRATION = {"split": [2, 1, 1], "channels": ["log_von_mises", "log_coarse_damage"]}
CALIBRATION |= {"seed": 1, "penalties": [0.1], "penalty": 2.0, "coverage": 0.9}
SCAN, LOCATOR = "scan.tif", "locator.json"  # in the folder of the run
SECONDS = 120  # that a case may take


class Case(NamedTuple):
    """One thing changed: arguments of a verb, and in words what it is."""

    verb: str
    arguments: dict[str, str | list[str]]
    words: str
    kept: frozenset | set = frozenset()  # options that must not be turned to a new folder


class Endless(BaseException):
    """Raised by the alarm; no `except Exception` holds it."""


def finished_run(folder: Path) -> None:
    """The smoke run with its study, perturbations and phenomenology, if it is not there."""
    (folder / "fuzz.yaml").write_text(yaml.safe_dump(CHANGES))
    subprocess.run([*_snakemake(folder), *TARGETS], check=True, capture_output=True, text=True)


def _snakemake(folder: Path) -> list[str]:
    files = [ROOT / "config" / "smoke.yaml", folder / "fuzz.yaml"]
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    command += ["--directory", folder, "--configfile", *files, "--"]
    return list(map(str, command))


def command_lines(folder: Path) -> dict[str, dict[str, str | list[str]]]:
    """Arguments of each verb, as the workflow calls it first, and of the tools."""
    start = [part for part in _snakemake(folder) if part != "--"]
    command = [*start, "-n", "--forceall", "--printshellcmds", "--", *TARGETS]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, dict] = {}
    for line in re.findall(r"python -m porefail (.*?) 2>&1 \| tee", told.stdout + told.stderr):
        verb, *words = shlex.split(line)
        if verb not in found:
            found[verb] = _by_option(words)
    shard = found["simulate"]["porosity"]
    first = str(int(Path(shard).stem.partition("-")[0]))  # of its realizations
    path = folder / "path.csv"
    path.write_text("time,sxx,syy,ezz,sxy,syz,szx\n0,0,0,0,0,0,0\n2,0,0,0.004,0,0,0\n")
    found["material-point"] = {"path": str(path), "out": "out.csv", **TIMES}
    configured = str(folder / "fuzz.yaml")
    found["export"] = {"porosity": shard, "realization": first, "output": "0.vtkhdf"}
    found["export"] |= {"configfile": configured, "strains": "0.001"}
    found["status"] = {"configfile": configured}
    found["phantom"] = {"porosity": shard, "realization": first, "output": SCAN, **SCANNER}
    found["calibrate"] = {"ensemble": found["dataset"]["ensemble"], "output": LOCATOR}
    found["calibrate"] |= {"settings": json.dumps(CALIBRATION)}
    found["failures"] = {"shards": found["gather"]["shards"], "output": "failures.h5"}
    for verb, made in (("phantom", SCAN), ("calibrate", LOCATOR)):
        if not (folder / made).exists():
            status, told, trouble = _run([verb, *flat(verb, found[verb])], folder)
            assert status == 0, told + trouble
    found["scan"] = {"scan": [SCAN], "axis": "z", "output": "verdict", "locator": LOCATOR}
    found["scan"] |= {"bin": "1", "threshold": "25000"}
    assert found.keys() == set(VERBS)
    return found


def _by_option(words: list[str]) -> dict[str, str | list[str]]:
    options: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            options[word.removeprefix("--")] = values = []
        else:
            values.append(word)
    return {name: values[0] if len(values) == 1 else values for name, values in options.items()}


def named(verb: str, *wanted: str) -> list[str]:
    """Options of a verb that are of these kinds."""
    return [option.name for option in described(verb)[1] if option.kind in wanted]


def odd_files(folder: Path, commands: dict) -> dict[str, str]:
    """One of each kind of file that there is, and some that there should not be."""
    found: dict[str, str] = {}
    for verb, arguments in commands.items():
        for name in named(verb, FILE, FILES, PLACED):
            value = arguments.get(name, ())
            for path in [value] if isinstance(value, str) else value[:1]:
                found.setdefault(f"{Path(path).parent.name}/{Path(path).name}", path)
    odd = folder / "odd"
    shutil.rmtree(odd, ignore_errors=True)
    odd.mkdir()
    (odd / "empty").touch()
    (odd / "text").write_text("porosity,damage\n1,2\n")
    (odd / "noise").write_bytes(random.Random(0).randbytes(4096))
    (odd / "folder").mkdir()
    (odd / "loop").symlink_to("loop")
    names = ("empty", "text", "noise", "folder", "loop", "missing")
    return found | {name: str(odd / name) for name in names}


def file_cases(commands: dict, files: dict[str, str], folder: Path) -> Iterator[Case]:
    for verb, arguments in commands.items():
        for name in named(verb, FILE, FILES, PLACED):
            if name not in arguments:
                continue
            own = arguments[name]
            for kind, path in files.items():
                given = [path, *own[1:]] if isinstance(own, list) else path
                yield Case(verb, arguments | {name: given}, f"--{name} is {kind}")
            first = Path(own if isinstance(own, str) else own[0])
            half = folder / "odd" / f"half-{verb}-{name}{first.suffix}"
            half.write_bytes((folder / first).read_bytes()[: (folder / first).stat().st_size // 2])
            given = [str(half), *own[1:]] if isinstance(own, list) else str(half)
            yield Case(verb, arguments | {name: given}, f"--{name} is half of it")


def output_cases(commands: dict, folder: Path) -> Iterator[Case]:
    for verb, arguments in commands.items():
        read = [arguments[n] for n in named(verb, FILE, FILES, PLACED) if n in arguments]
        inputs = [path if isinstance(path, str) else path[0] for path in read]
        for name in named(verb, NEW, INTO):
            bad = str(folder / "odd" / ("text" if name in named(verb, INTO) else "folder"))
            for path in (bad, "", f"{folder}/odd/text/below", *inputs[:2]):
                yield Case(verb, arguments | {name: path}, f"--{name} is {path!r}", {name})


def leaves(value: object, place: tuple = ()) -> Iterator[tuple]:
    """Places of all values in nested settings, of mappings and lists too."""
    if place:
        yield place
    each = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in each if isinstance(value, dict | list) else ():
        if isinstance(inner, dict | list):
            yield from leaves(inner, (*place, key))
        else:
            yield (*place, key)


def changed(settings: dict, place: tuple, value: object) -> dict:
    settings = inner = copy.deepcopy(settings)
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return settings


def settings_cases(commands: dict) -> Iterator[Case]:
    for verb, arguments in commands.items():
        if "settings" not in arguments:
            continue
        settings = json.loads(arguments["settings"])
        for place in leaves(settings):
            for odd in ODD:
                text = json.dumps(changed(settings, place, odd))
                words = f"{'.'.join(map(str, place))} is {odd!r}"
                yield Case(verb, arguments | {"settings": text}, words)


def option_cases(commands: dict) -> Iterator[Case]:
    numbers = (NUMBER, NUMBERS, REAL, REALS)
    for verb, arguments in commands.items():
        for name in named(verb, *numbers):
            for odd in ("nan", "-1", "0", "1e308", "text", str(10**400), ""):
                yield Case(verb, arguments | {name: odd}, f"--{name} is {odd[:20]!r}")


def flat(verb: str, arguments: dict) -> list[str]:
    words = [word for name in named(verb, PLACED) for word in arguments[name]]
    for name, value in arguments.items():
        if name in named(verb, PLACED):
            continue
        words += [f"--{name}={value}"] if isinstance(value, str) else [f"--{name}", *value]
    return words


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def problem(case: Case, folder: Path) -> str | None:
    """What did not hold; None if all did."""
    read = [
        folder / path
        for name in named(case.verb, FILE, FILES, PLACED)
        for path in [case.arguments.get(name, [])]
        for path in ([path] if isinstance(path, str) else path)
    ]
    before = {path: digest(path) for path in read}
    with tempfile.TemporaryDirectory() as made:
        arguments = dict(case.arguments)
        for name in named(case.verb, NEW, EITHER):
            if name in arguments and name not in case.kept:
                arguments[name] = f"{made}/{Path(arguments[name]).name}"
        for name in named(case.verb, INTO):
            arguments[name] = arguments[name] if name in case.kept else made
        status, told, trouble = _run([case.verb, *flat(case.verb, arguments)], folder)
        left = sorted(str(path.relative_to(made)) for path in Path(made).rglob("*"))
    if trouble:
        return trouble
    if any(digest(path) != was for path, was in before.items()):
        return "changed what it reads"
    if status == 0:
        return "wrote where it cannot" if case.kept else None
    lines = told.splitlines()
    if status not in (1, 2) or len(lines) != 1 or not lines[0].startswith("porefail"):
        return f"ended with {status}: {told.strip()[-300:]}"
    return f"left {', '.join(left)}" if left else None


def _end(*_) -> None:
    raise Endless


def _run(words: list[str], folder: Path) -> tuple[int, str, str]:
    """Exit status, what it told on stderr, and what kept it from ending."""

    told = io.StringIO()
    signal.signal(signal.SIGALRM, _end)
    signal.alarm(SECONDS)
    here = os.getcwd()
    try:
        os.chdir(folder)
        with (
            contextlib.redirect_stderr(told),
            contextlib.redirect_stdout(io.StringIO()),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            status = __main__.main(words)
    except SystemExit as ended:
        status = ended.code
    except Endless:
        return 0, "", f"has not ended after {SECONDS} s"
    finally:
        signal.alarm(0)
        os.chdir(here)
    return status, told.getvalue(), ""


def bit_cases(commands: dict, folder: Path) -> Iterator[tuple[str, Path, int]]:
    """Kind and path of a file, and a byte of it."""
    for kind, path in {
        "porosity shard": commands["simulate"]["porosity"],
        "simulation shard": commands["gather"]["shards"][0],
        "presolve shard": commands["gather"]["presolve"][0],
        "ensemble": commands["dataset"]["ensemble"],
        "data set": commands["train"]["dataset"],
        "prediction": commands["evaluate"]["prediction"],
        "ranking": commands["sensitivity"]["ranking"],
    }.items():
        for byte in range((folder / path).stat().st_size):
            yield kind, folder / path, byte


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(
        one[name].tobytes() == other[name].tobytes() for name in one
    )


def bits(cases: list[tuple[str, Path, int]], chance: random.Random, folder: Path) -> Iterator[str]:
    """Flip a bit of each of these bytes; what a reader took for the truth and was not."""
    signal.signal(signal.SIGALRM, _end)
    whole = {path: (path.read_bytes(), store.read(path, kind=kind)) for kind, path, _ in cases}
    damaged = folder / "odd" / "flipped.h5"
    for kind, path, byte in cases:
        data, (datasets, attributes) = whole[path]
        data = bytearray(data)
        data[byte] ^= 1 << chance.randrange(8)
        damaged.write_bytes(data)
        signal.alarm(SECONDS)
        try:
            read, told = store.read(damaged, kind=kind)
        except PorefailError as error:
            yield "" if "\n" not in str(error) else f"{kind}, byte {byte}: more than one line"
        except (Exception, Endless) as error:
            yield f"{kind}, byte {byte}: {type(error).__name__}: {error}"
        else:
            fits = same(read, datasets) and told == attributes
            yield "" if fits else f"{kind}, byte {byte}: read as something else"
        finally:
            signal.alarm(0)


def fuzz(folder: Path, share: float, seed: int, only: str | None = None) -> dict[str, list[str]]:
    """What broke, by kind of case; prints how many were tried. The folder holds a finished run."""
    commands = command_lines(folder)
    files = odd_files(folder, commands)
    chance = random.Random(seed)
    broke: dict[str, list[str]] = {}
    for kind, cases in {
        "files": file_cases(commands, files, folder),
        "options": option_cases(commands),
        "outputs": output_cases(commands, folder),
        "settings": settings_cases(commands),
    }.items():
        if only in (None, kind):
            chosen = [case for case in cases if chance.random() < share]
            found = ((case, problem(case, folder)) for case in chosen)
            broke[kind] = _counted(
                kind, (f"{c.verb} {c.words}: {said}" if said else "" for c, said in found)
            )
    if only in (None, "bits"):
        chosen = [case for case in bit_cases(commands, folder) if chance.random() < share]
        broke["bits"] = _counted("bits", bits(chosen, chance, folder))
    return broke


def _counted(kind: str, found: Iterator[str]) -> list[str]:
    broke, count = [], 0
    for said in found:
        count += 1
        if said:
            broke.append(said)
            print(f"  {said}", flush=True)
    print(f"{kind}: {count} tried, {count - len(broke)} held, {len(broke)} broke", flush=True)
    return broke


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--share", type=float, default=1.0, help="of all cases")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=["bits", "files", "outputs", "settings", "options"])
    parser.add_argument("--folder", type=Path, help="of a finished run, made here if it is empty")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        finished_run(folder)
        broke = fuzz(folder, options.share, options.seed, options.kind)
    return 1 if any(broke.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
