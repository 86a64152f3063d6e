"""The pages that Sphinx reads, written from README.md and the notebooks, and from whatever these link to."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat

from helpers.settings import ROOT
from helpers.show.tracks import captions_html
from helpers.videos.playable import player_seconds
from tools.book.lessons import Lesson, first_picture, lessons, minutes_of, read

PAGES = (".md", ".ipynb")
FRONT = Path("README.md")
LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\]]*\])*\])\(([^()\s]+)\)")
VIDEO = re.compile(r'<video\b[^>]*\bsrc="([^"#:]+)#t=([\d.]+),([\d.]+)"[^>]*>')


def anchor(words: str) -> str:
    """The anchor that a heading has in the book: JupyterLab writes it as the heading, with dashes for blanks."""
    return re.sub(r"[^\w -]", "", words.lower()).replace(" ", "-")


def resolved(page: Path, target: str) -> Path:
    """Where a relative link of a page leads, from the root of the checkout."""
    return Path(os.path.normpath(page.parent / target))


class Sources:
    """Writes pages into `folder`, laid out as the checkout is, so that relative links stay as they are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.waiting: list[Path] = []  # pages that something links to
        self.videos: set[Path] = set()

    def write(self) -> None:
        """Write the front page and every page that can be reached from it; each brings the files that it shows."""
        suite = {each.path: each for each in lessons()}
        exercises = [path for each in suite.values() for path in each.exercises]
        self.waiting = [FRONT, *suite, *exercises]
        texts: dict[Path, str] = {}
        while self.waiting:
            page = self.waiting.pop(0)
            if page in texts:
                continue
            if page.suffix == ".ipynb":
                texts[page] = self._notebook(page, suite.get(page))
            else:
                texts[page] = self._linked(page, (ROOT / page).read_text("utf-8"))
        more = [page for page in texts if page not in {FRONT, *suite, *exercises}]
        texts[FRONT] = self._front(texts[FRONT], list(suite.values()), more)
        for page, text in texts.items():
            self._put("index.md" if page == FRONT else page, text.encode())

    def _put(self, path: str | Path, content: bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def _linked(self, page: Path, text: str) -> str:
        """The text with links that work in the book; what they lead to is fetched."""

        def mended(link: re.Match[str]) -> str:
            words, target = link.groups()
            if re.match(r"[a-z]+:", target):
                return link.group()
            file, _, place = target.partition("#")
            if not file:
                return f"{words}(#{anchor(place)})"
            there = resolved(page, file)
            if (ROOT / there).is_dir():
                return words.strip("[]")
            if there.suffix not in PAGES or words.startswith("!"):
                self._put(there, (ROOT / there).read_bytes())
                return link.group()
            self.waiting.append(there)
            return f"{words}({target.replace('README.md', 'index.md')})" if there == FRONT else link.group()

        return LINK.sub(mended, text)

    def _notebook(self, page: Path, lesson: Lesson | None) -> str:
        notebook = read(page)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = self._linked(page, cell.source)
            for output in cell.get("outputs", []):
                if shown := output.get("data", {}).get("text/html"):
                    output.data["text/html"] = VIDEO.sub(lambda player: self._player(page, player), shown)
        if "solutions" in page.parts:
            cell = notebook.cells[0]
            cell.source = cell.source.replace("# Exercises for", "# Solutions for", 1)
        if lesson and lesson.exercises:
            entries = [f"{entry_of(path)} <{path.parent.name}/{path.name}>" for path in lesson.exercises]
            notebook.cells.append(nbformat.v4.new_markdown_cell(toctree("", entries), id="beside"))
        written: str = nbformat.writes(notebook)
        return written

    def _player(self, page: Path, player: re.Match[str]) -> str:
        """A player of a video, which the book brings along, with captions."""
        file, *span = player.groups()
        video = resolved(page, file)
        self.videos.add(video)
        start, end, zero = (*map(float, span), player_seconds(ROOT / video, 0.0)[0])
        return player.group() + captions_html(ROOT / video, start - zero, end - zero, shift=zero)

    def _front(self, readme: str, suite: list[Lesson], more: list[Path]) -> str:
        """README.md with a gallery of the lessons under its first paragraph, and the table of contents."""
        title, first, rest = readme.split("\n\n", 2)
        gallery = "\n".join(["{.gallery}", *self._cards(suite)])
        entries = [
            f"{each.number} {each.title} · {each.minutes} min <{each.path.as_posix()}>" for each in suite
        ]
        trees = [toctree("Lessons", entries), toctree("More", [page.as_posix() for page in more])]
        return "\n\n".join([title, first, gallery, rest, *trees])

    def _cards(self, suite: list[Lesson]) -> Iterator[str]:
        for each in suite:
            below = [f"*{words}*" for words in (each.about, f"{each.minutes} min") if words]
            words = " ".join([f"**{each.number} {each.title}**", *below])
            picture = first_picture(read(each.path))
            if picture:
                kind, content = picture
                thumbnail = f"thumbnails/{each.number}.{kind}"
                self._put(thumbnail, content)
                words = f"![]({thumbnail}) {words}"
            yield f"- [{words}]({each.path.as_posix()})"


def entry_of(path: Path) -> str:
    """How the exercises and the solutions stand under their lesson."""
    return f"Exercises · {minutes_of(read(path))} min" if path.parent.name == "exercises" else "Solutions"


def toctree(caption: str, entries: list[str]) -> str:
    head = ["```{toctree}", ":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n".join([*head, "", *entries, "```"])
