"""Which parts of a lesson are slides: headings, pictures, what leads to a picture, and what came out of it."""

import re
from pathlib import Path
from typing import Any

import nbformat
from nbconvert import SlidesExporter

from tools.book.lessons import heading
from tools.gate.rules import VERDICT
from tools.workshop.sections import WRITTEN, has_picture, sections

CLOSING = "Close, and go on"
BESIDE_WORDS = 40  # a text that is longer leaves no room for a picture on its slide
LINK = re.compile(r"(?<!!)\[([^\[\]]*)\]\((?![a-z]+:)[^)]*\)")


def marked(path: Path) -> Any:
    """The lesson as slides: only what is shown, each cell with its mark, "slide" or "-" for the same slide."""
    notebook = nbformat.read(path, as_version=4)
    parts: list[Any] = []
    for section in sections(notebook):
        if section.core and section.title != CLOSING:
            parts += section.parts
    shown: list[Any] = []
    words = 0  # on the slide so far
    for number, part in enumerate(parts):
        following = parts[number + 1] if number + 1 < len(parts) else None
        if not is_shown(part, following):
            continue
        beside = part.cell_type == "code" and bool(shown) and words <= BESIDE_WORDS
        part.metadata["slideshow"] = {"slide_type": "-" if beside else "slide"}
        if part.cell_type == "code":
            part.outputs = [output for output in part.outputs if has_picture({"outputs": [output]})]
            words = BESIDE_WORDS + 1  # one picture is enough
        else:
            part.source = LINK.sub(r"\1", WRITTEN.sub("", part.source))
            words = len(part.source.split())
        shown.append(part)
    notebook.cells = shown
    notebook.metadata["title"] = heading(notebook)
    return notebook


def is_shown(part: Any, following: Any) -> bool:
    """Pictures; texts with a heading, a prediction or a result; and the text before a picture."""
    if part.cell_type == "code":
        return has_picture(part)
    text = WRITTEN.sub("", part.source)
    leads = following is not None and following.cell_type == "code" and has_picture(following)
    return text.startswith("#") or bool(VERDICT.search(text)) or "**Predict" in text or leads


def page(path: Path) -> str:
    """The HTML of a lesson's slides; it reads reveal/ and slides.css beside it, and nothing else."""
    exporter = SlidesExporter(
        extra_template_basedirs=[str(Path(__file__).parent)],
        template_name="template",
        exclude_input=True,
        exclude_output_prompt=True,
    )
    text, _ = exporter.from_notebook_node(marked(path))
    return str(text)


def index(titles: dict[str, str]) -> str:
    """The first page: a link to each file by its title."""
    links = "".join(f'<li><a href="{file}">{title}</a></li>' for file, title in titles.items())
    head = '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Slides</title></head>'
    return f"{head}<body><h1>Slides</h1><p>Space or → turns.</p><ul>{links}</ul></body></html>\n"
