"""What a committed notebook must look like. Each rule takes a notebook and returns sentences, none when all is well."""

import re
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from tools.workshop.sections import WRITTEN

Notebook = Any  # nbformat.NotebookNode
Rule = Callable[[Notebook], list[str]]

# Cells whose output is not compared, by notebook and tag: how many there are, no more and no fewer.
UNCOMPARED: dict[str, dict[str, int]] = {
    "nbval-ignore-output": {"06_clustering_analysis": 1},  # t-SNE: its map differs from machine to machine
    "nbval-skip": {},
}

MAX_BYTES = 1_000_000
OUTPUT_SHARE = 0.6


@dataclass(frozen=True)
class Form:
    """How long a notebook and its parts may be; what is None is not asked for."""

    cells: tuple[int, int] = (25, 45)
    median_lines: int = 4  # of a code cell
    most_lines: int = 20
    line_width: int | None = None
    words: tuple[int, int | None] = (900, None)  # of prose
    words_a_line: int | None = 15  # of code
    median_words: int | None = None  # of a text cell
    most_words: int | None = None
    code_in_a_row: int | None = None
    predictions: int | None = None  # at most
    client_calls: int | None = None  # of the SDK, pymilvus or scikit-learn themselves: cells, at least
    exercises: bool = True  # in its tail
    resources: bool = False


SHORT = Form(
    cells=(40, 90),
    most_lines=15,
    line_width=88,
    words=(1000, 2200),
    words_a_line=None,
    median_words=60,
    most_words=120,
    code_in_a_row=2,
    predictions=5,
    client_calls=6,
    exercises=False,
    resources=True,
)
FORMS = {  # by number; the others have the first form until they are written anew
    "01": SHORT,
    "02": SHORT,
    "03": SHORT,
    "04": SHORT,
    "05": SHORT,
    "06": SHORT,
    "07": SHORT,
    "08": SHORT,
    "09": SHORT,
    "10": replace(SHORT, client_calls=None),  # an analyst's own, who works with the helpers
}

HOMES = re.compile(r"/home/\w+|/Users/\w+|/root/|/tmp/|/var/folders/|[A-Z]:\\+Users\\")
KEYS = re.compile(r"\btlk_\w{8,}|(?i:api_?key|token|secret)[\"']?\s*[=:]\s*[\"'][\w.-]{16,}[\"']")
WORDS = re.compile(
    r"\b(simply|obviously|trivially|effortless(ly)?|seamless(ly)?|blazing(ly)?|powerful|cutting-edge|"
    r"state-of-the-art|game-chang\w+|coming soon|recently released|as of (19|20)\d\d)\b",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(r"^<(Figure|Axes|matplotlib|IPython)\b.*>$")
LINK = re.compile(r"\]\(([^)\s]+)\)")
VERDICT = re.compile(
    r"^\*\*(?:On|In) (?:the|made-up) [^*\n]*:\*\*.*(?:\n.+)*", re.MULTILINE
)  # says what came out
FIGURE = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
SKLEARN = re.compile(r"^from sklearn[\w.]* import ([\w, ]+)$", re.MULTILINE)
CLIENT_CALL = re.compile(r"\b(?:milvus\.\w+|MilvusClient|\w+\.(?:embed\.v_2|assets)\.[\w.]+)\(")


def code_cells(notebook: Notebook) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _lines(cell: Any) -> int:
    return sum(bool(line.strip()) for line in cell.source.splitlines())


def _words(cell: Any) -> int:
    """Of a text cell, without what `make guide` writes into it; 0 for code."""
    return len(WRITTEN.sub("", cell.source).split()) if cell.cell_type == "markdown" else 0


def _form(notebook: Notebook) -> Form:
    """The form that a notebook has, by the number in its set-up."""
    numbers = re.findall(
        r"load_settings\(notebook=\"(\d\d)\"\)", "".join(c.source for c in code_cells(notebook))
    )
    return FORMS.get(next(iter(numbers), ""), Form())


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
    """As many cells as its form allows, short code cells, and enough prose, but not too much."""
    form = _form(notebook)
    lines = [_lines(cell) for cell in code_cells(notebook)]
    words = sum(map(_words, notebook.cells))
    found = []
    if not form.cells[0] <= len(notebook.cells) <= form.cells[1]:
        found.append(f"{len(notebook.cells)} cells, not {form.cells[0]} to {form.cells[1]}")
    if not lines or min(lines) == 0:
        found.append("there is an empty code cell, or none at all")
    if lines and statistics.median(lines) > form.median_lines:
        found.append(
            f"the median code cell has {statistics.median(lines):g} lines, more than {form.median_lines}"
        )
    if lines and max(lines) > form.most_lines:
        found.append(f"the longest code cell has {max(lines)} lines, more than {form.most_lines}")
    if words < form.words[0]:
        found.append(f"{words} words of prose, fewer than {form.words[0]}")
    if form.words[1] and words > form.words[1]:
        found.append(f"{words} words of prose, more than {form.words[1]}")
    if form.words_a_line and words < form.words_a_line * sum(lines):
        share = words / max(1, sum(lines))
        found.append(f"{share:.1f} words for each line of code, fewer than {form.words_a_line}")
    return found


def short_texts(notebook: Notebook) -> list[str]:
    """Where the form asks for it: short text cells, narrow lines, a sentence after two code cells, few predictions."""
    form = _form(notebook)
    texts = [_words(cell) for cell in notebook.cells if cell.cell_type == "markdown"]
    widest = max((len(line) for cell in code_cells(notebook) for line in cell.source.splitlines()), default=0)
    rows = [
        len(list(group)) for kind, group in groupby(notebook.cells, lambda c: c.cell_type) if kind == "code"
    ]
    predictions = len(re.findall(r"\*\*Predict", _prose(notebook.cells)))
    found = []
    if form.most_words and texts and max(texts) > form.most_words:
        found.append(f"the longest text cell has {max(texts)} words, more than {form.most_words}")
    if form.median_words and texts and statistics.median(texts) > form.median_words:
        found.append(
            f"the median text cell has {statistics.median(texts):g} words, more than {form.median_words}"
        )
    if form.line_width and widest > form.line_width:
        found.append(f"a line of code has {widest} characters, more than {form.line_width}")
    if form.code_in_a_row and max(rows, default=0) > form.code_in_a_row:
        found.append(f"{max(rows)} code cells in a row without a sentence, more than {form.code_in_a_row}")
    if form.predictions is not None and predictions > form.predictions:
        found.append(f"{predictions} predictions, more than {form.predictions}")
    return found


def no_magic(notebook: Notebook) -> list[str]:
    """Where the form asks for it: enough cells call the SDK, pymilvus or scikit-learn itself, not a helper."""
    least = _form(notebook).client_calls
    sources = [cell.source for cell in code_cells(notebook)]
    imported = ", ".join(SKLEARN.findall("\n".join(sources))).split(", ")
    own_call = re.compile("|".join([CLIENT_CALL.pattern, *(rf"\b{name}\(" for name in imported if name)]))
    calls = sum(bool(own_call.search(source)) for source in sources)
    if least is not None and calls < least:
        return [f"{calls} cells call the SDK, pymilvus or scikit-learn themselves, fewer than {least}"]
    return []


def _figures(text: str) -> list[str]:
    return [figure.replace(",", "") for figure in FIGURE.findall(text)]


def verdicts_hold(notebook: Notebook) -> list[str]:
    """Each figure in a line such as "**On the samples, offline:** …" stands in an output above it, in its section."""
    found, shown = [], ""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            shown += "\n" + _text(cell)
            continue
        for part in re.split(r"^(?=#{1,2} )", cell.source, flags=re.MULTILINE):
            if re.match(r"#{1,2} ", part):
                shown = ""
            for verdict in VERDICT.findall(part):
                known = set(_figures(shown))
                missing = [figure for figure in _figures(verdict) if figure not in known]
                if missing:
                    found.append(
                        f"{verdict[:50]!r} says {', '.join(missing)}, which no output above it shows"
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
    """A recap, the way on, and what its form asks for: exercises with their solution folded away, resources."""
    form = _form(notebook)
    titles = " | ".join(_headings(_prose(notebook.cells))).lower()
    wanted = ["recap", *["exercise"] * form.exercises, *["resources"] * form.resources]
    found = [f"no heading says {word!r}" for word in wanted if word not in titles]
    solutions = [cell for cell in notebook.cells if "solution" in tags(cell)]
    exercises = any("exercise" in tags(cell) for cell in notebook.cells)
    if form.exercises and not (solutions and exercises):
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
    short_texts,
    no_magic,
    verdicts_hold,
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
    """Numbers without a gap: 01, 02, 03 …"""
    numbers = [int(name[:2]) for name in sorted(names)]
    if numbers and numbers == list(range(1, len(numbers) + 1)):
        return []
    return [f"the notebooks are numbered {numbers}"]


# ---------------------------------------------------------------- the sanitise file


def unread_masks(text: str, parsed: int) -> list[str]:
    """nbval drops a rule without a word unless `replace:` is on the very next line, with a blank after the colon."""
    written = len(re.findall(r"^\s*regex\s*:", text, flags=re.MULTILINE | re.IGNORECASE))
    return [] if written == parsed else [f"{written} masks are written, and nbval reads {parsed}"]
