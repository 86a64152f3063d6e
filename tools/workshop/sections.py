"""The sections of a lesson, as its headings divide it, and the minutes that each is likely to take.

The minutes are an estimate from what a section holds, at the rates below. They were not measured in a class.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from helpers.settings import ROOT

WORDS_A_MINUTE = 200  # read with care, or said
SECONDS_A_CELL = 15  # to read what it is for, run it, look at what comes
SECONDS_A_LINE = 2  # of code
SECONDS_A_PICTURE = 20  # a figure, a contact sheet, a player
SECONDS_A_PREDICTION = 45  # until somebody has said something

HEAD = "Head"  # what stands before the first heading
LATER = ("Five questions", "Exercises", "Resources")  # for home, not for the lecture
HEADING = re.compile(r"^(?=## )", re.MULTILINE)
LINK_TARGET = re.compile(r"\]\([^)]*\)")
HERE = "**You are here:**"  # begins a line of the way, which `make guide` writes
CORE = ", of which the core takes "
# What `make guide` writes into texts: neither the estimate nor a rule counts its words.
WRITTEN = re.compile(rf"\n*^{re.escape(HERE)}.*$|{CORE}\d+", re.MULTILINE)


@dataclass
class Section:
    """A heading and what follows it up to the next. `parts` are its cells; a text is cut where a heading begins."""

    title: str
    more: bool
    parts: list[Any] = field(default_factory=list)

    @property
    def later(self) -> bool:
        return self.title.startswith(LATER)

    @property
    def core(self) -> bool:
        return not (self.more or self.later)

    @property
    def minutes(self) -> float:
        return sum(map(seconds_of, self.parts)) / 60


def seconds_of(cell: Any) -> float:
    """How long a class spends on a cell, at the rates above."""
    if cell.cell_type == "code":
        lines: int = len(cell.source.splitlines())
        return SECONDS_A_CELL + SECONDS_A_LINE * lines + SECONDS_A_PICTURE * has_picture(cell)
    text: str = LINK_TARGET.sub("", WRITTEN.sub("", cell.source))
    words = re.findall(r"\w+", text)
    return 60 * len(words) / WORDS_A_MINUTE + SECONDS_A_PREDICTION * text.count("**Predict")


def has_picture(cell: Any) -> bool:
    """Whether it shows a figure, a contact sheet or a player."""
    shown = [output.get("data", {}) for output in cell.get("outputs", [])]
    return any("image/png" in data or "<video" in data.get("text/html", "") for data in shown)


def pieces(notebook: Any) -> Iterator[Any]:
    """The cells in order; a text is cut in front of each heading of the second level. The first piece keeps the id."""
    for cell in notebook.cells:
        texts = HEADING.split(cell.source) if cell.cell_type == "markdown" else [cell.source]
        filled = [text.strip() for text in texts if text.strip()]
        if len(filled) < 2:
            yield cell
            continue
        for number, text in enumerate(filled):
            piece = nbformat.from_dict({**cell, "source": text})
            piece.id = f"{cell.id}-{number}" if number else cell.id
            yield piece


def sections(notebook: Any) -> list[Section]:
    """The head, and a section for each heading of the second level."""
    found = [Section(HEAD, more=False)]
    for piece in pieces(notebook):
        if piece.cell_type == "markdown" and piece.source.startswith("## "):
            title = piece.source.splitlines()[0].removeprefix("## ").strip()
            found.append(Section(title, more="more" in piece.metadata.get("tags", [])))
        found[-1].parts.append(piece)
    return found


@dataclass(frozen=True)
class Timed:
    """The minutes of a lesson: all of it, and its core; whole minutes, a section half a minute or more."""

    path: Path
    sections: list[Section]

    @property
    def number(self) -> str:
        return self.path.name[:2]

    @property
    def core(self) -> int:
        return round(sum(each.minutes for each in self.sections if each.core))

    @property
    def whole(self) -> int:
        """Core and more, without what is for home."""
        return round(sum(each.minutes for each in self.sections if not each.later))


def timed(path: Path) -> Timed:
    return Timed(path, sections(nbformat.read(path, as_version=4)))


def lesson_paths(root: Path = ROOT) -> list[Path]:
    return sorted((root / "notebooks").glob("[0-9]*.ipynb"))
