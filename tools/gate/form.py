"""How long a notebook and its parts may be, and how many cells use a client itself. All ten lessons keep to it."""

import re
import statistics
from itertools import groupby

from tools.gate.cells import Notebook, code_cells, lines_of, prose, words_of

CELLS = (40, 90)
WORDS = (1000, 2200)  # of prose
MEDIAN_LINES, MOST_LINES = 4, 15  # of a code cell
LINE_WIDTH = 88  # of code
MEDIAN_WORDS, MOST_WORDS = 60, 120  # of a text cell
CODE_IN_A_ROW = 2
PREDICTIONS = 5  # at most
CLIENT_CALLS = 6  # cells that call the SDK, pymilvus or scikit-learn themselves, at least
HELPERS_ONLY = "10"  # an analyst's own, who works with the helpers

NUMBER = re.compile(r"load_settings\(notebook=\"(\d\d)\"\)")
SKLEARN = re.compile(r"^from sklearn[\w.]* import ([\w, ]+)$", re.MULTILINE)
CLIENT_CALL = re.compile(r"\b(?:milvus\.\w+|MilvusClient|\w+\.(?:embed\.v_2|assets)\.[\w.]+)\(")


def easy_to_step_through(notebook: Notebook) -> list[str]:
    """Enough cells and prose, but not too much, and short code cells."""
    lines = [lines_of(cell) for cell in code_cells(notebook)]
    words = sum(map(words_of, notebook.cells))
    found = []
    if not CELLS[0] <= len(notebook.cells) <= CELLS[1]:
        found.append(f"{len(notebook.cells)} cells, not {CELLS[0]} to {CELLS[1]}")
    if not WORDS[0] <= words <= WORDS[1]:
        found.append(f"{words} words of prose, not {WORDS[0]} to {WORDS[1]}")
    if not lines or min(lines) == 0:
        found.append("there is an empty code cell, or none at all")
    if lines and statistics.median(lines) > MEDIAN_LINES:
        found.append(f"the median code cell has {statistics.median(lines):g} lines, more than {MEDIAN_LINES}")
    if lines and max(lines) > MOST_LINES:
        found.append(f"the longest code cell has {max(lines)} lines, more than {MOST_LINES}")
    return found


def short_texts(notebook: Notebook) -> list[str]:
    """Short text cells, narrow lines, a sentence after two code cells, few predictions."""
    texts = [words_of(cell) for cell in notebook.cells if cell.cell_type == "markdown"]
    widest = max((len(line) for cell in code_cells(notebook) for line in cell.source.splitlines()), default=0)
    rows = [
        len(list(group)) for kind, group in groupby(notebook.cells, lambda c: c.cell_type) if kind == "code"
    ]
    predictions = len(re.findall(r"\*\*Predict", prose(notebook.cells)))
    found = []
    if texts and max(texts) > MOST_WORDS:
        found.append(f"the longest text cell has {max(texts)} words, more than {MOST_WORDS}")
    if texts and statistics.median(texts) > MEDIAN_WORDS:
        found.append(f"the median text cell has {statistics.median(texts):g} words, more than {MEDIAN_WORDS}")
    if widest > LINE_WIDTH:
        found.append(f"a line of code has {widest} characters, more than {LINE_WIDTH}")
    if max(rows, default=0) > CODE_IN_A_ROW:
        found.append(f"{max(rows)} code cells in a row without a sentence, more than {CODE_IN_A_ROW}")
    if predictions > PREDICTIONS:
        found.append(f"{predictions} predictions, more than {PREDICTIONS}")
    return found


def no_magic(notebook: Notebook) -> list[str]:
    """Enough cells call the SDK, pymilvus or scikit-learn itself, not a helper."""
    source = "\n".join(cell.source for cell in code_cells(notebook))
    if HELPERS_ONLY in NUMBER.findall(source):
        return []
    imported = ", ".join(SKLEARN.findall(source)).split(", ")
    own_call = re.compile("|".join([CLIENT_CALL.pattern, *(rf"\b{name}\(" for name in imported if name)]))
    calls = sum(bool(own_call.search(cell.source)) for cell in code_cells(notebook))
    if calls < CLIENT_CALLS:
        return [f"{calls} cells call the SDK, pymilvus or scikit-learn themselves, fewer than {CLIENT_CALLS}"]
    return []
