"""What a committed notebook must look like. Each rule takes a notebook and returns sentences, none when all is well."""

import re
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Notebook = Any  # nbformat.NotebookNode
Rule = Callable[[Notebook], list[str]]

# Cells whose output is not compared, by notebook and tag: how many there are, no more and no fewer.
UNCOMPARED: dict[str, dict[str, int]] = {
    "nbval-ignore-output": {"06_clustering_analysis": 1},  # t-SNE: its map differs from machine to machine
    "nbval-skip": {},
}

NOT_YET = {8}  # notebooks that are still to be written

MAX_BYTES = 1_000_000
CELLS = (25, 45)
MEDIAN_LINES, MOST_LINES = 4, 20  # lines of a code cell
LEAST_WORDS, WORDS_A_LINE = 900, 15
OUTPUT_SHARE = 0.6

HOMES = re.compile(r"/home/\w+|/Users/\w+|/root/|/tmp/|/var/folders/|[A-Z]:\\+Users\\")
KEYS = re.compile(r"\btlk_\w{8,}|(?i:api_?key|token|secret)[\"']?\s*[=:]\s*[\"'][\w.-]{16,}[\"']")
WORDS = re.compile(
    r"\b(simply|obviously|trivially|effortless(ly)?|seamless(ly)?|blazing(ly)?|powerful|cutting-edge|"
    r"state-of-the-art|game-chang\w+|coming soon|recently released|as of (19|20)\d\d)\b",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(r"^<(Figure|Axes|matplotlib|IPython)\b.*>$")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def code_cells(notebook: Notebook) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _lines(cell: Any) -> int:
    return sum(bool(line.strip()) for line in cell.source.splitlines())


def _prose(cells: list[Any]) -> str:
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def _headings(text: str, level: str = "#+") -> list[str]:
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(rf"^{level} +(.+)$", text, flags=re.MULTILINE)


def _strings(outputs: list[Any]) -> Iterator[tuple[str, str]]:
    """(kind, text) of everything in outputs that people read: streams, errors, and text in rich outputs."""
    for output in outputs:
        if output.output_type == "stream":
            yield output.name, output.text
        elif output.output_type == "error":
            yield "error", "\n".join([output.evalue, *output.traceback])
        for mime, value in output.get("data", {}).items():
            if mime.startswith("text/"):
                yield mime, value


def _text(cell: Any) -> str:
    """What a cell says in words, without data URIs."""
    return "\n".join(re.sub(r"data:[^\"'\s]+", "", text) for _, text in _strings(cell.outputs))


def _where(number: int, cell: Any) -> str:
    first = next(iter(cell.source.splitlines()), "")
    return f"code cell {number} ({first[:40]!r})"


# ---------------------------------------------------------------- outputs


def run_once_from_top_to_bottom(notebook: Notebook) -> list[str]:
    counts = [cell.execution_count for cell in code_cells(notebook)]
    wanted = list(range(1, len(counts) + 1))
    return [] if counts == wanted and counts else [f"the counters are {counts}, not 1 to {len(counts)}"]


def no_surprising_errors(notebook: Notebook) -> list[str]:
    """Errors only where a tag says so; nothing on stderr, where warnings hold process ids and paths."""
    found = []
    for number, cell in enumerate(code_cells(notebook), start=1):
        kinds = {kind for kind, _ in _strings(cell.outputs)}
        if "error" in kinds and "raises-exception" not in tags(cell):
            found.append(f"{_where(number, cell)} ends in an error and has no tag raises-exception")
        if "stderr" in kinds:
            found.append(f"{_where(number, cell)} writes to stderr")
    return found


def enough_output(notebook: Notebook) -> list[str]:
    cells = code_cells(notebook)
    share = sum(bool(cell.outputs) for cell in cells) / max(1, len(cells))
    return [] if share >= OUTPUT_SHARE else [f"only {share:.0%} of the code cells have an output"]


def no_private_things(notebook: Notebook) -> list[str]:
    found = []
    for number, cell in enumerate(code_cells(notebook), start=1):
        text = _text(cell)
        found += [f"{_where(number, cell)} shows the path {match}" for match in HOMES.findall(text)]
        if KEYS.search(text) or KEYS.search(cell.source):
            found.append(f"{_where(number, cell)} holds what looks like a key")
    if KEYS.search(_prose(notebook.cells)):
        found.append("the prose holds what looks like a key")
    return found


def no_state_of_widgets(notebook: Notebook) -> list[str]:
    found = ["widget state is saved"] if "widgets" in notebook.metadata else []
    views = [
        o
        for c in code_cells(notebook)
        for o in c.outputs
        if any("widget-view" in m for m in o.get("data", {}))
    ]
    return found + ([f"{len(views)} widget views are saved: run `make refresh`"] if views else [])


def pictures_speak(notebook: Notebook) -> list[str]:
    """Every picture has alt text, and its cell says in words and numbers what the picture shows."""
    found = []
    for number, cell in enumerate(code_cells(notebook), start=1):
        pictures = [o.data for o in cell.outputs if {"image/png", "image/jpeg"} & set(o.get("data", {}))]
        for image in re.findall(
            r"<img\b[^>]*>", "\n".join(t for k, t in _strings(cell.outputs) if k == "text/html")
        ):
            if not re.search(r"alt=([\"'])(?!\1)", image):
                found.append(f"{_where(number, cell)} has an <img> without alt text")
        if any("<img" not in str(data.get("text/html", "")) for data in pictures):
            found.append(
                f"{_where(number, cell)} shows a picture without its HTML twin, which carries the alt text"
            )
        words = "\n".join(
            t for k, t in _strings(cell.outputs) if k != "text/html" and not PLACEHOLDER.match(t.strip())
        )
        if pictures and not re.search(r"\d", words):
            found.append(f"{_where(number, cell)} shows a picture and prints no digest of its numbers")
    return found


def everything_is_compared(notebook: Notebook) -> list[str]:
    """Exceptions by tag only, where UNCOMPARED counts them; a comment would be an exception that nobody counts."""
    comments = [c for c in code_cells(notebook) if re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)_", c.source)]
    return ["a comment switches the comparison: use a tag"] if comments else []


# ---------------------------------------------------------------- style


def easy_to_step_through(notebook: Notebook) -> list[str]:
    """25 to 45 cells, short code cells, and more prose than code."""
    lines = [_lines(cell) for cell in code_cells(notebook)]
    words = len(_prose(notebook.cells).split())
    found = []
    if not CELLS[0] <= len(notebook.cells) <= CELLS[1]:
        found.append(f"{len(notebook.cells)} cells, not {CELLS[0]} to {CELLS[1]}")
    if not lines or min(lines) == 0:
        found.append("there is an empty code cell, or none at all")
    if lines and statistics.median(lines) > MEDIAN_LINES:
        found.append(f"the median code cell has {statistics.median(lines):g} lines, more than {MEDIAN_LINES}")
    if lines and max(lines) > MOST_LINES:
        found.append(f"the longest code cell has {max(lines)} lines, more than {MOST_LINES}")
    if words < LEAST_WORDS:
        found.append(f"{words} words of prose, fewer than {LEAST_WORDS}")
    if words < WORDS_A_LINE * sum(lines):
        found.append(
            f"{words / max(1, sum(lines)):.1f} words for each line of code, fewer than {WORDS_A_LINE}"
        )
    return found


def plain_words(notebook: Notebook) -> list[str]:
    return [f"the prose says {match.group()!r}" for match in WORDS.finditer(_prose(notebook.cells))]


def one_title(notebook: Notebook) -> list[str]:
    first = notebook.cells[0]
    titles = _headings(_prose(notebook.cells), "#")
    if len(titles) != 1 or first.cell_type != "markdown" or not _headings(first.source, "#"):
        return [f"one H1 in the first cell is wanted, and the notebook has {titles}"]
    return []


def a_head(notebook: Notebook) -> list[str]:
    """Before the first code: 3 to 5 aims, a table of prerequisites, minutes, and what it costs live."""
    cells = notebook.cells
    first_code = next((i for i, cell in enumerate(cells) if cell.cell_type == "code"), len(cells))
    head = _prose(cells[:first_code])
    found = []
    lists = re.findall(r"(?:^(?:[-*]|\d+\.) .+\n(?:  .+\n)*)+", head + "\n", flags=re.MULTILINE)
    if not any(3 <= len(re.findall(r"^(?:[-*]|\d+\.) ", block, flags=re.MULTILINE)) <= 5 for block in lists):
        found.append("the head lists no 3 to 5 things that the reader will be able to do")
    if not re.search(r"prerequisite", head, re.IGNORECASE) or not re.search(
        r"^\|.+\|\s*\n\|[-:| ]+\|", head, re.M
    ):
        found.append("the head has no table of prerequisites")
    if not re.search(r"\d+ min", head):
        found.append("the head does not say how many minutes it takes")
    if not re.search(r"\blive\b", head, re.IGNORECASE) or not re.search(r"\bcosts?\b", head, re.IGNORECASE):
        found.append("the head does not say what it costs live")
    return found


def a_tail(notebook: Notebook) -> list[str]:
    """A recap, exercises with their solution folded away, and the way on."""
    titles = " | ".join(_headings(_prose(notebook.cells))).lower()
    found = [f"no heading says {word!r}" for word in ("recap", "exercise") if word not in titles]
    solutions = [cell for cell in notebook.cells if "solution" in tags(cell)]
    if not solutions or not any("exercise" in tags(cell) for cell in notebook.cells):
        found.append("no cells are tagged exercise and solution")
    for cell in solutions:
        if cell.cell_type == "code" and not cell.metadata.get("jupyter", {}).get("source_hidden"):
            found.append("a solution is not collapsed (metadata.jupyter.source_hidden)")
    last = _prose(notebook.cells[-3:])
    if "next" not in last.lower() or not LINK.search(last):
        found.append("the last cells have no link to what comes next")
    return found


RULES: tuple[Rule, ...] = (
    run_once_from_top_to_bottom,
    no_surprising_errors,
    enough_output,
    no_private_things,
    no_state_of_widgets,
    pictures_speak,
    everything_is_compared,
    easy_to_step_through,
    plain_words,
    one_title,
    a_head,
    a_tail,
)


# ---------------------------------------------------------------- rules about files


def small_enough(path: Path) -> list[str]:
    size = path.stat().st_size
    return [] if size < MAX_BYTES else [f"{size / 1e6:.2f} MB, not under {MAX_BYTES / 1e6:g} MB"]


def links_lead_somewhere(path: Path, notebook: Notebook) -> list[str]:
    """Relative links and the sources of pictures in the prose."""
    targets = LINK.findall(_prose(notebook.cells)) + re.findall(
        r"\bsrc=[\"']([^\"']+)", _prose(notebook.cells)
    )
    files = [t.split("#")[0] for t in targets if not re.match(r"[a-z]+:", t) and t.split("#")[0]]
    return [f"the link {file} leads nowhere" for file in files if not (path.parent / file).exists()]


def in_order(names: list[str]) -> list[str]:
    """Numbers without a gap: 01, 02, 03 …, but for NOT_YET."""
    numbers = [int(name[:2]) for name in sorted(names)]
    last = max(numbers, default=0)
    if numbers and numbers == [n for n in range(1, last + 1) if n not in NOT_YET]:
        return []
    return [f"the notebooks are numbered {numbers}"]


# ---------------------------------------------------------------- the sanitise file


def unread_masks(text: str, parsed: int) -> list[str]:
    """nbval drops a rule without a word unless `replace:` is on the very next line, with a blank after the colon."""
    written = len(re.findall(r"^\s*regex\s*:", text, flags=re.MULTILINE | re.IGNORECASE))
    return [] if written == parsed else [f"{written} masks are written, and nbval reads {parsed}"]
