"""Which parts of a lesson are slides: headings, pictures, small tables, what leads to these, and what came out."""

import html
import re
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat
from nbconvert import SlidesExporter
from PIL import Image

from helpers.show.output import figure_html
from tools.book.lessons import heading
from tools.gate.rules import VERDICT
from tools.workshop.sections import WRITTEN, Section, has_picture, sections

CLOSING = "Close, and go on"
WORDS, BESIDE_WORDS = 90, 75  # on a slide; and beside a picture or a table, of which each slide holds one
MARKS = re.compile("[*`]")
ROWS = 8  # of a table that can be read from the last row
TALL = 1.2  # height by width of a picture that cannot
CREDITS = re.compile(r'<small class="credits">Videos: (.*?)</small>')
LINK = re.compile(r"(?<!!)\[([^\[\]]*)\]\((?![a-z]+:)[^)]*\)")


def marked(path: Path) -> Any:
    """The lesson as slides: only what is shown, each cell with its mark.

    "slide" begins one, "-" stands below what is there, and "fragment" too, but comes after a prediction at a key.
    """
    notebook = nbformat.read(path, as_version=4)
    shown: list[Any] = []
    for section in sections(notebook):
        if section.core and section.title != CLOSING:
            shown += laid_out(section)
    if missing := [line for line in credits_in(notebook.cells) if line not in credits_in(shown)]:
        words = f"## Credits\n\n<small>{'; '.join(missing)}</small>"
        shown.append(as_slide(nbformat.v4.new_markdown_cell(words, id="credits"), "slide"))
    notebook.cells = shown
    notebook.metadata["title"] = heading(notebook)
    return notebook


def laid_out(section: Section) -> list[Any]:
    """The parts of a section that are shown, each with its mark; it begins a slide, and each further has its title."""
    shown: list[Any] = []
    words, full, secret = 0, False, False  # of the slide so far: whether it has its picture, and a prediction
    for part, following in zip(section.parts, [*section.parts[1:], None], strict=True):
        if not is_shown(part, following):
            continue
        to_see = part.cell_type == "code"
        if to_see:
            part.outputs = [as_one(output) for output in part.outputs if is_readable(output)]
        else:
            part.source = LINK.sub(r"\1", WRITTEN.sub("", part.source))
        more = 0 if to_see else len(part.source.split())
        leads = leads_on(following) and not VERDICT.search(part.source)
        room = BESIDE_WORDS if full or to_see or leads else WORDS
        begins = not shown or words + more > room or (full and (to_see or leads))
        if begins:
            words, full, secret = 0, False, False
        kind = "slide" if begins else "fragment" if secret else "-"
        if begins and shown:
            title = f'<p class="continued">{html.escape(MARKS.sub("", section.title))}</p>'
            above = nbformat.v4.new_markdown_cell(title, id=f"{part.id}-above")
            shown.append(as_slide(above, "slide"))
            kind = "-"
        shown.append(as_slide(part, kind))
        words, full = words + more, full or to_see
        secret = secret or "**Predict" in part.source
    return shown


def as_one(output: Any) -> Any:
    """The output with a contact sheet's tiles as one picture, which can be made to fit."""
    data = output.get("data", {})
    page = data.get("text/html", "")
    if "image/png" in data and page.count("<img") > 1:
        credits = "".join(line[0] for line in CREDITS.finditer(page))
        source = f"data:image/png;base64,{data['image/png'].strip()}"
        data["text/html"] = figure_html(source, data["text/plain"], "") + credits
    return output


def as_slide(part: Any, kind: str) -> Any:
    part.metadata["slideshow"] = {"slide_type": kind}
    return part


def leads_on(following: Any) -> bool:
    """Whether what comes next is to be seen."""
    return following is not None and following.cell_type == "code" and is_to_see(following)


def credits_in(cells: list[Any]) -> list[str]:
    """The lines of credits below the pictures of these cells, as HTML: a lesson has each once, maybe on no slide."""
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    pages = [str(output.get("data", {}).get("text/html", "")) for output in outputs]
    return [line for page in pages for line in CREDITS.findall(page)]


def is_shown(part: Any, following: Any) -> bool:
    """Pictures and tables; texts with a heading, a prediction or a result; and the text before a picture or a table."""
    if part.cell_type == "code":
        return is_to_see(part)
    text = WRITTEN.sub("", part.source)
    return text.startswith("#") or bool(VERDICT.search(text)) or "**Predict" in text or leads_on(following)


def is_to_see(cell: Any) -> bool:
    """Whether an output of it can be read from the last row."""
    return any(map(is_readable, cell.outputs))


def is_readable(output: Any) -> bool:
    """Whether it is a table of a few rows, a player, or a picture that is no sheet of many rows."""
    data = output.get("data", {})
    if "image/png" in data:
        with Image.open(BytesIO(b64decode(data["image/png"]))) as picture:
            return picture.height <= TALL * picture.width
    return has_picture({"outputs": [output]}) or 0 < data.get("text/html", "").count("<tr") <= ROWS + 1


def page(path: Path) -> str:
    """The HTML of a lesson's slides; it reads reveal/, slides.css and slides.js beside it, and nothing else."""
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
