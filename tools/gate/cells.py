"""What the cells of a notebook hold, for the rules: code, prose, tags, and outputs as text."""

import re
from collections.abc import Iterator
from typing import Any

from tools.workshop.sections import WRITTEN

Notebook = Any  # nbformat.NotebookNode


def code_cells(notebook: Notebook) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", []))


def lines_of(cell: Any) -> int:
    return sum(bool(line.strip()) for line in cell.source.splitlines())


def words_of(cell: Any) -> int:
    """Of a text cell, without what `make guide` writes into it; 0 for code."""
    return len(WRITTEN.sub("", cell.source).split()) if cell.cell_type == "markdown" else 0


def prose(cells: list[Any]) -> str:
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def headings(text: str, level: str = "#+") -> list[str]:
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(rf"^{level} +(.+)$", text, flags=re.MULTILINE)


def strings(outputs: list[Any]) -> Iterator[tuple[str, str]]:
    """(kind, text) of everything in outputs that people read: streams, errors, and text in rich outputs."""
    for output in outputs:
        if output.output_type == "stream":
            yield output.name, output.text
        elif output.output_type == "error":
            yield "error", "\n".join([output.evalue, *output.traceback])
        for mime, value in output.get("data", {}).items():
            if mime.startswith("text/"):
                yield mime, value


def text_of(cell: Any) -> str:
    """What a cell says in words, without data URIs."""
    return "\n".join(re.sub(r"data:[^\"'\s]+", "", text) for _, text in strings(cell.outputs))


def where(number: int, cell: Any) -> str:
    first = next(iter(cell.source.splitlines()), "")
    return f"code cell {number} ({first[:40]!r})"
