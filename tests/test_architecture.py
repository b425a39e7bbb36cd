"""The rules of the layout: who is called what, and who may import what."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from porefail.__main__ import RULES, TOOLS, VERBS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "porefail"


def rules() -> set[str]:
    files = [ROOT / "Snakefile", *(ROOT / "workflow").glob("*.smk")]
    names = (re.findall(r"^\s*(?:rule|checkpoint)\s+(\w+)\s*:", f.read_text(), re.M) for f in files)
    return {name for found in names for name in found} - {"all"}


def modules(folder: Path, pattern: str = "*.py") -> set[str]:
    return {path.stem.removeprefix("test_") for path in folder.glob(pattern)} - {"__init__"}


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports anywhere, in functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def test_every_verb_is_a_rule_or_a_tool():
    assert rules() == {verb.replace("-", "_") for verb in RULES}
    assert set(TOOLS) == {"status", "material-point", "export"}
    assert set(RULES) | set(TOOLS) == set(VERBS) and not set(RULES) & set(TOOLS)


def test_every_verb_has_its_step():
    assert {verb.replace("-", "_") for verb in VERBS} == modules(PACKAGE / "steps")


def test_every_step_has_its_test():
    assert modules(PACKAGE / "steps") == modules(ROOT / "tests" / "steps", "test_*.py")


def test_every_step_can_be_called():
    help_text = subprocess.run(
        [sys.executable, "-m", "porefail", "--help"], capture_output=True, text=True, check=True
    ).stdout
    verbs = set(re.search(r"\{([\w,-]+)\}", help_text).group(1).split(","))
    assert {verb.replace("-", "_") for verb in verbs} == modules(PACKAGE / "steps")


@pytest.mark.parametrize("stack", ["numba", "petsc4py", "mpi4py", "tensorflow", "keras", "h5py"])
def test_the_command_line_loads_no_stack_before_it_knows_the_verb(stack):
    program = f"import sys, porefail.__main__; sys.exit({stack!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_only_the_store_imports_h5py():
    assert {p.parent.name for p in PACKAGE.rglob("*.py") if "h5py" in imported(p)} == {"store"}


def test_only_figures_import_matplotlib():
    for path in PACKAGE.rglob("*.py"):
        assert "matplotlib" not in imported(path) or path.parent.name == "figures", path


def test_workflow_files_import_the_configuration_alone():
    found = set()
    for path in [ROOT / "Snakefile", *(ROOT / "workflow").glob("*.smk")]:
        found |= set(re.findall(r"^\s*(?:import|from)\s+(porefail\S*)", path.read_text(), re.M))
    assert found == {"porefail", "porefail.configuration.variants", "porefail.errors"}


def test_import_contracts():
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
