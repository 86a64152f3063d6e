"""Links from the notebooks to the glossary, where each first uses a term: `python -m tools.glossary [--check]`.

The terms are the headings of notebooks/glossary.md. A term has other names, too, where its text begins with them in
italics: "## MRR" and "*Mean reciprocal rank*: …".
"""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from helpers.files import write_file
from helpers.settings import ROOT

GLOSSARY = ROOT / "notebooks" / "glossary.md"
NAMES = re.compile(r"(?:\*[^*\n]+\*(?:, | or |\b)?)+(?=:| \()")  # with which the text of a term may begin
LINK = re.compile(r"\[([^\[\]]*)\]\(glossary\.md#([^)]*)\)")
# What is no prose: code, headings, links and pictures, HTML, and the names of the boxes.
NO_PROSE = re.compile(
    r"```.*?```|`[^`\n]*`|^#[^\n]*$|!?\[[^\]]*\]\((?!glossary\.md)[^)]*\)|<[^>]*>|https?://\S+|"
    r"\*\*(?:Offline model|Live)\.\*\*",
    re.MULTILINE | re.DOTALL,
)
# Words that mean something else there, by the number of the notebook.
ELSEWHERE = {
    "01": {"cluster"},  # of machines
    "02": {"noise"},  # in the wide sense
    "03": {"task"},  # an exercise
    "04": {"task"},
    "05": {"task"},
    "06": {"index", "task"},  # of agreement; an exercise
    "07": {"seed", "task"},  # the clip from which a moment grows
    "08": {"moment", "noise", "segment"},  # a while; chance; what Milvus calls so
    "09": {"filter", "moment"},  # of a log; a while
}


@dataclass(frozen=True)
class Use:
    """A term that a notebook uses for the first time: where, in which words, and whether these are a link to it."""

    cell: int
    start: int
    end: int
    term: str
    linked: bool


def anchor(term: str) -> str:
    """The anchor of a heading, as GitHub, JupyterLab and the book have it."""
    return re.sub(r"[^\w -]", "", term.lower()).replace(" ", "-")


def terms() -> dict[str, list[str]]:
    """Each term of the glossary with all its names."""
    parts = re.split(r"^## ", GLOSSARY.read_text("utf-8"), flags=re.MULTILINE)[1:]
    found = {}
    for part in parts:
        term, _, text = part.partition("\n")
        names = NAMES.match(text)
        found[term.strip()] = [term.strip(), *(re.findall(r"\*([^*]+)\*", names.group()) if names else [])]
    return found


def _pattern(name: str) -> str:
    """A name in the singular or the plural; its first letter may be a capital or not, but in an abbreviation."""
    body = re.escape(name)
    if not name[1:2].isupper():
        body = f"[{name[0].upper()}{name[0].lower()}]{re.escape(name[1:])}"
    return body.removesuffix("y") + "(?:y|ies)" if name.endswith("y") else body + "(?:s|es)?"


def first_uses(notebook: Any, number: str) -> list[Use]:
    """The first use of every term in the prose of a notebook, in reading order."""
    by_name = {name: term for term, names in terms().items() for name in names}
    longest = sorted(by_name, key=len, reverse=True)
    words = [f"(?P<n{i}>{_pattern(name)})" for i, name in enumerate(longest)]
    names = re.compile(r"(?<![\w/@-])(?:" + "|".join(words) + r")(?![\w@-])")
    by_anchor = {anchor(term): term for term in by_name.values()}
    seen = set(ELSEWHERE.get(number, set()))
    found = []
    for at, cell in enumerate(notebook.cells):
        if cell.cell_type != "markdown":
            continue
        prose = NO_PROSE.sub(lambda gone: " " * len(gone.group()), cell.source)
        for start, end, term, linked in sorted(_named(prose, names, longest, by_name, by_anchor)):
            if term not in seen:
                seen.add(term)
                found.append(Use(at, start, end, term, linked))
    return found


def _named(
    prose: str,
    names: re.Pattern[str],
    longest: list[str],
    by_name: dict[str, str],
    by_anchor: dict[str, str],
) -> Iterator[tuple[int, int, str, bool]]:
    """(start, end, term, whether it is a link) of every term in a text cell."""
    for link in LINK.finditer(prose):
        if link.group(2) in by_anchor:
            yield link.start(), link.end(), by_anchor[link.group(2)], True
    for match in names.finditer(LINK.sub(lambda link: " " * len(link.group()), prose)):
        yield match.start(), match.end(), by_name[longest[int(str(match.lastgroup)[1:])]], False


def link(notebook: Any, number: str) -> list[str]:
    """Make links of the first uses that are none; the terms."""
    missing = [use for use in first_uses(notebook, number) if not use.linked]
    for use in sorted(missing, key=lambda use: (use.cell, use.start), reverse=True):
        cell = notebook.cells[use.cell]
        words = cell.source[use.start : use.end]
        target = f"[{words}](glossary.md#{anchor(use.term)})"
        cell.source = cell.source[: use.start] + target + cell.source[use.end :]
    return [use.term for use in missing]


def lessons() -> list[Path]:
    return sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Link each term of the glossary where a notebook first uses it."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if a link is missing")
    parser.add_argument("notebooks", nargs="*", help="their names, without .ipynb; else all")
    given = parser.parse_args()
    chosen = [path for path in lessons() if not given.notebooks or path.stem in given.notebooks]
    anything = False
    for path in chosen:
        notebook = nbformat.read(path, as_version=4)
        if missing := link(notebook, path.name[:2]):
            anything = True
            print(f"{path.stem}: {'not linked' if given.check else 'linked'}: {', '.join(missing)}")
            if not given.check:
                write_file(path, (nbformat.writes(notebook) + "\n").encode())
    return 1 if anything and given.check else 0


if __name__ == "__main__":
    raise SystemExit(main())
