"""The rules of the layout: who is called what, and who may import what."""

import ast
import re
import subprocess
import symtable
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from porefail.command_line.parser import VERBS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "porefail"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIRED = set(PROJECT["dependencies"])
EXTRAS = {name: set(asked) for name, asked in PROJECT["optional-dependencies"].items()}
WORKFLOW = [ROOT / "Snakefile", *(ROOT / "workflow").rglob("*.smk")]
STACKS = EXTRAS["fe"] | EXTRAS["nn"] | EXTRAS["figures"] | EXTRAS["itk"]


def rules() -> set[str]:
    pattern = r"^\s*(?:rule|checkpoint)\s+(\w+)\s*:"
    names = (re.findall(pattern, file.read_text(), re.M) for file in WORKFLOW)
    return {name for found in names for name in found} - {"all", "scans"}


def modules(folder: Path, pattern: str = "*.py") -> set[str]:
    return {path.stem.removeprefix("test_") for path in folder.glob(pattern)} - {"__init__"}


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports when it runs, in functions too."""
    found = set()
    tree = ast.parse(path.read_text())
    tree.body = [
        node
        for node in tree.body
        if not isinstance(node, ast.If) or ast.unparse(node.test) != "TYPE_CHECKING"
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def undeclared(modules: set[str], declared: set[str]) -> set[str]:
    """Modules that are neither Python's nor ours and that no declared distribution brings."""
    distributions = packages_distributions()
    return {
        module
        for module in modules - sys.stdlib_module_names - {"porefail"}
        if not {distribution(name) for name in distributions.get(module, [])} & declared
    }


def distribution(name: str) -> str:
    """The name as pyproject.toml writes it: tensorflow for each build of it, without extras."""
    name = re.sub(r"[-_.]+", "-", name.split("[")[0]).lower()
    return "tensorflow" if name == "tensorflow-cpu" else name


def pinned(file: str) -> dict[str, str]:
    """The versions that a file of envs/ asks for."""
    text = (ROOT / "envs" / file).read_text()
    found = re.findall(r"^(?: *- )?([a-z][\w\[\]-]*)(?:==?(\S+))?(?: .*)?$", text, re.M)
    return {distribution(name): version for name, version in found}


def test_every_verb_is_a_rule_or_a_tool():
    tools = {"status", "material_point", "export", "phantom", "failures", "calibrate"}
    verbs = {verb.replace("-", "_") for verb in VERBS}
    assert rules() == verbs - tools and tools < verbs


def test_every_verb_has_its_step():
    assert {verb.replace("-", "_") for verb in VERBS} == modules(PACKAGE / "steps")


def test_no_step_is_long():
    """Steps read, call, write; what is more has a room."""
    lengths = {p.name: p.read_text().count("\n") for p in (PACKAGE / "steps").glob("*.py")}
    assert max(lengths.values()) <= 120, lengths


def test_every_step_has_its_test():
    assert modules(PACKAGE / "steps") == modules(ROOT / "tests" / "steps", "test_*.py")


def test_every_step_can_be_called():
    help_text = subprocess.run(
        [sys.executable, "-m", "porefail", "--help"], capture_output=True, text=True, check=True
    ).stdout
    verbs = set(re.search(r"\{([\w,-]+)\}", help_text).group(1).split(","))
    assert {verb.replace("-", "_") for verb in verbs} == modules(PACKAGE / "steps")


@pytest.mark.parametrize(
    "stack", ["numba", "petsc4py", "mpi4py", "tensorflow", "keras", "h5py", "pandas"]
)
def test_the_command_line_loads_no_stack_before_it_knows_the_verb(stack):
    program = f"import sys, porefail.__main__; sys.exit({stack!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    "stack, room",
    [
        ("h5py", "store"),
        ("matplotlib", "figures"),
        # nn sets how TensorFlow computes, which must be before it is loaded.
        ("keras", "nn"),
        ("tensorflow_probability", "nn"),
        ("numba", "fe"),
        ("petsc4py", "fe"),
    ],
)
def test_one_room_alone_uses_a_stack(stack, room):
    users = {p.relative_to(PACKAGE).parts[0] for p in PACKAGE.rglob("*.py") if stack in imported(p)}
    assert users == {room}


def test_verbs_of_learning_need_no_simulation_stack():
    """On GPU nodes there is no Numba and no MPI."""
    program = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('numba', 'mpi4py', 'petsc4py')))\n"  # cannot be imported
        "from porefail.steps import dataset, train, train_bayesian, predict, rank, evaluate\n"
        "from porefail.steps import campaign, crossvalidate, study, report, sensitivity\n"
        "from porefail.steps import phenomenology, reproduction\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_workflow_files_import_the_configuration_alone():
    found = set()
    for path in WORKFLOW:
        found |= set(re.findall(r"^\s*(?:import|from)\s+(porefail\S*)", path.read_text(), re.M))
    assert found == {"porefail", "porefail.errors"}
    names = re.findall(r"^from porefail import (.*)", (ROOT / "Snakefile").read_text(), re.M)
    assert names == ["MODEL_VERSION, configuration"]


def scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from scopes(child)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=str)
def test_no_local_name_hides_a_function_or_module_of_its_file(path):
    """`overlap = overlap(a, b)` in a function is an error when it runs, and no linter tells."""
    file = symtable.symtable(path.read_text(), str(path), "exec")
    known = {
        name.get_name() for name in file.get_symbols() if name.is_imported() or name.is_namespace()
    }
    hidden = [
        f"{scope.get_name()}: {name.get_name()}"
        for scope in scopes(file)
        if scope.get_type() == "function"
        for name in scope.get_symbols()
        if name.get_name() in known and name.is_local() and name.is_assigned()
        if not (name.is_parameter() or name.is_imported() or name.is_namespace())
    ]
    assert not hidden


def test_import_contracts():
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_package_requires_what_it_imports():
    """A room may use its own extra, the steps that join rooms those of all rooms."""
    for path in PACKAGE.rglob("*.py"):
        extra = EXTRAS.get(path.relative_to(PACKAGE).parts[0], STACKS)
        assert not undeclared(imported(path), REQUIRED | extra), path


def test_a_missing_requirement_is_found():
    assert undeclared({"yaml", "json", "numpy"}, REQUIRED - {"pyyaml"}) == {"yaml"}
    assert undeclared({"no_such_module"}, REQUIRED) == {"no_such_module"}


def test_the_workflow_requires_what_it_imports():
    for path in WORKFLOW:
        found = set(re.findall(r"^(?:import|from) +(\w+)", path.read_text(), re.M))
        assert not undeclared(found, REQUIRED | EXTRAS["workflow"]), path


def test_the_tests_require_what_they_import():
    """But for tests/bench, which compares with programs that may be there."""
    declared = REQUIRED.union(*EXTRAS.values())
    ours = modules(ROOT / "envs") | modules(ROOT / "tests" / "cluster")
    for path in (ROOT / "tests").rglob("*.py"):
        if "bench" not in path.parts:
            assert not undeclared(imported(path) - ours, declared), path


@pytest.mark.parametrize(
    "file, extras",
    [
        ("requirements.in", [*EXTRAS]),
        ("fe-nodes.yaml", ["fe", "workflow"]),
        ("gpu-nodes.yaml", ["nn", "figures", "workflow"]),
    ],
)
def test_an_environment_has_what_the_package_requires(file, extras):
    wanted = REQUIRED.union(*(EXTRAS[extra] for extra in extras))
    assert wanted <= pinned(file).keys()


@pytest.mark.parametrize("file", ["fe-nodes.yaml", "gpu-nodes.yaml"])
def test_the_environments_of_a_cluster_have_the_locked_versions(file):
    locked = pinned("requirements.in")
    for name, version in pinned(file).items() - {("python", "3.11")}:
        assert locked[name].startswith(version), name
