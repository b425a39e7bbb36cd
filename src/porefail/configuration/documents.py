"""YAML and JSON as strict as a configuration needs: each key once, nothing that cannot be meant."""

import json
from collections.abc import Hashable
from pathlib import Path

import yaml

from porefail.errors import PorefailError

MERGE = "tag:yaml.org,2002:merge"
DEPTH = 50  # levels; the loaders are recursive
VALUES = 100_000
LARGEST = 10**30


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader takes the last of two equal keys in silence; this one refuses them."""

    depth = 0

    def compose_node(self, parent, index):
        self.depth += 1
        if self.depth > DEPTH:
            raise yaml.YAMLError(f"nested more than {DEPTH} levels deep")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            # What is merged in may be laid over, so only `<<` itself counts.
            name = MERGE if key.tag == MERGE else self.construct_object(key, deep=True)
            if isinstance(name, Hashable) and name in seen:
                shown = repr("<<" if name == MERGE else name)[:60]
                raise yaml.YAMLError(f"line {key.start_mark.line + 1}: {shown} is there twice")
            seen.add(name if isinstance(name, Hashable) else None)
        return super().construct_mapping(node, deep)


def read_yaml(path: str | Path) -> dict:
    """A configuration file, YAML or JSON as Snakemake takes them.

    Raises PorefailError, one line that names the file, where it cannot be read, is empty, is no
    mapping, or names a key twice.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PorefailError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise PorefailError(f"{path}: not a text in UTF-8 ({error})") from None
    try:
        try:
            found = _json(text)
        except json.JSONDecodeError:  # no JSON; a key twice in JSON is a plain ValueError
            found = yaml.load(text, _Loader)
        _count(found, {})
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PorefailError(f"{path}: expected YAML or JSON ({_line(error)})") from None
    if not isinstance(found, dict):
        problem = "empty" if found is None else f"{found!r:.40}"
        raise PorefailError(f"{path}: is {problem}, expected keys of a configuration")
    return found


def parse_json(text: str) -> dict:
    """A JSON object. Raises ValueError, with one line, where it is none or names a key twice."""
    try:
        found = _json(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {_line(error)}") from None
    if not isinstance(found, dict):
        raise ValueError(f"expected a JSON object, not {text:.60}")
    return found


def _json(text: str):
    def once(pairs: list[tuple]) -> dict:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"{twice!r:.60} is there twice")
        return found

    return json.loads(text, object_pairs_hook=once)


def _count(value: object, known: dict[int, int]) -> int:
    """Number of values, those of an alias wherever it stands; ValueError if they are too many."""
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ValueError("a whole number of more than 30 digits")
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        known[id(value)] = VALUES  # what holds itself has no end
        each = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_count(one, known) for one in each)
    if known[id(value)] >= VALUES:
        raise ValueError(f"more than {VALUES} values, those of aliases counted")
    return known[id(value)]


def _line(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return " ".join(str(error).split())[:200]
