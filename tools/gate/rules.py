"""What a committed notebook must look like. Each rule takes a notebook and returns sentences, none when all is well."""

import re
from collections.abc import Callable
from pathlib import Path

from tools.gate.cells import Notebook, code_cells, headings, prose, strings, tags, text_of, where
from tools.gate.form import easy_to_step_through, no_magic, short_texts

Rule = Callable[[Notebook], list[str]]

# Cells whose output is not compared, by notebook and tag: how many there are, no more and no fewer.
UNCOMPARED: dict[str, dict[str, int]] = {
    "nbval-ignore-output": {"06_clustering_analysis": 1},  # t-SNE: its map differs from machine to machine
    "nbval-skip": {},
}

MAX_BYTES = 1_000_000
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
VERDICT = re.compile(
    r"^\*\*(?:On|In) (?:the|made-up) [^*\n]*:\*\*.*(?:\n.+)*", re.MULTILINE
)  # says what came out
FIGURE = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


# ---------------------------------------------------------------- outputs


def run_once_from_top_to_bottom(notebook: Notebook) -> list[str]:
    counts = [cell.execution_count for cell in code_cells(notebook)]
    wanted = list(range(1, len(counts) + 1))
    return [] if counts == wanted and counts else [f"the counters are {counts}, not 1 to {len(counts)}"]


def no_surprising_errors(notebook: Notebook) -> list[str]:
    """Errors only where a tag says so; nothing on stderr, where warnings hold process ids and paths."""
    found = []
    for number, cell in enumerate(code_cells(notebook), start=1):
        kinds = {kind for kind, _ in strings(cell.outputs)}
        if "error" in kinds and "raises-exception" not in tags(cell):
            found.append(f"{where(number, cell)} ends in an error and has no tag raises-exception")
        if "stderr" in kinds:
            found.append(f"{where(number, cell)} writes to stderr")
    return found


def enough_output(notebook: Notebook) -> list[str]:
    cells = code_cells(notebook)
    share = sum(bool(cell.outputs) for cell in cells) / max(1, len(cells))
    return [] if share >= OUTPUT_SHARE else [f"only {share:.0%} of the code cells have an output"]


def no_private_things(notebook: Notebook) -> list[str]:
    found = []
    for number, cell in enumerate(code_cells(notebook), start=1):
        text = text_of(cell)
        found += [f"{where(number, cell)} shows the path {match}" for match in HOMES.findall(text)]
        if KEYS.search(text) or KEYS.search(cell.source):
            found.append(f"{where(number, cell)} holds what looks like a key")
    if KEYS.search(prose(notebook.cells)):
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
            r"<img\b[^>]*>", "\n".join(t for k, t in strings(cell.outputs) if k == "text/html")
        ):
            if not re.search(r"alt=([\"'])(?!\1)", image):
                found.append(f"{where(number, cell)} has an <img> without alt text")
        if any("<img" not in str(data.get("text/html", "")) for data in pictures):
            found.append(
                f"{where(number, cell)} shows a picture without its HTML twin, which carries the alt text"
            )
        words = "\n".join(
            t for k, t in strings(cell.outputs) if k != "text/html" and not PLACEHOLDER.match(t.strip())
        )
        if pictures and not re.search(r"\d", words):
            found.append(f"{where(number, cell)} shows a picture and prints no digest of its numbers")
    return found


def everything_is_compared(notebook: Notebook) -> list[str]:
    """Exceptions by tag only, where UNCOMPARED counts them; a comment would be an exception that nobody counts."""
    comments = [c for c in code_cells(notebook) if re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)_", c.source)]
    return ["a comment switches the comparison: use a tag"] if comments else []


# ---------------------------------------------------------------- style


def _figures(text: str) -> list[str]:
    return [figure.replace(",", "") for figure in FIGURE.findall(text)]


def verdicts_hold(notebook: Notebook) -> list[str]:
    """Each figure in a line such as "**On the samples, offline:** …" stands in an output above it, in its section."""
    found, shown = [], ""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            shown += "\n" + text_of(cell)
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
    return [f"the prose says {match.group()!r}" for match in WORDS.finditer(prose(notebook.cells))]


def one_title(notebook: Notebook) -> list[str]:
    first = notebook.cells[0]
    titles = headings(prose(notebook.cells), "#")
    if len(titles) != 1 or first.cell_type != "markdown" or not headings(first.source, "#"):
        return [f"one H1 in the first cell is wanted, and the notebook has {titles}"]
    return []


def a_head(notebook: Notebook) -> list[str]:
    """Before the first code: 3 to 5 aims, a table of prerequisites, minutes, and what it costs live."""
    cells = notebook.cells
    first_code = next((i for i, cell in enumerate(cells) if cell.cell_type == "code"), len(cells))
    head = prose(cells[:first_code])
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
    """A recap, resources, and the way on."""
    titles = " | ".join(headings(prose(notebook.cells))).lower()
    found = [f"no heading says {word!r}" for word in ("recap", "resources") if word not in titles]
    last = prose(notebook.cells[-3:])
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
    targets = LINK.findall(prose(notebook.cells)) + re.findall(r"\bsrc=[\"']([^\"']+)", prose(notebook.cells))
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
