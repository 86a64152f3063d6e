"""The glossary: it has every term that the notebooks use, and each is a link where a notebook first uses it."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from helpers.settings import ROOT
from tools.glossary import GLOSSARY, NO_PROSE, anchor, first_uses, lessons, link, terms

TERMS = terms()
# Abbreviations and names that need no entry.
KNOWN = {
    "API",
    "CSV",
    "DataFrame",
    "HTML",
    "HTTP",
    "JSON",
    "JupyterLab",
    "MB",
    "MP4",
    "NaN",
    "NumPy",
    "POST",
    "SDK",
}
KNOWN |= {"SQL", "UTC", "MilvusClient", "IMG_0413", "IMG_0415", "DOUBLE", "NotLoad"}
ABBREVIATION = re.compile(r"(?<![\w/.-])[A-Za-z]*[A-Z][A-Za-z]*[A-Z]\w*")


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def prose(path: Path) -> str:
    return "\n\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")


def texts() -> dict[str, str]:
    """The prose of every notebook, and the glossary."""
    notebooks = sorted((ROOT / "notebooks").rglob("[0-9]*.ipynb"))
    return {path.relative_to(ROOT).as_posix(): prose(path) for path in notebooks} | {
        "glossary": GLOSSARY.read_text("utf-8")
    }


@pytest.mark.parametrize("path", lessons(), ids=lambda p: p.stem)
def test_every_term_is_a_link_where_it_is_first_used(path: Path) -> None:
    missing = [use.term for use in first_uses(read(path), path.name[:2]) if not use.linked]
    assert missing == [], "`python -m tools.glossary` makes links of them"


def test_every_link_leads_to_a_term() -> None:
    anchors = {anchor(term) for term in TERMS}
    for name, text in texts().items():
        targets = re.findall(r"\]\((?:\.\./)?glossary\.md#([^)]+)\)", text)
        targets += re.findall(r"\]\(#([^)]+)\)", text) if name == "glossary" else []
        assert set(targets) <= anchors, name


def test_no_abbreviation_is_left_unexplained() -> None:
    named = {word for names in TERMS.values() for name in names for word in re.split(r"[ -]", name)}
    for path in lessons():
        found = set(ABBREVIATION.findall(NO_PROSE.sub(" ", prose(path))))
        unknown = {word for word in found if word.removesuffix("s") not in named | KNOWN}
        assert unknown == set(), f"{path.stem}: they want an entry in the glossary, or a place in KNOWN"


def test_the_terms_are_in_order() -> None:
    assert list(TERMS) == sorted(TERMS, key=str.lower)


def test_a_term_becomes_a_link_once_and_only_in_prose() -> None:
    cells = [
        "# Clips\n\nSee [clips](02_embedding.ipynb), `clip`, and ![a clip](clip.png).",
        "> **Offline model.** Two queries, and *Mean reciprocal rank*.",
        "Each clip and each query. An embedding option is no [embedding](glossary.md#embedding).",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(source) for source in cells])
    assert link(notebook, "99") == ["query", "MRR", "clip", "embedding option"]
    assert [cell.source for cell in notebook.cells] == [
        cells[0],
        "> **Offline model.** Two [queries](glossary.md#query), and *[Mean reciprocal rank](glossary.md#mrr)*.",
        "Each [clip](glossary.md#clip) and each query. An [embedding option](glossary.md#embedding-option) is no "
        "[embedding](glossary.md#embedding).",
    ]
    assert link(notebook, "99") == []
