"""Pages for people: what they take from elsewhere is current, and what they point to is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from porefail.files import tables

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_keys_and_tables_are_those_of_their_sources():
    command = [sys.executable, ROOT / "docs" / "write.py", "--check"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def anchors(page: Path) -> set[str]:
    """Names that GitHub gives the headings of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_pictures_are_there(page):
    found = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", page.read_text())
    missing = [link for link, _ in found if not (page.parent / link).exists()]
    missing += [
        f"{link}#{anchor}"
        for link, anchor in found
        if anchor and link not in missing
        if anchor not in anchors(page.parent / link if link else page)
    ]
    assert not missing


def test_every_table_and_picture_is_used():
    text = "".join(page.read_text() for page in PAGES)
    for path in [
        *(ROOT / "docs" / "results" / "data").iterdir(),
        *(ROOT / "docs" / "img").iterdir(),
    ]:
        assert path.name in text, path.name


def test_the_readme_is_one_screen_or_two():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 130


@pytest.mark.parametrize("table", ["ACCOUNT", "SITES"])
def test_columns_of_tables_are_explained(table):
    text = (ROOT / "docs" / "tables.md").read_text()
    missing = [name for name in getattr(tables, table) if f"`{name}`" not in text]
    assert set(missing) <= {"realization"}
