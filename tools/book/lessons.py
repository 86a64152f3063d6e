"""What a notebook says about itself: its number, title, minutes, and its first picture."""

import base64
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from helpers.settings import ROOT

PICTURE = re.compile(r'(?:src|poster)="data:image/(\w+);base64,([^"]+)"')


@dataclass(frozen=True)
class Lesson:
    """A notebook as the table of contents shows it; `path` is relative to the checkout."""

    path: Path
    title: str  # "Similarity search"
    about: str  # "from words to the right second", or ""
    minutes: int

    @property
    def number(self) -> str:
        return self.path.name[:2]

    @property
    def exercises(self) -> list[Path]:
        """Its exercises and their solutions, where they are written apart from it."""
        places = (self.path.parent / part / self.path.name for part in ("exercises", "solutions"))
        return [place for place in places if (ROOT / place).exists()]


def read(path: Path) -> Any:
    return nbformat.read(ROOT / path, as_version=4)


def heading(notebook: Any) -> str:
    return re.sub(r"^# +", "", notebook.cells[0].source.splitlines()[0])


def minutes_of(notebook: Any) -> int:
    """The first "… min" of the head. Raises ValueError where there is none."""
    head = "\n".join(cell.source for cell in notebook.cells[:3])
    if found := re.search(r"(\d+) min", head):
        return int(found.group(1))
    raise ValueError(f"{heading(notebook)!r} does not say how many minutes it takes")


def lesson(path: Path) -> Lesson:
    notebook = read(path)
    title, *about = re.split("[:,] ", re.sub(r"^\d\d · ", "", heading(notebook)), maxsplit=1)
    return Lesson(path, title, "".join(about), minutes_of(notebook))


def lessons() -> list[Lesson]:
    """The lessons, in their order."""
    return [lesson(path.relative_to(ROOT)) for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))]


def first_picture(notebook: Any) -> tuple[str, bytes] | None:
    """The kind ("png", "jpeg") and the bytes of the first figure, contact sheet or player's still."""
    for data in (output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])):
        if "image/png" in data:  # a contact sheet's HTML has a picture for each tile
            return "png", base64.b64decode(data["image/png"])
        if found := PICTURE.search(data.get("text/html", "")):
            return found.group(1), base64.b64decode(found.group(2))
    return None
