"""The command line: every mistake gives one clear line and an exit status."""

import itertools
import json
import os
import subprocess
import sys

import pytest

from porefail import __main__, files
from porefail.command_line import kinds
from porefail.command_line.parser import VERBS, described
from porefail.errors import PorefailError

POROSITY = {
    "seed": 1,
    "shape": [4, 4, 4],
    "spacing": 0.05,
    "mean_porosity": 0.1,
    "correlation_length": 0.1,
    "exponent": 2.0,
    "energy": 0.9,
}


def porosity(path, settings) -> list[str]:
    text = settings if isinstance(settings, str) else json.dumps(settings)
    return ["porosity", "--output", str(path), "--first", "0", "--last", "1", "--settings", text]


def error(capsys, arguments: list[str], status: int) -> str:
    """The one line that a call ends with."""
    try:
        assert __main__.main(arguments) == status
    except SystemExit as ended:
        assert ended.code == status
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and captured.err.endswith("\n")
    return captured.err[:-1]


def test_help_describes_every_verb(capsys):
    with pytest.raises(SystemExit) as ended:
        __main__.main(["--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0 and all(verb in text for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_describes_every_option(verb, capsys):
    with pytest.raises(SystemExit) as ended:
        __main__.main([verb, "--help"])
    text = capsys.readouterr().out
    summary, options = described(verb)
    assert ended.value.code == 0 and f"{verb}: {summary[:20]}" in text
    placed = [option for option in options if option.kind == kinds.PLACED]
    named = [option for option in options if option not in placed]
    assert named and all(f"--{option.name} " in text for option in named)
    assert all(option.text[:20] in text for option in placed)


def test_only_options_with_a_default_may_be_left_out(capsys):
    line = error(capsys, ["material-point"], 2)
    assert "the following arguments are required: --path, --out (see" in line


def test_a_verb_works(tmp_path, capsys):
    assert __main__.main(porosity(tmp_path / "p.h5", POROSITY)) == 0
    assert "porosity 00000-00001: " in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "the following arguments are required: verb"),
        (["melt"], "invalid choice: 'melt'"),
        (["porosity", "--first", "0"], "the following arguments are required: --output"),
        (["porosity", "--first", "one"], "argument --first: 'one' is not a whole number"),
        (
            ["porosity", "--last", 20 * "9"],
            "argument --last: expected -2147483647 to 2147483647, not 9999",
        ),
        (porosity("p.h5", '{"seed": 1,'), "argument --settings: not JSON: "),
        (porosity("p.h5", "[1]"), "argument --settings: expected a JSON object, not [1]"),
        (porosity("p.h5", 100_000 * '{"a":'), "argument --settings: not JSON: nested too deeply"),
        (porosity("p.h5", '{"seed": 1, "seed": 2}'), "not JSON: 'seed' is there twice"),
        (porosity("p.h5", '{"seed": 1' + 5000 * "0" + "}"), "argument --settings: not JSON: "),
        (
            ["material-point", "--max-strain-step", "small"],
            "argument --max-strain-step: invalid float value: 'small'",
        ),
    ],
)
def test_usage(capsys, arguments, message):
    line = error(capsys, arguments, 2)
    assert line.startswith("porefail") and message in line and line.endswith("--help)")


@pytest.mark.parametrize(
    "change, message",
    [
        (
            {"seed": None},
            "settings: seed is None, expected a whole number, at least 0 and at most 2000000000",
        ),
        (
            {"seed": 1.5},
            "settings: seed is 1.5, expected a whole number, at least 0 and at most 2000000000",
        ),
        (
            {"spacing": "0.05"},
            "settings: spacing is '0.05', expected a number",
        ),
        (
            {"spacing": True},
            "settings: spacing is True, expected a number",
        ),
        ({"shape": 4}, "settings: shape is 4, expected a list, 3 entries (voxels)"),
        ({"seed": 2**64}, "settings: seed is 18446744073709551616, expected a whole number"),
        ({"spacing": float("nan")}, "settings: spacing is nan, expected a number"),
        ({"spacing": 1e308}, "settings: spacing is 1e+308, expected a number"),
        ({"sed": 2, "spacin": 3}, "settings: sed is not a known key; did you mean seed?"),
        (
            {"seed": -1},
            "settings: seed is -1, expected a whole number, at least 0 and at most 2000000000",
        ),
        ({"shape": [4, 4]}, "settings: shape is [4, 4], expected a list, 3 entries (voxels)"),
        (
            {"shape": [4, 0, 4]},
            "settings: shape[1] is 0, expected a whole number, at least 4",
        ),
        (
            {"shape": [4, 4.5, 4]},
            "settings: shape[1] is 4.5, expected a whole number, at least 4",
        ),
        (
            {"spacing": 0},
            "settings: spacing is 0, expected a number",
        ),
        (
            {"correlation_length": -1},
            "settings: correlation_length is -1, expected a number",
        ),
        (
            {"exponent": 2.1},
            "settings: exponent is 2.1, expected a number, at least 0.001 and at most 2",
        ),
        (
            {"energy": 0.0},
            "settings: energy is 0.0, expected a number, at least 1e-06 and at most 1",
        ),
        (
            {"mean_porosity": 1.0},
            "settings: mean_porosity is 1.0, expected a number, at least 1e-09 and below 1",
        ),
        (
            {"mean_porosity": -0.1},
            "settings: mean_porosity is -0.1, expected a number, at least 1e-09 and below 1",
        ),
    ],
)
def test_bad_settings(capsys, tmp_path, change, message):
    line = error(capsys, porosity(tmp_path / "p.h5", POROSITY | change), 1)
    assert line.startswith(f"porefail porosity: error: {message}")
    assert not list(tmp_path.iterdir())


def test_missing_settings(capsys, tmp_path):
    few = {key: POROSITY[key] for key in POROSITY if key not in ("seed", "energy")}
    line = error(capsys, porosity(tmp_path / "p.h5", few), 1)
    assert line == "porefail porosity: error: settings: seed is missing"


VALUES = dict.fromkeys((kinds.NUMBER, kinds.NUMBERS, kinds.REAL, kinds.REALS), "1")
VALUES |= {kinds.JSON: "{}", kinds.TEXT: "staged"}


def clashes() -> list[tuple[str, str, str]]:
    """Each verb with each pair of its files of which one at least is written."""
    found = []
    for verb in VERBS:
        options = described(verb)[1]
        written = [option.name for option in options if option.kind == kinds.NEW]
        read = [option.name for option in options if option.kind in (kinds.FILE, kinds.FILES)]
        found += [(verb, name, other) for name in written for other in read]
        found += [(verb, *pair) for pair in itertools.combinations(written, 2)]
    return found


@pytest.mark.parametrize("link", ["", "symbolic", "hard"])
@pytest.mark.parametrize("verb, name, other", clashes())
def test_no_file_is_both_read_and_written_or_written_twice(
    capsys, tmp_path, verb, name, other, link
):
    paths = {
        option.name: VALUES.get(option.kind, tmp_path / option.name)
        for option in described(verb)[1]
    }
    paths[other].write_text("precious")
    if link == "hard":
        os.link(paths[other], paths[name])
    elif link:
        paths[name].symlink_to(paths[other])
    else:
        paths[name] = f"{tmp_path}/../{tmp_path.name}/{other}"
    arguments = [text for option, path in paths.items() for text in (f"--{option}", str(path))]
    before = sorted(tmp_path.iterdir())
    line = error(capsys, [verb, *arguments], 1)
    assert line.endswith(": nothing is written") and f"--{name}" in line and f"--{other}" in line
    assert paths[other].read_text() == "precious" and sorted(tmp_path.iterdir()) == before


def test_what_is_read_is_not_written_in_a_folder_either(tmp_path, monkeypatch):
    (tmp_path / "table.csv").write_text("precious")
    (tmp_path / "link.csv").symlink_to("table.csv")
    monkeypatch.setattr(files.atomic, "_READ_ONLY", [tmp_path / "table.csv"])
    for name in ("table.csv", "link.csv"):
        with pytest.raises(PorefailError, match=f"{name}: is read here, so it is not written"):
            files.write_text(tmp_path / name, "other")
    files.write_text(tmp_path / "other.csv", "")
    assert (tmp_path / "table.csv").read_text() == "precious"


def test_unwritable_output(capsys, tmp_path):
    (tmp_path / "file").touch()
    line = error(capsys, porosity(tmp_path / "file" / "p.h5", POROSITY), 1)
    assert line.startswith(f"porefail porosity: error: {tmp_path}/file/p.h5: cannot be written: ")


def test_a_verb_of_another_stack_is_not_imported(tmp_path):
    """A simulation node has no TensorFlow, a GPU node no PETSc and no MPI."""
    program = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'petsc4py', 'mpi4py', 'numba', 'matplotlib'):\n"
        "    sys.modules[name] = None\n"
        "from porefail.__main__ import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", program]
    run = subprocess.run([*command, *porosity(tmp_path / "p.h5", POROSITY)], capture_output=True)
    assert run.returncode == 0, run.stderr
    run = subprocess.run(
        [*command, "train", "--dataset", "a", "--model", "b", "--history", "c"]
        + ["--checkpoint", "d", "--settings", "{}"],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1 and run.stderr.startswith("porefail train: error: import of ")
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize("place", ["folder", "null", "below a file", "empty"])
def test_an_output_that_cannot_be_written_is_refused_before_the_work(capsys, tmp_path, place):
    """Not after hours, and no device is replaced."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to("pipe")
    before = sorted(tmp_path.iterdir())
    path = {"below a file": tmp_path / "file" / "p.h5", "empty": ""}.get(place, tmp_path / place)
    line = error(capsys, porosity(path, POROSITY), 1)
    expected = "--output is empty" if place == "empty" else f"{path}: cannot be written: "
    assert expected in line and sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "null").is_fifo()


def test_a_folder_that_is_read_is_not_written_within(capsys, tmp_path):
    fold = tmp_path / "t" / "uniform" / "fold-0"
    fold.mkdir(parents=True)
    (fold / "curves.csv").write_text("precious")
    (tmp_path / "e.h5").write_text("")
    files.never_write([])
    arguments = ["--ensemble", str(tmp_path / "e.h5"), "--variants", str(tmp_path)]
    error(capsys, ["study", *arguments, "--output", str(fold), "--settings", "{}"], 1)
    with pytest.raises(PorefailError, match="curves.csv: is read here"):
        files.write_text(fold / "curves.csv", "other")
    files.never_write([])
    assert (fold / "curves.csv").read_text() == "precious"
