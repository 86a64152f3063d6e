"""Make the editions of the notebooks: `make editions`, or `python -m tools.editions`. Git ignores them.

`learner/`: lessons and exercises without outputs, and no solutions. `live-coding/`: the lessons with headings and
short texts; short code cells are empty but for their imports, for typing along, and long ones stay filled. Both are as
deep as `notebooks/`, so that `../data` leads to the same place. They are made anew each time, where they are asked for:
nothing to keep in step, and no second copy of every notebook in the repository. So do not write into them what you want
to keep: `make mine` is for that.
"""

import argparse
import ast
import re
import shutil
from pathlib import Path
from typing import Any

import nbformat

from helpers.files import write_file
from helpers.settings import ROOT
from tools.gate.rules import VERDICT
from tools.mine import stripped
from tools.workshop.sections import HERE, lesson_paths

TYPED_LINES = 6  # a code cell that is longer, imports aside, stays filled
SHORT_WORDS = 60  # a text that is longer keeps its headings and its first paragraph
TYPE_HERE = "# Type along."
ALWAYS = ("#", "**Predict", HERE)  # how paragraphs begin that stay
MARK = ".edition"  # a folder without it is not ours to remove
NOTE = "Written by `make editions`, and written over by the next one."


def typed_part(source: str) -> tuple[str, int]:
    """The imports of a cell, and how many other lines it has."""
    body = ast.parse(source).body
    imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    taken = sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in imports)
    lines = sum(bool(line.strip()) for line in source.splitlines())
    return "\n".join(map(ast.unparse, imports)), lines - taken


def emptied(source: str) -> str:
    """A code cell for typing along: its imports and a line that says so; a long one, or imports alone, as it is."""
    imports, lines = typed_part(source)
    if not 0 < lines <= TYPED_LINES:
        return source
    return "\n".join(filter(None, [imports, TYPE_HERE]))


def shortened(text: str) -> str:
    """A text without what came out. A long one has only headings, the paragraph after each, predictions and the way."""
    paragraphs = [part for part in text.split("\n\n") if not VERDICT.match(part)]
    if len(" ".join(paragraphs).split()) <= SHORT_WORDS:
        return "\n\n".join(paragraphs)
    pairs = zip(["#", *paragraphs], paragraphs, strict=False)
    kept = [part for before, part in pairs if before.startswith("#") or part.startswith(ALWAYS)]
    return "\n\n".join(kept)


def live_coding(path: Path) -> Any:
    """The lesson for typing along, without outputs; a text of which nothing is left goes."""
    notebook = nbformat.reads(stripped(path), as_version=4)
    for cell in notebook.cells:
        cell.source = emptied(cell.source) if cell.cell_type == "code" else shortened(cell.source)
    notebook.cells = [cell for cell in notebook.cells if cell.source.strip()]
    return notebook


def fresh(folder: Path) -> Path:
    """The folder, empty. Raises FileExistsError where somebody else's is in its place."""
    if folder.exists() and not (folder / MARK).exists():
        raise FileExistsError(f"{folder.name}/ was not made by this: move it away, then try again.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    write_file(folder / MARK, f"{NOTE}\n".encode())
    return folder


def relinked(cell: Any, kept_in_place: str, up: str) -> None:
    """Let a text's links to these folders lead into `notebooks/`, where they stay."""
    if cell.cell_type == "markdown":
        cell.source = re.sub(rf"\]\(((?:\.\./)?)({kept_in_place})/", rf"]({up}notebooks/\2/", cell.source)


def make(root: Path, target: Path) -> list[Path]:
    """Make both editions of the notebooks of `root` in `target`; the files."""
    source = root / "notebooks"
    learner, typing = fresh(target / "learner"), fresh(target / "live-coding")
    made: dict[Path, Any] = {}
    for path in [*lesson_paths(root), *sorted((source / "exercises").glob("[0-9]*.ipynb"))]:
        notebook = nbformat.reads(stripped(path), as_version=4)
        inside = path.relative_to(source)
        for cell in notebook.cells:
            relinked(cell, "solutions", "../" * len(inside.parts))
        made[learner / inside] = notebook
    for path in lesson_paths(root):
        made[typing / path.name] = notebook = live_coding(path)
        for cell in notebook.cells:
            relinked(cell, "exercises|solutions", "../")
    for file, notebook in made.items():
        file.parent.mkdir(exist_ok=True)
        write_file(file, f"{nbformat.writes(notebook)}\n".encode())
    for folder in (learner, typing):
        shutil.copyfile(source / "glossary.md", folder / "glossary.md")
    return list(made)


def main() -> int:
    argparse.ArgumentParser(description="Make the learner's and the live coding edition.").parse_args()
    try:
        made = make(ROOT, ROOT)
    except FileExistsError as error:
        print(error)
        return 1
    print(f"{len(made)} notebooks in learner/ and live-coding/. {NOTE}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
