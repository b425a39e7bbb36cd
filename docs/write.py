"""Write what these pages take from elsewhere: `python docs/write.py`, or `make docs`.

The tables of results/, from the CSV files in results/data/ and what results/tables.yaml says of
them; configuration.md, from config/schema.yaml and config/default.yaml; files.md, from the HDF5
contract; layout.md, from the docstrings. With --check nothing is written; what is not current is
named, and the exit code is 1.
"""

import argparse
import ast
import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from porefail.configuration import CONFIG, read_yaml
from porefail.configuration.schema import expected, part, schema
from porefail.store.contract import CODES, DATASETS, FIELDS, KINDS

DOCS = Path(__file__).parent
RESULTS = DOCS / "results"
PACKAGE = DOCS.parent / "src" / "porefail"
NONE = "–"
LAYOUT = (
    "Written from the docstrings by `make docs`. Rooms of arrays (microstructure, fe, dataset, nn,"
    " baselines, metrics, figures) know nothing of each other nor of files; learning, campaign,"
    " study, ranking and phenomenology join them; steps join all of it with store. Rules of the"
    " workflow are in `workflow/`, configurations in `config/`, tests mirror `src/`."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, tell what is old")
    check = parser.parse_args().check
    old = [path for path, text in pages().items() if not path.is_file() or path.read_text() != text]
    if check and old:
        names = ", ".join(str(path.relative_to(DOCS)) for path in old)
        sys.exit(f"docs: not current: {names}; `make docs` writes them")
    for path in old:
        path.write_text(pages()[path])
        print(f"docs: {path.relative_to(DOCS)}")


def pages() -> dict[Path, str]:
    """The text of each page that holds something written here."""
    found = {
        DOCS / "configuration.md": configuration(),
        DOCS / "files.md": contract(),
        DOCS / "layout.md": layout(),
    }
    for page, tables in yaml.safe_load((RESULTS / "tables.yaml").read_text()).items():
        text = (RESULTS / page).read_text()
        for name, columns in tables.items():
            mark = f"<!-- data/{name}.csv -->\n"
            if text.count(mark) != 1:
                sys.exit(f"docs: {page} has {text.count(mark)} lines {mark.strip()}, expected one")
            before, after = text.split(mark)
            rest = re.sub(r"\A(\|.*\n)*", "", after)
            text = before + mark + table(RESULTS / "data" / f"{name}.csv", columns) + rest
        found[RESULTS / page] = text
    return found


def table(path: Path, columns: Mapping[str, str]) -> str:
    """A CSV file as a Markdown table whose columns line up; columns: heading, format of a row."""
    # As text, so that a number keeps its digits.
    rows = pd.read_csv(path, dtype=str, keep_default_na=False).to_dict("records")
    return _markdown(columns, ([_cell(each, row) for each in columns.values()] for row in rows))


def _markdown(head: Iterable[str], rows: Iterable[list[str]]) -> str:
    cells = [list(head), *rows]
    widths = [max(_width(row[c]) for row in cells) for c in range(len(cells[0]))]
    lines = [
        "| "
        + " | ".join(c + " " * (w - _width(c)) for c, w in zip(row, widths, strict=True))
        + " |"
        for row in cells
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines) + "\n"


def _cell(pattern: str, row: Mapping[str, str]) -> str:
    """A cell, without the spread of what has none, and a dash where nothing is known."""
    known = {key for key, value in row.items() if value}
    interval = r"\{(\w+)\} \(\{\w+_low\}[^)]*\)"
    pattern = re.sub(interval, lambda m: m[0] if m[1] in known else NONE, pattern)
    text = re.sub(r"\{(\w+)\} ± \{\1_deviation\}", lambda m: _spread(row, m[1]), pattern)
    return text.format_map({key: value or NONE for key, value in row.items()})


def _spread(row: Mapping[str, str], key: str) -> str:
    deviation = row[f"{key}_deviation"]
    return f"{row[key] or NONE} ± {deviation}" if deviation else row[key] or NONE


def _width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    return sum(not unicodedata.combining(sign) for sign in text)


def contract() -> str:
    """Every kind of file and every dataset that may be in one."""
    kinds = [
        [kind, ", ".join(f"`/{name}`" for name in DATASETS[kind]), ", ".join(KINDS[kind])]
        for kind in KINDS
    ]
    text = [
        "# What is in a file",
        "",
        "Written from `src/porefail/store/contract.py` by `make docs`. Results are HDF5: of n",
        "realizations, z the tensile axis; unit and meaning stand beside each dataset in the file.",
        "What is read is checked, whoever wrote it.",
        "",
        "## Kinds of files",
        "",
        _markdown(["kind", "datasets that it has at least", "root attributes"], kinds),
        "## Datasets",
        "",
    ]
    for name, field in FIELDS.items():
        kind = np.dtype(field.dtype).name if field.dtype != "S" else "text"
        shape = ", ".join(["n", *map(str, field.row)])
        unit = f", {field.unit}" if field.unit != "1" else ""
        text += _wrapped(f"- `/{name}` {kind} ({shape}){unit}: {field.meaning}")
    text += ["", "## Codes", ""]
    for name, codes in CODES.items():
        named = ", ".join(f"{code} {word}" for word, code in codes.items())
        text += _wrapped(f"- `/{name}`: {named}")
    return "\n".join(text) + "\n"


def layout() -> str:
    """Every room of the package and every module in it, in the words of their docstrings."""
    text = ["# Where everything is", "", *_wrapped(LAYOUT), "", "## `src/porefail/`", ""]
    modules = sorted(PACKAGE.rglob("*.py"))
    for path in sorted(modules, key=lambda path: (path.parent, path.name != "__init__.py")):
        tree = ast.parse(path.read_text())
        first = (ast.get_docstring(tree) or "").split("\n\n")[0]
        if path.name == "__init__.py":
            if path.parent != PACKAGE:
                text += ["", f"## `{path.parent.relative_to(PACKAGE)}/`", "", *_wrapped(first), ""]
        else:
            text += _wrapped(f"- `{path.name}`: {first}")
    return "\n".join(text) + "\n"


def configuration() -> str:
    """Every key of a configuration: meaning, what is expected, default."""
    default = read_yaml(CONFIG / "default.yaml")
    lines = [
        "# Every key of a configuration",
        "",
        "Written from `config/schema.yaml` and `config/default.yaml` by `make docs`.",
        "A configuration names only what differs from the default.",
        "",
    ]
    for name in schema()["properties"]:
        wanted = part(name)
        lines += [f"## {name}", "", *_wrapped(_sentence(wanted)), ""]
        if "properties" in wanted:
            lines += [*_keys(name, wanted, default.get(name, {}), ""), ""]
        elif "additionalProperties" in wanted:
            lines += ["Of each:", "", *_keys(f"{name}.*", part(f"{name}.*"), {}, ""), ""]
        else:
            lines += [*_wrapped(_asked(wanted, default.get(name))), ""]
    return "\n".join(lines).rstrip() + "\n"


def _keys(place: str, wanted: Mapping, default: Mapping, indent: str) -> Iterator[str]:
    for name in wanted["properties"]:
        each = part(f"{place}.{name}")
        known = isinstance(default, Mapping) and name in default
        value = default[name] if known else None
        asked = _asked(each, value if not isinstance(value, Mapping) else None)
        text = f"- **{name}**: {each.get('description', '')}. {asked}".replace(": . ", ": ")
        yield from _wrapped(text, indent)
        if "properties" in each:
            yield from _keys(f"{place}.{name}", each, value or {}, indent + "  ")


def _sentence(wanted: Mapping) -> str:
    text = wanted.get("description", "")
    return text[:1].upper() + text[1:] + "." if text else ""


def _asked(wanted: Mapping, value: object) -> str:
    asked = expected(wanted) if {"type", "enum", "words"} & set(wanted) else "a value"
    asked = f"{asked[:1].upper()}{asked[1:]}."
    if value is None:
        return asked
    shown = yaml.safe_dump(value, width=1000, default_flow_style=True).removesuffix("...\n")
    return f"{asked} Default: `{shown.strip()}`."


def _wrapped(text: str, indent: str = "") -> list[str]:
    """Lines of at most 100 columns; those after the first of an entry are indented."""
    hanging = indent + ("  " if text.startswith("- ") else "")
    lines, line = [], indent
    for word in text.split():
        if len(line) + len(word) > 99 and line.strip():
            lines.append(line.rstrip())
            line = hanging
        line += word + " "
    return [*lines, line.rstrip()]


if __name__ == "__main__":
    main()
