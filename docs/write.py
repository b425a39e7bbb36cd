"""Write what these pages take from elsewhere: `python docs/write.py`, or `make docs`.

The tables of results/, from the CSV files in results/data/ and what results/tables.yaml says of
them, and configuration.md, from config/schema.yaml and config/default.yaml. With --check nothing is
written; what is not current is named, and the exit code is 1.
"""

import argparse
import re
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
import yaml

from porefail.configuration import CONFIG, read_yaml
from porefail.configuration.schema import expected, part, schema

DOCS = Path(__file__).parent
RESULTS = DOCS / "results"
NONE = "–"


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
    found = {DOCS / "configuration.md": configuration()}
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
    cells = [list(columns)] + [
        [_cell(pattern, row) for pattern in columns.values()] for row in rows
    ]
    widths = [max(_width(row[c]) for row in cells) for c in range(len(columns))]
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
    text = re.sub(r"\{(\w+)\} ± \{\1_deviation\}", lambda m: _spread(row, m[1]), pattern)
    return text.format_map({key: value or NONE for key, value in row.items()})


def _spread(row: Mapping[str, str], key: str) -> str:
    deviation = row[f"{key}_deviation"]
    return f"{row[key] or NONE} ± {deviation}" if deviation else row[key] or NONE


def _width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    return sum(not unicodedata.combining(sign) for sign in text)


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
